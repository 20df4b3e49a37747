//! Single tasks that are cancelled, reports that come late, and tasks that get lost.

use langgraph_rust_core::{Control, Durability, Write};
use langgraph_rust_pregel::{End, Failure, Retry, TaskKey, TaskOutcome};
use langgraph_rust_runtime::{Native, NodeError, RetryPolicy};

use crate::hand::{plan, said, Hand, DURABILITIES};

fn begun(nodes: &[&str]) -> Hand {
    let mut hand = Hand::begin(&plan(&["a", "b", "c"], |_| {}), Durability::Sync, nodes);
    hand.go();
    hand
}

/// Lets the task of node `a` call a function.
fn call(hand: &mut Hand, index: usize) -> TaskKey {
    let caller = hand.key("a");
    hand.engine.task_requested((), caller, "called".into(), index).expect("the caller runs")
}

fn is_cancelled(hand: &Hand, key: TaskKey) -> bool {
    hand.engine.task(key).unwrap().cancelled
}

#[test]
fn a_caller_cancels_what_it_called() {
    let mut hand = begun(&["a"]);
    let called = call(&mut hand, 0);
    assert!(!is_cancelled(&hand, called));
    hand.engine.call_cancelled(called);
    hand.engine.call_cancelled(called);
    assert!(is_cancelled(&hand, called));
    assert_eq!(hand.go(), ["cancel called", "wait tasks"]);
    hand.engine.task_finished((), called, TaskOutcome::Cancelled(None));
    hand.finish("a", &[]);
    hand.go();
    assert_eq!((hand.ended(), hand.list()), ("done".into(), r#"["a"]"#.into()));
}

#[test]
fn a_driver_that_cannot_poll_takes_the_cancellation() {
    let mut hand = begun(&["a"]);
    let called = call(&mut hand, 0);
    assert!(!hand.engine.take_cancellation(called));
    hand.engine.call_cancelled(called);
    assert!(hand.engine.take_cancellation(called));
    assert!(!hand.engine.take_cancellation(called));
    assert_eq!(hand.go(), ["wait tasks"]);
    assert!(is_cancelled(&hand, called));
}

#[test]
fn a_node_is_not_cancelled_as_a_call() {
    let mut hand = begun(&["a"]);
    hand.engine.call_cancelled(hand.key("a"));
    assert_eq!(hand.go(), ["wait tasks"]);
    assert!(!is_cancelled(&hand, hand.key("a")));
}

#[test]
fn tasks_know_that_they_were_asked_to_stop() {
    let mut hand = begun(&["a", "b"]);
    assert!(hand.engine.end(End::Cancelled).is_ok());
    assert!(is_cancelled(&hand, hand.key("a")) && is_cancelled(&hand, hand.key("b")));
}

#[test]
fn a_task_that_stops_unasked_is_no_success() {
    for durability in DURABILITIES {
        for error in [None, Some("stopped".into())] {
            let mut hand = Hand::begin(&plan(&["a", "b"], |_| {}), durability, &["a", "b"]);
            hand.go();
            hand.finish("b", &[]);
            hand.report("a", TaskOutcome::Cancelled(error));
            hand.go();
            assert!(hand.ended().contains("cannot end: a."), "{}", hand.ended());

            let mut again = hand.again();
            assert!(again.go().contains(&"run a".into()), "it runs again");
            again.finish("a", &[]);
            again.go();
            assert_eq!(again.list(), r#"["a", "b"]"#, "{durability:?}");
        }
    }
}

#[test]
fn the_caller_of_a_call_that_stops_unasked_is_told_why() {
    let mut hand = begun(&["a"]);
    let called = call(&mut hand, 0);
    hand.engine.task_finished((), called, TaskOutcome::Cancelled(Some("stopped".into())));
    hand.finish("a", &[]);
    hand.go();
    assert_eq!(hand.ended(), "done");

    let mut hand = begun(&["a"]);
    let called = call(&mut hand, 0);
    hand.engine.task_finished((), called, TaskOutcome::Cancelled(None));
    hand.finish("a", &[]);
    hand.go();
    assert!(hand.ended().contains("cannot end: called."), "nobody was told: {}", hand.ended());
}

#[test]
fn a_task_that_is_to_stop_is_not_tried_again() {
    let mut hand = begun(&["a", "b"]);
    assert!(hand.engine.end(End::Cancelled).is_ok());
    let policy = RetryPolicy::attempts(3).at_once();
    let retry = Retry { max_attempts: 3, delay: policy.delay, jitter: std::time::Duration::ZERO };
    let failure: Failure<Native> = Failure {
        error: NodeError::message("broke"),
        value: "broke".into(),
        writes: Vec::new(),
        retry: Some(retry),
        is_final: false,
        spares_others: false,
    };
    hand.report("a", TaskOutcome::Failed(failure));
    assert_eq!(hand.go().last().unwrap(), "wait tasks");
    hand.report("b", TaskOutcome::Cancelled(None));
    hand.go();
    assert_eq!(hand.ended(), "cancelled");
}

#[test]
fn a_late_report_meets_no_task_of_another_superstep() {
    let mut hand = begun(&["a"]);
    let late = hand.key("a");
    hand.finish("a", &["b"]);
    hand.go();
    assert_eq!(hand.key("b").position(), late.position());
    assert!(hand.engine.task(late).is_none());
    hand.engine.task_finished((), late, TaskOutcome::Finished(vec![said("late")]));
    hand.engine.call_cancelled(late);
    hand.engine.cache_answered((), vec![(late, vec![said("cached")])]);
    assert!(hand.engine.task_requested((), late, "called".into(), 0).is_none());
    assert!(hand.engine.take_attempt(late).is_none());
    assert_eq!(hand.go(), ["wait tasks"]);
    hand.finish("b", &[]);
    hand.go();
    hand.engine.task_finished((), late, TaskOutcome::Cancelled(None));
    assert_eq!((hand.ended(), hand.list()), ("done".into(), r#"["a", "b"]"#.into()));
}

#[test]
fn reports_on_a_run_that_is_over_change_nothing() {
    let mut hand = begun(&["a", "b"]);
    let (a, b) = (hand.key("a"), hand.key("b"));
    hand.report("a", TaskOutcome::Escaped(NodeError::message("a command for the parent")));
    hand.report("b", TaskOutcome::Finished(vec![said("b")]));
    hand.go();
    assert_eq!(hand.ended(), "escaped: a command for the parent");
    hand.engine.task_finished((), a, TaskOutcome::Finished(vec![said("again")]));
    hand.engine.cache_answered((), vec![(b, vec![said("again")])]);
    assert!(hand.engine.task_requested((), b, "called".into(), 0).is_none());
    assert_eq!(hand.hear(), ["wait nothing"]);
}

#[test]
fn a_finished_call_is_not_run_again() {
    let mut hand = begun(&["a", "b"]);
    let called = call(&mut hand, 0);
    let result = Write::control(Control::Return, 7.into());
    hand.engine.task_finished((), called, TaskOutcome::Finished(vec![result]));
    hand.report("a", TaskOutcome::Escaped(NodeError::message("left")));
    hand.finish("b", &[]);
    hand.go();

    let mut again = hand.again();
    again.go();
    let called = call(&mut again, 0);
    let task = again.engine.task(called).unwrap();
    assert_eq!(task.writes[0].value, 7.into());
}
