//! Reducers for types that they are not for.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Order {
    #[reducer(append)]
    count: i64,
}

#[derive(Clone, State)]
struct Sums {
    #[reducer(sum)]
    names: Vec<String>,
}

#[derive(Clone, State)]
struct Sets {
    #[reducer(set)]
    names: Vec<String>,
}

#[derive(Clone, State)]
struct Maps {
    #[reducer(merge)]
    names: Vec<String>,
}

#[derive(Clone, State)]
struct Talks {
    #[reducer(add_messages)]
    names: Vec<String>,
}

fn main() {}
