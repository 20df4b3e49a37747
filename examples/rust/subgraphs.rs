//! Graphs as nodes: a supervisor with a researcher, which remembers what it has found on the thread, and
//! a writer, which begins anew each time and says itself who is next.

use std::error::Error;

use langgraph_rust::prelude::*;
use langgraph_rust::{Event, Modes, Persistence};

/// The supervisor's state. A graph that is a node has its own, and shares the fields of the same names.
#[derive(Clone, State)]
struct Desk {
    topic: String,
    facts: String,
    article: String,
    #[reducer(append)]
    log: Vec<String>,
}

#[derive(Clone, State)]
struct Research {
    topic: String,
    facts: String,
    /// The supervisor has no such field: it is the researcher's own.
    #[reducer(append)]
    notes: Vec<String>,
}

#[derive(Clone, State)]
struct Writing {
    topic: String,
    facts: String,
    #[reducer(sum)]
    drafts: u32,
}

async fn supervise(desk: &Desk) -> NodeResult<Command> {
    let (line, next) = match (desk.facts.is_empty(), desk.article.is_empty()) {
        (true, _) => ("no facts yet", "researcher"),
        (false, true) => ("facts, but no article", "writer"),
        (false, false) => ("done", END),
    };
    Ok(Command::from(Desk::update().log([line])).goto(next))
}

fn researcher() -> Result<Graph<Research>, langgraph_rust::Error> {
    StateGraph::<Research>::new()
        .node("search", |research: &Research| {
            Ok(Research::update().notes([format!("{} are red", research.topic)]))
        })
        .node("report", |research: &Research| {
            Ok(Research::update().facts(research.notes.join(" and ")))
        })
        .edge(START, "search")
        .edge("search", "report")
        .compile()
}

fn writer() -> Result<Graph<Writing>, langgraph_rust::Error> {
    StateGraph::<Writing>::new()
        .node("draft", |_: &Writing| Ok(Writing::update().drafts(1)))
        .node("publish", |writing: &Writing| {
            let article = format!("draft {}: {}!", writing.drafts, writing.facts);
            // For the graph around: what it writes are that graph's fields, and where it goes its nodes.
            let update = Desk::update().article(article).log(["the writer is done"]);
            Ok(Command::from(update).goto("supervisor").parent())
        })
        .edge(START, "draft")
        .edge("draft", "publish")
        .compile()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let graph = StateGraph::<Desk>::new()
        .node("supervisor", supervise)
        .add_node(Node::graph("researcher", researcher()?).persistence(Persistence::PerThread))
        .add_node(Node::graph("writer", writer()?))
        .edge(START, "supervisor")
        .edge("researcher", "supervisor")
        .compile()?
        .with_saver(Memory::new());

    let thread = Config::thread("desk");
    for topic in ["crabs", "roses"] {
        let input = Desk::update().topic(topic).facts("").article("");
        let modes = Modes::from(Mode::Updates).with_subgraphs();
        let mut stream = graph.stream(input, &thread, modes);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk?;
            if let Event::Update { node, .. } = chunk.event {
                // A namespace is the node that the graph is, and which of its calls this is.
                let graph = chunk.namespace.split(':').next().filter(|name| !name.is_empty());
                println!("{}{node}", graph.map(|name| format!("  {name} > ")).unwrap_or_default());
            }
        }
        println!("= {}\n", stream.output().await?.state.article);
    }
    let desk = graph.state(&thread).await?.ok_or("no such thread")?.state::<Desk>()?;
    println!("{}", desk.log.join("; "));
    Ok(())
}
