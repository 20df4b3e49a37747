//! Graphs from end to end.

use langgraph_rust_postgres::Postgres;
use langgraph_rust_runtime::{
    Command, Config, Dynamic, Field, Graph, Runtime, StateGraph, Update, Value, END, START,
};

use crate::server::saver;

fn graph(saver: Postgres) -> Graph<Dynamic> {
    StateGraph::<Dynamic>::new()
        .field("draft", Field::Last)
        .field("log", Field::append())
        .node("write", |state: &Dynamic| {
            let count = state.get("log").items()?.len();
            Ok(Update::new().set("draft", format!("v{count}")).set("log", vec!["wrote"]))
        })
        .node("approve", |state: &Dynamic, runtime: &Runtime| {
            let answer = runtime.interrupt(state.get("draft"))?;
            let next = if answer.bool()? { END } else { "write" };
            Ok(Command::new().set("log", vec!["asked"]).goto(next))
        })
        .edge(START, "write")
        .edge("write", "approve")
        .compile()
        .expect("it compiles")
        .with_saver(saver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_goes_on_in_another_process() {
    let Some((saver, url)) = saver().await else { return };
    let config = Config::thread("1").metadata("user", "me");
    let paused = graph(saver).invoke(Update::new(), &config).await.expect("it runs");
    assert_eq!(paused.interrupts()[0].value, "v0".into());
    // As another process would.
    let saver = Postgres::connect(&url).await.expect("it connects");
    saver.setup().await.expect("the tables are there");
    let graph = graph(saver);
    let paused = graph.invoke(Command::resume(false), &config).await.expect("it goes on");
    assert_eq!(paused.interrupts()[0].value, "v2".into());
    let done = graph.invoke(Command::resume(true), &config).await.expect("it ends");
    let log = Value::from(vec!["wrote", "asked", "wrote", "asked"]);
    assert_eq!(done.get("log"), log);
    let history = graph.history(&config).await.expect("it has one");
    let lengths: Vec<usize> = history
        .iter()
        .map(|at| at.values.get("log").map_or(0, |l| l.items().unwrap().len()))
        .collect();
    assert_eq!(lengths, [4, 3, 2, 1, 0, 0]);
    assert_eq!(history[0].metadata.extra["user"], "me".into());
    // An older checkpoint is a place to go on from as well.
    let again = Config::thread("1").checkpoint(&history[1].id);
    let forked = graph.invoke(Update::new(), &again).await;
    assert!(forked.is_ok(), "{forked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_graphs_run_at_once() {
    let Some((saver, _)) = saver().await else { return };
    let graph = graph(saver);
    let runs = (0..50).map(|number| {
        let graph = graph.clone();
        tokio::spawn(async move {
            let config = Config::thread(&number.to_string());
            graph.invoke(Update::new(), &config).await?;
            graph.invoke(Command::resume(true), &config).await
        })
    });
    for run in futures_util::future::join_all(runs).await {
        let done = run.expect("it does not panic").expect("it runs");
        assert_eq!(done.get("log"), vec!["wrote", "asked"].into());
    }
}
