//! Fields that are said to be kept and not to be.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Both {
    #[untracked]
    #[ephemeral]
    hint: String,
}

#[derive(Clone, State)]
struct Folded {
    #[untracked]
    #[reducer(append)]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Unknown {
    #[state(initial = 5)]
    total: i64,
}

fn main() {}
