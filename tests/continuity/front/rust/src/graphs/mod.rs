//! The graphs whose threads change hands, in Rust; `graphs.py` has them in Python.

mod chat;
mod delta;
mod nested;
mod plain;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use langgraph_rust_runtime::saver::Saver;
use langgraph_rust_runtime::{
    AnyGraph, Cause, Command, Dynamic, Error, Field, Goto, Graph, Map, Node, NodeResult, Runtime,
    State, StateGraph, Value, START,
};

use crate::thread::AnyState;

/// Within which everything that runs beside a failing node is done.
const LONG_ENOUGH: Duration = Duration::from_millis(20);

/// The graph of a scenario.
pub(crate) fn of(scenario: &str, kit: &Kit) -> Result<Box<dyn AnyState>, Error> {
    Ok(match scenario {
        "conversation" => kit.keep(chat::conversation(kit)?),
        "question" | "question_in_the_past" | "question_unanswered" => {
            kit.keep(plain::question(kit)?)
        }
        "questions" => kit.keep(plain::questions(kit)?),
        "command" => kit.keep(plain::command(kit)?),
        "packets" => kit.keep(plain::packets(kit)?),
        "packets_that_ask" => kit.keep(plain::packets_that_ask(kit)?),
        "failing" => kit.keep(plain::failing(kit)?),
        "failing_packets" => kit.keep(plain::failing_packets(kit)?),
        "failing_beside_question" => kit.keep(plain::failing_beside_question(kit)?),
        "handled" => kit.keep(plain::handled(kit)?),
        "barrier" => kit.keep(plain::barrier(kit)?),
        "channels" => kit.keep(plain::channels(kit)?),
        "loop" => kit.keep(plain::again(kit)?),
        "travel" | "fork" | "updates" => kit.keep(plain::travel(kit)?),
        "subgraph" | "subgraph_update" => kit.keep(nested::subgraph(kit)?),
        "subgraph_with_memory" => kit.keep(nested::with_memory(kit)?),
        "subgraph_called" => kit.keep(nested::called(kit)?),
        "subgraph_packets" => kit.keep(nested::packets(kit)?),
        "subgraph_failing" => kit.keep(nested::failing(kit)?),
        "subgraph_to_parent" => kit.keep(nested::to_parent(kit)?),
        "delta_conversation" => kit.keep(delta::conversation(kit)?),
        "delta_question" => kit.keep(delta::question(kit)?),
        "delta_subgraph" => kit.keep(delta::subgraph(kit)?),
        "delta_subgraph_with_memory" => kit.keep(delta::with_memory(kit)?),
        "delta_packets" => kit.keep(delta::packets(kit)?),
        "delta_failing" => kit.keep(delta::failing(kit)?),
        "delta_travel" | "delta_fork" | "delta_updates" => kit.keep(delta::travel(kit)?),
        "delta_long" => kit.keep(delta::long(kit)?),
        _ => return Err(Error::message(format!("no scenario is called {scenario}"))),
    })
}

/// What the failing nodes fail with. Python stores what an exception looks like.
#[derive(Debug)]
struct Trouble;

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trouble('not healthy')")
    }
}

impl std::error::Error for Trouble {}

/// Whether a node failed as it was to.
pub(crate) fn is_trouble(cause: &Cause) -> bool {
    cause.downcast_ref::<Trouble>().is_some()
}

/// What the graphs of a thread are made with, and which of their functions ran.
#[derive(Clone)]
pub(crate) struct Kit {
    saver: Arc<dyn Saver>,
    healthy: Arc<AtomicBool>,
    ran: Arc<Mutex<Vec<String>>>,
}

impl Kit {
    pub(crate) fn new(saver: Arc<dyn Saver>) -> Self {
        Self { saver, healthy: Arc::default(), ran: Arc::default() }
    }

    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    /// The names of what ran; which of several nodes in a superstep begins first is nobody's promise.
    pub(crate) fn take_ran(&self) -> Vec<String> {
        let mut ran = std::mem::take(&mut *self.ran.lock().unwrap_or_else(PoisonError::into_inner));
        ran.sort();
        ran
    }

    fn note(&self, name: &str) {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    }

    fn keep<S: State>(&self, graph: Graph<S>) -> Box<dyn AnyState> {
        Box::new(graph.with_shared_saver(self.saver.clone()))
    }

    /// A node that calls `body`, and is noted down when it does.
    fn node<R: Into<Command> + 'static>(
        &self,
        name: &'static str,
        body: impl Fn(&Dynamic, &Runtime) -> NodeResult<R> + Send + Sync + 'static,
    ) -> Node {
        let kit = self.clone();
        Node::new(name, move |state: &Dynamic, runtime: &Runtime| {
            kit.note(name);
            body(state, runtime)
        })
    }

    /// A node that adds words to the log.
    fn saying(&self, name: &'static str, words: &'static [&'static str]) -> Node {
        self.node(name, move |_, _| Ok(log(words.iter().copied())))
    }

    /// A node that says how long the log is.
    fn tell(&self) -> Node {
        self.node("tell", |state, _| Ok(log([format!("{} so far", length(state, "log"))])))
    }

    /// A node that fails once what runs beside it is done, unless all is well.
    fn failing(&self, name: &'static str) -> Node {
        let kit = self.clone();
        Node::new(name, move |_: Arc<Value>| {
            let kit = kit.clone();
            async move { kit.fail(name).await }
        })
    }

    async fn fail(&self, name: &str) -> NodeResult<Command> {
        self.note(name);
        if !self.healthy.load(Ordering::Relaxed) {
            tokio::time::sleep(LONG_ENOUGH).await;
            return Err(Trouble.into());
        }
        Ok(log(["bad after all"]))
    }
}

/// A graph with the fields that most have.
fn logging() -> StateGraph {
    StateGraph::new().field("log", Field::append()).field("topic", Field::Last)
}

/// The same graph with nodes one after another.
fn chain<S: State>(graph: StateGraph<S>, nodes: Vec<(&str, Node)>) -> StateGraph<S> {
    let add = |(graph, before): (StateGraph<S>, String), (name, node): (&str, Node)| {
        (graph.add_node(node).edge(&before, name), name.to_owned())
    };
    nodes.into_iter().fold((graph, START.to_owned()), add).0
}

/// The same graph with branches to all `targets`.
fn to_all<S: State>(
    graph: StateGraph<S>,
    source: &str,
    targets: &'static [&'static str],
) -> StateGraph<S> {
    graph.branch(source, move |_| Ok(targets.to_vec()))
}

/// The same graph around another one that is its node `inner`.
fn around<S: State>(kit: &Kit, graph: StateGraph<S>, inner: Node) -> Result<Graph<S>, Error> {
    let first = kit.node("first", |_, _| Ok(log(["first"]).set("topic", "outer")));
    chain(graph, vec![("first", first), ("inner", inner), ("tell", kit.tell())]).compile()
}

/// The same graph, planning three packets for `work`.
fn fan_out<S: State>(
    kit: &Kit,
    graph: StateGraph<S>,
    work: Node,
    by_command: bool,
) -> Result<Graph<S>, Error> {
    let plan = kit.node("plan", move |_, _| {
        Ok(if by_command { log(["plan"]).goto(sends()) } else { log(["plan"]) })
    });
    let graph = graph.add_node(plan).add_node(work).add_node(kit.tell()).edge(START, "plan");
    let graph = if by_command { graph } else { graph.branch("plan", |_| Ok(sends())) };
    graph.edge("work", "tell").compile()
}

fn sends() -> Vec<Goto> {
    let send = |number: i64| {
        let note = entry("of", Value::list([number]));
        Goto::send("work", Value::from([("number", number.into()), ("note", note)]))
    };
    (0..3).map(send).collect()
}

/// A graph as the node `name` of another.
fn inner(name: &str, graph: impl Into<AnyGraph>) -> Node {
    Node::graph(name, graph)
}

/// A command that adds items to the log.
fn log<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Command {
    Command::new().set("log", Value::list(items))
}

fn length(state: &Dynamic, field: &str) -> usize {
    state
        .get(field)
        .plain()
        .ok()
        .and_then(|list| Some(list.items().ok()?.len()))
        .unwrap_or_default()
}

/// A field's text, or a dash.
fn text(state: &Dynamic, field: &str) -> String {
    state
        .get(field)
        .plain()
        .ok()
        .and_then(|it| it.text().ok().map(str::to_owned))
        .unwrap_or("-".into())
}

/// An object of one entry.
fn entry(name: &str, value: impl Into<Value>) -> Value {
    Value::from(Map::from_iter([(Arc::from(name), value.into())]))
}
