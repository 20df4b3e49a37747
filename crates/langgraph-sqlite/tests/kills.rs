//! Processes that are killed while they run a graph: nothing that they said is lost, and nothing
//! happens twice. `KILLS=1000 cargo test --test kills` kills more of them than the usual 20.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::Duration;

use langgraph_rust_core::Durability;
use langgraph_rust_runtime::{
    Config, Dynamic, Event, Field, Graph, Mode, Reducer, StateGraph, Update, Value, END, START,
};
use langgraph_rust_sqlite::Sqlite;
use langgraph_rust_testkit::Random;

/// How often a thread goes around before it is done.
const ROUNDS: i64 = 40;

/// Where the process that is killed finds its database and thread.
const DATABASE: &str = "LANGGRAPH_KILLS_DATABASE";
const THREAD: &str = "LANGGRAPH_KILLS_THREAD";

/// Counts, then writes down the number on two nodes side by side, in a list that is stored whole and
/// in one that is stored as changes.
fn graph(path: &Path) -> Graph<Dynamic> {
    let note = |name: &'static str| {
        move |state: &Dynamic| {
            let text = format!("{name}{}", state.get("n").int()?);
            Ok(Update::new().set("log", text.clone()).set("trail", text))
        }
    };
    let graph = StateGraph::new()
        .field("n", Field::Last)
        .field("log", Field::append())
        .field("trail", Field::Delta(Reducer::append(), 7))
        .node("count", |state: &Dynamic| Ok(Update::new().set("n", state.get("n").int()? + 1)))
        .node("a", note("a"))
        .node("b", note("b"))
        .node("look", |_: &()| Ok(()))
        .edge(START, "count")
        .edge("count", "a")
        .edge("count", "b")
        .join(&["a", "b"], "look")
        .branch("look", |state: &Dynamic| {
            Ok(if state.get("n").int()? < ROUNDS { "count" } else { END })
        });
    graph.compile().unwrap().with_saver(Sqlite::open(path).unwrap())
}

/// What the lists hold after so many entries.
fn entries(count: usize) -> Vec<Value> {
    let both = (1..).flat_map(|n| ["a", "b"].map(|name| format!("{name}{n}")));
    both.take(count).map(Value::from).collect()
}

/// The process that is killed: begins its thread, or goes on with it, and says how far it is.
#[test]
#[ignore = "the other test kills this one"]
fn target() {
    let path = PathBuf::from(std::env::var_os(DATABASE).expect("told where"));
    let graph = graph(&path);
    let config = Config::thread(&std::env::var(THREAD).expect("told which"));
    let config = config.durability(Durability::Sync);
    let is_begun = graph.blocking().state(&config).unwrap().is_some();
    let chunks = match is_begun {
        true => graph.blocking().stream((), &config, Mode::Values),
        false => graph.blocking().stream(Update::new().set("n", 0), &config, Mode::Values),
    };
    for chunk in chunks {
        if let Event::Values { values } = chunk.unwrap().event {
            let log = values.get("log").map_or(0, |log| log.items().unwrap().len());
            println!("\nAT {} {log}", values["n"]);
        }
    }
    println!("\nDONE");
}

/// A process that was not told to wait, and what it says.
struct Target {
    child: Child,
    lines: Receiver<String>,
}

impl Target {
    fn start(path: &Path, thread: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test is a program"))
            .args(["target", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(DATABASE, path)
            .env(THREAD, thread)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    /// Kills the process after it has said so many lines, and a moment; returns all that it said.
    fn kill_after(mut self, lines: usize, moment: Duration) -> Vec<String> {
        let mut said: Vec<String> = self.lines.iter().take(lines).collect();
        while let Ok(line) = self.lines.recv_timeout(moment) {
            said.push(line);
            if said.len() > lines + 4 {
                break;
            }
        }
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
        said.extend(self.lines.iter());
        said
    }

    fn finish(mut self) -> Vec<String> {
        let said = self.lines.iter().collect();
        assert!(self.child.wait().expect("it ends").success());
        said
    }
}

/// The state and the length of the list that were said last.
fn said_last(said: &[String]) -> Option<(i64, usize)> {
    let said = said.iter().rev().find_map(|line| line.strip_prefix("AT "))?;
    let (n, log) = said.split_once(' ')?;
    Some((n.parse().ok()?, log.parse().ok()?))
}

#[test]
fn nothing_is_lost_and_nothing_happens_twice() {
    let kills: usize = std::env::var("KILLS").map_or(20, |kills| kills.parse().expect("a number"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("threads.db");
    let mut random =
        Random::new(std::env::var("SEED").map_or(7, |seed| seed.parse().expect("one")));
    let (mut killed, mut thread) = (0, 0);
    // What the current thread has said that it stored.
    let mut known = (0, 0);
    while killed < kills {
        let name = format!("thread {thread}");
        let target = Target::start(&path, &name);
        let moment = Duration::from_micros(random.below(4000));
        let said = target.kill_after(random.below(60) as usize, moment);
        killed += 1;
        known = said_last(&said).map_or(known, |now| now.max(known));
        let found = graph(&path).blocking().state(&Config::thread(&name)).unwrap();
        if let Some(found) = found {
            let n = found.values.get("n").map_or(0, |n| n.int().unwrap());
            let log =
                found.values.get("log").map_or(Vec::new(), |log| log.items().unwrap().to_vec());
            assert!((n, log.len()) >= known, "{n} and {} after {known:?}", log.len());
            assert_eq!(log, entries(log.len()), "the list that is stored whole");
            let trail = found.values.get("trail").cloned().unwrap_or_default();
            assert_eq!(trail.items().unwrap(), log, "the list that is stored as changes");
        } else {
            assert_eq!(known, (0, 0), "the thread is lost");
        }
        if said.iter().any(|line| line == "DONE") {
            (thread, known) = (thread + 1, (0, 0));
        }
    }
    for thread in 0..=thread {
        let name = format!("thread {thread}");
        let said = Target::start(&path, &name).finish();
        assert!(said.iter().any(|line| line == "DONE"), "{said:?}");
        let found = graph(&path).blocking().state(&Config::thread(&name)).unwrap().unwrap();
        let all = entries(2 * ROUNDS as usize);
        assert_eq!(found.values["log"].items().unwrap(), all);
        assert_eq!(found.values["trail"].items().unwrap(), all);
        assert!(found.next.is_empty());
    }
}
