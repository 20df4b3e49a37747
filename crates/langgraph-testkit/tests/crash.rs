//! A process that dies at any effect loses nothing: what is stored is enough to end as if nothing
//! had happened.

use langgraph_core::Durability;
use langgraph_runtime::{Clock, Config, Graph, Memory};
use langgraph_testkit::{
    converse, crash_and_recover, random_graph, Contents, CrashReport, Described, Order, Script,
    Storing,
};

const GRAPHS: u64 = 18;

fn graph(text: &str) -> Graph {
    let graph = Described::parse(text).unwrap().build().unwrap();
    graph.with_saver(Memory::new()).with_clock(Clock::counter())
}

fn crash_everywhere(seed: u64, durability: Durability, script: &Script) -> usize {
    let contents = [Contents::Calm, Contents::Asking, Contents::Failing][seed as usize % 3];
    let text = random_graph(seed, contents);
    let config = Config { durability, recursion_limit: 40, ..Config::thread("1") };
    let Ok(expected) = converse(&graph(&text), &config, &Script::default()) else { return 0 };
    let mut crashes = 0;
    for turn in 0.. {
        for effect in 0.. {
            let report = crash_and_recover(&graph(&text), &config, script, turn, effect);
            match report {
                CrashReport::NoSuchTurn => return crashes,
                CrashReport::NoSuchEffect => break,
                CrashReport::Recovered(found) => {
                    let place = format!("seed {seed} {durability:?} turn {turn} effect {effect}");
                    assert_eq!(found.as_ref(), Ok(&expected), "{place} {script:?}\n{text}");
                    crashes += 1;
                }
            }
        }
    }
    crashes
}

#[test]
fn a_crash_at_any_effect_changes_nothing() {
    let mut crashes = 0;
    for seed in 0..GRAPHS {
        for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
            let late =
                Script { order: Order::Shuffled(seed), storing: Storing::Late, crash_at: None };
            crashes += crash_everywhere(seed, durability, &Script::default());
            crashes += crash_everywhere(seed, durability, &late);
        }
    }
    assert!(crashes > 2_000, "only {crashes} crashes: the graphs are too small");
}
