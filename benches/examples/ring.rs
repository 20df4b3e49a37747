//! A ring of no-ops, run for a profiler: `cargo run --release -p langgraph-benches --example ring`.

use langgraph_benches::{ring, run};
use langgraph_core::Durability;
use langgraph_runtime::Update;

fn main() {
    let steps = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let took = run(&ring(), Update::new(), steps, Durability::Async);
    println!("{took} supersteps");
}
