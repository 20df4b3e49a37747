//! Graphs with fields that are stored as what was written to them.

use langgraph_rust::{Overwrite, State};
use langgraph_rust_runtime::{
    Dynamic, Error, Field, Graph, Node, Persistence, Reducer, StateGraph, Value, END, START,
};

use super::{around, chain, chat, entry, fan_out, inner, length, log, plain, text, to_all, Kit};

/// As the log of other graphs, but stored as changes.
#[derive(Clone, Debug, Default, State)]
pub(crate) struct DeltaLog {
    #[reducer(append)]
    #[delta(frequency = 3)]
    log: Vec<Value>,
    #[reducer(append)]
    #[delta]
    rare: Vec<Value>,
    topic: Option<String>,
}

/// Every how many updates the value of a field is stored of which nothing else is said.
const FREQUENCY: u64 = 1000;

pub(super) fn conversation(kit: &Kit) -> Result<Graph, Error> {
    let graph = StateGraph::new()
        .field("messages", Field::Delta(Reducer::add_messages(), FREQUENCY))
        .field("turns", Field::sum())
        .field("last", Field::Last);
    chain(graph, chat::nodes(kit)).compile()
}

pub(super) fn question(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    let before = kit.node("before", |state, _| {
        let rare = Value::list([format!("topic {}", text(state, "topic"))]);
        Ok(log(["before"]).set("rare", rare))
    });
    let ask = kit.node("ask", |state, runtime| {
        let first = runtime.interrupt(format!("after {}?", length(state, "log")))?;
        let second = runtime.interrupt(entry("second", Value::list([2])))?;
        Ok(log([first, second]))
    });
    let after = kit.node("after", |state, _| {
        Ok(log([format!("after {}, {}", length(state, "log"), length(state, "rare"))]))
    });
    let nodes = vec![("before", before), ("ask", ask), ("after", after)];
    chain(StateGraph::new(), nodes).compile()
}

pub(super) fn subgraph(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    around(kit, StateGraph::new(), inner("inner", question(kit)?))
}

pub(super) fn with_memory(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    let node = inner("inner", question(kit)?).persistence(Persistence::PerThread);
    around(kit, StateGraph::new(), node)
}

pub(super) fn packets(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    let work = kit.node("work", |packet, runtime| {
        let number = packet.get("number").int()?;
        let said = match number {
            0 => Value::from("none"),
            number => runtime.interrupt(format!("number {number}?"))?,
        };
        Ok(log([said]).set("rare", Value::list([number])))
    });
    fan_out(kit, StateGraph::new(), work, true)
}

pub(super) fn failing(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    let good = saying(kit, "good");
    let graph = StateGraph::new().add_node(good).add_node(kit.failing("bad")).add_node(kit.tell());
    to_all(graph, START, &["bad", "good"]).join(&["good", "bad"], "tell").compile()
}

fn saying(kit: &Kit, name: &'static str) -> Node {
    kit.node(name, move |_, _| Ok(log([name]).set("rare", Value::list([name]))))
}

pub(super) fn travel(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    let one = kit.node("one", |_, _| {
        Ok(log(["one"]).set("rare", Value::list(["one"])).set("topic", "first"))
    });
    let three = kit.node("three", |state: &Dynamic, _| {
        let words = vec![Value::from(format!("three, {}", length(state, "log")))];
        Ok(DeltaLog::update().log(Overwrite(words)).rare(["three"]))
    });
    let nodes = vec![("one", one), ("two", plain::two(kit)), ("three", three)];
    chain(StateGraph::new(), nodes).compile()
}

/// A loop of more supersteps than any of its fields goes without its value stored.
pub(super) fn long(kit: &Kit) -> Result<Graph<DeltaLog>, Error> {
    let again = kit.node("again", |state, _| Ok(log([length(state, "log") as i64])));
    chain(StateGraph::<DeltaLog>::new(), vec![("again", again)])
        .branch("again", |state| Ok(if state.log.len() % 20 == 0 { END } else { "again" }))
        .compile()
}
