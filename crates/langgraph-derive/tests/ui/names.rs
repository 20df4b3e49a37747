//! Names of channels that cannot be.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Twice {
    log: Vec<String>,
    #[serde(rename = "log")]
    entries: Vec<String>,
}

#[derive(Clone, State)]
#[serde(rename_all = "Title Case")]
struct Unknown {
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Two {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    log: Vec<String>,
}

fn main() {}
