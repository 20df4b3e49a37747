//! A reducer that there is not.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Order {
    #[reducer(concat)]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Bare {
    #[reducer]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Empty {
    #[reducer()]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Unnamed {
    #[reducer(custom)]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct NoPath {
    #[reducer(custom = "append")]
    log: Vec<String>,
}

fn main() {}
