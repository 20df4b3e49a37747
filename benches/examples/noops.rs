//! No-ops without a saver, run for a profiler:
//! `cargo run --release -p langgraph-benches --example noops -- ring 1000000`.

use langgraph_benches::{chain, ring, run};
use langgraph_rust_core::Durability;
use langgraph_rust_runtime::Update;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let shape = arguments.next().unwrap_or_else(|| "ring".into());
    let steps: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let (graph, limit) = match &*shape {
        "chain" => (chain(1_000), 1_001),
        _ => (ring(), steps),
    };
    let mut taken = 0;
    while taken < steps {
        taken += run(&graph, Update::new(), limit, Durability::Async) as u64;
    }
    println!("{taken} supersteps");
}
