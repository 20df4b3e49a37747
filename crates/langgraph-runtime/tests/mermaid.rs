//! Drawings, compared with what upstream draws of the same graphs: `tests/mermaid/write.py` wrote
//! those.

use langgraph_rust_runtime::{
    Config, Dynamic, Field, Goto, Graph, Node, StateGraph, Update, END, START,
};

fn graph(nodes: &[&str]) -> StateGraph {
    let graph = StateGraph::<Dynamic>::new().field("log", Field::append());
    nodes.iter().fold(graph, |graph, name| graph.node(name, |_: &()| Ok(())))
}

fn chain() -> StateGraph {
    graph(&["first", "second step"])
        .edge(START, "first")
        .edge("first", "second step")
        .edge("second step", END)
}

fn looped() -> StateGraph {
    graph(&["agent", "tools"])
        .edge(START, "agent")
        .branch_to("agent", |_| Ok(END), &["tools", END])
        .edge("tools", "agent")
}

const AGAIN: &str = "again, and again, for as long as it takes to get it";

fn labels() -> StateGraph {
    graph(&["write", "publish", "burn"])
        .edge(START, "write")
        .branch_labelled(
            "write",
            |_| Ok("no"),
            &[("yes", "publish"), ("no", "burn"), (AGAIN, "write"), ("burn", END)],
        )
        .edge("publish", END)
}

fn fan() -> StateGraph {
    graph(&["a", "b", "c", "joined"])
        .add_node(Node::new("last", |_: &()| Ok(())).deferred())
        .edge(START, "a")
        .edge(START, "b")
        .edge("b", "c")
        .join(&["a", "c"], "joined")
        .edge("a", "last")
        .edge("joined", "last")
}

fn anywhere() -> StateGraph {
    graph(&["route", "left", "right"]).edge(START, "route").branch("route", |_| Ok("left"))
}

fn anywhere_between() -> StateGraph {
    graph(&["route", "left", "right", "after"])
        .edge(START, "route")
        .branch("route", |_| Ok("left"))
        .edge("left", "after")
        .edge("right", "after")
        .edge("after", END)
}

fn destinations() -> StateGraph {
    let choose = Node::new("choose", |_: &()| Ok(()));
    graph(&["done"]).add_node(choose.destinations(&["done", "choose", END])).edge(START, "choose")
}

fn entry() -> StateGraph {
    graph(&["one", "two"]).branch_to(START, |_| Ok("one"), &["one", "two"]).edge("one", "two")
}

fn unreachable() -> StateGraph {
    graph(&["a", "lost"]).edge(START, "a")
}

fn special() -> StateGraph {
    graph(&["_under_", "größe (cm)"]).edge(START, "_under_").edge("_under_", "größe (cm)")
}

fn errors() -> StateGraph {
    graph(&[])
        .add_node(Node::new("risky", |_: &()| Ok(())).on_error(|_: &()| Ok(())))
        .node("after", |_: &()| Ok(()))
        .edge(START, "risky")
        .edge("risky", "after")
}

fn nested() -> StateGraph {
    let middle = graph(&["before"])
        .add_node(Node::graph("loop", looped().compile().unwrap()))
        .edge(START, "before")
        .edge("before", "loop");
    graph(&["begin"])
        .add_node(Node::graph("middle", middle.compile().unwrap()))
        .add_node(Node::graph("chain", chain().compile().unwrap()))
        .edge(START, "begin")
        .branch_to("begin", |_| Ok(END), &["middle", "chain"])
        .edge("middle", END)
        .edge("chain", END)
}

macro_rules! as_upstream {
    ($($name:ident: $graph:expr;)*) => {
        $(#[test]
        fn $name() {
            let drawn = $graph;
            assert_eq!(drawn, include_str!(concat!("mermaid/", stringify!($name), ".mmd")));
        })*
    };
}

fn closed(graph: StateGraph) -> String {
    graph.compile().unwrap().mermaid()
}

mod drawn_as_upstream_does {
    use super::*;

    as_upstream! {
        chain: closed(super::chain());
        looped: closed(super::looped());
        labels: closed(super::labels());
        fan: closed(super::fan());
        anywhere: closed(super::anywhere());
        anywhere_between: closed(super::anywhere_between());
        destinations: closed(super::destinations());
        entry: closed(super::entry());
        unreachable: closed(super::unreachable());
        special: closed(super::special());
        errors: closed(super::errors());
        nested: closed(super::nested());
        nested_once: opened(1);
        nested_all: opened(usize::MAX);
    }

    fn opened(levels: usize) -> String {
        super::nested().compile().unwrap().mermaid_xray(levels).unwrap()
    }
}

#[test]
fn two_graphs_of_one_name_cannot_be_opened() {
    let side = |name: &str| {
        let inner = Node::graph("inner", chain().compile().unwrap());
        let side = graph(&["x"]).add_node(inner).edge(START, "x").edge("x", "inner");
        Node::graph(name, side.compile().unwrap())
    };
    let graph = graph(&[])
        .add_node(side("left"))
        .add_node(side("right"))
        .edge(START, "left")
        .edge("left", "right")
        .compile()
        .unwrap();
    assert!(graph.mermaid_xray(1).is_ok());
    let refused = graph.mermaid_xray(2).unwrap_err();
    assert!(refused.to_string().contains("'inner'"), "{refused}");
}

async fn log(graph: Graph) -> Result<langgraph_rust_runtime::Value, String> {
    let done = graph.invoke(Update::new(), &Config::default()).await;
    done.map(|done| done.get("log")).map_err(|error| error.to_string())
}

#[tokio::test]
async fn labels_lead_to_nodes_and_to_no_others() {
    let choosing = |chosen: &'static str| {
        StateGraph::<Dynamic>::new()
            .field("log", Field::append())
            .node("a", |_: &()| Ok(()))
            .node("b", |_: &()| Ok(Update::new().set("log", "b")))
            .edge(START, "a")
            .branch_labelled("a", move |_| Ok(chosen), &[("yes", "b"), ("no", END)])
            .compile()
            .unwrap()
    };
    assert_eq!(log(choosing("yes")).await, Ok(vec!["b"].into()));
    assert_eq!(log(choosing("no")).await, Ok(Vec::<i64>::new().into()));
    let refused = log(choosing("b")).await.unwrap_err();
    assert!(refused.contains("after 'a' chose 'b'") && refused.contains("yes, no"), "{refused}");
}

#[tokio::test]
async fn a_branch_to_some_nodes_chooses_no_other() {
    let choosing = |chosen: Goto| {
        graph(&["a", "b"])
            .node("c", |_: &()| Ok(Update::new().set("log", "c")))
            .edge(START, "a")
            .branch_to("a", move |_| Ok(chosen.clone()), &["b", END])
            .compile()
            .unwrap()
    };
    let refused = log(choosing("c".into())).await.unwrap_err();
    assert!(refused.contains("chose 'c'") && refused.contains("b, __end__"), "{refused}");
    // What is sent may go anywhere.
    assert_eq!(log(choosing(Goto::send("c", 1))).await, Ok(vec!["c"].into()));
}
