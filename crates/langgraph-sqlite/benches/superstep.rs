//! What it takes to have a superstep stored: `cargo bench -p langgraph-rust-sqlite`.
//!
//! Beside it stand what the disk takes for as many bytes without any database, and what SQLite takes
//! for the same rows, encoded already, on the thread that asks. `FOLDER` says where, if not where
//! temporary files are.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use langgraph_rust_core::{Durability, TaskId};
use langgraph_rust_runtime::saver::{wire, ListQuery, Place, PutCheckpoint, PutWrites, Saver};
use langgraph_rust_runtime::{
    Config, Dynamic, Field, Graph, StateGraph, Update, Value, END, START,
};
use langgraph_rust_sqlite::{Sqlite, Synchronous};
use rusqlite::{params, Connection};
use tokio::runtime::{Builder, Runtime};

/// Supersteps per measurement.
const STEPS: usize = 2_000;

/// Runs at the same time.
const RUNS: usize = 100;

fn main() {
    let tokio = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = match std::env::var_os("FOLDER") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let full = || Sqlite::open(path("full.db")).expect("a database");
    let normal = Sqlite::options().synchronous(Synchronous::Normal);
    let normal = normal.open(path("normal.db")).expect("a database");
    let memory = Sqlite::in_memory().expect("a database");
    let put = sample(&tokio);
    println!("microseconds a superstep (one task with two writes, {STEPS} of them):");
    show("the disk, 4 KiB appended", disk(&path("disk"), STEPS), STEPS);
    show("SQLite itself, rows that are encoded, FULL", floor(&path("floor.db"), &put), STEPS);
    show("the saver, FULL", saver(&tokio, &full(), &put), STEPS);
    show("the saver, NORMAL", saver(&tokio, &normal, &put), STEPS);
    show("the saver, in memory", saver(&tokio, &memory, &put), STEPS);
    show("a run, FULL", runs(&tokio, full(), 1, STEPS), STEPS);
    show("a run, in memory", runs(&tokio, memory, 1, STEPS), STEPS);
    let each = STEPS / 10;
    show("100 runs at once, FULL", runs(&tokio, full(), RUNS, each), RUNS * each);
}

fn show(what: &str, took: Duration, steps: usize) {
    println!("{:>9.1}  {what}", took.as_secs_f64() * 1e6 / steps as f64);
}

/// A graph that goes around so often.
fn graph(saver: Sqlite, rounds: usize) -> Graph<Dynamic> {
    let rounds = rounds as i64;
    let graph = StateGraph::new()
        .field("n", Field::Last)
        .field("log", Field::Last)
        .node("count", |state: &Dynamic| {
            let n = state.get("n").int()? + 1;
            Ok(Update::new().set("n", n).set("log", vec!["a few words", "in a list"]))
        })
        .edge(START, "count")
        .branch("count", move |state: &Dynamic| {
            Ok(if state.get("n").int()? < rounds { "count" } else { END })
        });
    graph.compile().expect("a graph").with_saver(saver)
}

fn config(thread: &str) -> Config {
    Config::thread(thread).durability(Durability::Sync).recursion_limit(1 << 40)
}

fn runs(tokio: &Runtime, saver: Sqlite, runs: usize, rounds: usize) -> Duration {
    let graph = graph(saver, rounds);
    let run = |number: usize| {
        let (graph, config) = (graph.clone(), config(&format!("{runs} runs {number}")));
        async move { graph.invoke(Update::new().set("n", 0), &config).await.expect("it runs") }
    };
    let start = Instant::now();
    tokio.block_on(join_all((0..runs).map(run)));
    start.elapsed()
}

/// What such a graph stores of a superstep.
fn sample(tokio: &Runtime) -> PutCheckpoint {
    let saver = Sqlite::in_memory().expect("a database");
    runs(tokio, saver.clone(), 1, 3);
    let mut query = ListQuery::default();
    query.limit = Some(2);
    let mut found = tokio.block_on(saver.list(&query)).expect("it lists");
    let (_, tuple) = found.remove(1);
    let write = |name: &str, value: Value| (name.into(), value);
    PutCheckpoint {
        new_versions: tuple.checkpoint.channel_versions.clone(),
        writes: vec![PutWrites {
            checkpoint: tuple.checkpoint.id.clone(),
            task: TaskId::from_text("8ec3ae6b-8a52-4a4b-9a8c-1d3c0d3f0a11"),
            path: "~__pregel_pull, count".into(),
            writes: vec![
                write("n", 1.into()),
                write("log", vec!["a few words", "in a list"].into()),
            ],
        }],
        checkpoint: tuple.checkpoint,
        metadata: tuple.metadata,
        parent: tuple.parent,
    }
}

/// The place of the superstep `number`: all others are the same.
fn place(number: usize) -> Place {
    Place { thread: format!("put {number:08}").into(), namespace: "".into() }
}

fn saver(tokio: &Runtime, saver: &Sqlite, put: &PutCheckpoint) -> Duration {
    let start = Instant::now();
    tokio.block_on(async {
        for number in 0..STEPS {
            saver.put(&place(number), put.clone()).await.expect("it is stored");
        }
    });
    start.elapsed()
}

/// The same rows by SQLite alone.
fn floor(path: &Path, put: &PutCheckpoint) -> Duration {
    drop(Sqlite::open(path).expect("the tables are made"));
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        .expect("modes");
    let checkpoint = wire::encode_checkpoint(&put.checkpoint, false).expect("it can be encoded");
    let metadata = wire::metadata_json(&put.metadata).expect("they can be encoded");
    let id = put.checkpoint.id.as_str();
    let parent = put.parent.as_ref().map(|parent| parent.as_str());
    let encode = |(_, value): &(_, Value)| wire::encode(value).expect("it can be encoded");
    let values: Vec<_> = put.writes[0].writes.iter().map(encode).collect();
    let run = |sql: &str, with: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql).and_then(|mut sql| sql.execute(with)).expect("it is done");
    };
    let start = Instant::now();
    for number in 0..STEPS {
        let thread = format!("put {number:08}");
        run("BEGIN IMMEDIATE", &[]);
        for (at, (write, value)) in put.writes[0].writes.iter().zip(&values).enumerate() {
            let task = put.writes[0].task.as_str();
            run(
                "INSERT OR IGNORE INTO writes VALUES (?, '', ?, ?, ?, ?, ?, ?, ?)",
                params![
                    thread,
                    id,
                    task,
                    &*put.writes[0].path,
                    at,
                    &*write.0,
                    value.kind,
                    value.bytes
                ],
            );
        }
        run(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, '', ?, ?, ?, ?, ?)",
            params![thread, id, parent, checkpoint.kind, checkpoint.bytes, metadata],
        );
        run("COMMIT", &[]);
    }
    start.elapsed()
}

/// A file that is appended to and waited for.
fn disk(path: &Path, times: usize) -> Duration {
    let mut file = File::create(path).expect("a file");
    let start = Instant::now();
    for _ in 0..times {
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).expect("it is on disk");
    }
    start.elapsed()
}
