//! What fields do with writes: reducers, changes instead of values, values that are not stored.

// Fields of these types are the users' to have.
#![allow(clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use langgraph_rust::prelude::*;
use langgraph_rust::{Error, Message};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Money(i64);

fn earn(held: Money, more: Money) -> Money {
    Money(held.0 + more.0)
}

fn shorten(held: String, more: String) -> Result<String, std::num::ParseIntError> {
    let keep: usize = more.parse()?;
    Ok(held.chars().take(keep).collect())
}

#[derive(Clone, Debug, PartialEq, State)]
struct All {
    #[reducer(append)]
    list: Vec<String>,
    #[reducer(append)]
    text: String,
    #[reducer(sum)]
    sum: i64,
    #[reducer(sum)]
    #[state(default = 1.5)]
    from: f64,
    #[reducer(max)]
    max: i64,
    #[reducer(min)]
    #[state(default = 10)]
    min: i64,
    #[reducer(set)]
    set: BTreeSet<String>,
    #[reducer(merge)]
    map: BTreeMap<String, i64>,
    #[reducer(custom = earn)]
    money: Money,
    #[reducer(custom = shorten)]
    #[state(default = "abcdef".into())]
    short: String,
    #[ephemeral]
    hint: Option<String>,
    last: i64,
}

fn twice(first: AllUpdate, second: AllUpdate) -> Graph<All> {
    let returning = |update: AllUpdate| move |_: &()| Ok(update.clone());
    StateGraph::<All>::new()
        .node("a", returning(first))
        .node("b", returning(second))
        .edge(START, "a")
        .edge(START, "b")
        .compile()
        .unwrap()
}

async fn all(first: AllUpdate, second: AllUpdate) -> Result<All, Error> {
    let done = twice(first, second).invoke(All::update().last(1), &Config::default()).await;
    done.map(|done| done.state)
}

#[tokio::test]
async fn each_reducer_folds_the_writes_of_a_superstep() {
    let first = All::update()
        .list(["a"])
        .text("x")
        .sum(2)
        .from(0.25)
        .max(-5)
        .min(7)
        .set(["p", "q"])
        .map([("k", 1), ("l", 1)])
        .money(Money(3))
        .short("4");
    let second = All::update()
        .list(vec!["b".to_string(), "c".into()])
        .text(String::from("y"))
        .sum(3)
        .from(0.25)
        .max(-7)
        .min(8)
        .set(BTreeSet::from(["q".to_string()]))
        .map(BTreeMap::from([("l".to_string(), 2)]))
        .money(Money(4))
        .short("2".to_string());
    let state = all(first, second).await.unwrap();
    assert_eq!(state.list, ["a", "b", "c"]);
    assert_eq!(state.text, "xy");
    assert_eq!((state.sum, state.from), (5, 2.0));
    assert_eq!((state.max, state.min), (-5, 7));
    assert_eq!(state.set, BTreeSet::from(["p".to_string(), "q".into()]));
    assert_eq!(state.map, BTreeMap::from([("k".to_string(), 1), ("l".into(), 2)]));
    assert_eq!((state.money, &*state.short), (Money(7), "ab"));
}

#[tokio::test]
async fn a_reducer_may_fail_the_run() {
    let error = all(All::update().short("many"), All::update()).await.unwrap_err();
    assert_eq!(error.to_string(), "the field 'short': invalid digit found in string");
    let error = all(All::update().sum(i64::MAX), All::update().sum(1)).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the field 'sum': {} + 1 is too large", i64::MAX));
    let error = all(All::update().last(2), All::update().last(3)).await.unwrap_err();
    assert!(error.to_string().starts_with("At key 'last': Can receive only one value"), "{error}");
}

#[tokio::test]
async fn an_overwrite_replaces_what_a_field_holds() {
    let first = All::update().list(["a"]).sum(1).map([("k", 1)]).text("x").money(Money(1));
    let second = All::update()
        .list(Overwrite(vec!["z".into()]))
        .sum(Overwrite(9))
        .map(Overwrite(BTreeMap::new()))
        .text(Overwrite("y".into()))
        .money(Overwrite(Money(8)));
    let state = all(first, second).await.unwrap();
    assert_eq!((state.list, state.sum), (vec!["z".to_string()], 9));
    assert_eq!((state.map, &*state.text, state.money), (BTreeMap::new(), "y", Money(8)));
}

#[tokio::test]
async fn ephemeral_values_are_there_for_one_superstep() {
    let graph = StateGraph::<All>::new()
        .node("hint", |_: &()| Ok(All::update().hint("left")))
        .node("heed", |state: &All| Ok(All::update().list(state.hint.clone())))
        .node("look", |state: &All| Ok(All::update().list(state.hint.clone())))
        .edge(START, "hint")
        .edge("hint", "heed")
        .edge("heed", "look")
        .compile()
        .unwrap();
    let done = graph.invoke(All::update().last(1), &Config::default()).await.unwrap();
    assert_eq!(done.state.list, ["left"]);
}

#[derive(Clone, Debug, State)]
struct Kept {
    #[untracked]
    secret: Option<String>,
    #[reducer(append)]
    #[delta(frequency = 3)]
    log: Vec<String>,
    #[reducer(sum)]
    #[delta]
    total: i64,
}

fn keeping(saver: &Memory) -> Graph<Kept> {
    StateGraph::<Kept>::new()
        .node("see", |state: &Kept| {
            let seen = state.secret.as_deref().unwrap_or("nothing");
            Ok(Kept::update().log([seen]).total(1))
        })
        .edge(START, "see")
        .compile()
        .unwrap()
        .with_saver(saver.clone())
}

#[tokio::test]
async fn untracked_values_are_not_stored_and_changes_add_up() {
    let (saver, config) = (Memory::new(), Config::thread("1"));
    let graph = keeping(&saver);
    for round in 0..5_i64 {
        let input = match round {
            1 => Kept::update().secret("s3cret"),
            _ => Kept::update().log(["in"]),
        };
        let done = graph.invoke(input, &config).await.unwrap();
        assert_eq!(done.state.total, round + 1);
    }
    let expected = ["in", "nothing", "s3cret", "in", "nothing", "in", "nothing", "in", "nothing"];
    let history = graph.history(&config).await.unwrap();
    assert_eq!(history[0].state::<Kept>().unwrap().log, expected);
    assert_eq!(history[0].state::<Kept>().unwrap().total, 5);
    assert!(history.iter().all(|snapshot| !snapshot.values.contains_key("secret")));
    // What is stored is mostly the changes.
    let stored = stored_values(&saver, "log").await;
    assert!(stored.len() < history.len() && !stored.is_empty(), "{stored:?}");
    assert!(stored.iter().all(|value| matches!(value, Value::Snapshot(_))));
}

async fn stored_values(saver: &Memory, field: &str) -> Vec<Value> {
    use langgraph_rust::saver::{ListQuery, Saver};
    let found = saver.list(&ListQuery::default()).await.unwrap();
    let values = found.into_iter().flat_map(|(_, tuple)| tuple.checkpoint.channel_values);
    values.filter(|(name, _)| &**name == field).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn a_delta_field_is_overwritten_for_good() {
    let (saver, config) = (Memory::new(), Config::thread("1"));
    let graph = keeping(&saver);
    graph.invoke(Kept::update().log(["a"]), &config).await.unwrap();
    let done = graph.invoke(Kept::update().log(Overwrite(vec![])).total(Overwrite(40)), &config);
    let done = done.await.unwrap();
    assert_eq!((done.state.log, done.state.total), (vec!["nothing".to_string()], 41));
    let snapshot = graph.state(&config).await.unwrap().unwrap();
    assert_eq!(snapshot.state::<Kept>().unwrap().log, ["nothing"]);
}

#[derive(Clone, Debug, PartialEq, State)]
struct Others {
    #[reducer(append)]
    queue: VecDeque<i64>,
    #[reducer(set)]
    set: HashSet<String>,
    #[reducer(merge)]
    map: HashMap<String, i64>,
    #[reducer(sum)]
    time: Duration,
    #[reducer(custom = std::ops::Add::add)]
    added: i64,
    #[reducer(custom = newest)]
    newest: Vec<i64>,
}

fn newest(mut held: Vec<i64>, more: Vec<i64>) -> Vec<i64> {
    held.extend(more);
    held.split_off(held.len().saturating_sub(2))
}

#[tokio::test]
async fn reducers_know_the_other_collections_too() {
    let graph = StateGraph::<Others>::new()
        .node("write", |_: &()| {
            let update = Others::update().queue([1, 2]).set(["a"]).map([("k", 1)]);
            Ok(update.time(Duration::from_secs(2)).added(3).newest([1, 2, 3]))
        })
        .edge(START, "write")
        .compile()
        .unwrap();
    let input = Others {
        queue: [0].into(),
        set: ["b".to_string()].into(),
        map: [("l".to_string(), 2)].into(),
        time: Duration::from_secs(1),
        added: 1,
        newest: vec![0],
    };
    let expected = Others {
        queue: [0, 1, 2].into(),
        set: ["a".to_string(), "b".into()].into(),
        map: [("k".to_string(), 1), ("l".into(), 2)].into(),
        time: Duration::from_secs(3),
        added: 4,
        newest: vec![2, 3],
    };
    assert_eq!(graph.invoke(input, &Config::default()).await.unwrap().state, expected);
}

#[derive(Clone, Debug, PartialEq, State)]
struct Talk {
    #[reducer(add_messages)]
    messages: Vec<Message>,
    #[reducer(add_messages)]
    #[delta]
    #[serde(rename = "all")]
    stored_as_changes: Vec<Message>,
}

#[tokio::test]
async fn messages_are_added_and_replaced_by_their_ids() {
    let graph = StateGraph::<Talk>::new()
        .node("answer", |talk: &Talk| {
            let text = format!("{} so far", talk.messages.len());
            let answer = Message::ai(text).with_id("answer");
            Ok(Talk::update().messages([answer.clone()]).stored_as_changes([answer]))
        })
        .edge(START, "answer")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let ask = || Talk::update().messages([Message::human("hi")]);
    graph.invoke(ask(), &config).await.unwrap();
    let done = graph.invoke(ask(), &config).await.unwrap().state;
    let texts: Vec<_> = done.messages.iter().map(|message| message.content().clone()).collect();
    assert_eq!(texts, ["hi".into(), "3 so far".into(), "hi".into()] as [Value; 3]);
    assert!(done.messages.iter().all(|message| message.id().is_some()));
    assert_eq!(done.stored_as_changes, [Message::ai("3 so far").with_id("answer")]);
    // By name, messages may have any form.
    let input = Update::new().set(
        "all",
        Value::from(
            [("role", "user"), ("content", "yes")].map(|(name, text)| (name, Value::from(text))),
        ),
    );
    let done = graph.invoke(input, &config).await.unwrap().state;
    assert_eq!(done.stored_as_changes[1].content(), &Value::from("yes"));
    let done = graph.invoke(Talk::update().messages(Overwrite(vec![])), &config).await.unwrap();
    assert_eq!(done.state.messages.len(), 1);
}
