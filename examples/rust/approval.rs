//! An approval that takes days: one process asks and ends, another one goes on with the answer.
//!
//! ```text
//! approval threads.db start 7
//! approval threads.db status
//! approval threads.db answer yes
//! ```

use std::error::Error;

use langgraph_rust::prelude::*;

use serde::{Deserialize, Serialize};

/// A release on its way out.
#[derive(Clone, State)]
struct Release {
    version: String,
    approved: Option<Answer>,
    #[reducer(append)]
    log: Vec<String>,
}

/// What is answered, and stored with the thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    yes: bool,
    by: String,
}

fn build(release: &Release) -> NodeResult<ReleaseUpdate> {
    Ok(Release::update().log([format!("built {}", release.version)]))
}

/// The first time it stops at the interrupt; in the other process it runs again, and gets the answer.
fn approve(release: &Release, runtime: &Runtime) -> NodeResult<Command> {
    let answer: Answer = runtime.interrupt_for(format!("publish {}?", release.version))?;
    let next = if answer.yes { "publish" } else { END };
    let line = format!("{} said {}", answer.by, if answer.yes { "yes" } else { "no" });
    Ok(Command::from(Release::update().approved(answer).log([line])).goto(next))
}

fn publish(release: &Release) -> NodeResult<ReleaseUpdate> {
    Ok(Release::update().log([format!("published {}", release.version)]))
}

fn releases(path: &str) -> Result<Graph<Release>, langgraph_rust::Error> {
    let graph = StateGraph::<Release>::new()
        .node("build", build)
        .node("approve", approve)
        .node("publish", publish)
        .edge(START, "build")
        .edge("build", "approve")
        .compile()?;
    Ok(graph.with_saver(Sqlite::open(path)?))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let [path, ref command @ ..] = arguments[..] else { return Err("name a database".into()) };
    // Nothing here needs an async runtime of its own.
    let graph = releases(path)?.blocking();
    let thread = Config::thread("release");
    let output = match command {
        ["start", version] => graph.invoke(Release::update().version(*version), &thread)?,
        ["answer", answer] => {
            let answer = Answer { yes: *answer == "yes", by: "Ada".into() };
            graph.invoke(Command::resume(Value::typed(answer)), &thread)?
        }
        ["status"] => {
            let snapshot = graph.state(&thread)?.ok_or("no such thread")?;
            for task in &snapshot.tasks {
                for interrupt in &task.interrupts {
                    println!("{} waits: {}", task.name, interrupt.value.text()?);
                }
            }
            println!("so far: {}", snapshot.state::<Release>()?.log.join(", "));
            return Ok(());
        }
        _ => return Err("say `start VERSION`, `status` or `answer yes`".into()),
    };
    for interrupt in output.interrupts() {
        println!("waiting for an answer: {}", interrupt.value.text()?);
    }
    println!("so far: {}", output.state.log.join(", "));
    Ok(())
}
