//! A storage that takes a checkpoint together with the writes before it.

use langgraph_rust_core::Durability;
use langgraph_rust_pregel::{End, TaskOutcome};

use crate::hand::{only, plan, Hand};

/// What is stored, of all that was heard.
fn stored(heard: Vec<String>) -> Vec<String> {
    heard.into_iter().filter(|what| what.starts_with("store")).collect()
}

#[test]
fn the_last_writes_go_with_the_checkpoint_and_earlier_ones_as_they_come() {
    let plan = plan(&["a", "b", "c"], |_| {});
    let mut hand = Hand::joining(&plan, Durability::Async, &["a", "b", "c"]);
    hand.go();
    hand.finish("a", &[]);
    assert_eq!(stored(hand.go()), ["store writes"], "others are waited for");
    hand.finish("b", &[]);
    hand.finish("c", &[]);
    assert_eq!(stored(hand.go()), ["store checkpoint with the writes of 2"]);
    assert_eq!((hand.ended(), hand.again().list()), ("done".into(), r#"["a", "b", "c"]"#.into()));
}

#[test]
fn a_checkpoint_that_has_to_wait_takes_its_writes_along() {
    let plan = plan(&["a", "b"], |_| {});
    let mut hand = Hand::joining(&plan, Durability::Async, &["a"]);
    hand.go();
    hand.finish("a", &["b"]);
    assert_eq!(stored(hand.hear()), ["store checkpoint with the writes of 1"]);
    hand.finish("b", &[]);
    assert_eq!(stored(hand.hear()), [""; 0], "the first is not stored yet");
    hand.store();
    assert_eq!(stored(hand.hear()), ["store checkpoint with the writes of 1"]);
    hand.go();
    assert_eq!(hand.ended(), "done");
}

#[test]
fn without_a_checkpoint_they_go_alone() {
    let plan = plan(&["a", "b"], |_| {});
    for durability in [Durability::Sync, Durability::Async] {
        let mut hand = Hand::joining(&plan, durability, &["a", "b"]);
        hand.go();
        hand.finish("a", &[]);
        assert!(hand.engine.end(End::Cancelled).is_ok());
        hand.report("b", TaskOutcome::Cancelled(None));
        assert_eq!(stored(hand.go()), ["store writes"], "{durability:?}");

        let mut hand = Hand::joining(&plan, durability, &["a", "b"]);
        hand.go();
        for node in ["a", "b"] {
            let writes = vec![only(&plan, node)];
            hand.report(node, TaskOutcome::Finished(writes));
        }
        assert_eq!(stored(hand.go()), ["store writes"; 2], "they cannot be applied");
        assert!(hand.ended().contains("At key 'one'"), "{}", hand.ended());
    }
}

#[test]
fn when_it_cannot_be_stored_neither_is() {
    let plan = plan(&["a", "b"], |_| {});
    let mut hand = Hand::joining(&plan, Durability::Async, &["a"]);
    hand.go();
    hand.finish("a", &["b"]);
    hand.hear();
    hand.fail_storing("the disk is full");
    hand.finish("b", &[]);
    assert_eq!(stored(hand.go()), [""; 0]);
    assert_eq!(hand.ended(), "failed: the disk is full");
}
