//! Graphs with others inside.

use std::sync::Arc;

use langgraph_rust_runtime::{
    Error, Field, Goto, Graph, Node, Persistence, Runtime, StateGraph, Update, Value, START,
};

use super::{around, chain, entry, inner, log, logging, plain, text, Kit};

fn asking(kit: &Kit) -> Result<Graph, Error> {
    let ask = kit.node("ask", |_, runtime| {
        let first = runtime.interrupt("first?")?;
        let second = runtime.interrupt(entry("second", Value::list([2])))?;
        Ok(log([first, second]))
    });
    let after = kit.node("after", |state, _| Ok(log([format!("after {}", text(state, "topic"))])));
    let before = kit.saying("before", &["before"]);
    chain(logging(), vec![("before", before), ("ask", ask), ("after", after)]).compile()
}

pub(super) fn subgraph(kit: &Kit) -> Result<Graph, Error> {
    around(kit, logging(), inner("inner", asking(kit)?))
}

pub(super) fn with_memory(kit: &Kit) -> Result<Graph, Error> {
    let node = inner("inner", asking(kit)?).persistence(Persistence::PerThread);
    around(kit, logging(), node)
}

pub(super) fn called(kit: &Kit) -> Result<Graph, Error> {
    let (kit, graph) = (kit.clone(), asking(kit)?);
    let call = Node::new("inner", move |_: Arc<Value>, runtime: Runtime| {
        let graph = graph.clone();
        async move {
            let output = runtime.invoke(&graph, Update::new().set("topic", "called")).await?;
            Ok(log([output.get("log")]))
        }
    });
    around(&kit, logging(), call)
}

pub(super) fn packets(kit: &Kit) -> Result<Graph, Error> {
    let middle = logging().add_node(inner("deep", asking(kit)?)).edge(START, "deep").compile()?;
    let send = |topic: &str| {
        let nothing = Value::list::<Value>([]);
        Goto::send("branch", Value::from([("topic", topic.into()), ("log", nothing)]))
    };
    StateGraph::new()
        .field("log", Field::append())
        .add_node(inner("branch", middle))
        .add_node(kit.tell())
        .branch(START, move |_| Ok(vec![send("a"), send("b")]))
        .edge("branch", "tell")
        .compile()
}

pub(super) fn failing(kit: &Kit) -> Result<Graph, Error> {
    let well = kit.saying("well", &["well"]);
    let graph = chain(logging(), vec![("well", well), ("bad", kit.failing("bad"))]).compile()?;
    around(kit, logging(), inner("inner", graph))
}

pub(super) fn to_parent(kit: &Kit) -> Result<Graph, Error> {
    let ask = kit.node("ask", |_, runtime| {
        let command = log([runtime.interrupt("where to?")?]).set("topic", "from inside");
        Ok(command.goto("aside").parent())
    });
    let graph = chain(logging(), vec![("ask", ask)]).compile()?;
    logging()
        .add_node(inner("inner", graph))
        .add_node(plain::aside(kit))
        .edge(START, "inner")
        .compile()
}
