//! Threads that were stored for an older version of the state.

use langgraph_rust::prelude::*;
use langgraph_rust::saver::{ListQuery, Saver};
use langgraph_rust::{Dynamic, Error, Field};

mod v1 {
    use langgraph_rust::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, State)]
    pub struct Order {
        pub total: i64,
        #[reducer(append)]
        #[delta]
        pub log: Vec<i64>,
        pub note: String,
    }
}

mod v2 {
    use langgraph_rust::prelude::*;

    #[derive(Clone, Debug, PartialEq, State)]
    #[state(version = 2, migrate_from = super::v1::Order)]
    pub struct Order {
        pub total: String,
        #[reducer(append)]
        #[delta]
        pub log: Vec<String>,
        #[reducer(append)]
        #[delta(frequency = 100)]
        pub entries: Vec<i64>,
        pub note: String,
        #[state(default = 1)]
        pub currency: i64,
        #[untracked]
        pub seen: bool,
    }

    impl From<super::v1::Order> for Order {
        fn from(old: super::v1::Order) -> Self {
            Self {
                total: format!("{} cents", old.total),
                log: old.log.iter().map(ToString::to_string).collect(),
                entries: old.log,
                note: old.note,
                currency: 49,
                seen: true,
            }
        }
    }
}

/// The third, which knows the first by way of the second.
#[derive(Clone, Debug, PartialEq, State)]
#[state(version = 3, migrate_from = v2::Order)]
struct Order {
    total: String,
    entries: Vec<i64>,
}

impl From<v2::Order> for Order {
    fn from(old: v2::Order) -> Self {
        Self { total: old.total + "!", entries: old.entries }
    }
}

fn graph<S: State>(saver: &Memory, next: fn(&S) -> S::Update) -> Graph<S> {
    StateGraph::<S>::new()
        .node("next", move |state: &S| Ok(next(state)))
        .node("ask", |_: &(), runtime: &Runtime| {
            runtime.interrupt("well?")?;
            Ok(())
        })
        .edge(START, "next")
        .edge("next", "ask")
        .compile()
        .unwrap()
        .with_saver(saver.clone())
}

/// Two runs of the first version, the second of which is interrupted.
async fn stored() -> (Memory, Config) {
    let (saver, config) = (Memory::new(), Config::thread("1"));
    let graph = graph::<v1::Order>(&saver, |state| {
        v1::Order::update().total(state.total + 5).log([state.total])
    });
    graph.invoke(v1::Order { note: "hi".into(), ..Default::default() }, &config).await.unwrap();
    graph.invoke(Command::resume(true), &config).await.unwrap();
    let paused = graph.invoke(v1::Order::update().log([100]), &config).await.unwrap();
    assert_eq!(paused.interrupts().len(), 1);
    assert_eq!((paused.state.total, paused.state.log), (10, vec![0, 100, 5]));
    (saver, config)
}

fn second(saver: &Memory) -> Graph<v2::Order> {
    graph(saver, |state| v2::Order::update().log([state.total.clone()]).entries([7]))
}

fn migrated() -> v2::Order {
    v2::Order {
        total: "10 cents".into(),
        log: vec!["0".into(), "100".into(), "5".into()],
        entries: vec![0, 100, 5],
        note: "hi".into(),
        currency: 49,
        seen: false,
    }
}

#[tokio::test]
async fn a_thread_is_read_as_the_version_it_was_stored_with() {
    let (saver, config) = stored().await;
    let graph = second(&saver);
    let snapshot = graph.state(&config).await.unwrap().unwrap();
    assert_eq!(snapshot.state::<v2::Order>().unwrap(), migrated());
    assert_eq!(snapshot.tasks[0].interrupts.len(), 1);
    let done = graph.invoke(Command::resume(true), &config).await.unwrap();
    assert!(done.is_done());
    assert_eq!(done.state, migrated());
}

#[tokio::test]
async fn what_was_migrated_is_stored_and_grows() {
    let (saver, config) = stored().await;
    let graph = second(&saver);
    graph.invoke(Command::resume(true), &config).await.unwrap();
    let newest = saver.list(&ListQuery::default()).await.unwrap().swap_remove(0).1;
    let values = newest.checkpoint.channel_values;
    let held = |field: &str| values.iter().find(|(name, _)| &**name == field).map(|(_, v)| v);
    assert!(matches!(held("entries"), Some(Value::Snapshot(_))), "{values:?}");
    assert!(matches!(held("log"), Some(Value::Snapshot(_))), "{values:?}");
    assert!(held("seen").is_none());
    let mut expected = migrated();
    for _ in 0..3 {
        graph.invoke(v2::Order::update().entries([6]), &config).await.unwrap();
        let done = graph.invoke(Command::resume(true), &config).await.unwrap();
        expected.entries.extend([6, 7]);
        expected.log.push("10 cents".into());
        assert_eq!(done.state, expected);
    }
}

#[tokio::test]
async fn migrated_fields_get_new_versions_for_savers_that_keep_values_by_version() {
    let (saver, config) = stored().await;
    let before = saver.list(&ListQuery::default()).await.unwrap().swap_remove(0).1;
    second(&saver).invoke(Command::resume(true), &config).await.unwrap();
    let after = saver.list(&ListQuery::default()).await.unwrap().swap_remove(0).1;
    let version = |tuple: &langgraph_rust::saver::CheckpointTuple, field: &str| {
        let versions = &tuple.checkpoint.channel_versions;
        versions.iter().find(|(name, _)| &**name == field).map(|(_, version)| version.clone())
    };
    for field in ["total", "log", "note"] {
        assert_ne!(version(&before, field), version(&after, field), "{field}");
    }
    for field in ["entries", "currency"] {
        assert_eq!(version(&before, field), None);
        assert!(version(&after, field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn versions_are_read_by_way_of_those_between() {
    let (saver, config) = stored().await;
    let graph = graph::<Order>(&saver, |_| Order::update());
    let expected = Order { total: "10 cents!".into(), entries: vec![0, 100, 5] };
    let snapshot = graph.state(&config).await.unwrap().unwrap();
    assert_eq!(snapshot.state::<Order>().unwrap(), expected);
    let done = graph.invoke(Command::resume(true), &config).await.unwrap();
    assert_eq!(done.state, expected);
}

#[tokio::test]
async fn a_newer_thread_is_refused_and_values_by_name_take_any() {
    let (saver, config) = stored().await;
    second(&saver).invoke(Command::resume(true), &config).await.unwrap();
    let old = graph::<v1::Order>(&saver, |_| v1::Order::update());
    let error = old.state(&config).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the thread was stored with version 2 of the state, and the graph has version 1: it was \
         stored by a newer program"
    );
    let any = StateGraph::<Dynamic>::new()
        .field("total", Field::Last)
        .node("next", |_: &()| Ok(()))
        .edge(START, "next")
        .compile()
        .unwrap()
        .with_saver(saver);
    let snapshot = any.state(&config).await.unwrap().unwrap();
    assert_eq!(snapshot.values["total"], "10 cents".into());
}

/// A version of which the one before is not known.
#[derive(Clone, Debug, State)]
#[state(version = 2)]
struct Stranger {
    total: String,
}

#[tokio::test]
async fn an_unknown_version_says_how_to_name_it() {
    let (saver, config) = stored().await;
    let graph = graph::<Stranger>(&saver, |state| Stranger::update().total(state.total.clone()));
    let error = graph.state(&config).await.unwrap_err().to_string();
    assert!(error.ends_with("`#[state(version = .., migrate_from = ..)]`"), "{error}");
}

#[derive(Clone, Debug, State)]
#[state(version = 2, migrate_from = v1::Order)]
struct Smaller {
    total: i64,
}

impl From<v1::Order> for Smaller {
    fn from(old: v1::Order) -> Self {
        Self { total: old.total }
    }
}

fn half<S: State>(saver: &Memory, write: fn() -> S::Update) -> Graph<S> {
    StateGraph::<S>::new()
        .node("over", move |_: &()| Ok(write()))
        .node("waits", |_: &(), runtime: &Runtime| runtime.interrupt("well?").map(drop))
        .edge(START, "over")
        .edge(START, "waits")
        .compile()
        .unwrap()
        .with_saver(saver.clone())
}

#[tokio::test]
async fn what_a_finished_task_wrote_is_not_lost_without_a_word() {
    let (saver, config) = (Memory::new(), Config::thread("1"));
    let first = half::<v1::Order>(&saver, || v1::Order::update().note("lost?"));
    first.invoke(v1::Order::update().total(1), &config).await.unwrap();
    let second = half::<Smaller>(&saver, Smaller::update);
    let error = second.invoke(Command::resume(true), &config).await.unwrap_err();
    let Error::Field { field, .. } = &error else { panic!("{error}") };
    assert_eq!(&**field, "note");
    assert!(error
        .to_string()
        .ends_with("go on with the older program until the superstep is over"));
}
