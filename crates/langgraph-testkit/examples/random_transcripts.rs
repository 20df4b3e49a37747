//! Writes transcripts of random graphs, to be run under other drivers.
//!
//! `cargo run -p langgraph-rust-testkit --example random_transcripts -- DIRECTORY FIRST_SEED COUNT`

use std::path::Path;

use langgraph_rust_testkit::{random_graph, Contents, Random, Transcript};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, directory, first, count] = arguments.as_slice() else {
        return Err("usage: random_transcripts DIRECTORY FIRST_SEED COUNT".into());
    };
    let first: u64 = first.parse()?;
    for seed in first..first + count.parse::<u64>()? {
        let contents = [Contents::Calm, Contents::Asking, Contents::Failing][seed as usize % 3];
        let text = transcript(&random_graph(seed, contents), &mut Random::new(seed));
        let path = Path::new(directory).join(format!("random_{seed}.txt"));
        std::fs::write(path, Transcript::parse(&text).run())?;
    }
    Ok(())
}

/// A first run, then runs of all kinds, with the thread looked at in between.
fn transcript(graph: &str, random: &mut Random) -> String {
    let nodes: Vec<String> = (0..8).map(|n| format!("\"n{n}\": \"answer {n}\"")).collect();
    let answers = nodes.join(", ");
    let mut commands = vec![
        format!("graph\n{}", graph.trim_end()),
        r#"invoke limit=30 {"log": ["begin"]}"#.into(),
    ];
    for _ in 0..6 {
        let node = random.below(2);
        commands.push("state".into());
        commands.push(match random.below(9) {
            0 => "invoke limit=30 null".into(),
            1 => format!("invoke limit=30 at={} null", random.below(3)),
            2 => format!("invoke limit=30 before=n{node} after=n{} {{}}", random.below(2)),
            3 => format!("invoke limit=30 after=n{node},worker null"),
            4 => "invoke limit=30 durability=exit {\"total\": 1}".into(),
            5 => format!(
                "command limit=30 {{\"update\": {{\"total\": 1}}, \"goto\": [\"n{}\"]}}",
                node % 2
            ),
            6 => format!("resume limit=30 \"answer {node}\""),
            _ => format!("answer limit=30 {{{answers}}}"),
        });
    }
    commands.extend(["state".into(), "history".into()]);
    let blocks: Vec<String> = commands.iter().map(|text| format!("{text}\n----\n")).collect();
    blocks.join("\n")
}
