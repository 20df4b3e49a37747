//! `langgraph-continuity TURN REPORT CASES DATABASE...`: take one turn in the threads of each
//! database.
//!
//! A DATABASE is a path, of SQLite, or how to connect to Postgres. CASES are names such as `question-sync`, with commas between: each has a thread of its own. What a
//! turn returned, and what the thread looks like before and after it, goes into the JSON file REPORT,
//! as `program.py` writes it. `look` instead of a number only looks.

mod graphs;
mod thread;
mod turns;

use std::sync::Arc;

use langgraph_rust_core::Durability;
use langgraph_rust_postgres::Postgres;
use langgraph_rust_runtime::saver::Saver;
use langgraph_rust_runtime::Error;
use langgraph_rust_sqlite::{Sqlite, Synchronous};
use serde_json::{json, Map, Value as Json};

use thread::Thread;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [turn, report, cases, databases @ ..] = &arguments[..] else {
        return Err("usage: langgraph-continuity TURN REPORT CASES DATABASE...".into());
    };
    let mut reports = Map::new();
    for database in databases {
        let saver = open(database).await?;
        let mut told = Map::new();
        for case in cases.split(',') {
            let taken = take(turn, case, saver.clone()).await;
            let taken = taken.unwrap_or_else(|error| json!({ "crash": error.to_string() }));
            told.insert(case.to_owned(), taken);
        }
        reports.insert(database.clone(), told.into());
    }
    std::fs::write(report, Json::from(reports).to_string())?;
    Ok(())
}

async fn open(database: &str) -> Result<Arc<dyn Saver>, Error> {
    if database.contains("://") {
        let saver = Postgres::connect(database).await?;
        saver.setup().await?;
        return Ok(Arc::new(saver));
    }
    // These databases need not survive a power cut.
    let options = Sqlite::options().synchronous(Synchronous::Off).wal(false);
    Ok(Arc::new(options.open(database)?))
}

/// Takes a turn of a case, and tells what it did and what could be seen.
async fn take(turn: &str, case: &str, saver: Arc<dyn Saver>) -> Result<Json, Error> {
    let unknown = || Error::message(format!("no case is called {case}"));
    let (scenario, durability) = case.rsplit_once('-').ok_or_else(unknown)?;
    let durability = match durability {
        "sync" => Durability::Sync,
        "async" => Durability::Async,
        "exit" => Durability::Exit,
        _ => return Err(unknown()),
    };
    let mut thread = Thread::new(case, scenario, durability, saver)?;
    let before = thread.view().await?;
    let Ok(turn) = turn.parse::<usize>() else { return Ok(json!({ "before": before })) };
    turns::of(scenario, turn).ok_or_else(unknown)?.take(&mut thread).await?;
    let (said, after) = (thread.said.clone(), thread.view().await?);
    Ok(json!({ "before": before, "said": said, "after": after }))
}
