//! Two reducers for one field.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Together {
    #[reducer(append, set)]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Apart {
    #[reducer(append)]
    #[reducer(set)]
    log: Vec<String>,
}

fn main() {}
