//! Runs that must have the thread before they do anything: what is stored first says so.

use langgraph_rust_core::{Control, Durability, Write};
use langgraph_rust_runtime::Value;

use crate::hand::{plan, Hand};

/// Whether a task was started, of all that was heard.
fn started(heard: &[String]) -> bool {
    heard.iter().any(|what| what.starts_with("run"))
}

#[test]
fn no_task_begins_before_the_input_is_stored() {
    let plan = plan(&["a", "b"], |_| {});
    let mut hand = Hand::claiming(&plan, Durability::Async, &["a"]);
    let heard = hand.hear();
    assert!(!started(&heard), "{heard:?}");
    hand.store();
    let heard = hand.hear();
    assert!(started(&heard), "{heard:?}");
    // From then on it is as ever.
    hand.finish("a", &["b"]);
    let heard = hand.hear();
    assert!(started(&heard), "{heard:?}");
    hand.finish("b", &[]);
    hand.go();
    assert_eq!(hand.ended(), "done");
}

#[test]
fn a_command_is_stored_alone_and_at_once() {
    let plan = plan(&["a", "b"], |_| {});
    let mut hand = Hand::begin(&plan, Durability::Async, &["a"]);
    hand.go();
    let mut hand = hand.claim_with(Write::control(Control::Resume, Value::from(1)));
    let heard = hand.hear();
    assert!(!started(&heard) && heard.iter().any(|it| it == "store writes"), "{heard:?}");
    hand.store();
    let heard = hand.hear();
    assert!(started(&heard), "{heard:?}");
}

#[test]
fn who_stores_at_the_end_claims_nothing() {
    let plan = plan(&["a"], |_| {});
    let mut hand = Hand::claiming(&plan, Durability::Exit, &["a"]);
    let heard = hand.hear();
    assert!(started(&heard), "{heard:?}");
}
