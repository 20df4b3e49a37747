//! The scenarios' turns, as `program.py` has them.

use langgraph_rust_core::CheckpointId;
use langgraph_rust_runtime::{
    Command, Error, Goto, GraphInput, Interrupt, Map, Message, StateUpdate, Stops, Update, Value,
    COPY, END, INPUT,
};
use serde_json::json;

use crate::thread::{How, Thread};

/// What one turn of a scenario does.
pub(crate) enum Turn {
    /// One `invoke`.
    Invoke(GraphInput, How),
    /// Remove a message, change another, and send one more.
    TakeBack(Value),
    /// Remove all messages, and send another.
    StartOver,
    /// Answer the first two open questions by id, the later one first.
    AnswerTwo,
    /// Answer whatever is open by id.
    AnswerAll,
    /// Run again from an older checkpoint, unchanged.
    Replay,
    /// From the first checkpoint, with a new input.
    ReplayInput,
    /// Go back to where the first question was asked.
    AskAgain,
    /// Answer the first question where it was asked first, though the thread moved on.
    AnswerInThePast,
    /// Change an older checkpoint and run on from there.
    Fork,
    /// Copy the oldest checkpoint, and run what the copy waits for.
    Copy,
    /// A thread that begins with updates: input, then two nodes' writes, then it runs on.
    BeginWithUpdates,
    /// Change the newest checkpoint as the node that wrote it.
    UpdateLast,
    /// Have nothing left to do, then begin anew.
    FinishByUpdate,
    /// Change the state of the graph inside that waits, then answer it.
    UpdateInside,
    /// Run again from the oldest checkpoint that waits for the graph inside.
    ReplayOuter,
}

use Turn::{AnswerAll, AnswerInThePast, AnswerTwo, AskAgain, Replay, ReplayInput};

/// A turn of a scenario.
pub(crate) fn of(scenario: &str, turn: usize) -> Option<Turn> {
    let turns = match scenario {
        "conversation" | "delta_conversation" => {
            let hello = Message::human("hello").with_id("hello");
            let hello = Update::new().set("messages", Value::list([hello]));
            let more = match scenario {
                "conversation" => Message::human("and now?").with_id("now").into(),
                // Where a field has no type, a message is stored as it was given.
                _ => {
                    let entry = |text: &str| Value::from(text);
                    Value::from([("role", entry("user")), ("content", entry("and now?"))])
                }
            };
            [put(hello), put(who()), Turn::TakeBack(more), Turn::StartOver]
        }
        "question" => [new(), resume("one"), resume(two()), resume("three")],
        "question_in_the_past" => [new(), resume("one"), AskAgain, AnswerInThePast],
        "question_unanswered" => [new(), resume("one"), go_on(), resume(2)],
        "questions" => [new(), AnswerTwo, resume("the last"), new()],
        "command" => commands(),
        "packets" => [
            stopping(log("new"), ["work"], []),
            stopping((), [], ["work"]),
            go_on(),
            stopping(log("new"), [], ["plan"]),
        ],
        "packets_that_ask" => {
            let everywhere = How { after: Stops::Everywhere, ..How::default() };
            [Turn::Invoke(log("new").into(), everywhere), go_on(), AnswerTwo, new()]
        }
        "failing" | "failing_packets" | "subgraph_failing" | "delta_failing" => {
            [new(), go_on(), healthy(), new()]
        }
        "failing_beside_question" => [new(), resume("well"), healthy(), new()],
        "handled" => [new(), resume("fine"), new(), resume("again")],
        "barrier" => [
            stopping(log("new"), [], ["long_1"]),
            stopping((), ["join"], []),
            stopping((), ["last"], []),
            go_on(),
        ],
        "subgraph" | "delta_subgraph" => [new(), resume("one"), resume("two"), new()],
        "subgraph_packets"
        | "subgraph_with_memory"
        | "subgraph_called"
        | "delta_subgraph_with_memory" => [new(), AnswerAll, AnswerAll, new()],
        "subgraph_to_parent" => [new(), resume("up"), new(), resume("again")],
        "channels" => {
            let items = |word: &str| Update::new().set("items", Value::list([word]));
            [
                stopping(items("new"), [], ["one"]),
                stopping((), ["three"], []),
                go_on(),
                put(items("more")),
            ]
        }
        "loop" => [limited(log("new"), 3), limited((), 2), go_on(), limited(log("new"), 1)],
        "fork" | "delta_fork" => [new(), Turn::Fork, Turn::Copy, new()],
        "updates" | "delta_updates" => {
            [Turn::BeginWithUpdates, Turn::UpdateLast, go_on(), Turn::FinishByUpdate]
        }
        "subgraph_update" => [new(), Turn::UpdateInside, resume("two"), Turn::ReplayOuter],
        "travel" => [new(), Replay, ReplayInput, new()],
        "delta_question" => [new(), resume("one"), resume(two()), new()],
        "delta_packets" => [new(), AnswerTwo, new(), AnswerAll],
        "delta_travel" => {
            let reset = Value::overwrite(Value::list(["reset"]));
            [new(), Replay, ReplayInput, put(Update::new().set("log", reset))]
        }
        "delta_long" => [new(), new(), ReplayInput, new()],
        _ => return None,
    };
    turns.into_iter().nth(turn)
}

impl Turn {
    /// Takes the turn.
    pub(crate) async fn take(self, thread: &mut Thread) -> Result<(), Error> {
        let (input, at) = match self {
            Turn::Invoke(input, how) => return thread.invoke(input, how).await,
            Turn::TakeBack(more) => (take_back(thread, more).await?, None),
            Turn::StartOver => {
                let bye = Message::human("bye").with_id("bye").with_name("ada");
                let messages = Value::list([Message::remove_all(), bye]);
                (Update::new().set("messages", messages).into(), None)
            }
            Turn::AnswerTwo => {
                let asked = open(thread).await?;
                let answers = asked.iter().take(2).enumerate();
                let answers =
                    answers.map(|(n, asked)| (asked.id.clone(), format!("answer {n}").into()));
                (Command::resume_by_id(answers).into(), None)
            }
            Turn::AnswerAll => {
                let asked = open(thread).await?;
                let answers = asked.iter().map(|asked| (asked.id.clone(), "yes".into()));
                (Command::resume_by_id(answers).into(), None)
            }
            Turn::Replay => (GraphInput::Nothing, Some(place(thread, "three").await?)),
            Turn::ReplayInput => (log("instead").into(), Some(place(thread, "").await?)),
            Turn::AskAgain => (GraphInput::Nothing, Some(place(thread, "ask").await?)),
            Turn::AnswerInThePast => {
                (Command::resume("otherwise").into(), Some(place(thread, "ask").await?))
            }
            Turn::ReplayOuter => (GraphInput::Nothing, Some(place(thread, "inner").await?)),
            other => return other.update(thread).await,
        };
        thread.invoke(input, How { at, ..How::default() }).await
    }
}

impl Turn {
    /// The turns that update the thread's state.
    async fn update(self, thread: &mut Thread) -> Result<(), Error> {
        let topic = |text: &str| GraphInput::from(Update::new().set("topic", text));
        let (input, how) = match self {
            Turn::Fork => {
                let two = thread.at(&place(thread, "two").await?);
                let at = thread.update(&two, topic("fork"), Some("one")).await?;
                (GraphInput::Nothing, How { at, ..How::default() })
            }
            Turn::Copy => {
                let oldest = thread.at(&place(thread, "").await?);
                let at = thread.update(&oldest, GraphInput::Nothing, Some(COPY)).await?;
                (GraphInput::Nothing, How { at, ..How::default() })
            }
            Turn::BeginWithUpdates => {
                let said = log("one, they say").set("topic", "said");
                let given = StateUpdate::new(log("given"), Some(INPUT));
                let said = StateUpdate::new(said, Some("one"));
                thread.updates(&thread.now(), vec![vec![given], vec![said]]).await?;
                (GraphInput::Nothing, How::default())
            }
            Turn::UpdateLast => {
                thread.update(&thread.now(), log("corrected").into(), None).await?;
                thread.update(&thread.now(), topic("corrected"), Some("two")).await?;
                return Ok(());
            }
            Turn::FinishByUpdate => {
                thread.update(&thread.now(), GraphInput::Nothing, Some(END)).await?;
                (log("anew").into(), How { after: ["one"].into(), ..How::default() })
            }
            Turn::UpdateInside => {
                let tasks = thread.state().await?.tasks;
                let inside = tasks.into_iter().find_map(|task| task.state);
                let inside = inside.ok_or_else(|| Error::message("no graph inside waits"))?;
                thread.update(&inside.config(), topic("changed inside"), None).await?;
                (Command::resume("yes").into(), How::default())
            }
            _ => return Err(Error::message("a turn that updates nothing")),
        };
        thread.invoke(input, how).await
    }
}

async fn take_back(thread: &Thread, more: Value) -> Result<GraphInput, Error> {
    let values = thread.state().await?.values;
    let messages: Vec<Message> = values.get("messages").cloned().unwrap_or_default().to_typed()?;
    let id = |place: usize| messages[place].id().unwrap_or_default().to_owned();
    let changed = Message::ai("changed").with_id(id(1));
    let written = [Message::remove(id(0)).into(), changed.into(), more];
    Ok(Update::new().set("messages", Value::list::<Value>(written)).into())
}

async fn open(thread: &Thread) -> Result<Vec<Interrupt>, Error> {
    let tasks = thread.state().await?.tasks;
    Ok(tasks.into_iter().flat_map(|task| task.interrupts).collect())
}

/// The oldest checkpoint that is followed by `node`, or else the oldest.
async fn place(thread: &Thread, node: &str) -> Result<CheckpointId, Error> {
    let history = thread.history().await?;
    let found = history.iter().rev().find(|snapshot| *snapshot.next == [node.into()]);
    let found = found.or(history.last()).map(|snapshot| snapshot.id.clone());
    found.ok_or_else(|| Error::message("the thread has not begun"))
}

fn commands() -> [Turn; 4] {
    let command = |command: Command| Turn::Invoke(command.into(), How::default());
    [
        new(),
        command(Command::resume("there").set("topic", "given with the answer")),
        command(Command::new().set("log", Value::list(["went aside"])).goto("aside")),
        command(
            Command::new()
                .set("log", Value::list(["only an update"]))
                .goto(Goto::send("aside", Map::new())),
        ),
    ]
}

fn who() -> Update {
    let more = Value::from(json!({ "k": [1, null] }));
    let who = Message::human("who?").with_id("who").with_field("additional_kwargs", more);
    Update::new().set("messages", Value::list([who]))
}

fn log(word: &str) -> Update {
    Update::new().set("log", Value::list([word]))
}

fn two() -> Value {
    Value::from(json!({ "two": [2] }))
}

fn put(input: impl Into<GraphInput>) -> Turn {
    Turn::Invoke(input.into(), How::default())
}

fn new() -> Turn {
    put(log("new"))
}

fn resume(value: impl Into<Value>) -> Turn {
    put(Command::resume(value))
}

fn go_on() -> Turn {
    put(())
}

fn healthy() -> Turn {
    Turn::Invoke(GraphInput::Nothing, How { healthy: true, ..How::default() })
}

fn limited(input: impl Into<GraphInput>, limit: u64) -> Turn {
    Turn::Invoke(input.into(), How { limit: Some(limit), ..How::default() })
}

fn stopping<const B: usize, const A: usize>(
    input: impl Into<GraphInput>,
    before: [&str; B],
    after: [&str; A],
) -> Turn {
    let (before, after) = (before.into(), after.into());
    Turn::Invoke(input.into(), How { before, after, ..How::default() })
}
