//! What is left of tasks that fail.

use langgraph_rust_core::{Control, Durability, NodeIndex, Write};
use langgraph_rust_pregel::{Failure, TaskOutcome};
use langgraph_rust_runtime::{Native, NodeError};

use crate::hand::{plan, said, to, Hand, DURABILITIES};

/// A task that fails after it has written, such as one whose conditional edge fails.
fn broke_late(hand: &Hand, next: &str) -> TaskOutcome<Native> {
    let resumed = Write::control(Control::Resume, "yes".into());
    TaskOutcome::Failed(Failure {
        error: NodeError::message("the edge broke"),
        value: "the edge broke".into(),
        writes: vec![said("half"), resumed, to(&hand.plan, next)],
        retry: None,
        is_final: false,
        spares_others: false,
    })
}

#[test]
fn a_task_that_failed_has_no_output_and_runs_again() {
    for durability in DURABILITIES {
        let mut hand = Hand::begin(&plan(&["a", "b", "c"], |_| {}), durability, &["a", "b"]);
        hand.go();
        hand.finish("b", &[]);
        hand.report("a", broke_late(&hand, "c"));
        hand.go();
        assert_eq!(hand.ended(), "failed: the edge broke");

        let mut again = hand.again();
        assert!(again.go().contains(&"run a".into()), "{durability:?}");
        let task = again.engine.task(again.key("a")).unwrap();
        let task = again.engine.id_of(task).clone();
        assert_eq!(
            again.engine.resume_values(&task),
            Some(&"yes".into()),
            "what it was given stays"
        );
        again.finish("a", &["c"]);
        again.go();
        again.finish("c", &[]);
        again.go();
        assert_eq!((again.ended(), again.list()), ("done".into(), r#"["a", "b", "c"]"#.into()));
    }
}

fn failed(error: &str, is_final: bool) -> TaskOutcome<Native> {
    TaskOutcome::Failed(Failure {
        error: NodeError::message(error),
        value: error.into(),
        writes: Vec::new(),
        retry: None,
        is_final,
        spares_others: false,
    })
}

#[test]
fn a_failure_that_nobody_may_miss_counts_whenever_it_comes() {
    for reports in
        [[("a", false), ("b", true), ("c", true)], [("b", true), ("a", false), ("c", true)]]
    {
        let plan = plan(&["a", "b", "c"], |_| {});
        let mut hand = Hand::begin(&plan, Durability::Sync, &["a", "b", "c"]);
        hand.go();
        for (name, is_final) in reports {
            hand.report(name, failed(name, is_final));
        }
        hand.go();
        assert_eq!(hand.ended(), "failed: b");
    }
}

#[test]
fn a_task_that_failed_and_finished_later_is_finished() {
    for durability in [Durability::Sync, Durability::Async] {
        let mut hand = Hand::begin(&plan(&["a", "b"], |_| {}), durability, &["a", "b"]);
        hand.go();
        hand.finish("b", &[]);
        hand.report("a", broke_late(&hand, "b"));
        hand.go();
        let mut second = hand.again();
        second.go();
        second.finish("a", &[]);
        // The process dies before the checkpoint: the error and the output are both stored.
        second.hear();
        second.store();

        let mut third = second.again();
        assert!(third.go().contains(&"finish".into()), "no task runs again");
        assert_eq!((third.ended(), third.list()), ("done".into(), r#"["a", "b"]"#.into()));
    }
}

#[test]
fn a_handled_failure_writes_nothing_of_its_own() {
    let plan = plan(&["a", "handler", "c"], |node| {
        node.error_handler = (&*node.name == "a").then(|| NodeIndex::new(1));
    });
    for durability in DURABILITIES {
        let mut hand = Hand::begin(&plan, durability, &["a"]);
        hand.go();
        hand.report("a", broke_late(&hand, "c"));
        assert!(hand.go().contains(&"run handler".into()));
        hand.finish("handler", &[]);
        hand.go();
        assert_eq!((hand.ended(), hand.list()), ("done".into(), r#"["handler"]"#.into()));
    }
}

#[test]
fn a_failure_of_a_task_that_was_to_stop_is_handled_by_the_next_run() {
    let plan = plan(&["a", "handler", "b"], |node| {
        node.error_handler = (&*node.name == "a").then(|| NodeIndex::new(1));
    });
    for durability in DURABILITIES {
        let mut hand = Hand::begin(&plan, durability, &["a", "b"]);
        hand.go();
        hand.report("b", broke_late(&hand, "b"));
        assert_eq!(hand.go().last().unwrap(), "wait tasks");
        hand.report("a", broke_late(&hand, "b"));
        hand.go();
        assert_eq!(hand.ended(), "failed: the edge broke");

        let mut again = hand.again();
        let heard = again.go();
        assert!(heard.contains(&"run handler".into()) && heard.contains(&"run b".into()));
        assert!(!heard.contains(&"run a".into()), "{durability:?}");
    }
}
