//! What cannot be stored as changes.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct WithoutReducer {
    #[delta]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct WithoutBeginning {
    #[reducer(max)]
    #[delta]
    best: i64,
}

#[derive(Clone, State)]
struct Never {
    #[reducer(append)]
    #[delta(frequency = 0)]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Often {
    #[reducer(append)]
    #[delta(every = 5)]
    log: Vec<String>,
}

fn main() {}
