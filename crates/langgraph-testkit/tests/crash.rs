//! A process that dies at any effect loses nothing, nor does a run that is made to end there: what
//! is stored is enough to end as if nothing had happened.

use langgraph_rust_core::Durability;
use langgraph_rust_runtime::{Clock, Config, Graph, Memory};
use langgraph_rust_testkit::{
    converse, cut_and_recover, random_graph, Contents, Cut, CutReport, Described, Order, Script,
    Storing,
};

const GRAPHS: u64 = 18;

fn graph(text: &str) -> Graph {
    let graph = Described::parse(text).unwrap().build().unwrap();
    graph.with_saver(Memory::new()).with_clock(Clock::counter())
}

fn cut_everywhere(
    seed: u64,
    durability: Durability,
    script: &Script,
    cut: fn(usize) -> Cut,
) -> usize {
    let contents = [Contents::Calm, Contents::Asking, Contents::Failing][seed as usize % 3];
    let text = random_graph(seed, contents);
    let apart = Config::thread("1").durability(durability).recursion_limit(40).joins(false);
    let Ok(expected) = converse(&graph(&text), &apart, &Script::default()) else { return 0 };
    let config = apart.clone().joins(seed % 4 > 1);
    let mut cuts = 0;
    for turn in 0.. {
        for effect in 0.. {
            let report = cut_and_recover(&graph(&text), &config, script, turn, cut(effect));
            match report {
                CutReport::NoSuchTurn => return cuts,
                CutReport::NoSuchEffect => break,
                CutReport::Recovered(found) => {
                    let place = format!("seed {seed} {durability:?} turn {turn} {:?}", cut(effect));
                    assert_eq!(found.as_ref(), Ok(&expected), "{place} {script:?}\n{text}");
                    cuts += 1;
                }
            }
        }
    }
    cuts
}

fn changes_nothing(cut: fn(usize) -> Cut) {
    let mut cuts = 0;
    for seed in 0..GRAPHS {
        for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
            let late = Script { order: Order::Shuffled(seed), storing: Storing::Late, cut: None };
            cuts += cut_everywhere(seed, durability, &Script::default(), cut);
            cuts += cut_everywhere(seed, durability, &late, cut);
        }
    }
    assert!(cuts > 2_000, "only {cuts} cuts: the graphs are too small");
}

#[test]
fn a_crash_at_any_effect_changes_nothing() {
    changes_nothing(Cut::Crash);
}

#[test]
fn a_field_that_stores_changes_holds_what_one_holds_that_stores_its_value() {
    for seed in 0..40 {
        let text = random_graph(2 * seed, Contents::Calm);
        let changed = text.replace("state log append", "state log delta");
        assert_ne!(text, changed);
        for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
            let joins = seed % 4 > 1;
            let config =
                Config::thread("1").durability(durability).recursion_limit(40).joins(joins);
            let ends = [&text, &changed].map(|text| {
                let graph = graph(text);
                let ends: Vec<_> = (0..3)
                    .map(|_| converse(&graph, &config, &Script::default()).map_err(|_| "fails"))
                    .collect();
                // A new thread that stores at the end begins with a checkpoint for what it wrote.
                let states = graph.blocking().history(&config).unwrap().into_iter();
                let states = states.filter(|state| state.metadata.step > -2);
                (ends, states.map(|state| state.values.get("log").cloned()).collect::<Vec<_>>())
            });
            assert_eq!(ends[0], ends[1], "seed {seed} {durability:?}\n{text}");
        }
    }
}

#[test]
fn cancelling_a_run_at_any_effect_changes_nothing() {
    changes_nothing(Cut::Cancel);
}

#[test]
fn a_driver_that_fails_at_any_effect_changes_nothing() {
    changes_nothing(Cut::Fail);
}
