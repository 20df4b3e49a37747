//! Spans of runs, supersteps and tasks, collected.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use langgraph_rust_runtime::{
    Config, Dynamic, Error, Field, Graph, Memory, Node, RetryPolicy, Runtime, StateGraph, Update,
    START,
};
use tracing::field::{Field as SpanField, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// A span, or something said within one, in the order of their beginnings.
#[derive(Default)]
struct Seen {
    depth: usize,
    name: String,
    fields: BTreeMap<String, String>,
    is_open: bool,
}

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Seen>>>);

/// Which of them a span is.
struct Place(usize);

impl Visit for Seen {
    fn record_debug(&mut self, field: &SpanField, value: &dyn Debug) {
        self.fields.insert(field.name().to_owned(), format!("{value:?}").replace('"', ""));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        if span.metadata().target() != "langgraph_rust" {
            return;
        }
        let mut seen = Seen { name: span.name().into(), is_open: true, ..Seen::default() };
        seen.depth = span.scope().count() - 1;
        attributes.record(&mut seen);
        let mut all = self.0.lock().unwrap();
        span.extensions_mut().insert(Place(all.len()));
        all.push(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(Place(place)) = context.span(id).unwrap().extensions().get::<Place>() {
            values.record(&mut self.0.lock().unwrap()[*place]);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(Place(place)) = context.span(&id).unwrap().extensions().get::<Place>() {
            self.0.lock().unwrap()[*place].is_open = false;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() == "spans" {
            let mut seen = Seen { name: "said".into(), ..Seen::default() };
            seen.depth = context.event_scope(event).map_or(0, |scope| scope.count());
            event.record(&mut seen);
            self.0.lock().unwrap().push(seen);
        }
    }
}

impl Collector {
    /// All of it, each line as deep as the span is; ids of tasks are left out.
    fn lines(&self) -> String {
        let mut text = String::new();
        for seen in self.0.lock().unwrap().iter() {
            assert!(!seen.is_open, "{} is still open", seen.name);
            let fields = seen.fields.iter().filter(|(name, _)| *name != "id");
            let fields: Vec<_> = fields.map(|(name, value)| format!("{name}={value}")).collect();
            let indent = "  ".repeat(seen.depth);
            writeln!(text, "{indent}{} {}", seen.name, fields.join(" ")).unwrap();
        }
        text
    }
}

/// What is seen of one run.
async fn seen(graph: &Graph, update: Update) -> String {
    let collector = Collector::default();
    let subscriber = tracing_subscriber::registry().with(collector.clone());
    let guard = tracing::subscriber::set_default(subscriber);
    let _ = graph.invoke(update, &Config::thread("7")).await;
    drop(guard);
    collector.lines()
}

fn say(what: &str) {
    tracing::info!(target: "spans", what);
}

#[tokio::test]
async fn a_run_has_supersteps_and_these_have_tasks() {
    let graph = StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .node("quick", |_: &()| {
            say("quick");
            Ok(())
        })
        .node("waits", |_: Arc<()>| async {
            tokio::task::yield_now().await;
            say("waited");
            Ok(())
        })
        .edge(START, "quick")
        .edge("quick", "waits")
        .compile()
        .unwrap();
    assert_eq!(
        seen(&graph, Update::new()).await,
        "run namespace= outcome=done thread=7
  superstep step=1
    task attempt=1 node=quick outcome=finished
      said what=quick
  superstep step=2
    task attempt=1 node=waits outcome=finished
      said what=waited
"
    );
}

#[tokio::test]
async fn blocking_nodes_speak_within_their_tasks() {
    let graph = StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .add_node(Node::blocking("blocks", |_: &()| {
            say("blocked");
            Ok(())
        }))
        .edge(START, "blocks")
        .compile()
        .unwrap();
    // Of this program, so that the threads for blocking nodes have it, too. Other tests have theirs.
    let collector = Collector::default();
    let subscriber = tracing_subscriber::registry().with(collector.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    graph.invoke(Update::new(), &Config::thread("7")).await.unwrap();
    assert_eq!(
        collector.lines(),
        "run namespace= outcome=done thread=7
  superstep step=1
    task attempt=1 node=blocks outcome=finished
      said what=blocked
"
    );
}

#[tokio::test]
async fn what_went_wrong_is_said() {
    let graph = StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .add_node(
            Node::new("fails", |_: &()| -> Result<(), _> { Err(Error::message("no").into()) })
                .retry(RetryPolicy::attempts(2).at_once()),
        )
        .edge(START, "fails")
        .compile()
        .unwrap();
    assert_eq!(
        seen(&graph, Update::new()).await,
        "run error=the node 'fails' failed: no namespace= outcome=failed thread=7
  superstep step=1
    task attempt=1 error=the node 'fails' failed: no node=fails outcome=failed
    task attempt=2 error=the node 'fails' failed: no node=fails outcome=failed
"
    );
}

#[tokio::test]
async fn graphs_inside_run_within_their_tasks() {
    let inner = StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .node("asks", |_: &(), runtime: &Runtime| {
            runtime.interrupt("?")?;
            Ok(())
        })
        .edge(START, "asks")
        .compile()
        .unwrap();
    let graph = StateGraph::<Dynamic>::new()
        .field("log", Field::append())
        .add_node(Node::graph("inner", inner))
        .edge(START, "inner")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let lines = seen(&graph, Update::new()).await;
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], "run namespace= outcome=interrupted thread=7");
    assert_eq!(lines[1], "  superstep step=1");
    assert_eq!(lines[2], "    task attempt=1 node=inner outcome=interrupted");
    assert!(lines[3].starts_with("      run namespace=inner:"), "{}", lines[3]);
    assert!(lines[3].ends_with(" outcome=interrupted thread=7"), "{}", lines[3]);
    assert_eq!(lines[4], "        superstep step=1");
    assert_eq!(lines[5], "          task attempt=1 node=asks outcome=interrupted");
    assert_eq!(lines.len(), 6);
}
