//! A server whose runs go on when nobody watches (that is in `runs.rs`), and after a restart.
//!
//! ```text
//! server threads.db 127.0.0.1:3000
//!
//! POST /threads/7/runs    {"topic": "crabs"} starts a run; {} goes on with one that was stopped
//! GET  /threads/7/events  what happens, as server-sent events, from behind `Last-Event-ID`
//! POST /threads/7/resume  true, or whatever answers the thread's question
//! GET  /threads/7         the state
//! ```

mod runs;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State as Held};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use langgraph_rust::prelude::*;
use langgraph_rust::GraphInput;
use serde_json::{json, Value as JsonValue};
use tokio::signal::unix::{signal, SignalKind};

#[derive(Clone, State)]
pub(crate) struct Article {
    topic: String,
    #[reducer(append)]
    paragraphs: Vec<String>,
    published: bool,
}

/// Writes one paragraph. Each is a superstep, so a server that stops loses none that is finished.
async fn write(article: &Article, runtime: &Runtime) -> NodeResult<ArticleUpdate> {
    let text = format!("Paragraph {} about {}.", article.paragraphs.len() + 1, article.topic);
    for word in text.split_inclusive(' ') {
        runtime.write(word);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Article::update().paragraphs([text]))
}

fn approve(_: &(), runtime: &Runtime) -> NodeResult<ArticleUpdate> {
    Ok(Article::update().published(runtime.interrupt_for::<bool>("publish?")?))
}

type Runs = Held<Arc<runs::Runs>>;
type Thread = Path<String>;
type Answer = Json<JsonValue>;

async fn start(
    Held(runs): Runs,
    Path(thread): Thread,
    Json(input): Json<serde_json::Map<String, JsonValue>>,
) -> StatusCode {
    let input = if input.is_empty() { GraphInput::Nothing } else { input.into() };
    runs.start(&thread, input)
}

async fn resume(Held(runs): Runs, Path(thread): Thread, Json(answer): Answer) -> StatusCode {
    runs.start(&thread, Command::resume(answer))
}

async fn events(Held(runs): Runs, Path(thread): Thread, headers: HeaderMap) -> impl IntoResponse {
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let events = runs.watch(&thread, seen).ok_or(StatusCode::NOT_FOUND)?;
    Ok::<_, StatusCode>(Sse::new(events).keep_alive(KeepAlive::default()))
}

async fn state(Held(runs): Runs, Path(thread): Thread) -> impl IntoResponse {
    match runs.graph.state(&Config::thread(&thread)).await {
        Ok(Some(found)) => Ok(Json(json!({
            "values": JsonValue::from(Value::from(found.values)),
            "next": found.next.iter().map(|node| node.to_string()).collect::<Vec<_>>(),
        }))),
        Ok(None) => Err((StatusCode::NOT_FOUND, "no such thread".to_owned())),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("name a database and an address".into());
    };
    let graph = StateGraph::<Article>::new()
        .node("write", write)
        .node("approve", approve)
        .edge(START, "write")
        .branch("write", |article| {
            Ok(if article.paragraphs.len() < 3 { "write" } else { "approve" })
        })
        .compile()?
        .with_saver(Sqlite::open(path)?);
    let runs = Arc::new(runs::Runs::new(graph));
    let routes = Router::new()
        .route("/threads/{thread}", get(state))
        .route("/threads/{thread}/runs", post(start))
        .route("/threads/{thread}/events", get(events))
        .route("/threads/{thread}/resume", post(resume))
        .with_state(runs.clone());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let control = runs.control.clone();
    let stop = async move {
        terminated.recv().await;
        // Runs stop before their next superstep, which ends the streams of those who watch.
        control.drain();
    };
    axum::serve(listener, routes).with_graceful_shutdown(stop).await?;
    runs.ended().await;
    println!("stopped");
    Ok(())
}
