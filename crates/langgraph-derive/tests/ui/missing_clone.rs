//! A state that cannot be copied.

use langgraph_rust::prelude::*;

#[derive(State)]
struct Order {
    total: i64,
}

fn main() {}
