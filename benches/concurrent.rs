//! A thousand runs at the same time, each a chain of ten nodes that let the others go first.
//! Throughput is in runs.

#![allow(missing_docs)] // what criterion's macro makes has no docs

use criterion::{criterion_group, criterion_main, Criterion, Throughput};
use langgraph_benches::{config, counting_chain, one_thread, run_async, yielding_chain};
use langgraph_rust_runtime::{Graph, Update};
use tokio::runtime::Runtime;

const RUNS: u64 = 1_000;
const LENGTH: usize = 10;

fn concurrent(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1000 runs at once");
    group.throughput(Throughput::Elements(RUNS));
    let (one, two) = (one_thread(), threads());
    let nothing = (yielding_chain(LENGTH), Update::new());
    let counting = (counting_chain(LENGTH), Update::new().set("value", 0));
    for (runtime, threads) in [(&one, "one thread"), (&two, "two threads")] {
        for ((graph, input), nodes) in [(&nothing, "no-ops"), (&counting, "a state")] {
            group.bench_function(format!("{nodes}, {threads}"), |bencher| {
                bencher.iter(|| runtime.block_on(all(graph, input)));
            });
        }
    }
    group.finish();
}

/// Every run is a task of the runtime's, as that of a request is in a server.
async fn all(graph: &Graph, input: &Update) {
    let runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let (graph, input, config) = (graph.clone(), input.clone(), config(100));
            tokio::spawn(async move { run_async(&graph, input, &config).await })
        })
        .collect();
    for run in runs {
        run.await.unwrap_or_else(|error| panic!("{error}"));
    }
}

fn threads() -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    runtime.unwrap_or_else(|error| panic!("{error}"))
}

criterion_group!(benches, concurrent);
criterion_main!(benches);
