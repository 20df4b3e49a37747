//! A field that holds nothing that is known before it is written.

use langgraph_rust::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
enum Kind {
    Book,
    Paper,
}

#[derive(Clone, State)]
struct Order {
    kind: Kind,
}

#[derive(Input)]
struct Job {
    kind: Kind,
}

fn main() {}
