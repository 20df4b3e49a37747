//! With durability `sync`, nobody is shown what a crash would undo.

use langgraph_rust_core::{Durability, NodeIndex};
use langgraph_rust_pregel::{End, Failure, TaskOutcome};
use langgraph_rust_runtime::{Native, NodeError};

use crate::hand::{plan, Hand};

fn failure(text: &str) -> TaskOutcome<Native> {
    TaskOutcome::Failed(Failure {
        error: NodeError::message(text),
        value: text.into(),
        writes: Vec::new(),
        retry: None,
        is_final: false,
        spares_others: false,
    })
}

fn two_tasks(durability: Durability) -> Hand {
    let mut hand = Hand::begin(&plan(&["a", "b", "c"], |_| {}), durability, &["a", "b"]);
    hand.go();
    hand
}

#[test]
fn an_event_waits_until_what_it_shows_is_stored() {
    let mut hand = two_tasks(Durability::Sync);
    hand.finish("a", &[]);
    assert_eq!(hand.hear(), ["store writes", "wait persist"]);
    hand.finish("b", &[]);
    assert_eq!(hand.hear(), ["store writes", "wait persist"], "nor is the superstep committed");
    hand.store();
    let heard = hand.hear();
    assert!(heard[0].starts_with("show taskoutput"), "{heard:?}");
    assert!(heard[1].starts_with("show taskoutput"), "{heard:?}");
    assert_eq!(heard[2..], ["store checkpoint", "wait persist"]);
    hand.store();
    assert_eq!(hand.hear(), ["show values", "finish"]);
}

#[test]
fn with_other_durabilities_events_do_not_wait() {
    for durability in [Durability::Async, Durability::Exit] {
        let mut hand = two_tasks(durability);
        hand.finish("a", &[]);
        let heard = hand.hear();
        assert!(heard[heard.len() - 2].starts_with("show taskoutput"), "{heard:?}");
        assert_eq!(heard[heard.len() - 1], "wait tasks");
    }
}

#[test]
fn a_handler_runs_while_other_events_wait() {
    let plan = plan(&["a", "b", "handler"], |node| {
        node.error_handler = (&*node.name == "b").then(|| NodeIndex::new(2));
    });
    let mut hand = Hand::begin(&plan, Durability::Sync, &["a", "b"]);
    hand.go();
    hand.report("b", failure("broke"));
    assert_eq!(hand.hear(), ["store writes", "wait persist"], "the handler waits for the failure");
    let stored = hand.unstored.pop_front();
    hand.finish("a", &[]);
    assert_eq!(hand.hear(), ["store writes", "wait persist"]);
    let of_a = std::mem::take(&mut hand.unstored);
    hand.unstored.extend(stored);
    hand.store();
    assert_eq!(hand.hear(), ["run handler", "wait persist"]);
    hand.unstored = of_a;
    hand.finish("handler", &[]);
    hand.go();
    assert_eq!((hand.ended(), hand.list()), ("done".into(), r#"["a", "handler"]"#.into()));
}

#[test]
fn what_could_not_be_stored_is_not_shown() {
    let mut hand = two_tasks(Durability::Sync);
    hand.finish("a", &[]);
    hand.hear();
    hand.fail_storing("the disk is full");
    assert_eq!(hand.hear(), ["cancel b", "wait tasks"]);
    hand.finish("b", &[]);
    assert_eq!(hand.hear(), ["finish"]);
    assert_eq!(hand.ended(), "failed: the disk is full");
}

#[test]
fn a_run_ends_though_events_wait() {
    let mut hand = two_tasks(Durability::Sync);
    hand.finish("a", &[]);
    hand.hear();
    assert!(hand.engine.end(End::Cancelled).is_ok());
    assert_eq!(hand.hear(), ["cancel b", "wait persist"]);
    hand.report("b", TaskOutcome::Cancelled(None));
    assert_eq!(hand.hear(), ["wait persist"]);
    hand.store();
    let heard = hand.hear();
    assert!(heard[0].starts_with("show taskoutput"), "{heard:?}");
    assert_eq!(heard[1..], ["finish"]);
}
