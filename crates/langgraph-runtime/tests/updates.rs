//! Threads written to from outside of a run, and looked at. What is expected is what LangGraph 1.2.24
//! does with the same graphs.

use std::sync::Arc;

use langgraph_rust_runtime::{
    Command, Config, Dynamic, Error, Field, Goto, Graph, HistoryQuery, Memory, Node, Persistence,
    Runtime, Snapshot, StateGraph, StateUpdate, Stops, Update, Value, COPY, END, INPUT, START,
};

fn logged(name: &str) -> Update {
    Update::new().set("log", name)
}

/// A graph with the field `log`, whose nodes log their names.
fn logging(nodes: &[&str]) -> StateGraph {
    nodes.iter().fold(StateGraph::new().field("log", Field::append()), |graph, name| {
        let own = name.to_string();
        graph.node(name, move |_: &()| Ok(logged(&own)))
    })
}

fn chain() -> Graph {
    let graph = logging(&["a", "b", "c"]).edge(START, "a").edge("a", "b").edge("b", "c");
    graph.compile().unwrap().with_saver(Memory::new())
}

fn names(list: &[Arc<str>]) -> Vec<&str> {
    list.iter().map(|name| &**name).collect()
}

fn source(snapshot: &Snapshot) -> &'static str {
    snapshot.metadata.source.unwrap().name()
}

async fn now(graph: &Graph, config: &Config) -> Snapshot {
    graph.state(config).await.unwrap().unwrap()
}

/// The thread "1", stopped before `c`.
async fn stopped(graph: &Graph) -> Config {
    let config = Config::thread("1");
    let stopping = config.clone().interrupt_before(Stops::from(["c"]));
    graph.invoke(Update::new(), &stopping).await.unwrap();
    config
}

#[tokio::test]
async fn an_update_is_what_the_last_node_returned_and_control_goes_on_from_there() {
    let graph = chain();
    let config = stopped(&graph).await;
    let before = now(&graph, &config).await;
    let updated = graph.update_state(&config, logged("hand"), None).await.unwrap();
    let after = now(&graph, &config).await;
    assert_eq!(updated.checkpoint, Some(after.id.clone()));
    assert_eq!(after.get("log"), vec!["a", "b", "hand"].into());
    assert_eq!((source(&after), after.metadata.step), ("update", before.metadata.step + 1));
    assert_eq!(after.parent, Some(before.id));
    assert_eq!(names(&after.next), ["c"]);
    let done = graph.invoke((), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["a", "b", "hand", "c"].into());
}

#[tokio::test]
async fn an_update_as_a_node_leads_where_that_leads() {
    let graph = chain();
    let config = stopped(&graph).await;
    graph.update_state(&config, logged("hand"), Some("a")).await.unwrap();
    // The transient channel that would have started `c` is over with the superstep.
    assert_eq!(names(&now(&graph, &config).await.next), ["b"]);
    let branch = graph.update_state(&config, logged("end"), Some("c")).await.unwrap();
    assert!(now(&graph, &branch).await.next.is_empty());
    let done = graph.invoke((), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["a", "b", "hand", "end"].into());
}

#[tokio::test]
async fn a_thread_may_begin_by_an_update() {
    let graph = chain();
    let config = Config::thread("new");
    graph.update_state(&config, logged("first"), None).await.unwrap();
    let begun = now(&graph, &config).await;
    assert_eq!(names(&begun.next), ["a"]);
    assert_eq!((source(&begun), begun.metadata.step, begun.parent), ("update", 0, None));
    let done = graph.invoke((), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["first", "a", "b", "c"].into());
    let other = Config::thread("other");
    graph.update_state(&other, logged("late"), Some("b")).await.unwrap();
    assert_eq!(names(&now(&graph, &other).await.next), ["c"]);
}

#[tokio::test]
async fn an_update_of_an_older_checkpoint_is_a_branch() {
    let graph = chain();
    let config = Config::thread("1");
    graph.invoke(Update::new(), &config).await.unwrap();
    let history = graph.history(&config).await.unwrap();
    let after_a = history.iter().find(|at| names(&at.next) == ["b"]).unwrap();
    let branch = graph.update_state(&after_a.config(), logged("hand"), Some("a")).await.unwrap();
    let at = now(&graph, &branch).await;
    assert_eq!(at.parent, Some(after_a.id.clone()));
    assert_eq!(at.parent_config().unwrap().checkpoint, Some(after_a.id.clone()));
    let done = graph.invoke((), &branch).await.unwrap();
    assert_eq!(done.get("log"), vec!["a", "hand", "b", "c"].into());
    // What was is left as it was: the update is not taken for what came after.
    let old = graph.state(&after_a.config()).await.unwrap().unwrap();
    assert_eq!(old, *after_a);
}

#[tokio::test]
async fn without_tasks_nothing_is_left_to_run() {
    let graph = logging(&["good", "bad"])
        .add_node(Node::new("waits", |_: &(), runtime: &Runtime| {
            runtime.interrupt("?")?;
            Ok(())
        }))
        .edge(START, "good")
        .edge(START, "waits")
        .edge("good", "bad")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    graph.invoke(Update::new(), &config).await.unwrap();
    graph.update_state(&config, (), Some(END)).await.unwrap();
    let cleared = now(&graph, &config).await;
    // What had finished counts, and what follows on it is next.
    assert_eq!(cleared.get("log"), vec!["good"].into());
    assert_eq!(names(&cleared.next), ["bad"]);
    graph.update_state(&config, (), Some(END)).await.unwrap();
    assert!(now(&graph, &config).await.next.is_empty());
    let refused = graph.update_state(&config, logged("x"), Some(END)).await.unwrap_err();
    assert!(matches!(refused, Error::UnknownNode { .. }), "{refused}");
}

#[tokio::test]
async fn an_update_as_an_input_begins_anew() {
    let graph = chain();
    let config = stopped(&graph).await;
    graph.update_state(&config, logged("input"), Some(INPUT)).await.unwrap();
    let at = now(&graph, &config).await;
    assert_eq!((source(&at), at.metadata.step), ("input", 3));
    assert_eq!(names(&at.next), [START, "c"]);
    let first = Config::thread("first");
    graph.update_state(&first, logged("input"), Some(INPUT)).await.unwrap();
    assert_eq!(now(&graph, &first).await.metadata.step, -1);
    let done = graph.invoke((), &first).await.unwrap();
    assert_eq!(done.get("log"), vec!["input", "a", "b", "c"].into());
    let refused = graph.update_state(&config, (), Some(INPUT)).await.unwrap_err();
    assert_eq!(refused.to_string(), "Received no input writes for __start__");
}

#[tokio::test]
async fn a_copy_runs_its_superstep_again() {
    let graph = chain();
    let config = stopped(&graph).await;
    let before = now(&graph, &config).await;
    for node in [None, Some(COPY)] {
        let copied = graph.update_state(&before.config(), (), node).await.unwrap();
        let copy = now(&graph, &copied).await;
        assert_eq!((&copy.values, &copy.next), (&before.values, &before.next));
        assert_eq!((source(&copy), &copy.parent), ("fork", &before.parent));
        assert_ne!(copy.id, before.id);
        let done = graph.invoke((), &copied).await.unwrap();
        assert_eq!(done.get("log"), vec!["a", "b", "c"].into());
    }
    let missing = graph.update_state(&Config::thread("none"), (), None).await.unwrap_err();
    assert_eq!(missing.to_string(), "Cannot copy a non-existent checkpoint");
}

#[tokio::test]
async fn who_wrote_must_be_clear() {
    let graph = logging(&["a", "b"])
        .edge(START, "a")
        .edge(START, "b")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    graph.invoke(Update::new(), &config).await.unwrap();
    let unclear = graph.update_state(&config, logged("?"), None).await.unwrap_err();
    assert!(unclear.to_string().starts_with("Ambiguous update, specify as_node"), "{unclear}");
    graph.update_state(&config, logged("a"), Some("a")).await.unwrap();
    let unknown = graph.update_state(&config, logged("?"), Some("nobody")).await.unwrap_err();
    assert_eq!(unknown.to_string(), "the graph has no node 'nobody'; it has a, b");
    let update = Update::new().set("lag", 1);
    let unknown = graph.update_state(&config, update, Some("a")).await.unwrap_err();
    assert_eq!(unknown.to_string(), "the graph has no field 'lag'; it has log");
    let unnamed = vec![vec![StateUpdate::new(logged("1"), None), StateUpdate::new((), Some("a"))]];
    let unclear = graph.bulk_update_state(&config, unnamed).await.unwrap_err();
    assert_eq!(unclear.to_string(), "as_node is required when applying multiple updates");
    for empty in [vec![], vec![vec![]]] {
        let refused = graph.bulk_update_state(&config, empty).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidUpdate(_)), "{refused}");
    }
    let none = logging(&["a"]).edge(START, "a").compile().unwrap();
    let refused = none.update_state(&config, (), None).await.unwrap_err();
    assert!(matches!(refused, Error::NoSaver), "{refused}");
}

#[tokio::test]
async fn an_update_in_place_of_an_interrupted_node_is_its_result() {
    let graph = logging(&["after"])
        .node("ask", |_: &(), runtime: &Runtime| {
            let answer = runtime.interrupt("?")?;
            Ok(Update::new().set("log", answer))
        })
        .edge(START, "ask")
        .edge("ask", "after")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    graph.invoke(Update::new(), &config).await.unwrap();
    let asked = now(&graph, &config).await;
    assert_eq!(asked.interrupts().count(), 1);
    graph.update_state(&config, logged("by hand"), Some("ask")).await.unwrap();
    let then = graph.state(&asked.config()).await.unwrap().unwrap();
    assert_eq!(then.tasks[0].id, asked.tasks[0].id);
    assert_eq!(then.tasks[0].result, Some(logged("by hand")));
    let answered = now(&graph, &config).await;
    assert_eq!(answered.interrupts().count(), 0);
    assert_eq!(names(&answered.next), ["after"]);
    let done = graph.invoke((), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["by hand", "after"].into());
}

#[tokio::test]
async fn branches_and_packets_follow_an_update() {
    let graph = logging(&["few"])
        .field("n", Field::Last)
        .node("count", |_: &()| Ok(()))
        .node("each", |sent: &Value| Ok(logged(&format!("each {}", sent.get("x")))))
        .edge(START, "count")
        .branch("count", |state: &Dynamic| {
            let n = state.get("n").int()?;
            let send = |x: i64| Goto::send("each", [("x", x.into())]);
            Ok(if n < 2 { vec![Goto::from("few")] } else { (0..n).map(send).collect() })
        })
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    graph.update_state(&config, Update::new().set("n", 1), Some("count")).await.unwrap();
    assert_eq!(names(&now(&graph, &config).await.next), ["few"]);
    let config = Config::thread("2");
    graph.update_state(&config, Update::new().set("n", 2), Some("count")).await.unwrap();
    assert_eq!(names(&now(&graph, &config).await.next), ["each", "each"]);
    let done = graph.invoke((), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["each 0", "each 1"].into());
    let config = Config::thread("3");
    let command = Command::new().set("n", 0).goto("each");
    graph.update_state(&config, command, Some("few")).await.unwrap();
    assert_eq!(names(&now(&graph, &config).await.next), ["each"]);
}

#[tokio::test]
async fn several_supersteps_of_several_updates() {
    let graph = logging(&["a", "b", "c"])
        .edge(START, "a")
        .edge(START, "b")
        .join(&["a", "b"], "c")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let first = vec![StateUpdate::new(logged("in"), Some(INPUT))];
    let second = vec![StateUpdate::new((), Some(START))];
    let third =
        vec![StateUpdate::new(logged("B"), Some("b")), StateUpdate::new(logged("A"), Some("a"))];
    graph.bulk_update_state(&config, vec![first, second, third]).await.unwrap();
    let history = graph.history(&config).await.unwrap();
    assert_eq!(history.iter().map(source).collect::<Vec<_>>(), ["update", "update", "input"]);
    assert_eq!(names(&history[0].next), ["c"]);
    let results: Vec<_> = history[1].tasks.iter().map(|task| task.result.clone()).collect();
    assert_eq!(results, [Some(logged("A")), Some(logged("B"))]);
    let done = graph.invoke((), &config).await.unwrap();
    assert_eq!(done.get("log"), vec!["B", "A", "c"].into());
}

#[tokio::test]
async fn fields_stored_as_changes_keep_them() {
    let graph = || {
        let graph = StateGraph::<Dynamic>::new()
            .field("log", Field::Delta(langgraph_rust_runtime::Reducer::append(), 100));
        let graph = graph.node("a", |_: &()| Ok(logged("a"))).node("b", |_: &()| Ok(logged("b")));
        graph.edge(START, "a").edge("a", "b").compile().unwrap().with_saver(Memory::new())
    };
    let graph = graph();
    let config = Config::thread("1");
    graph.invoke(logged("in"), &config).await.unwrap();
    let after_a = graph.history(&config).await.unwrap().swap_remove(1);
    assert_eq!(names(&after_a.next), ["b"]);
    let branch = graph.update_state(&after_a.config(), logged("hand"), Some("a")).await.unwrap();
    assert_eq!(now(&graph, &branch).await.get("log"), vec!["in", "a", "hand"].into());
    let more = graph.update_state(&branch, logged("more"), Some("b")).await.unwrap();
    assert_eq!(now(&graph, &more).await.get("log"), vec!["in", "a", "hand", "more"].into());
    let replaced = Update::new().set("log", Value::overwrite(vec!["new"]));
    let replaced = graph.update_state(&more, replaced, Some("b")).await.unwrap();
    assert_eq!(now(&graph, &replaced).await.get("log"), vec!["new"].into());
    let copied = graph.update_state(&more, (), None).await.unwrap();
    assert_eq!(now(&graph, &copied).await.get("log"), vec!["in", "a", "hand", "more"].into());
    let new = Config::thread("2");
    let begun = graph.update_state(&new, logged("x"), Some("a")).await.unwrap();
    assert_eq!(now(&graph, &begun).await.get("log"), vec!["x"].into());
}

fn nested(persistence: Persistence) -> Graph {
    let inner = logging(&["first", "second"])
        .node("ask", |_: &(), runtime: &Runtime| {
            let answer = runtime.interrupt("?")?;
            Ok(Update::new().set("log", answer))
        })
        .edge(START, "first")
        .edge("first", "ask")
        .edge("ask", "second")
        .compile()
        .unwrap();
    StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .add_node(Node::graph("inner", inner).persistence(persistence))
        .edge(START, "inner")
        .compile()
        .unwrap()
        .with_saver(Memory::new())
}

#[tokio::test]
async fn graphs_inside_are_looked_at_and_updated() {
    for persistence in [Persistence::PerCall, Persistence::PerThread] {
        let graph = nested(persistence);
        let config = Config::thread("1");
        graph.invoke(Update::new(), &config).await.unwrap();
        let outside = now(&graph, &config).await;
        assert_eq!(outside.tasks[0].state, None);
        let place = outside.tasks[0].graph.clone().unwrap();
        let is_named_by_task = place.namespace.contains(outside.tasks[0].id.as_str());
        assert_eq!(is_named_by_task, persistence == Persistence::PerCall);
        let with = graph.state_with_subgraphs(&config).await.unwrap().unwrap();
        let inside = with.tasks[0].state.clone().unwrap();
        assert_eq!(inside.place, place);
        assert_eq!(inside.get("log"), vec!["first"].into());
        assert_eq!(names(&inside.next), ["ask"]);
        assert_eq!(inside.interrupts().count(), 1);
        assert_eq!(graph.history(&place.config()).await.unwrap().len(), 3);

        graph.update_state(&place.config(), logged("hand"), Some("ask")).await.unwrap();
        let inside = graph.state(&place.config()).await.unwrap().unwrap();
        assert_eq!(names(&inside.next), ["second"]);
        let done = graph.invoke((), &config).await.unwrap();
        assert_eq!(done.get("log"), vec!["first", "hand", "second"].into());
    }
    let graph = nested(Persistence::PerCall);
    let nowhere = Config::thread("1").namespace("nowhere:1");
    let refused = graph.update_state(&nowhere, logged("x"), Some("ask")).await.unwrap_err();
    assert!(refused.to_string().contains("'nowhere:1'"), "{refused}");
}

#[tokio::test]
async fn a_history_is_asked_for_in_part() {
    let graph = chain();
    let config = Config::thread("1").metadata("user", "ada");
    graph.invoke(Update::new(), &config).await.unwrap();
    graph.update_state(&Config::thread("1"), logged("x"), Some("a")).await.unwrap();
    let steps = |found: Vec<Snapshot>| found.iter().map(|at| at.metadata.step).collect::<Vec<_>>();
    let ask = |query: HistoryQuery| {
        let (graph, config) = (&graph, &config);
        async move { steps(graph.history_with(config, &query).await.unwrap()) }
    };
    assert_eq!(ask(HistoryQuery::new()).await, [4, 3, 2, 1, 0, -1]);
    assert_eq!(ask(HistoryQuery::new().limit(2)).await, [4, 3]);
    let all = graph.history(&config).await.unwrap();
    assert!(all.iter().all(|at| at.created_at.contains('T')));
    assert_eq!(ask(HistoryQuery::new().before(&all[2].id).limit(2)).await, [1, 0]);
    assert_eq!(ask(HistoryQuery::new().filter("source", "update")).await, [4]);
    assert_eq!(ask(HistoryQuery::new().filter("user", "ada").limit(1)).await, [3]);
    let one = graph.history(&all[3].config()).await.unwrap();
    assert_eq!(one, vec![all[3].clone()]);
}

#[test]
fn it_works_without_a_runtime_of_ones_own() {
    let (graph, config) = (chain(), Config::thread("1"));
    let graph = graph.blocking();
    graph.update_state(&config, logged("x"), Some("b")).unwrap();
    assert_eq!(names(&graph.state(&config).unwrap().unwrap().next), ["c"]);
    graph.bulk_update_state(&config, vec![vec![StateUpdate::new((), Some(END))]]).unwrap();
    assert!(graph.state_with_subgraphs(&config).unwrap().unwrap().next.is_empty());
    assert_eq!(graph.history_with(&config, &HistoryQuery::new().limit(1)).unwrap().len(), 1);
}
