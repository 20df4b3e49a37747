//! What a driver can tell the engine besides good news: that storing failed, that the run is to
//! stop. Whenever it is said, the run ends, and the thread can go on.

use std::collections::VecDeque;
use std::time::Duration;

use langgraph_rust_core::Durability;
use langgraph_rust_pregel::{Effect, Emits, End, Outcome};
use langgraph_rust_runtime::{
    block_on, Clock, Config, Error, Graph, Map, Memory, Native, NodeError, Performing, Run, Update,
    Value,
};
use langgraph_rust_testkit::{converse, random_graph, Contents, Described, Script};

const GRAPHS: u64 = 12;

/// What is said, instead of performing an effect or before it.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Drain,
    Cancel,
    Fail,
    FailStoring,
}

fn graph(seed: u64) -> Graph {
    let graph = Described::parse(&random_graph(seed, Contents::Calm)).unwrap().build().unwrap();
    graph.with_saver(Memory::new()).with_clock(Clock::counter())
}

/// Drives a run to its end and says `verb` at the `at`-th effect; `None` if there are not so many.
fn drive(run: &mut Run, verb: Verb, at: usize) -> Option<Outcome<Native>> {
    let (mut tasks, mut storings) = (VecDeque::new(), VecDeque::new());
    let mut said = false;
    for position in 0..10_000 {
        if position >= at && !said {
            said = match verb {
                Verb::Drain => {
                    run.drain();
                    true
                }
                Verb::Cancel => run.end(End::Cancelled).is_ok(),
                Verb::Fail => run.end(End::Failed(NodeError::message("the driver broke"))).is_ok(),
                Verb::FailStoring => fail_storing(run, &mut storings),
            };
        }
        match run.poll() {
            Effect::RunTask { task, attempt, .. } => {
                match run.perform(task, attempt, Duration::ZERO) {
                    Performing::Ended(ended) => tasks.push_back((task, run.conclude(ended))),
                    Performing::Running(_) => panic!("nodes of described graphs do not wait"),
                }
            }
            effect @ (Effect::PersistWrites(_) | Effect::PersistCheckpoint(_)) => {
                storings.push_back(effect);
            }
            Effect::Wait(reason) => match (tasks.pop_front(), storings.pop_front()) {
                (Some((task, outcome)), storing) => {
                    storings.extend(storing);
                    run.report(task, outcome);
                }
                (None, Some(effect)) => {
                    let (ticket, storing) = run.storing(effect).expect("it has a saver");
                    block_on(storing).expect("memory takes all");
                    run.stored(ticket);
                }
                (None, None) => panic!("the engine waits ({reason:?}) for nothing"),
            },
            Effect::Finish(outcome) => return said.then_some(outcome),
            Effect::CancelTask(_) | Effect::Emit(_) | Effect::LookUpCache(_) => {}
        }
    }
    panic!("the run does not end");
}

fn fail_storing(run: &mut Run, storings: &mut VecDeque<Effect<Native>>) -> bool {
    let ticket = match storings.pop_front() {
        Some(Effect::PersistWrites(writes)) => writes.ticket,
        Some(Effect::PersistCheckpoint(put)) => put.ticket,
        _ => return false,
    };
    run.storing_failed(ticket, Error::message("the disk is full")).is_ok()
}

fn go_on(graph: &Graph, config: &Config) -> Map {
    match graph.blocking().state(config).unwrap() {
        None => converse(graph, config, &Script::default()).unwrap(),
        Some(_) => match graph.blocking().invoke((), config).unwrap().state.value() {
            Value::Map(map) => (*map).clone(),
            other => panic!("the state is {other}"),
        },
    }
}

fn at_every_effect(verb: Verb, expect: fn(&Outcome<Native>) -> bool) {
    for seed in 0..GRAPHS {
        for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
            let joins = seed % 4 > 1;
            let config =
                Config::thread("1").durability(durability).recursion_limit(40).joins(joins);
            let Ok(expected) = converse(&graph(seed), &config, &Script::default()) else {
                continue;
            };
            for at in 0.. {
                let graph = graph(seed);
                let run = Run::begin(&graph, Update::new(), &config, Emits::default());
                let mut run = block_on(run).unwrap();
                let Some(outcome) = drive(&mut run, verb, at) else { break };
                let place = format!("seed {seed} {durability:?} {verb:?} at {at}");
                assert!(expect(&outcome) || matches!(outcome, Outcome::Done), "{place}");
                assert_eq!(go_on(&graph, &config), expected, "{place}");
            }
        }
    }
}

#[test]
fn a_drained_run_can_be_resumed() {
    at_every_effect(Verb::Drain, |outcome| matches!(outcome, Outcome::Drained));
}

#[test]
fn a_cancelled_run_can_be_resumed() {
    at_every_effect(Verb::Cancel, |outcome| matches!(outcome, Outcome::Cancelled));
}

#[test]
fn a_run_whose_driver_fails_can_be_resumed() {
    at_every_effect(Verb::Fail, |outcome| match outcome {
        Outcome::Failed(langgraph_rust_core::Fault::Domain(error)) => {
            error.to_string() == "the driver broke"
        }
        _ => false,
    });
}

#[test]
fn a_run_whose_storing_fails_ends_and_can_be_resumed() {
    at_every_effect(Verb::FailStoring, |outcome| match outcome {
        Outcome::Failed(langgraph_rust_core::Fault::Domain(error)) => {
            error.to_string() == "the disk is full"
        }
        _ => false,
    });
}
