//! A field whose values cannot be copied.

use langgraph_rust::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Kind;

#[derive(State)]
struct Order {
    kind: Kind,
}

fn main() {}
