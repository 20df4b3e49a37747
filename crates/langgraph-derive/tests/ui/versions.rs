//! Versions that cannot be.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
#[state(version = 0)]
struct Zero {
    total: i64,
}

#[derive(Clone, State)]
#[state(version = "2")]
struct Text {
    total: i64,
}

#[derive(Clone, State)]
struct Old {
    total: i64,
}

#[derive(Clone, State)]
#[state(migrate_from = Old)]
struct Unversioned {
    total: i64,
}

#[derive(Clone, State)]
#[state(version = 1, migrate_from = Old)]
struct First {
    total: i64,
}

#[derive(Clone, State)]
#[state(versions = 2)]
struct Misspelt {
    total: i64,
}

fn main() {}
