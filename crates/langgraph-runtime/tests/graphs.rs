//! Graphs of each kind, run on the calling thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use langgraph_rust_runtime::{
    Command, Config, Dynamic, Error, Event, Field, Goto, Graph, Map, Memory, Mode, Modes, Node,
    NodeError, NodeResult, RetryPolicy, Runtime, StateGraph, Status, Update, Value, END, START,
};

fn named(entries: &[(&str, Value)]) -> Map {
    entries.iter().map(|(name, value)| (Arc::from(*name), value.clone())).collect()
}

/// A graph with the field `log`, whose nodes log their names.
fn logging(nodes: &[&str]) -> StateGraph {
    nodes.iter().fold(StateGraph::new().field("log", Field::append()), |graph, name| {
        let own = name.to_string();
        graph.node(name, move |_: &()| Ok(Update::new().set("log", own.clone())))
    })
}

fn log(graph: &Graph) -> Value {
    graph.blocking().invoke(Update::new(), &Config::default()).unwrap().get("log")
}

#[test]
fn a_chain_runs_in_order() {
    let graph = logging(&["a", "b", "c"])
        .edge(START, "a")
        .edge("a", "b")
        .edge("b", "c")
        .edge("c", END)
        .compile()
        .unwrap();
    assert_eq!(log(&graph), vec!["a", "b", "c"].into());
}

#[test]
fn a_branch_sees_what_its_node_wrote() {
    let graph = StateGraph::new()
        .field("n", Field::Last)
        .node("count", |state: &Dynamic| Ok(Update::new().set("n", state.get("n").int()? + 1)))
        .edge(START, "count")
        .branch("count", |state| Ok(if state.get("n").int()? < 5 { "count" } else { END }))
        .compile()
        .unwrap();
    let output = graph.blocking().invoke(Update::new().set("n", 0), &Config::default()).unwrap();
    assert_eq!(output.get("n"), Value::Int(5));
}

#[test]
fn writes_of_one_superstep_apply_in_order_of_names() {
    let graph = logging(&["b", "a", "c"])
        .edge(START, "c")
        .edge(START, "b")
        .edge(START, "a")
        .compile()
        .unwrap();
    assert_eq!(log(&graph), vec!["a", "b", "c"].into());
}

#[test]
fn sends_map_and_a_reducer_reduces() {
    let graph = StateGraph::new()
        .field("items", Field::Last)
        .field("total", Field::sum())
        .node("split", |_: &()| Ok(()))
        .node("square", |state: &Dynamic| {
            let x = state.get("x").int()?;
            Ok(Update::new().set("total", x * x))
        })
        .edge(START, "split")
        .branch("split", |state| {
            let items = state.get("items");
            let send = |item: &Value| Goto::send("square", [("x", item.clone())]);
            Ok(items.items()?.iter().map(send).collect::<Vec<_>>())
        })
        .compile()
        .unwrap();
    let output =
        graph.blocking().invoke(Update::new().set("items", vec![1, 2, 3]), &Config::default());
    assert_eq!(output.unwrap().get("total"), Value::Int(14));
}

#[test]
fn a_join_waits_for_all_and_a_deferred_node_for_everything() {
    let graph = logging(&["a", "b", "slow", "joined"])
        .add_node(Node::new("last", |_: &()| Ok(Update::new().set("log", "last"))).deferred())
        .edge(START, "a")
        .edge(START, "slow")
        .edge("slow", "b")
        .join(&["a", "b"], "joined")
        .edge("a", "last")
        .compile()
        .unwrap();
    assert_eq!(log(&graph), vec!["a", "slow", "b", "joined", "last"].into());
}

#[test]
fn an_interrupt_is_answered_in_a_second_run() {
    let graph = StateGraph::new()
        .field("name", Field::Last)
        .node("ask", |_: &(), runtime: &Runtime| {
            let first = runtime.interrupt("first name?")?;
            let last = runtime.interrupt("last name?")?;
            let name = format!("{} {}", first.text()?, last.text()?);
            Ok(Update::new().set("name", name))
        })
        .edge(START, "ask")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let paused = graph.blocking().invoke(Update::new(), &config).unwrap();
    assert_eq!(paused.interrupts()[0].value, "first name?".into());
    let first_id = paused.interrupts()[0].id.clone();
    let paused = graph.blocking().invoke(Command::resume("Ada"), &config).unwrap();
    assert_eq!(paused.interrupts()[0].value, "last name?".into());
    assert_ne!(paused.interrupts()[0].id, first_id);
    let done = graph.blocking().invoke(Command::resume("Lovelace"), &config).unwrap();
    assert_eq!(done.status, Status::Done);
    assert_eq!(done.get("name"), "Ada Lovelace".into());
}

#[test]
fn several_interrupts_are_answered_by_id() {
    let ask = |name: &'static str| {
        Node::new(name, move |_: &(), runtime: &Runtime| {
            Ok(Update::new().set("log", runtime.interrupt(name)?))
        })
    };
    let graph = logging(&[])
        .add_node(ask("a"))
        .add_node(ask("b"))
        .edge(START, "a")
        .edge(START, "b")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let paused = graph.blocking().invoke(Update::new(), &config).unwrap();
    assert_eq!(paused.interrupts().len(), 2);
    let refused = graph.blocking().invoke(Command::resume("x"), &config);
    assert!(matches!(refused, Err(Error::AmbiguousResume)));
    let id = paused.interrupts()[1].id.clone();
    let half = graph.blocking().invoke(Command::resume_by_id([(id, "2".into())]), &config).unwrap();
    assert_eq!(half.interrupts().len(), 1);
    let done = graph.blocking().invoke(Command::resume("1"), &config).unwrap();
    assert_eq!(done.get("log"), vec!["1", "2"].into());
}

#[test]
fn a_failed_run_goes_on_without_running_finished_tasks_again() {
    let runs = Arc::new(AtomicU32::new(0));
    let seen = runs.clone();
    let broken = Arc::new(AtomicU32::new(1));
    let graph = logging(&["c"])
        .node("a", move |_: &()| {
            seen.fetch_add(1, Ordering::Relaxed);
            Ok(Update::new().set("log", "a"))
        })
        .node("b", move |_: &()| match broken.swap(0, Ordering::Relaxed) {
            0 => Ok(Update::new().set("log", "b")),
            _ => Err(NodeError::message("no luck")),
        })
        .edge(START, "a")
        .edge(START, "b")
        .join(&["a", "b"], "c")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let failed = graph.blocking().invoke(Update::new(), &config).unwrap_err();
    assert_eq!(failed.to_string(), "the node 'b' failed: no luck");
    let stopped = graph.blocking().state(&config).unwrap().unwrap();
    assert_eq!(stopped.next, [Arc::from("b")]);
    assert_eq!(stopped.values, named(&[("log", vec!["a"].into())]));
    let done = graph.blocking().invoke((), &config).unwrap();
    assert_eq!(done.get("log"), vec!["a", "b", "c"].into());
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[test]
fn static_interrupts_stop_before_and_after() {
    let graph = logging(&["a", "b"])
        .edge(START, "a")
        .edge("a", "b")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1").interrupt_before(["b"]).interrupt_after(["b"]);
    let stopped = graph.blocking().invoke(Update::new(), &config).unwrap();
    assert_eq!(stopped.status, Status::Interrupted(Vec::new()));
    assert_eq!(stopped.get("log"), vec!["a"].into());
    let stopped = graph.blocking().invoke((), &config).unwrap();
    assert_eq!(stopped.status, Status::Interrupted(Vec::new()));
    assert_eq!(stopped.get("log"), vec!["a", "b"].into());
    assert_eq!(graph.blocking().invoke((), &config).unwrap().status, Status::Done);
}

#[test]
fn failures_are_retried_and_then_handled() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counter = attempts.clone();
    let graph = StateGraph::new()
        .field("error", Field::Last)
        .add_node(
            Node::new("flaky", move |_: &()| -> NodeResult<()> {
                let attempt = counter.fetch_add(1, Ordering::Relaxed) + 1;
                Err(NodeError::message(format!("attempt {attempt}")))
            })
            .retry(RetryPolicy::attempts(3).at_once())
            .on_error(|_: &(), runtime: &Runtime| {
                let failed =
                    runtime.failure().ok_or_else(|| NodeError::message("not a handler"))?;
                let text = format!("{}: {}", failed.node, failed.error);
                Ok(Update::new().set("error", text))
            }),
        )
        .edge(START, "flaky")
        .compile()
        .unwrap();
    let output = graph.blocking().invoke(Update::new(), &Config::default()).unwrap();
    assert_eq!(output.get("error"), "flaky: attempt 3".into());
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
}

#[test]
fn the_recursion_limit_ends_a_loop() {
    let graph = logging(&["a"]).edge(START, "a").edge("a", "a").compile().unwrap();
    let config = Config::default().recursion_limit(4);
    let refused = graph.blocking().invoke(Update::new(), &config);
    assert!(matches!(refused, Err(Error::RecursionLimit(4))));
}

#[test]
fn a_graph_is_a_node_and_pauses_with_the_graph_around_it() {
    let inner = StateGraph::new()
        .field("log", Field::append())
        .field("own", Field::Last)
        .node("first", |_: &()| Ok(Update::new().set("own", 7)))
        .node("ask", |state: &Dynamic, runtime: &Runtime| {
            let answer = runtime.interrupt("well?")?;
            Ok(Update::new().set("log", vec![answer, state.get("own")]))
        })
        .edge(START, "first")
        .edge("first", "ask")
        .compile()
        .unwrap();
    let graph = logging(&["after"])
        .add_node(Node::graph("inner", inner))
        .edge(START, "inner")
        .edge("inner", "after")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    let mut namespaces = Vec::new();
    let modes = Modes::from(Mode::Updates).with_subgraphs();
    let mut stream = graph.blocking().stream(Update::new(), &config, modes);
    for chunk in &mut stream {
        let chunk = chunk.unwrap();
        if matches!(chunk.event, Event::Interrupted { .. }) {
            namespaces.push(chunk.namespace.split(':').next().unwrap_or_default().to_string());
        }
    }
    let paused = stream.output().unwrap();
    assert_eq!(namespaces, ["inner", ""]);
    assert_eq!(paused.interrupts()[0].value, "well?".into());
    let done = graph.blocking().invoke(Command::resume("fine"), &config).unwrap();
    let expected = vec![Value::from("fine"), Value::Int(7), Value::from("after")];
    assert_eq!(done.get("log"), expected.into());
}

#[test]
fn a_command_for_the_parent_leaves_the_graph() {
    let inner = logging(&[])
        .node("leave", |_: &()| Ok(Command::new().set("log", "inner").goto("other").parent()))
        .edge(START, "leave")
        .compile()
        .unwrap();
    let graph = logging(&["other"])
        .add_node(Node::graph("inner", inner))
        .edge(START, "inner")
        .compile()
        .unwrap();
    assert_eq!(log(&graph), vec!["inner", "other"].into());
}

#[test]
fn a_run_from_an_older_checkpoint_forks_the_thread() {
    let graph = logging(&["a", "b"])
        .edge(START, "a")
        .edge("a", "b")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    graph.blocking().invoke(Update::new(), &config).unwrap();
    let history = graph.blocking().history(&config).unwrap();
    assert_eq!(history.len(), 4);
    let before_b = history.iter().find(|snapshot| snapshot.next == [Arc::from("b")]).unwrap();
    let fork = Config::thread("1").checkpoint(&before_b.id);
    let output = graph.blocking().invoke((), &fork).unwrap();
    assert_eq!(output.get("log"), vec!["a", "b"].into());
    assert_eq!(graph.blocking().history(&config).unwrap().len(), 6);
}

#[test]
fn mistakes_are_named() {
    let two_writes = StateGraph::new()
        .field("x", Field::Last)
        .node("a", |_: &()| Ok(Update::new().set("x", 1)))
        .node("b", |_: &()| Ok(Update::new().set("x", 2)))
        .edge(START, "a")
        .edge(START, "b")
        .compile()
        .unwrap();
    let error = two_writes.blocking().invoke(Update::new(), &Config::default()).unwrap_err();
    assert!(error.to_string().starts_with("At key 'x': Can receive only one value per step."));
    let error = logging(&["a"]).edge(START, "b").compile().unwrap_err();
    assert!(error.to_string().starts_with("Found edge ending at unknown node `b`"), "{error}");
    let unknown = logging(&[])
        .node("a", |_: &()| Ok(Update::new().set("nothing", 1)))
        .edge(START, "a")
        .compile()
        .unwrap();
    let error = unknown.blocking().invoke(Update::new(), &Config::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the node 'a' failed: the graph has no field 'nothing'; it has log"
    );
}
