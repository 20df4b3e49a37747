//! What a superstep costs. Throughput is in supersteps, in tasks for the fan-outs.

#![allow(missing_docs)] // what criterion's macro makes has no docs

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use langgraph_benches::{chain, checkpointed, counter, fan_out, ring, run};
use langgraph_rust_core::Durability;
use langgraph_rust_runtime::{Graph, Update};

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

    fn measure(&self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("supersteps");
        group.throughput(Throughput::Elements(self.elements));
        let run = |graph: &Graph| run(graph, self.input.clone(), self.limit, Durability::Async);
        let graph = (self.graph)();
        group.bench_function(self.name, |bencher| match graph.saver() {
            None => bencher.iter(|| run(&graph)),
            // A new graph for each run: its saver begins empty.
            Some(_) => {
                bencher.iter_batched_ref(self.graph, |graph| run(graph), BatchSize::PerIteration);
            }
        });
        group.finish();
    }
}

fn supersteps(criterion: &mut Criterion) {
    let ring = Case { limit: 9_999, ..Case::new("ring of no-ops", 10_000, ring) };
    let counting = Update::new().set("n", 0);
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
    for case in cases {
        case.measure(criterion);
    }
}

criterion_group!(benches, supersteps);
criterion_main!(benches);
