//! What of a run is under way: nodes that run, and what is being stored.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::FuturesUnordered;
use futures_util::StreamExt;
use langgraph_rust_pregel::{Effect, End, Outcome, TaskKey, TaskOutcome, Ticket};

use crate::run::{Ended, Performing};
use crate::trace::Spans;
use crate::{BoxFuture, Error, Native, Run, Value};

/// After how many things that were done at once others get their turn.
const TURN: u32 = 512;

pub(super) struct UnderWay {
    pending: FuturesUnordered<BoxFuture<'static, Happened>>,
    /// The running tasks among them.
    running: Vec<(TaskKey, AbortHandle)>,
    /// Tasks that have no place to run yet.
    waiting: VecDeque<(TaskKey, u32, Duration)>,
    /// How many may run.
    places: usize,
    /// How much was done since others had their turn.
    done: u32,
    /// How much of it a cache is still to keep.
    keeping: usize,
    spans: Spans,
}

enum Happened {
    Ended(Ended),
    Cancelled(TaskKey),
    Stored(Ticket, Result<(), Error>),
    /// What a cache has for tasks.
    Found(Result<Vec<(TaskKey, Option<Value>)>, Error>),
    /// A cache has kept something.
    Kept(Result<(), Error>),
}

impl UnderWay {
    pub(super) fn new(places: Option<usize>, spans: Spans) -> Self {
        Self {
            pending: FuturesUnordered::new(),
            running: Vec::new(),
            waiting: VecDeque::new(),
            places: places.map_or(usize::MAX, |places| places.max(1)),
            done: 0,
            keeping: 0,
            spans,
        }
    }

    /// Begins a task, or lets it wait for a place.
    pub(super) fn begin(&mut self, run: &mut Run, key: TaskKey, attempt: u32, delay: Duration) {
        if self.running.len() >= self.places {
            self.waiting.push_back((key, attempt, delay));
            return;
        }
        let scope = self.spans.task(run, key, attempt);
        match scope.within(|| run.perform(key, attempt, delay)) {
            Performing::Ended(ended) => self.ended(run, ended),
            Performing::Running(mut task) => match scope.within(|| look_at(&mut task)) {
                Poll::Ready(ended) => self.ended(run, ended),
                Poll::Pending => {
                    let (handle, registration) = AbortHandle::new_pair();
                    self.running.push((key, handle));
                    let task = scope.around(Abortable::new(task, registration));
                    self.pending.push(Box::pin(async move {
                        task.await.map_or(Happened::Cancelled(key), Happened::Ended)
                    }));
                }
            },
        }
    }

    /// Stops a task. It is dropped when it would run next.
    pub(super) fn cancel(&mut self, run: &mut Run, key: TaskKey) {
        if let Some((_, handle)) = self.running.iter().find(|(running, _)| *running == key) {
            handle.abort();
            return;
        }
        let before = self.waiting.len();
        self.waiting.retain(|(waiting, ..)| *waiting != key);
        if self.waiting.len() < before {
            run.report(key, TaskOutcome::Cancelled(None));
        }
    }

    /// Begins to store what an effect says.
    pub(super) fn store(&mut self, run: &mut Run, effect: Effect<Native>) {
        if let Some((ticket, storing)) = run.storing(effect) {
            self.look(run, Box::pin(async move { Happened::Stored(ticket, storing.await) }));
        }
    }

    #[inline]
    fn ended(&mut self, run: &mut Run, ended: Ended) {
        self.done += 1;
        let key = ended.key;
        let outcome = run.conclude(ended);
        let keeping = run.keeping(key, &outcome);
        self.report(run, key, outcome);
        if let Some(keeping) = keeping {
            self.keeping += 1;
            self.look(run, Box::pin(async move { Happened::Kept(keeping.await) }));
        }
    }

    /// Begins to look for what a cache has of tasks.
    pub(super) fn look_up(&mut self, run: &mut Run, tasks: Vec<TaskKey>) {
        let asked = match run.cache_slots(tasks) {
            Ok(Some(asked)) => asked,
            Ok(None) => return run.nothing_cached(),
            Err(error) => return self.happened(run, Happened::Found(Err(error))),
        };
        self.look(
            run,
            Box::pin(async move {
                let found = asked.cache.get(&asked.keys).await;
                Happened::Found(found.map(|found| asked.tasks.into_iter().zip(found).collect()))
            }),
        );
    }

    /// How the run ended, once a cache has kept what it is to keep.
    pub(super) async fn over(&mut self, outcome: Outcome<Native>) -> Outcome<Native> {
        self.spans.over(&outcome);
        while self.keeping > 0 {
            match (self.pending.next().await, &outcome) {
                (Some(Happened::Kept(Err(error))), Outcome::Done) => {
                    return Outcome::Escaped(error.into());
                }
                (Some(Happened::Kept(_)), _) => self.keeping -= 1,
                (Some(_), _) => {}
                (None, _) => break,
            }
        }
        outcome
    }

    /// Keeps what is not done at once.
    fn look(&mut self, run: &mut Run, mut begun: BoxFuture<'static, Happened>) {
        match look_at(&mut begun) {
            Poll::Ready(happened) => self.happened(run, happened),
            Poll::Pending => self.pending.push(begun),
        }
    }

    fn happened(&mut self, run: &mut Run, happened: Happened) {
        if let Happened::Ended(ended) = happened {
            return self.ended(run, ended);
        }
        self.done += 1;
        match happened {
            Happened::Ended(_) => {}
            Happened::Cancelled(key) => self.report(run, key, TaskOutcome::Cancelled(None)),
            Happened::Stored(ticket, Ok(())) => run.stored(ticket),
            Happened::Stored(ticket, Err(error)) => {
                // The first reason to end counts.
                let _ = run.storing_failed(ticket, error);
            }
            Happened::Found(found) => {
                if let Err(error) = found.and_then(|found| run.cached(found)) {
                    let _ = run.end(End::Failed(error.into()));
                }
            }
            Happened::Kept(kept) => {
                self.keeping -= 1;
                if let Err(error) = kept {
                    let _ = run.end(End::Failed(error.into()));
                }
            }
        }
    }

    fn report(&mut self, run: &mut Run, key: TaskKey, outcome: TaskOutcome<Native>) {
        if !self.running.is_empty() {
            self.running.retain(|(running, _)| *running != key);
        }
        self.spans.ended(key, &outcome);
        run.report(key, outcome);
    }

    /// Waits until something has happened, or the run was told something else than what was `heeded`;
    /// false if there is nothing that could.
    pub(super) async fn wait(&mut self, run: &mut Run, heeded: u8) -> bool {
        while self.running.len() < self.places {
            let Some((key, attempt, delay)) = self.waiting.pop_front() else { break };
            let before = self.done;
            self.begin(run, key, attempt, delay);
            if self.done > before {
                return true;
            }
        }
        let control = run.shared.config.control.clone();
        let happened = match &control {
            None => self.pending.next().await,
            Some(control) => {
                let news = control.news();
                if control.told() != heeded {
                    // The engine is told first, and asked what that means for what runs.
                    return true;
                }
                tokio::select! {
                    biased;
                    happened = self.pending.next() => happened,
                    () = news => return true,
                }
            }
        };
        match happened {
            Some(happened) => {
                self.happened(run, happened);
                true
            }
            None => false,
        }
    }

    /// Whether others should get their turn.
    pub(super) fn is_due(&self) -> bool {
        self.done >= TURN
    }

    /// Lets others have their turn.
    pub(super) async fn give_way(&mut self) {
        self.done = 0;
        tokio::task::yield_now().await;
    }
}

/// Polls once what may be done at once. Who is not is polled again, and leaves a waker that counts, by
/// [`UnderWay::wait`].
fn look_at<F: Future + Unpin>(begun: &mut F) -> Poll<F::Output> {
    let mut context = Context::from_waker(futures_util::task::noop_waker_ref());
    Pin::new(begun).poll(&mut context)
}
