//! Runs that end before they are done, in every phase.

use langgraph_rust_core::Durability;
use langgraph_rust_pregel::{End, TaskOutcome};
use langgraph_rust_runtime::NodeError;

use crate::hand::{only, plan, said, to, Hand, DURABILITIES};

/// A run of `a`, then of `b`, whose results may be in a cache, up to where `b` is looked for.
fn at_the_cache(durability: Durability) -> Hand {
    let plan = plan(&["a", "b"], |node| node.cached = &*node.name == "b");
    let mut hand = Hand::begin(&plan, durability, &["a"]);
    hand.go();
    hand.finish("a", &["b"]);
    let heard = hand.go();
    assert_eq!(heard.last().unwrap(), "wait cache");
    hand
}

/// Goes on with what an ended run stored, to the end.
fn go_on(ended: &Hand) -> Hand {
    let mut hand = ended.again();
    hand.go();
    hand.engine.cache_answered((), Vec::new());
    hand.go();
    hand.finish("b", &[]);
    hand.go();
    assert_eq!(hand.ended(), "done");
    hand
}

#[test]
fn a_run_that_ends_while_it_waits_for_the_cache_is_stored() {
    for durability in DURABILITIES {
        let mut hand = at_the_cache(durability);
        assert!(hand.engine.end(End::Cancelled).is_ok());
        hand.go();
        assert_eq!(hand.ended(), "cancelled");
        assert_eq!(go_on(&hand).list(), r#"["a", "b"]"#, "{durability:?}");
    }
}

#[test]
fn a_run_that_ends_between_supersteps_is_stored() {
    for durability in DURABILITIES {
        let plan = plan(&["a", "b"], |_| {});
        let mut hand = Hand::begin(&plan, durability, &["b"]);
        assert!(hand.engine.end(End::Failed(NodeError::message("the driver broke"))).is_ok());
        hand.go();
        assert_eq!(hand.ended(), "failed: the driver broke");
        assert_eq!(go_on(&hand).list(), r#"["b"]"#, "{durability:?}");
    }
}

#[test]
fn the_cache_may_answer_a_run_that_has_ended() {
    let mut hand = at_the_cache(Durability::Exit);
    let found = vec![(hand.key("b"), vec![crate::hand::said("b")])];
    assert!(hand.engine.end(End::Cancelled).is_ok());
    hand.engine.cache_answered((), found);
    hand.go();
    assert_eq!((hand.ended(), hand.list()), ("cancelled".into(), r#"["a"]"#.into()));
}

#[test]
fn the_first_reason_counts_and_later_ones_are_given_back() {
    let plan = plan(&["a", "b"], |_| {});
    let mut hand = Hand::begin(&plan, Durability::Sync, &["a", "b"]);
    hand.go();
    assert!(hand.engine.end(End::Cancelled).is_ok());
    assert!(hand.engine.is_cancelled());
    let again = hand.engine.end(End::Failed(NodeError::message("too late")));
    assert!(matches!(again, Err(End::Failed(error)) if error.to_string() == "too late"));
    assert_eq!(hand.go(), ["cancel a", "cancel b", "wait tasks"]);
    hand.finish("a", &[]);
    hand.finish("b", &[]);
    hand.go();
    assert_eq!(hand.ended(), "cancelled");
    assert!(hand.engine.end(End::Failed(NodeError::message("far too late"))).is_err());
    assert_eq!(hand.hear(), ["wait nothing"]);
}

#[test]
fn a_run_that_is_done_but_not_stored_can_still_fail() {
    let plan = plan(&["a"], |_| {});
    let mut hand = Hand::begin(&plan, Durability::Exit, &["a"]);
    hand.go();
    hand.finish("a", &[]);
    hand.hear();
    assert!(hand.outcome.is_none(), "it is being stored");
    assert!(hand.engine.end(End::Cancelled).is_err(), "there is nothing left to cancel");
    assert!(hand.engine.end(End::Failed(NodeError::message("the listener broke"))).is_ok());
    assert!(hand.engine.end(End::Failed(NodeError::message("again"))).is_err());
    hand.go();
    assert_eq!(hand.ended(), "failed: the listener broke");
}

#[test]
fn a_superstep_whose_writes_cannot_all_be_applied_is_stored_as_not_applied() {
    let plan = plan(&["a", "b", "c"], |_| {});
    for durability in DURABILITIES {
        let mut hand = Hand::begin(&plan, durability, &["a", "b"]);
        hand.go();
        let before = hand.engine.state().all_versions();
        for node in ["a", "b"] {
            let writes = vec![said(node), to(&plan, "c"), only(&plan, node)];
            hand.report(node, TaskOutcome::Finished(writes));
        }
        hand.go();
        assert!(hand.ended().contains("At key 'one'"), "{}", hand.ended());
        let mut again = hand.again();
        assert_eq!(again.list(), "[]", "{durability:?}");
        assert_eq!(again.engine.state().all_versions(), before, "{durability:?}");
        // What both wrote is stored, and fails again when it is applied again.
        again.go();
        assert!(again.ended().contains("At key 'one'"), "{}", again.ended());
    }
}

#[test]
fn of_an_abandoned_run_nothing_more_is_stored() {
    for durability in DURABILITIES {
        let plan = plan(&["a", "b"], |_| {});
        let mut hand = Hand::begin(&plan, durability, &["a", "b"]);
        hand.go();
        hand.finish("a", &[]);
        assert!(hand.engine.abandon(NodeError::message("nobody waits")).is_ok());
        hand.finish("b", &[]);
        let heard = hand.hear();
        assert!(heard.iter().all(|what| !what.starts_with("store")), "{durability:?}: {heard:?}");
        assert_eq!(hand.ended(), "failed: nobody waits");
        if durability != Durability::Exit {
            // What was stored before stays.
            assert_eq!(hand.again().list(), "[]", "{durability:?}");
        }
        assert!(hand.engine.abandon(NodeError::message("again")).is_err());
    }
}

#[test]
fn a_run_that_is_ending_already_is_abandoned_all_the_same() {
    let plan = plan(&["a"], |_| {});
    let mut hand = Hand::begin(&plan, Durability::Exit, &["a"]);
    hand.go();
    assert!(hand.engine.end(End::Cancelled).is_ok());
    assert!(
        hand.engine.abandon(NodeError::message("nobody waits")).is_err(),
        "the first reason counts"
    );
    hand.finish("a", &[]);
    let heard = hand.hear();
    assert!(heard.iter().all(|what| !what.starts_with("store")), "{heard:?}");
    assert_eq!(hand.ended(), "cancelled");
}
