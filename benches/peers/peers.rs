//! The crates side by side, on a runtime of one thread.

#![allow(missing_docs)] // what criterion's macro makes has no docs

use std::fmt::Debug;
use std::sync::Arc;

use ::graph_flow::NextAction;
use criterion::{criterion_group, criterion_main, BatchSize, Criterion};
use langgraph_peers::{graph_flow, juncture, ours};
use tokio::runtime::{Builder, Runtime};

const CHAIN: usize = 100;
const WIDTH: usize = 100;
const PERSISTED: usize = 20;

fn chain(criterion: &mut Criterion) {
    let (runtime, mut group) = (runtime(), criterion.benchmark_group("chain of 100"));
    let graph = good(ours::chain(CHAIN));
    group.bench_function("langgraph-rust", |bencher| {
        bencher.iter(|| good(runtime.block_on(ours::run(&graph))));
    });
    let graph = good(good(juncture::chain(CHAIN)).compile());
    group.bench_function("juncture", |bencher| {
        bencher.iter(|| good(runtime.block_on(juncture::run(&graph))));
    });
    let graph = good(graph_flow::chain(CHAIN, NextAction::ContinueAndExecute));
    group.bench_function("graph-flow", |bencher| {
        bencher.iter(|| good(runtime.block_on(graph_flow::run(&graph, "node0000"))));
    });
    group.finish();
}

fn fan_out(criterion: &mut Criterion) {
    let (runtime, mut group) = (runtime(), criterion.benchmark_group("fan-out to 100"));
    let graph = good(ours::fan_out(WIDTH));
    group.bench_function("langgraph-rust", |bencher| {
        bencher.iter(|| good(runtime.block_on(ours::run(&graph))));
    });
    let graph = good(good(juncture::fan_out(WIDTH)).compile());
    group.bench_function("juncture", |bencher| {
        bencher.iter(|| good(runtime.block_on(juncture::run(&graph))));
    });
    let graph = good(graph_flow::fan_out(WIDTH));
    group.bench_function("graph-flow", |bencher| {
        bencher.iter(|| good(runtime.block_on(graph_flow::run(&graph, "split"))));
    });
    group.finish();
}

/// A new saver for each run: it begins empty.
fn persisted(criterion: &mut Criterion) {
    let (runtime, mut group) = (runtime(), criterion.benchmark_group("persisted chain of 20"));
    let size = BatchSize::PerIteration;
    let graph = good(ours::chain(PERSISTED));
    group.bench_function("langgraph-rust", |bencher| {
        let begin = || ours::persisted(graph.clone());
        bencher.iter_batched_ref(begin, |graph| good(runtime.block_on(ours::run(graph))), size);
    });
    let graph = good(juncture::chain(PERSISTED));
    group.bench_function("juncture", |bencher| {
        let begin = || good(juncture::persisted(&graph));
        bencher.iter_batched_ref(begin, |graph| good(runtime.block_on(juncture::run(graph))), size);
    });
    let graph = Arc::new(good(graph_flow::chain(PERSISTED, NextAction::Continue)));
    group.bench_function("graph-flow", |bencher| {
        let begin = || good(runtime.block_on(graph_flow::persisted(&graph)));
        let run = |runner: &mut _| good(runtime.block_on(graph_flow::run_persisted(runner)));
        bencher.iter_batched_ref(begin, run, size);
    });
    group.finish();
}

fn runtime() -> Runtime {
    good(Builder::new_current_thread().enable_time().build())
}

fn good<T, E: Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

criterion_group!(benches, chain, fan_out, persisted);
criterion_main!(benches);
