//! Map and reduce: documents are counted side by side, a few at a time. One fails at first and is tried
//! again, another one takes too long and is given up.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::time::Duration;

use langgraph_rust::prelude::*;
use langgraph_rust::Event;

#[derive(Clone, State)]
struct Library {
    documents: Vec<String>,
    #[reducer(custom = add_counts)]
    words: BTreeMap<String, u64>,
    #[reducer(append)]
    given_up: Vec<String>,
    summary: String,
}

/// What one task is sent: it sees this instead of the state.
#[derive(Clone, Input)]
struct Document {
    text: String,
}

/// The reduce step. Writes of a superstep are folded in the order of their tasks, whichever ended first.
fn add_counts(
    mut held: BTreeMap<String, u64>,
    more: BTreeMap<String, u64>,
) -> BTreeMap<String, u64> {
    for (word, count) in more {
        *held.entry(word).or_default() += count;
    }
    held
}

/// The map step.
async fn count(document: &Document, runtime: &Runtime) -> NodeResult<LibraryUpdate> {
    match document.text.as_str() {
        "flaky flaky" if runtime.attempt() == 1 => {
            runtime.write("flaky: the connection is lost, again");
            // Any error will do; the retry policy looks at it.
            return Err(io::Error::from(io::ErrorKind::ConnectionReset).into());
        }
        "slow" => tokio::time::sleep(Duration::from_secs(60)).await,
        _ => tokio::time::sleep(Duration::from_millis(1)).await,
    }
    let mut words = BTreeMap::<String, u64>::new();
    for word in document.text.split_whitespace() {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    runtime.write(format!("{:?}: {} words", document.text, words.len()));
    Ok(Library::update().words(words))
}

/// In place of a count that failed for good, on the same document.
fn give_up(document: &Document, runtime: &Runtime) -> NodeResult<LibraryUpdate> {
    let failed = runtime.failure().ok_or_else(|| NodeError::message("nothing has failed"))?;
    Ok(Library::update().given_up([format!("{}: {}", document.text, failed.error)]))
}

fn is_lost_connection(error: &langgraph_rust::Error) -> bool {
    let langgraph_rust::Error::Node { source, .. } = error else { return false };
    let source = source.downcast_ref::<io::Error>();
    source.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

fn summarize(library: &Library) -> NodeResult<LibraryUpdate> {
    let counts: Vec<_> = library.words.iter().map(|(word, n)| format!("{word} {n}")).collect();
    Ok(Library::update().summary(counts.join(", ")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let retry = RetryPolicy::attempts(3).at_once().only(is_lost_connection);
    let counting = Node::new("count", count)
        .retry(retry)
        .timeout(Duration::from_millis(500))
        .on_error(give_up);
    let graph = StateGraph::<Library>::new()
        .add_node(counting)
        // Deferred: it runs when nothing else is left to run, errors' handlers included.
        .add_node(Node::new("summarize", summarize).deferred())
        .branch(START, |library| {
            let documents = library.documents.iter().cloned();
            let send = |text| Goto::send("count", Document { text });
            Ok(documents.map(send).collect::<Vec<_>>())
        })
        .edge("count", "summarize")
        .compile()?;
    let documents = ["the cat", "flaky flaky", "the dog and the cat", "slow", "a dog"];
    let input = Library::update().documents(documents.map(String::from).to_vec());
    let config = Config::default().max_concurrency(2);
    let mut stream = graph.stream(input, &config, Mode::Custom);
    while let Some(chunk) = stream.next().await {
        if let Event::Custom { value, .. } = chunk?.event {
            println!("* {}", value.text()?);
        }
    }
    let library = stream.output().await?.state;
    println!("{}", library.summary);
    println!("given up: {}", library.given_up.join("; "));
    Ok(())
}
