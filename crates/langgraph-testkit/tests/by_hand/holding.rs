//! What a collector of garbage is shown: each reference that a run holds, once.

use std::sync::Arc;

use langgraph_rust_core::{Control, Durability, Held, PacketTarget, Write};
use langgraph_rust_pregel::{Failure, TaskOutcome};
use langgraph_rust_runtime::{Native, NodeError, Value};

use crate::hand::{plan, Hand, DURABILITIES};

/// A value whose references can be counted.
struct Marked(Arc<str>);

impl Marked {
    fn new() -> Self {
        Self("marked".into())
    }

    fn value(&self) -> Value {
        Value::Text(self.0.clone())
    }

    fn to(&self, hand: &Hand, node: &str) -> Write<Native> {
        let channel = hand.plan.channel_named(&format!("to:{node}")).unwrap();
        Write::channel(channel, self.value())
    }

    /// All that the run and its driver hold has been shown.
    fn assert_shown(&self, hand: &Hand, at: &str) {
        let mut shown = 0;
        let mut visit = |held: Held<'_, Native>| -> Result<(), ()> {
            if let Held::Value(Value::Text(text)) = held {
                shown += usize::from(Arc::ptr_eq(text, &self.0));
            }
            Ok(())
        };
        hand.engine.traverse(&mut visit).unwrap();
        hand.unstored.iter().try_for_each(|effect| effect.traverse(&mut visit)).unwrap();
        if let Some(outcome) = &hand.outcome {
            outcome.traverse(&mut visit).unwrap();
        }
        assert_eq!(shown, Arc::strong_count(&self.0) - 1, "{at}");
    }
}

fn failure(marked: &Marked) -> Failure<Native> {
    Failure {
        error: NodeError::message("broke"),
        value: marked.value(),
        writes: vec![Write::control(Control::Resume, marked.value())],
        retry: None,
        is_final: false,
        spares_others: true,
    }
}

#[test]
fn every_reference_is_shown_once() {
    for durability in DURABILITIES {
        let marked = Marked::new();
        let mut hand = Hand::begin(&plan(&["a", "b", "c", "d"], |_| {}), durability, &["a", "b"]);
        hand.go();
        let packet =
            Write::packet(PacketTarget::Node(hand.plan.node_named("d").unwrap()), marked.value());
        let finished = vec![marked.to(&hand, "c"), packet];
        hand.report("a", TaskOutcome::Finished(finished));
        marked.assert_shown(&hand, "a task has finished");
        hand.hear();
        marked.assert_shown(&hand, "its writes are given out");
        hand.finish("b", &[]);
        hand.hear();
        marked
            .assert_shown(&hand, "the superstep is over, and with async its checkpoint held back");
        hand.clear_storage();
        hand.hear();
        hand.clear_storage();
        hand.hear();
        marked.assert_shown(&hand, "the next one runs, on a packet and a trigger");
        let resumed = vec![Write::control(Control::Resume, marked.value())];
        let interrupted =
            TaskOutcome::Interrupted { value: Some(marked.value()), resume_values: resumed };
        hand.report("d", interrupted);
        marked.assert_shown(&hand, "a task is interrupted");
        hand.report("c", TaskOutcome::Failed(failure(&marked)));
        marked.assert_shown(&hand, "a task has failed");
        hand.hear();
        hand.clear_storage();
        hand.hear();
        marked.assert_shown(&hand, "the run is over");
    }
}

#[test]
fn interrupts_are_shown_while_a_run_closes() {
    let marked = Marked::new();
    let mut hand = Hand::begin(&plan(&["a"], |_| {}), Durability::Sync, &["a"]);
    hand.go();
    let interrupted =
        TaskOutcome::Interrupted { value: Some(marked.value()), resume_values: Vec::new() };
    hand.report("a", interrupted);
    hand.hear();
    marked.assert_shown(&hand, "before it is stored");
    hand.clear_storage();
    hand.hear();
    assert_eq!(hand.ended(), "interrupted");
    marked.assert_shown(&hand, "afterwards");
}

#[test]
fn the_first_error_ends_it() {
    let marked = Marked::new();
    let mut hand = Hand::begin(&plan(&["a", "b"], |_| {}), Durability::Sync, &["a", "b"]);
    hand.go();
    let finished = vec![marked.to(&hand, "b"), marked.to(&hand, "b")];
    hand.report("a", TaskOutcome::Finished(finished));
    let mut shown = 0;
    let stopped = hand.engine.traverse(&mut |_| {
        shown += 1;
        Err("enough")
    });
    assert_eq!((stopped, shown), (Err("enough"), 1));
}
