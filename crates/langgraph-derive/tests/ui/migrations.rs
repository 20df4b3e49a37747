//! A version without a way from the one before.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Old {
    total: i64,
}

#[derive(Clone, State)]
#[state(version = 2, migrate_from = Old)]
struct Order {
    total: i64,
}

fn main() {}
