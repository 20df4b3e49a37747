//! The driver on the calling thread, for programs without an async runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{
    Chunk, Config, Error, Graph, GraphInput, HistoryQuery, Modes, Output, RunStream, Snapshot,
    State, StateUpdate,
};

/// A graph whose runs block the calling thread. Made by [`Graph::blocking`].
///
/// Nodes may still be async, and those of one superstep overlap. Not for use within async code,
/// whose thread it would block.
pub struct Blocking<S>(Graph<S>);

impl<S: State> Blocking<S> {
    pub(super) fn new(graph: Graph<S>) -> Self {
        Self(graph)
    }

    /// As [`Graph::invoke`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn invoke(
        &self,
        input: impl Into<GraphInput>,
        config: &Config,
    ) -> Result<Output<S>, Error> {
        block_on(self.0.invoke(input, config))
    }

    /// As [`Graph::stream`].
    pub fn stream(
        &self,
        input: impl Into<GraphInput>,
        config: &Config,
        modes: impl Into<Modes>,
    ) -> Chunks<S> {
        Chunks(self.0.stream(input, config, modes))
    }

    /// As [`Graph::state`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn state(&self, config: &Config) -> Result<Option<Snapshot>, Error> {
        block_on(self.0.state(config))
    }

    /// As [`Graph::history`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn history(&self, config: &Config) -> Result<Vec<Snapshot>, Error> {
        block_on(self.0.history(config))
    }

    /// As [`Graph::state_with_subgraphs`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn state_with_subgraphs(&self, config: &Config) -> Result<Option<Snapshot>, Error> {
        block_on(self.0.state_with_subgraphs(config))
    }

    /// As [`Graph::history_with`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn history_with(
        &self,
        config: &Config,
        query: &HistoryQuery,
    ) -> Result<Vec<Snapshot>, Error> {
        block_on(self.0.history_with(config, query))
    }

    /// As [`Graph::clear_cache`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn clear_cache(&self, nodes: Option<&[&str]>) -> Result<(), Error> {
        block_on(self.0.clear_cache(nodes))
    }

    /// As [`Graph::update_state`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn update_state(
        &self,
        config: &Config,
        update: impl Into<GraphInput>,
        as_node: Option<&str>,
    ) -> Result<Config, Error> {
        block_on(self.0.update_state(config, update, as_node))
    }

    /// As [`Graph::bulk_update_state`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn bulk_update_state(
        &self,
        config: &Config,
        supersteps: Vec<Vec<StateUpdate>>,
    ) -> Result<Config, Error> {
        block_on(self.0.bulk_update_state(config, supersteps))
    }
}

/// What happens in a run, as it happens.
pub struct Chunks<S>(RunStream<S>);

impl<S: State> Chunks<S> {
    /// As [`RunStream::output`].
    ///
    /// # Errors
    ///
    /// The same.
    pub fn output(self) -> Result<Output<S>, Error> {
        block_on(self.0.output())
    }
}

impl<S> Iterator for Chunks<S> {
    type Item = Result<Chunk, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}

/// Waits for a future on the calling thread. Timers and sockets work: where there is no runtime, one
/// in the background serves them.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let _entered = Handle::try_current().is_err().then(|| background().enter());
    let unpark =
        Arc::new(Unpark { thread: std::thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(unpark.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => unpark.wait(),
        }
    }
}

/// Wakes a wait. A thread remembers only that it was unparked, not for which of the waits that are
/// within each other on it, so each wait remembers whether it was meant.
struct Unpark {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Unpark {
    /// Waits until it is woken, or has been since the last time.
    fn wait(&self) {
        while !self.is_woken.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn background() -> &'static Runtime {
    static BACKGROUND: OnceLock<Runtime> = OnceLock::new();
    BACKGROUND.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("langgraph-rust").enable_all();
        // As `std::thread::spawn`: a system without a thread to give runs nothing.
        builder.build().expect("the system gives a thread")
    })
}

impl<S> std::fmt::Debug for Blocking<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Blocking").field(&self.0).finish()
    }
}

impl<S> std::fmt::Debug for Chunks<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Chunks").field(&self.0).finish()
    }
}
