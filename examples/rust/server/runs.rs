//! Runs that nobody needs to watch: each is a task of its own, and what it shows is kept for those who
//! come late or come back.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::http::StatusCode;
use axum::response::sse;
use futures_util::{stream, Stream};
use langgraph_rust::{
    Config, Event, Graph, GraphInput, Mode, RunControl, RunStream, Status, Value,
};
use serde_json::Value as JsonValue;
use tokio::sync::watch;

use super::Article;

/// What a run has shown so far.
#[derive(Default)]
struct Feed {
    events: Vec<(&'static str, String)>,
    is_over: bool,
}

type Sender = watch::Sender<Feed>;

pub(crate) struct Runs {
    pub(crate) graph: Graph<Article>,
    /// Stops all runs.
    pub(crate) control: RunControl,
    /// The last run of each thread, with a name that no other run has, nor one before a restart.
    feeds: Mutex<HashMap<String, (u128, Arc<Sender>)>>,
}

impl Runs {
    pub(crate) fn new(graph: Graph<Article>) -> Self {
        Self { graph, control: RunControl::new(), feeds: Mutex::default() }
    }

    /// Starts a run of a thread, unless one is under way.
    pub(crate) fn start(&self, thread: &str, input: impl Into<GraphInput>) -> StatusCode {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if self.control.is_told() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        if feeds.get(thread).is_some_and(|(_, feed)| !feed.borrow().is_over) {
            return StatusCode::CONFLICT;
        }
        let config = Config::thread(thread).control(&self.control);
        let run = self.graph.stream(input, &config, [Mode::Custom, Mode::Updates]);
        let feed = Arc::new(Sender::new(Feed::default()));
        let name = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        feeds.insert(thread.to_owned(), (name, feed.clone()));
        // No connection holds the task, so none ends the run.
        tokio::spawn(follow(run, feed));
        StatusCode::ACCEPTED
    }

    /// What the last run of a thread shows, from behind the event that was `seen` last.
    pub(crate) fn watch(
        &self,
        thread: &str,
        seen: Option<&str>,
    ) -> Option<impl Stream<Item = Result<sse::Event, Infallible>>> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, feed) = feeds.get(thread).map(|(name, feed)| (*name, feed.subscribe()))?;
        let place = seen.and_then(|seen| seen.strip_prefix(&format!("{name}-"))?.parse().ok());
        let next = place.map_or(0, |place: usize| place + 1);
        Some(stream::unfold((feed, next), move |(mut feed, next)| async move {
            let is_more = |feed: &Feed| feed.is_over || feed.events.len() > next;
            let found = feed.wait_for(is_more).await.ok()?.events.get(next).cloned();
            let (kind, data) = found?;
            let event = sse::Event::default().id(format!("{name}-{next}")).event(kind).data(data);
            Some((Ok(event), (feed, next + 1)))
        }))
    }

    /// Waits until all runs are over.
    pub(crate) async fn ended(&self) {
        let feeds: Vec<_> = {
            let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
            feeds.values().map(|(_, feed)| feed.subscribe()).collect()
        };
        for mut feed in feeds {
            // A feed that is gone is over.
            let _ = feed.wait_for(|feed| feed.is_over).await;
        }
    }
}

/// Writes down what a run shows.
async fn follow(mut run: RunStream<Article>, feed: Arc<Sender>) {
    let show = |kind, data: Value| {
        let data = JsonValue::from(data).to_string();
        feed.send_modify(|feed| feed.events.push((kind, data)));
    };
    while let Some(Ok(chunk)) = run.next().await {
        match chunk.event {
            Event::Custom { value, .. } => show("word", value),
            Event::Update { node, .. } => show("finished", node.into()),
            Event::Interrupted { interrupts, .. } => {
                interrupts.into_iter().for_each(|interrupt| show("question", interrupt.value));
            }
            _ => {}
        }
    }
    match run.output().await.map(|output| output.status) {
        Ok(Status::Done) => show("end", "done".into()),
        Ok(Status::Drained) => show("end", "stopped".into()),
        Ok(_) => show("end", "waiting".into()),
        Err(error) => show("error", error.to_string().into()),
    }
    feed.send_modify(|feed| feed.is_over = true);
}
