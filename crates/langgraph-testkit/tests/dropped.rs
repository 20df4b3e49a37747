//! A run whose future is dropped at any of its waits loses nothing: what is stored is enough to end as
//! if nothing had happened.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use langgraph_rust_core::Durability;
use langgraph_rust_runtime::{
    block_on, Clock, Config, Error, Graph, GraphInput, Memory, Update, Value,
};
use langgraph_rust_testkit::{answers, random_graph, Contents, Described, Unhurried};

const GRAPHS: u64 = 24;

fn graph(text: &str, seed: u64) -> Graph {
    let graph = Described::parse(text).unwrap().build_waiting(seed).unwrap();
    graph.with_saver(Unhurried::new(Memory::new(), seed)).with_clock(Clock::counter())
}

/// Polls so many times and drops; `None` if it was not over by then.
fn poll_for<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(futures_util::task::noop_waker_ref());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Goes on to the end, answering whatever is asked.
fn go_on(graph: &Graph, config: &Config, mut input: GraphInput) -> Result<Value, Error> {
    loop {
        let output = block_on(graph.invoke(input, config))?;
        match answers(&output) {
            None => return Ok(output.state.value()),
            Some(answers) => input = answers.into(),
        }
    }
}

/// Goes on from what is stored, or from the beginning if nothing is.
fn recover(graph: &Graph, config: &Config) -> Result<Value, Error> {
    let begun = block_on(graph.state(config))?.is_some_and(|state| state.metadata.step > -2);
    let input = if begun { GraphInput::Nothing } else { Update::new().into() };
    go_on(graph, config, input)
}

#[test]
fn a_run_that_is_dropped_at_any_wait_can_be_gone_on_with() {
    let mut drops = 0;
    for seed in 0..GRAPHS {
        let contents = [Contents::Calm, Contents::Asking, Contents::Failing][seed as usize % 3];
        let text = random_graph(seed, contents);
        for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
            let config = Config::thread("1").durability(durability).recursion_limit(40);
            let config = config.joins(seed % 4 > 1);
            let Ok(expected) = go_on(&graph(&text, seed), &config, Update::new().into()) else {
                continue;
            };
            for polls in 0.. {
                let graph = graph(&text, seed);
                if poll_for(graph.invoke(Update::new(), &config), polls).is_some() {
                    break;
                }
                let found = recover(&graph, &config);
                let place = format!("seed {seed} {durability:?} after {polls} polls\n{text}");
                assert!(found.as_ref().is_ok_and(|found| *found == expected), "{found:?} {place}");
                drops += 1;
            }
        }
    }
    assert!(drops > 500, "only {drops} drops: the graphs are too small");
}
