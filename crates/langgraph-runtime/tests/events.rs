//! What streams show, as JSON for whoever is not in the process; and what nodes are given.

use futures_util::StreamExt;
use langgraph_rust_runtime::{
    Config, Dynamic, Field, Memory, Modes, Node, Runtime, StateGraph, Update, START,
};
use serde_json::json;

#[tokio::test]
async fn chunks_are_json() {
    let inner = StateGraph::new()
        .field("log", Field::append())
        .node("ask", |_: &(), runtime: &Runtime| {
            runtime.write("asking");
            Ok(Update::new().set("log", runtime.interrupt("well?")?))
        })
        .edge(START, "ask")
        .compile()
        .unwrap();
    let graph = StateGraph::new()
        .field("log", Field::append())
        .node("first", |_: &()| Ok(Update::new().set("log", "first")))
        .add_node(Node::graph("inner", inner))
        .edge(START, "first")
        .edge("first", "inner")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let modes = Modes::all().with_subgraphs();
    let mut stream = graph.stream(Update::new(), &Config::thread("1"), modes);
    let mut seen = Vec::new();
    while let Some(chunk) = StreamExt::next(&mut stream).await {
        let chunk = chunk.unwrap();
        let inside: Vec<&str> = chunk.nodes().collect();
        assert!(inside.is_empty() || inside == ["inner"]);
        let mut json = serde_json::to_value(&chunk).unwrap();
        // Where, and ids.
        let fields = json.as_object_mut().unwrap();
        fields.remove("namespace");
        fields.remove("id");
        seen.push(json);
    }
    let told = |kind: &str| -> Vec<_> { seen.iter().filter(|e| e["type"] == kind).collect() };
    assert_eq!(told("started")[0], &json!({"type": "started", "nodes": ["first"]}));
    let update = json!({
        "type": "update", "node": "first", "update": {"log": "first"}, "cached": false,
    });
    assert_eq!(told("update")[0], &update);
    assert_eq!(told("values")[0], &json!({"type": "values", "values": {"log": ["first"]}}));
    assert_eq!(told("custom"), [&json!({"type": "custom", "node": "ask", "value": "asking"})]);
    assert_eq!(told("interrupted")[0]["interrupts"][0]["value"], "well?");
    assert_eq!(told("checkpoint")[0]["step"], -1);
}

#[tokio::test]
async fn nodes_read_what_the_run_was_given() {
    struct Model(&'static str);
    let graph = StateGraph::new()
        .field("said", Field::Last)
        .node("say", |_: &Dynamic, runtime: &Runtime| {
            Ok(Update::new().set("said", runtime.context::<Model>()?.0))
        })
        .edge(START, "say")
        .compile()
        .unwrap();
    let given = Config::default().context(Model("hello"));
    let output = graph.invoke(Update::new(), &given).await.unwrap();
    assert_eq!(output.get("said"), "hello".into());
    let error = graph.invoke(Update::new(), &Config::default()).await.unwrap_err().to_string();
    assert!(error.contains("the node 'say' failed: the run was given no context of the type"));
    assert!(error.ends_with("Model: give it one by `Config::context`"), "{error}");
}
