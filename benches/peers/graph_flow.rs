//! [graph-flow](https://crates.io/crates/graph-flow).

use std::sync::Arc;

use async_trait::async_trait;
use graph_flow::fanout::FanOutTask;
use graph_flow::{
    Context, ExecutionStatus, FlowRunner, Graph, GraphBuilder, InMemorySessionStorage, NextAction,
    Result, Session, SessionStorage, Task, TaskResult,
};

struct Nothing {
    id: String,
    next: NextAction,
}

#[async_trait]
impl Task for Nothing {
    fn id(&self) -> &str {
        &self.id
    }

    async fn run(&self, _: Context) -> Result<TaskResult> {
        Ok(TaskResult::new(None, self.next.clone()))
    }
}

fn nothing(id: &str, next: NextAction) -> Arc<dyn Task> {
    Arc::new(Nothing { id: id.into(), next })
}

/// A chain of tasks, each going on to the next in the way given.
pub fn chain(length: usize, next: NextAction) -> Result<Graph> {
    let names = crate::names(length);
    let mut graph = GraphBuilder::new("chain");
    for (position, name) in names.iter().enumerate() {
        let is_last = position + 1 == length;
        let next = if is_last { NextAction::End } else { next.clone() };
        graph = graph.add_task(nothing(name, next));
    }
    for pair in names.windows(2) {
        graph = graph.add_edge(&pair[0], &pair[1]);
    }
    graph.set_start_task(&names[0]).build()
}

/// A task, one with `width` children that run at once, and one after all of them.
pub fn fan_out(width: usize) -> Result<Graph> {
    let names = crate::names(width);
    let children = names.iter().map(|name| nothing(name, NextAction::End)).collect();
    let wide = FanOutTask::new("wide", children);
    GraphBuilder::new("fan-out")
        .add_task(nothing("split", NextAction::ContinueAndExecute))
        .add_task(wide.with_next_action(NextAction::ContinueAndExecute))
        .add_task(nothing("join", NextAction::End))
        .add_edge("split", "wide")
        .add_edge("wide", "join")
        .set_start_task("split")
        .build()
}

/// Runs the graph to its end, storing nothing.
pub async fn run(graph: &Graph, start: &str) -> Result<()> {
    let mut session = Session::new_from_task("1".into(), start);
    graph.execute_session(&mut session).await.map(drop)
}

/// A runner of the graph, and a session in a new storage.
pub async fn persisted(graph: &Arc<Graph>) -> Result<FlowRunner> {
    let storage = Arc::new(InMemorySessionStorage::new());
    storage.save(Session::new_from_task("1".into(), "node0000")).await?;
    Ok(FlowRunner::new(graph.clone(), storage))
}

/// Runs the graph to its end, storing the session after every task.
pub async fn run_persisted(runner: &FlowRunner) -> Result<()> {
    loop {
        if let ExecutionStatus::Completed = runner.run("1").await?.status {
            return Ok(());
        }
    }
}
