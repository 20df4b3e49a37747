//! Mistakes in graphs: found as early as they can be, and said so that one knows what to do.

use langgraph_rust_runtime::{
    Command, Config, Dynamic, Error, Field, Goto, Node, StateGraph, Update, COPY, END, INPUT, START,
};

fn graph(nodes: &[&str]) -> StateGraph {
    let graph = StateGraph::<Dynamic>::new().field("log", Field::append());
    nodes.iter().fold(graph, |graph, name| graph.node(name, |_: &()| Ok(())))
}

/// Why a graph cannot be compiled.
fn refusal(graph: StateGraph) -> String {
    let error = graph.compile().unwrap_err();
    assert!(matches!(error, Error::Build(_)), "{error}");
    error.to_string()
}

#[test]
fn names_of_nodes() {
    for reserved in [START, END, INPUT, COPY, "__interrupt__", "__pregel_tasks"] {
        let text = refusal(graph(&[reserved]).edge(START, reserved));
        assert_eq!(text, format!("the node '{reserved}' has a reserved name: give it another"));
    }
    for name in ["a|b", "a:b"] {
        let text = refusal(graph(&[name]).edge(START, name));
        assert!(text.starts_with(&format!("the node '{name}' has a '{}'", &name[1..2])), "{text}");
    }
    assert!(refusal(graph(&[""])).contains("empty name"));
    let twice = refusal(graph(&["a", "a"]).edge(START, "a"));
    assert_eq!(twice, "Node `a` already present: give one of the two another name");
    let handler = Node::new("a", |_: &()| Ok(())).on_error(|_: &()| Ok(()));
    let text = refusal(graph(&["__error_handler__a"]).add_node(handler).edge(START, "a"));
    assert!(text.contains("`__error_handler__a` already present"), "{text}");
}

#[test]
fn names_of_fields() {
    let text = refusal(graph(&["a"]).field("log", Field::Last).edge(START, "a"));
    assert_eq!(text, "the field 'log' is there twice: leave one out, or give it another name");
    let text = refusal(graph(&["a"]).field(START, Field::Last).edge(START, "a"));
    assert_eq!(text, "the field '__start__' has a reserved name: give it another");
    let text = refusal(graph(&["a"]).field("branch:to:a", Field::Last).edge(START, "a"));
    assert!(text.starts_with("the field 'branch:to:a' begins with 'branch:to:'"), "{text}");
}

#[test]
fn ends_of_edges() {
    let begun = || graph(&["a", "b"]).edge(START, "a");
    let known = "add a node 'x', or name one of: a, b";
    let target = "Found edge ending at unknown node `x`, ";
    let source = "Found edge starting at unknown node 'x': ";
    let cases = [
        (begun().edge("a", "x"), format!("{target}in an edge from 'a'; {known}")),
        (begun().edge("x", "a"), format!("{source}an edge to 'a' begins there; {known}")),
        (begun().join(&["a", "b"], "x"), format!("{target}in a join after 'a', 'b'; {known}")),
        (
            begun().join(&["a", "x"], "b"),
            format!("{source}the join before 'b' begins there; {known}"),
        ),
        (
            begun().join(&["x"], END),
            format!("{source}the join before '__end__' begins there; {known}"),
        ),
        (begun().branch("x", |_| Ok(END)), format!("{source}a branch begins there; {known}")),
        (
            begun().branch_to("a", |_| Ok(END), &["b", "x"]),
            format!("{target}in a branch after 'a'; {known}"),
        ),
        (
            begun().branch_labelled("a", |_| Ok("yes"), &[("yes", "x")]),
            format!("{target}in a branch after 'a'; {known}"),
        ),
        (
            begun().add_node(Node::new("c", |_: &()| Ok(())).destinations(&["x"])),
            format!("{target}as a destination of the node 'c'; {known}, c"),
        ),
        (
            begun().edge("a", START),
            "START is a target in an edge from 'a', but nothing leads there: name a node".into(),
        ),
        (
            begun().edge(END, "a"),
            "an edge to 'a' begins at END, after which there is nothing".into(),
        ),
        (
            begun().join(&[], "a"),
            "the join before 'a' waits for no node: name those that it is to wait for".into(),
        ),
        (
            begun().join(&[START, "a"], "b"),
            "the join before 'b' waits for START, which is no node: use `edge(START, \"b\")`"
                .into(),
        ),
    ];
    for (graph, expected) in cases {
        assert_eq!(refusal(graph), expected);
    }
    assert!(refusal(graph(&["a"]).edge("a", END)).starts_with("Graph must have an entrypoint"));
}

#[test]
fn nodes_that_nothing_leads_to_are_no_mistake() {
    assert!(graph(&["a", "lost"]).edge(START, "a").compile().is_ok());
}

async fn failure(graph: StateGraph) -> String {
    let graph = graph.compile().unwrap();
    graph.invoke(Update::new(), &Config::default()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn places_to_go_on_to() {
    let unknown = "the node 'a' failed: the graph has no node 'nobody'; it has b, a";
    let returning = |command: Command| {
        let node = Node::new("a", move |_: &()| Ok(command.clone()));
        graph(&["b"]).add_node(node).edge(START, "a")
    };
    assert_eq!(failure(returning(Command::new().goto("nobody"))).await, unknown);
    let sent = Goto::send("nobody", 1);
    assert_eq!(failure(returning(Command::new().goto(sent))).await, unknown);
    let branching = graph(&["b", "a"]).edge(START, "a");
    assert_eq!(failure(branching.branch("a", |_| Ok("nobody"))).await, unknown);
    let branching = graph(&["b", "a"]).edge(START, "a");
    assert_eq!(failure(branching.branch("a", |_| Ok(Goto::send("nobody", 1)))).await, unknown);
    assert!(failure(returning(Command::new().goto(START))).await.contains("'__start__'"));
    let field = failure(returning(Command::new().set("lag", 1))).await;
    assert_eq!(field, "the node 'a' failed: the graph has no field 'lag'; it has log");
}

#[tokio::test]
async fn input_and_nodes_to_stop_at() {
    let graph = graph(&["a"]).edge(START, "a").compile().unwrap();
    let config = Config::default();
    let wrong = graph.invoke(Update::new().set("lag", 1), &config).await.unwrap_err();
    assert_eq!(wrong.to_string(), "the graph has no field 'lag'; it has log");
    let stopping = config.interrupt_before(["b"]);
    let wrong = graph.invoke(Update::new(), &stopping).await.unwrap_err();
    assert_eq!(wrong.to_string(), "the graph has no node 'b'; it has a");
}
