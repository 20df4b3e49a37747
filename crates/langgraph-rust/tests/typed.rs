//! Graphs whose state is a struct: the shapes of nodes, what they take and give, and what goes wrong.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use langgraph_rust::prelude::*;
use langgraph_rust::{Error, Status};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, State)]
struct Draft {
    topic: String,
    #[reducer(append)]
    log: Vec<String>,
    rounds: i64,
    verdict: Option<Verdict>,
    note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Verdict {
    Good,
    Bad,
}

fn logged(text: &str) -> NodeResult<DraftUpdate> {
    Ok(Draft::update().log([text]))
}

async fn borrowing(state: &Draft) -> NodeResult<DraftUpdate> {
    tokio::task::yield_now().await;
    logged(&format!("borrowing {}", state.topic))
}

async fn asking(state: &Draft, runtime: &Runtime) -> NodeResult<DraftUpdate> {
    tokio::task::yield_now().await;
    logged(&format!("{} {}", runtime.node(), state.topic))
}

fn plain(state: &Draft) -> NodeResult<DraftUpdate> {
    logged(&format!("plain {}", state.topic))
}

fn plain_asking(state: &Draft, runtime: &Runtime) -> NodeResult<DraftUpdate> {
    logged(&format!("{} {}", runtime.node(), state.topic))
}

#[tokio::test]
async fn nodes_have_many_shapes() {
    let suffix = String::from("!");
    let graph = StateGraph::<Draft>::new()
        .node("borrowing", borrowing)
        .node("asking", asking)
        .node("plain", plain)
        .node("plain_asking", plain_asking)
        .node(
            "owning",
            |state: Arc<Draft>| async move { logged(&format!("owning {}", state.topic)) },
        )
        .node("owning_asking", move |state: Arc<Draft>, runtime: Runtime| {
            let suffix = suffix.clone();
            async move { logged(&format!("{} {}{suffix}", runtime.node(), state.topic)) }
        })
        .node("closure", |state: &Draft| logged(&format!("closure {}", state.topic)))
        .node("closure_asking", |state: &Draft, runtime: &Runtime| {
            logged(&format!("{} {}", runtime.node(), state.topic))
        })
        .node("nothing", |_: &()| Ok(()))
        .node("all", |state: &Value| logged(state.get("topic").text()?))
        .add_node(Node::blocking("blocking", |state: &Draft| {
            logged(&format!("blocking {}", state.topic))
        }))
        .edge(START, "borrowing")
        .edge("borrowing", "asking")
        .edge("asking", "plain")
        .edge("plain", "plain_asking")
        .edge("plain_asking", "owning")
        .edge("owning", "owning_asking")
        .edge("owning_asking", "closure")
        .edge("closure", "closure_asking")
        .edge("closure_asking", "nothing")
        .edge("nothing", "all")
        .edge("all", "blocking")
        .compile()
        .unwrap();
    let input = Draft { topic: "rust".into(), ..Draft::default() };
    let done = graph.invoke(input, &Config::default()).await.unwrap();
    let expected = [
        "borrowing rust",
        "asking rust",
        "plain rust",
        "plain_asking rust",
        "owning rust",
        "owning_asking rust!",
        "closure rust",
        "closure_asking rust",
        "rust",
        "blocking rust",
    ];
    assert_eq!(done.state.log, expected);
}

#[tokio::test]
async fn a_run_is_sent_to_other_threads() {
    let graph = StateGraph::<Draft>::new()
        .node("borrowing", borrowing)
        .edge(START, "borrowing")
        .compile()
        .unwrap();
    let run = tokio::spawn(async move {
        graph.invoke(Draft::update().topic("rust"), &Config::default()).await
    });
    assert_eq!(run.await.unwrap().unwrap().state.log, ["borrowing rust"]);
}

/// What `square` is sent.
#[derive(Clone, Debug, Input)]
struct Job {
    number: i64,
    #[state(default = 2)]
    power: u32,
}

/// The part of the state that `count` looks at.
#[derive(Debug, Input)]
struct Seen {
    log: Vec<String>,
}

#[tokio::test]
async fn nodes_have_inputs_of_their_own() {
    let graph = StateGraph::<Draft>::new()
        .node("split", |state: &Draft| {
            let jobs = (1..=state.rounds).map(|number| Job { number, power: 3 });
            let mut jobs: Vec<_> = jobs.map(|job| Goto::send("power", job)).collect();
            jobs.push(Goto::send("power", [("number", Value::from(7))]));
            Ok(jobs)
        })
        .node("power", |job: &Job| logged(&job.number.pow(job.power).to_string()))
        .node("count", |seen: &Seen| Ok(Draft::update().rounds(seen.log.len() as i64)))
        .edge(START, "split")
        .edge("power", "count")
        .compile()
        .unwrap();
    let done = graph.invoke(Draft::update().rounds(2), &Config::default()).await.unwrap();
    assert_eq!(done.state.log, ["1", "8", "49"]);
    assert_eq!(done.state.rounds, 3);
}

#[tokio::test]
async fn what_was_sent_waits_in_a_saver() {
    let graph = StateGraph::<Draft>::new()
        .node("split", |_: &()| Ok(Goto::send("power", Job { number: 5, power: 2 })))
        .node("power", |job: Arc<Job>, runtime: Runtime| async move {
            let more: i64 = runtime.interrupt_for("how much more?")?;
            logged(&(job.number.pow(job.power) + more).to_string())
        })
        .edge(START, "split")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    graph.invoke(Draft::update(), &config).await.unwrap();
    let done = graph.invoke(Command::resume(3), &config).await.unwrap();
    assert_eq!(done.state.log, ["28"]);
}

#[tokio::test]
async fn branches_read_the_state_with_what_was_just_written() {
    let graph = StateGraph::<Draft>::new()
        .node("write", |state: &Draft| Ok(Draft::update().rounds(state.rounds + 1)))
        .node("judge", |state: &Draft| {
            let verdict = if state.rounds < 3 { Verdict::Bad } else { Verdict::Good };
            Ok(Draft::update().verdict(verdict).note(None))
        })
        .edge(START, "write")
        .branch_to(
            "write",
            |state| Ok(if state.rounds < 2 { "write" } else { "judge" }),
            &["write", "judge"],
        )
        .branch("judge", |state| match state.verdict {
            Some(Verdict::Good) => Ok(END),
            _ => Ok("write"),
        })
        .compile()
        .unwrap();
    let done = graph.invoke(Draft::update().note("soon lost"), &Config::default()).await.unwrap();
    assert_eq!((done.state.rounds, done.state.verdict), (3, Some(Verdict::Good)));
    assert_eq!(done.state.note, None);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    approved: bool,
    comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Input)]
struct Question {
    draft: String,
}

#[tokio::test]
async fn interrupts_are_answered_by_values_of_a_type() {
    async fn approve(state: &Draft, runtime: &Runtime) -> NodeResult<Command> {
        let question = Question { draft: state.topic.clone() };
        let answer: Answer = runtime.interrupt_for(question)?;
        let update = Draft::update().note(answer.comment);
        Ok(Command::from(update).goto(if answer.approved { END } else { "write" }))
    }
    let graph = StateGraph::<Draft>::new()
        .node("write", |state: &Draft| Ok(Draft::update().topic(format!("{}+", state.topic))))
        .node("approve", approve)
        .edge(START, "write")
        .edge("write", "approve")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let paused = graph.invoke(Draft::update().topic("a"), &config).await.unwrap();
    assert_eq!(paused.interrupts()[0].value.get("draft"), "a+".into());
    let no = Answer { approved: false, comment: Some("more".into()) };
    let paused = graph.invoke(Command::resume(Value::typed(no)), &config).await.unwrap();
    assert_eq!(paused.interrupts()[0].value.get("draft"), "a++".into());
    assert_eq!(paused.state.note.as_deref(), Some("more"));
    let yes = Value::from([("approved", Value::from(true))]);
    let done = graph.invoke(Command::resume(yes), &config).await.unwrap();
    assert_eq!(done.status, Status::Done);
    let expected = Draft { topic: "a++".into(), ..Draft::default() };
    assert_eq!(done.state, expected);
    let snapshot = graph.state(&config).await.unwrap().unwrap();
    assert_eq!(snapshot.state::<Draft>().unwrap(), expected);
}

#[derive(Debug)]
struct OutOfPaper(u32);

impl fmt::Display for OutOfPaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "out of paper after {} pages", self.0)
    }
}

impl std::error::Error for OutOfPaper {}

fn print(pages: u32) -> Result<(), OutOfPaper> {
    Err(OutOfPaper(pages))
}

#[tokio::test]
async fn errors_of_ones_own_come_out_as_they_are() {
    let tries = Arc::new(AtomicU32::new(0));
    let counter = tries.clone();
    let printing = Node::new("print", move |_: Arc<Draft>| {
        let pages = counter.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            print(pages)?;
            Ok(Draft::update())
        }
    });
    let is_worth_it = |error: &Error| match error {
        Error::Node { source, .. } => source.downcast_ref::<OutOfPaper>().is_some_and(|o| o.0 < 2),
        _ => false,
    };
    let graph = StateGraph::<Draft>::new()
        .add_node(printing.retry(RetryPolicy::attempts(5).at_once().only(is_worth_it)))
        .edge(START, "print")
        .compile()
        .unwrap();
    let error = graph.invoke(Draft::update(), &Config::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "the node 'print' failed: out of paper after 2 pages");
    let Error::Node { node, source, .. } = error else { panic!("not the node's") };
    assert_eq!((&*node, source.downcast_ref::<OutOfPaper>().unwrap().0), ("print", 2));
    assert_eq!(tries.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn values_that_do_not_fit_are_refused_by_the_fields_names() {
    let graph = StateGraph::<Draft>::new()
        .node("write", |_: &()| Ok(Update::new().set("rounds", "three")))
        .edge(START, "write")
        .compile()
        .unwrap();
    let error = graph.invoke(Draft::update(), &Config::default()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("the node 'write' failed: the field 'rounds': "), "{text}");
    let input = Update::new().set("topic", 5);
    let error = graph.invoke(input, &Config::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("the field 'topic': "), "{error}");
    // Of a type of one's own, and another than the field's.
    let input = Update::new().set("log", Value::typed(Verdict::Good));
    let error = graph.invoke(input, &Config::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("the field 'log': "), "{error}");
    let error = graph.invoke(Update::new().set("lag", 1), &Config::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the graph has no field 'lag'; it has topic, log, rounds, verdict, note"
    );
}

/// As `Draft` was, before `rounds` became a number.
#[derive(Clone, State)]
struct Other {
    rounds: String,
}

#[tokio::test]
async fn a_stored_value_that_does_not_fit_names_its_field() {
    let saver = Memory::new();
    let config = Config::thread("1");
    let write = StateGraph::<Other>::new()
        .node("nothing", |_: &()| Ok(()))
        .edge(START, "nothing")
        .compile()
        .unwrap()
        .with_saver(saver.clone());
    write.invoke(Other { rounds: "three".into() }, &config).await.unwrap();
    let read = StateGraph::<Draft>::new()
        .node("plain", plain)
        .edge(START, "plain")
        .compile()
        .unwrap()
        .with_saver(saver);
    let error = read.invoke(Draft::update(), &config).await.unwrap_err();
    assert!(error.to_string().starts_with("the field 'rounds': "), "{error}");
}

#[derive(Clone, Debug, PartialEq, State)]
#[serde(rename_all = "camelCase")]
struct Named {
    first_name: String,
    #[serde(rename = "type")]
    kind: String,
    r#final: bool,
    #[state(default = 7)]
    lucky_number: u8,
}

#[tokio::test]
async fn channels_have_the_names_that_serde_gives() {
    let graph = StateGraph::<Named>::new()
        .node("nothing", |_: &Named| Ok(Named::update().r#final(true)))
        .edge(START, "nothing")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let input = Update::new().set("firstName", "Ada").set("type", "person");
    let config = Config::thread("1");
    let done = graph.invoke(input, &config).await.unwrap();
    let expected =
        Named { first_name: "Ada".into(), kind: "person".into(), r#final: true, lucky_number: 7 };
    assert_eq!(done.state, expected);
    let snapshot = graph.state(&config).await.unwrap().unwrap();
    assert_eq!(snapshot.values["final"], true.into());
    assert!(!snapshot.values.contains_key("luckyNumber"));
}

#[test]
fn an_update_shows_what_it_writes() {
    let update = Draft::update().topic("rust").log(["a"]).verdict(Verdict::Good).note(None);
    let expected = r#"DraftUpdate { topic: "rust", log: ["a"], verdict: "Good", note: null }"#;
    assert_eq!(format!("{update:?}"), expected);
    assert_eq!(update.topic.as_deref(), Some("rust"));
    assert_eq!(Update::from(Draft::update()).writes().len(), 0);
    assert_eq!(Update::from(Draft::default()).writes().len(), 5);
}
