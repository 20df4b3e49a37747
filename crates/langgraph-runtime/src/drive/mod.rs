//! The driver: performs the engine's effects, side by side, on whatever polls it.

mod blocking;
mod stream;
mod under_way;

use langgraph_rust_pregel::{Effect, Emits, End, Outcome};

use crate::run::{Shared, Sink};
use crate::trace::Spans;
use crate::{
    AnyGraph, Chunk, Config, Error, Graph, GraphInput, Map, Modes, Native, Output, Run, State,
};
pub use blocking::{block_on, Blocking, Chunks};
pub use stream::RunStream;
use under_way::UnderWay;

impl<S: State> Graph<S> {
    /// Runs the graph until it ends, fails or waits to be resumed.
    ///
    /// When the future is dropped, so are the nodes that run; what is stored stays, and the thread can
    /// be gone on with.
    ///
    /// # Errors
    ///
    /// A node failed, or one of the other reasons in [`Error`].
    pub async fn invoke(
        &self,
        input: impl Into<GraphInput>,
        config: &Config,
    ) -> Result<Output<S>, Error> {
        let shared = Shared::root(self.into(), config, Emits::default(), None);
        run(shared, input.into()).await?.typed()
    }

    /// Runs the graph and shows what happens: in the modes that are asked for, each event as it comes.
    /// The run goes on as the stream is polled, and ends when it is dropped.
    pub fn stream(
        &self,
        input: impl Into<GraphInput>,
        config: &Config,
        modes: impl Into<Modes>,
    ) -> RunStream<S> {
        RunStream::new(self.into(), input.into(), config, modes.into())
    }

    /// The same graph, for programs without an async runtime.
    pub fn blocking(&self) -> Blocking<S> {
        Blocking::new(self.clone())
    }
}

/// Runs a graph from beginning to end.
async fn run(shared: Shared, input: GraphInput) -> Result<Output<Map>, Error> {
    let mut run = Run::start(shared, input, None).await?;
    let outcome = drive(&mut run).await;
    run.output(outcome)
}

/// What a run is given that somebody looks at.
fn shown(
    graph: AnyGraph,
    config: &Config,
    modes: Modes,
    chunks: tokio::sync::mpsc::UnboundedSender<Chunk>,
) -> Shared {
    Shared::root(graph, config, modes.emits(), Some(Sink { modes, chunks }))
}

/// Drives a run to its end. The engine decides; this acts.
pub(crate) async fn drive(run: &mut Run) -> Outcome<Native> {
    let spans = Spans::begin(run);
    let scope = spans.run();
    scope.around(act(run, spans)).await
}

async fn act(run: &mut Run, spans: Spans) -> Outcome<Native> {
    let mut under_way = UnderWay::new(run.shared.config.max_concurrency, spans);
    loop {
        // It may have been told before it began, or while nodes ran that never wait.
        let heeded = heed(run);
        match run.poll() {
            Effect::RunTask { task, attempt, delay } => under_way.begin(run, task, attempt, delay),
            Effect::CancelTask(task) => under_way.cancel(run, task),
            Effect::LookUpCache(tasks) => under_way.look_up(run, tasks),
            effect @ (Effect::PersistWrites(_) | Effect::PersistCheckpoint(_)) => {
                under_way.store(run, effect);
            }
            Effect::Emit(event) => {
                if let Some(chunk) = run.show(&event) {
                    run.shared.show(chunk);
                }
            }
            Effect::Wait(reason) => {
                if !under_way.wait(run, heeded).await {
                    let text = format!("the run waits ({reason:?}) for nothing that is under way");
                    return Outcome::Escaped(Error::message(text).into());
                }
            }
            Effect::Finish(outcome) => return under_way.over(outcome).await,
        }
        if under_way.is_due() {
            under_way.give_way().await;
        }
    }
}

/// Tells the run what whoever holds its [`RunControl`](crate::RunControl) wants; gives back what that was.
fn heed(run: &mut Run) -> u8 {
    let Some(told) = run.shared.config.control.as_ref().map(crate::RunControl::told) else {
        return 0;
    };
    if told == crate::run::CANCEL {
        // A run that is ending already ends for the reason that it has.
        let _ = run.engine.end(End::Cancelled);
    } else if told == crate::run::DRAIN {
        run.engine.drain();
    }
    told
}
