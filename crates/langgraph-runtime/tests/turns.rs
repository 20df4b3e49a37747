//! Streams and blocking runs among other things that want their turn.

use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_runtime::{
    block_on, Config, Dynamic, Mode, NodeResult, Runtime, StateGraph, Update, START,
};

/// A node that says more than Tokio lets a task receive in one turn.
fn talkative(pause: Duration) -> langgraph_rust_runtime::Graph<Dynamic> {
    let talk = move |_: Arc<()>, runtime: Runtime| async move {
        for n in 0..1000 {
            runtime.write(n);
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        NodeResult::Ok(Update::new())
    };
    let graph = StateGraph::<Dynamic>::new().node("talk", talk).edge(START, "talk");
    graph.compile().unwrap()
}

async fn heard(pause: Duration) -> usize {
    let mut stream = talkative(pause).stream(Update::new(), &Config::default(), Mode::Custom);
    let mut heard = 0;
    while let Some(chunk) = stream.next().await {
        chunk.unwrap();
        heard += 1;
    }
    heard
}

#[tokio::test]
async fn a_stream_has_all_that_was_said_when_the_run_is_over_at_once() {
    assert_eq!(heard(Duration::ZERO).await, 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_on_when_the_run_waits_after_much_was_said() {
    let heard = tokio::spawn(heard(Duration::from_millis(20)));
    let heard = tokio::time::timeout(Duration::from_secs(10), heard).await;
    assert_eq!(heard.expect("it spins").unwrap(), 1000);
}

#[test]
fn what_waits_around_a_blocking_wait_is_woken_after_it() {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (tell, told) = tokio::sync::oneshot::channel();
        let inner = async move {
            block_on(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                // Wakes the wait around this one.
                tell.send(()).unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            });
        };
        block_on(futures_util::future::join(told, inner)).0.unwrap();
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(10)).expect("the outer wait was not woken");
}

#[tokio::test]
async fn a_run_that_has_no_place_for_tasks_has_one() {
    let mut config = Config::default();
    config.max_concurrency = Some(0);
    talkative(Duration::ZERO).invoke(Update::new(), &config).await.unwrap();
}
