//! What nodes are given, and what derived code does to the crate that it stands in.

#![deny(warnings, missing_docs)]

use std::sync::Arc;

use langgraph_rust::prelude::*;
use serde::{Deserialize, Serialize};

/// Where the crate is called something else.
pub mod elsewhere {
    pub use langgraph_rust as graphs;
}

/// A state that others see, documented as they want it.
#[derive(Clone, Debug, PartialEq, State)]
#[state(crate = crate::elsewhere::graphs)]
pub struct Open {
    /// How many.
    pub count: i64,
    hidden: Option<String>,
    #[state(default = Some(3))]
    #[reducer(max)]
    best: Option<i64>,
    /// For the crate.
    #[reducer(append)]
    pub(crate) log: Vec<String>,
}

#[derive(Clone, State)]
struct Closed {
    #[state(default = 4)]
    never_read: u8,
}

#[derive(Clone, State)]
struct Empty {}

/// A part of the state, by another name of the crate.
#[derive(Input)]
#[state(crate = "langgraph_rust")]
pub struct Part {
    /// How many.
    pub count: i64,
}

#[derive(Input)]
struct Wanted {
    #[state(default = Some(3))]
    maybe: Option<i64>,
    #[state(default = 5)]
    surely: i64,
}

async fn tell(wanted: &Wanted) -> NodeResult<OpenUpdate> {
    Ok(Open::update().log([format!("{:?} {}", wanted.maybe, wanted.surely)]))
}

fn sending<V: Into<Value> + Clone + Send + Sync + 'static>(value: V) -> StateGraph<Open> {
    StateGraph::<Open>::new()
        .branch(START, move |_| Ok(Goto::send("tell", value.clone())))
        .node("tell", tell)
}

async fn told<V: Into<Value> + Clone + Send + Sync + 'static>(value: V) -> String {
    let graph = sending(value).compile().unwrap();
    let run = graph.invoke(Open::update().count(1), &Config::default()).await;
    run.map_or_else(|error| error.to_string(), |done| done.state.log.join(", "))
}

#[tokio::test]
async fn what_is_not_sent_is_what_the_field_holds_at_first() {
    assert_eq!(told([("surely", Value::from(1))]).await, "Some(3) 1");
    assert_eq!(told([("maybe", Value::from(1))]).await, "Some(1) 5");
    // Nothing is a value for what may be nothing.
    assert_eq!(told([("maybe", Value::Null), ("surely", Value::Null)]).await, "None 5");
    let error = told([("surely", Value::from("x"))]).await;
    assert!(error.starts_with("the node 'tell' failed: the field 'surely': "), "{error}");
}

#[derive(Serialize, Deserialize, Clone, Debug, Input)]
struct Parcel {
    address: String,
    /// What no storage keeps.
    #[serde(skip)]
    weight: i64,
}

#[tokio::test]
async fn what_is_sent_as_it_is_arrives_as_it_is() {
    let parcel = Parcel { address: "here".into(), weight: 12 };
    let graph = StateGraph::<Open>::new()
        .branch(START, move |_| Ok(Goto::send("weigh", Value::typed(parcel.clone()))))
        .node("weigh", |parcel: Arc<Parcel>| async move {
            Ok(Open::update().count(parcel.weight).hidden(&parcel.address))
        })
        .compile()
        .unwrap();
    let done = graph.invoke(Open::update().count(1), &Config::default()).await.unwrap();
    assert_eq!((done.state.count, done.state.hidden.as_deref()), (12, Some("here")));
}

#[tokio::test]
async fn a_state_may_be_sent_and_a_part_of_it_read() {
    let graph = StateGraph::<Open>::new()
        .node("more", |state: &Open| {
            Ok(Goto::send("less", Open { count: state.count + 1, ..state.clone() }))
        })
        .node("less", |part: &Part| Ok(Open::update().best(Some(part.count))))
        .edge(START, "more")
        .compile()
        .unwrap();
    let done = graph.invoke(Open::update().count(6), &Config::default()).await.unwrap();
    assert_eq!((done.state.count, done.state.best), (6, Some(7)));
}

#[tokio::test]
async fn fields_that_nobody_wrote_hold_what_they_hold_at_first() {
    let graph = StateGraph::<Open>::new()
        .node("nothing", |_: &()| Ok(()))
        .edge(START, "nothing")
        .compile()
        .unwrap();
    let done = graph.invoke(Open::update().count(1), &Config::default()).await.unwrap();
    let expected = Open { count: 1, hidden: None, best: Some(3), log: Vec::new() };
    assert_eq!(done.state, expected);
    let done = graph.invoke(Open::update().best(None).hidden(None), &Config::default()).await;
    assert_eq!(done.unwrap().state, Open { count: 0, ..expected });
    assert_eq!(Update::from(Empty {}).writes().len(), 0);
    assert_eq!(Update::from(Closed { never_read: 1 }).writes().len(), 1);
    assert!(format!("{:?} {:?}", Closed::update(), Empty::update()).contains("EmptyUpdate"));
}
