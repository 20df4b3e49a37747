//! A field whose type serde does not know.

use langgraph_rust::prelude::*;

#[derive(Clone, Default)]
struct Kind;

#[derive(Clone, State)]
struct Order {
    kind: Kind,
}

fn main() {}
