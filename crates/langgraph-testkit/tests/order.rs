//! The order in which tasks finish and storings return does not matter.

use langgraph_rust_core::{ChannelIndex, Durability};
use langgraph_rust_runtime::saver::{ListQuery, Saver};
use langgraph_rust_runtime::{block_on, saver, Clock, Config, Graph, Map, Memory, Place};
use langgraph_rust_testkit::{
    converse, dump, random_graph, Contents, Described, Order, Script, Storing,
};

const GRAPHS: u64 = 150;

fn run(text: &str, script: &Script, durability: Durability) -> (Result<Map, String>, String) {
    let saver = Memory::new();
    let graph: Graph = Described::parse(text).unwrap().build().unwrap();
    let graph = graph.with_saver(saver.clone()).with_clock(Clock::counter());
    let config = Config::thread("1").durability(durability).recursion_limit(40).joins(false);
    let end = converse(&graph, &config, script);
    let place = Place { thread: "1".into(), namespace: "".into() };
    for (_, found) in block_on(saver.list(&ListQuery::place(&place))).unwrap() {
        let stored = saver::loaded(graph.plan(), &[], found, false, None).unwrap();
        let needy = graph.plan().needs_history(&stored.checkpoint);
        let is_delta = |index: &ChannelIndex| graph.plan().deltas().contains(index);
        assert!(needy.iter().all(is_delta), "{text}");
    }
    (end, dump(&saver, &place).unwrap())
}

#[test]
fn any_order_gives_the_same_state_and_the_same_checkpoints() {
    for seed in 0..GRAPHS {
        let contents = [Contents::Calm, Contents::Asking, Contents::Failing][seed as usize % 3];
        let text = random_graph(seed, contents);
        for durability in [Durability::Sync, Durability::Async, Durability::Exit] {
            let expected = run(&text, &Script::default(), durability);
            if expected.0.is_err() {
                // Which of two failures ends a run, and what finishes beside it, is a race.
                continue;
            }
            let orders = [Order::Reversed, Order::Shuffled(seed), Order::Shuffled(seed + 1)];
            for order in orders {
                for storing in [Storing::AtOnce, Storing::Late] {
                    let script = Script { order: order.clone(), storing, cut: None };
                    let found = run(&text, &script, durability);
                    assert_eq!(found, expected, "seed {seed}, {script:?}, {durability:?}\n{text}");
                }
            }
        }
    }
}
