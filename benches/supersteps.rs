//! What a superstep costs. Throughput is in supersteps, in tasks for the fan-outs.

#![allow(missing_docs)] // what criterion's macro makes has no docs

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use langgraph_benches::{
    async_chain, async_ring, chain, checkpointed, config, counter, fan_out, one_thread,
    reading_chain, ring, run, run_async,
};
use langgraph_rust_runtime::{Config, Graph, Update};

/// A benchmark: its name, what it counts, and what it runs.
struct Case {
    name: &'static str,
    elements: u64,
    limit: u64,
    input: Update,
    graph: fn() -> Graph,
}

impl Case {
    fn new(name: &'static str, elements: u64, graph: fn() -> Graph) -> Self {
        Self { name, elements, limit: 1_000_000, input: Update::new(), graph }
    }

    fn measure(&self, criterion: &mut Criterion, group: &str, run: impl Fn(&Graph, &Config)) {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(self.elements));
        let (graph, config) = ((self.graph)(), config(self.limit));
        group.bench_function(self.name, |bencher| match graph.saver() {
            None => bencher.iter(|| run(&graph, &config)),
            // A new graph for each run: its saver begins empty.
            Some(_) => {
                let begin = || (self.graph)();
                let size = BatchSize::PerIteration;
                bencher.iter_batched_ref(begin, |graph| run(graph, &config), size);
            }
        });
        group.finish();
    }
}

/// On the calling thread.
fn supersteps(criterion: &mut Criterion) {
    let ring = Case { limit: 9_999, ..Case::new("ring of no-ops", 10_000, ring) };
    let counting = Update::new().set("value", 0);
    let counter = Case { input: counting, ..Case::new("counter", 1_000, || counter(1_000)) };
    let cases = [
        Case::new("chain of 10 no-ops", 11, || chain(10)),
        Case::new("chain of 1000 no-ops", 1_001, || chain(1_000)),
        ring,
        counter,
        Case::new("fan-out to 100", 100, || fan_out(100)),
        Case::new("fan-out to 10000", 10_000, || fan_out(10_000)),
        Case::new("checkpointed chain of 100", 101, || checkpointed(chain(100))),
        Case::new("checkpointed fan-out to 1000", 1_000, || checkpointed(fan_out(1_000))),
    ];
    for case in &cases {
        case.measure(criterion, "supersteps", |graph, config| {
            run(graph, case.input.clone(), config);
        });
    }
}

/// On a runtime of one thread, by nodes that are async functions.
fn async_supersteps(criterion: &mut Criterion) {
    let runtime = one_thread();
    let read = Update::new().set("value", 1);
    let cases = [
        Case::new("chain of 10 no-ops", 11, || async_chain(10)),
        Case::new("chain of 1000 no-ops", 1_001, || async_chain(1_000)),
        Case { limit: 9_999, ..Case::new("ring of no-ops", 10_000, async_ring) },
        Case {
            input: read,
            ..Case::new("chain of 1000 that read", 1_001, || reading_chain(1_000))
        },
    ];
    for case in &cases {
        case.measure(criterion, "async supersteps", |graph, config| {
            runtime.block_on(run_async(graph, case.input.clone(), config));
        });
    }
}

criterion_group!(benches, supersteps, async_supersteps);
criterion_main!(benches);
