//! Random graphs, as descriptions: a failing one can be read, kept and run elsewhere.

use std::fmt::Write as _;

/// A small generator of pseudo-random numbers (SplitMix64); the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What a random graph may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Nodes that finish.
    Calm,
    /// Nodes that ask, too.
    Asking,
    /// Nodes that fail once, are retried, have handlers.
    Failing,
}

/// The description of a random graph: two to seven nodes; edges forward, and back as long as
/// `total` is small; joins, sends, deferred nodes, gotos; and what `contents` adds.
pub fn random_graph(seed: u64, contents: Contents) -> String {
    let mut random = Random::new(seed);
    let count = 2 + random.below(6) as usize;
    let names: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
    let log = if seed % 2 == 0 { "append" } else { "delta" };
    let mut text = format!("state log {log}\n");
    text.push_str(
        "state total sum\nstate seen topic\nstate all log\nstate item last\n\
         node worker\n  write log [\"$item\"]\n  write total 1\n",
    );
    for (position, name) in names.iter().enumerate() {
        node(&mut text, &mut random, name, &names[position + 1..], contents);
    }
    let _ = writeln!(text, "edge START {}", names[0]);
    if count > 2 && random.once_in(3) {
        let _ = writeln!(text, "edge START {}", names[1]);
    }
    for (position, name) in names.iter().enumerate() {
        edges(&mut text, &mut random, position, name, &names);
    }
    if count > 3 && random.once_in(2) {
        let _ = writeln!(text, "join {} {} -> {}", names[0], names[1], names[count - 1]);
    }
    text
}

fn node(text: &mut String, random: &mut Random, name: &str, later: &[String], contents: Contents) {
    let deferred = if random.once_in(6) { " defer" } else { "" };
    let fails = contents == Contents::Failing && random.once_in(3);
    let retried = if fails && random.once_in(3) { " retry=2" } else { "" };
    let _ = writeln!(text, "node {name}{deferred}{retried}");
    let handled = fails && random.once_in(2);
    if fails {
        let times = if handled { "always" } else { "1" };
        let _ = writeln!(text, "  fail {times} {name} broke");
    }
    if contents == Contents::Asking && random.once_in(3) {
        let _ = writeln!(text, "  ask \"{name}?\"\n  write log [\"$answer\"]");
    }
    let _ = writeln!(text, "  write log [\"{name}\"]\n  write total {}", 1 + random.below(3));
    if random.once_in(3) {
        let _ = writeln!(text, "  write seen \"{name}\"");
    }
    if random.once_in(3) {
        let _ = writeln!(text, "  write all [\"{name}\", \"$total\"]");
    }
    if random.once_in(4) {
        for item in 0..random.below(4) {
            let _ = writeln!(text, "  send worker {{\"item\": {item}}}");
        }
    }
    if let (Some(target), true) = (pick(random, later), random.once_in(4)) {
        let _ = writeln!(text, "  goto {target}");
    }
    if handled {
        let _ = writeln!(text, "handler {name}\n  write log [\"$error\"]");
    }
}

fn edges(text: &mut String, random: &mut Random, position: usize, name: &str, names: &[String]) {
    let later = &names[position + 1..];
    for _ in 0..1 + random.below(2) {
        if let Some(target) = pick(random, later) {
            let _ = writeln!(text, "edge {name} {target}");
        }
    }
    if random.once_in(3) {
        let back = &names[random.below(position as u64 + 1) as usize];
        let limit = 5 + random.below(15);
        let other = pick(random, later).map_or("END", |name| name);
        let _ = writeln!(text, "branch {name} if total < {limit} then {back} else {other}");
    }
}

fn pick<'n>(random: &mut Random, names: &'n [String]) -> Option<&'n str> {
    let chosen = random.below(names.len().max(1) as u64) as usize;
    names.get(chosen).map(|name| &**name)
}
