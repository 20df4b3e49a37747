//! No-ops, run for a profiler:
//! `cargo run --release -p langgraph-benches --example noops -- ring 1000000`.
//! The shapes are `ring` and `chain`, `async-ring` and `async-chain` of async functions, and `persisted`,
//! a chain of 20 that is stored in memory.

use langgraph_benches::{
    async_chain, async_ring, chain, checkpointed, config, one_thread, ring, run, run_async,
};
use langgraph_rust_runtime::Update;

/// The supersteps of a chain: one for each node, and one for the input.
const CHAIN: u64 = 1_001;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let shape = arguments.next().unwrap_or_else(|| "ring".into());
    let steps: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let (graph, each, is_async) = match &*shape {
        "chain" => (chain(1_000), CHAIN, false),
        "async-chain" => (async_chain(1_000), CHAIN, true),
        "async-ring" => (async_ring(), steps, true),
        "persisted" => (chain(20), 21, false),
        _ => (ring(), steps, false),
    };
    let (runtime, config) = (one_thread(), config(each));
    let mut taken = 0;
    while taken < steps {
        if shape == "persisted" {
            run(&checkpointed(graph.clone()), Update::new(), &config);
        } else if is_async {
            runtime.block_on(run_async(&graph, Update::new(), &config));
        } else {
            run(&graph, Update::new(), &config);
        }
        taken += each;
    }
    println!("{taken} supersteps");
}
