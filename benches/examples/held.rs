//! What a run holds while it waits: `cargo run --release -p langgraph-benches --example held`. Linux
//! only: it reads how much memory the process has from `/proc`. With `state`, the runs have a value.

use std::sync::Arc;

use langgraph_benches::{config, one_thread, run_async, waiting};
use langgraph_rust_runtime::Update;
use tokio::sync::Semaphore;

const RUNS: u64 = 10_000;

fn main() {
    one_thread().block_on(async {
        let has_state = std::env::args().any(|argument| argument == "state");
        let gate = Arc::new(Semaphore::new(0));
        let graph = waiting(gate.clone());
        let input = match has_state {
            true => Update::new().set("value", 0),
            false => Update::new(),
        };
        let before = resident();
        let runs: Vec<_> = (0..RUNS)
            .map(|_| {
                let (graph, input, config) = (graph.clone(), input.clone(), config(100));
                tokio::spawn(async move { run_async(&graph, input, &config).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let held = resident().saturating_sub(before);
        println!("{RUNS} waiting runs hold {held} kB, {} bytes each", held * 1024 / RUNS);
        gate.close();
        for run in runs {
            run.await.unwrap_or_else(|error| panic!("{error}"));
        }
    });
}

/// Memory of the process, in kB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
