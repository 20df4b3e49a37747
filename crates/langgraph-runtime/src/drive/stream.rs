use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};

use crate::{AnyGraph, BoxFuture, Chunk, Config, Error, GraphInput, Map, Modes, Output, State};

/// A run that is watched: what happens in it, as it happens. After the last item,
/// [`RunStream::output`] says how it ended.
///
/// Nothing goes on while nobody polls it; dropping it drops the run.
#[must_use = "a stream does nothing unless it is polled"]
pub struct RunStream<S> {
    run: Option<BoxFuture<'static, Result<Output<Map>, Error>>>,
    chunks: UnboundedReceiver<Chunk>,
    ended: Option<Result<Output<Map>, Error>>,
    /// Why it failed, until that was shown.
    failed: Option<Error>,
    state: PhantomData<fn() -> S>,
}

impl<S: State> RunStream<S> {
    pub(super) fn new(graph: AnyGraph, input: GraphInput, config: &Config, modes: Modes) -> Self {
        let (sender, chunks) = unbounded_channel();
        let shared = super::shown(graph, config, modes, sender);
        let run: BoxFuture<'static, _> = Box::pin(super::run(shared, input));
        Self { run: Some(run), chunks, ended: None, failed: None, state: PhantomData }
    }

    /// How the run ended; of a run that has not been watched to its end, goes on to it, and drops
    /// what it shows.
    ///
    /// # Errors
    ///
    /// The run failed: the same error that the stream had as its last item.
    pub async fn output(mut self) -> Result<Output<S>, Error> {
        if let Some(run) = self.run.take() {
            self.ended = Some(run.await);
        }
        match self.ended.take() {
            Some(ended) => ended?.typed(),
            None => Err(Error::Cancelled),
        }
    }
}

impl<S> RunStream<S> {
    /// What happens next; nothing once the run is over. For those who need nothing else of streams.
    pub async fn next(&mut self) -> Option<Result<Chunk, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

/// An item is an event; an error is the last item.
impl<S> Stream for RunStream<S> {
    type Item = Result<Chunk, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            // Nodes may show something from other threads, so this is who wakes.
            if let Poll::Ready(Some(chunk)) = self.chunks.poll_recv(cx) {
                return Poll::Ready(Some(Ok(chunk)));
            }
            // There is something, but not in this turn: the task has received as much as Tokio lets
            // it, which has woken it already, as has whoever showed something just now.
            if !self.chunks.is_empty() {
                return Poll::Pending;
            }
            let Some(run) = &mut self.run else {
                return Poll::Ready(self.failed.take().map(Err));
            };
            let is_over = match run.as_mut().poll(cx) {
                Poll::Ready(ended) => Some(ended),
                Poll::Pending => None,
            };
            match is_over {
                Some(ended) => {
                    self.run = None;
                    self.failed = ended.as_ref().err().cloned();
                    self.ended = Some(ended);
                    self.chunks.close();
                }
                None if self.chunks.is_empty() => return Poll::Pending,
                None => {}
            }
        }
    }
}

impl<S> std::fmt::Debug for RunStream<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunStream").field("ended", &self.ended.is_some()).finish_non_exhaustive()
    }
}
