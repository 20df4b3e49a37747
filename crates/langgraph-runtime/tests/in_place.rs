//! Values that grow are not copied at each step: reducers change in place what nobody else holds.

use std::sync::atomic::{AtomicUsize, Ordering};

use langgraph_rust_runtime::{
    Command, Config, Dynamic, Field, FieldSpec, Reducer, StateGraph, TaskInput, Update, END, START,
};
use serde::{Deserialize, Serialize};

static COPIES: AtomicUsize = AtomicUsize::new(0);

/// Counts how often it is copied.
#[derive(Default, Serialize, Deserialize)]
struct Long(Vec<u32>);

impl Clone for Long {
    fn clone(&self) -> Self {
        COPIES.fetch_add(1, Ordering::SeqCst);
        Self(self.0.clone())
    }
}

#[derive(Clone)]
struct Growing;

impl langgraph_rust_runtime::Input for Growing {
    fn read(_: &TaskInput) -> Result<std::sync::Arc<Self>, langgraph_rust_runtime::Error> {
        Ok(std::sync::Arc::new(Growing))
    }
}

impl langgraph_rust_runtime::State for Growing {
    type Update = Update;

    fn fields() -> Vec<FieldSpec> {
        let append = Reducer::typed(|mut left: Long, right: Long| {
            left.0.extend(right.0);
            left
        });
        vec![FieldSpec::of::<Long>("long", Field::Reduce(append))]
    }

    fn into_update(self) -> Update {
        Update::new()
    }
}

#[test]
fn a_list_of_a_type_of_ones_own_is_not_copied() {
    let graph = StateGraph::<Growing>::new()
        .node("grow", |_: &()| Ok(Update::new().set_typed("long", Long(vec![1]))))
        .edge(START, "grow")
        .edge("grow", "grow")
        .compile()
        .unwrap();
    let run = graph.blocking().invoke(Update::new(), &Config::default().recursion_limit(100));
    assert!(run.is_err(), "it has no end");
    let copies = COPIES.load(Ordering::SeqCst);
    assert!(copies <= 1, "{copies} copies, where only what the field starts from needs one");
}

#[test]
fn a_list_that_nodes_look_at_grows_in_time_that_does_not_grow() {
    let graph = StateGraph::new()
        .field("log", Field::append())
        .node("grow", |state: &Dynamic| {
            let seen = state.get("log").items()?.len() as i64;
            let next = if seen < 49_999 { "grow" } else { END };
            Ok(Command::new().set("log", seen).goto(next))
        })
        .edge(START, "grow")
        .compile()
        .unwrap();
    // Copied at each step, this would be 1.25 thousand million values, and not be done.
    let config = Config::default().recursion_limit(100_000);
    let output = graph.blocking().invoke(Update::new(), &config).unwrap();
    assert_eq!(output.get("log").items().unwrap().len(), 50_000);
}
