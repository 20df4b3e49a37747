//! What waits without a clock: futures that are polled so many times, and a saver that takes its time.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::Poll;

use langgraph_rust_core::{CheckpointId, Version};
use langgraph_rust_runtime::saver::{
    CheckpointTuple, DeltaHistory, ListQuery, Prune, PutCheckpoint, PutWrites, Saver,
};
use langgraph_rust_runtime::{BoxFuture, Error, Memory, Place};

use crate::Random;

/// Waits until it has been polled so many times more.
pub(crate) async fn give_way(times: u64) {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A saver that stores in memory, and waits before and after as a seed has it: what is dropped
/// meanwhile is not stored, or is and nobody heard of it.
#[derive(Clone, Debug)]
pub struct Unhurried {
    memory: Memory,
    calls: Arc<AtomicU64>,
}

impl Unhurried {
    /// Waits around what `memory` does.
    pub fn new(memory: Memory, seed: u64) -> Self {
        Self { memory, calls: Arc::new(AtomicU64::new(seed)) }
    }

    fn waits(&self) -> (u64, u64) {
        let mut random = Random::new(self.calls.fetch_add(1, Ordering::Relaxed));
        (random.below(3), random.below(3))
    }
}

impl Saver for Unhurried {
    fn get<'a>(
        &'a self,
        place: &'a Place,
        id: Option<&'a CheckpointId>,
    ) -> BoxFuture<'a, Result<Option<CheckpointTuple>, Error>> {
        Box::pin(async move {
            give_way(self.waits().0).await;
            self.memory.get(place, id).await
        })
    }

    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
    ) -> BoxFuture<'a, Result<Vec<(Place, CheckpointTuple)>, Error>> {
        self.memory.list(query)
    }

    fn put<'a>(&'a self, place: &'a Place, put: PutCheckpoint) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let (before, after) = self.waits();
            give_way(before).await;
            self.memory.put(place, put).await?;
            give_way(after).await;
            Ok(())
        })
    }

    fn put_writes<'a>(
        &'a self,
        place: &'a Place,
        writes: PutWrites,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let (before, after) = self.waits();
            give_way(before).await;
            self.memory.put_writes(place, writes).await?;
            give_way(after).await;
            Ok(())
        })
    }

    fn delete_thread<'a>(&'a self, thread: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.memory.delete_thread(thread)
    }

    fn copy_thread<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.memory.copy_thread(from, to)
    }

    fn prune<'a>(
        &'a self,
        threads: &'a [Arc<str>],
        strategy: Prune,
    ) -> BoxFuture<'a, Result<(), Error>> {
        self.memory.prune(threads, strategy)
    }

    fn delta_history<'a>(
        &'a self,
        place: &'a Place,
        id: &'a CheckpointId,
        channels: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<DeltaHistory>, Error>> {
        self.memory.delta_history(place, id, channels)
    }

    fn next_version(&self, current: Option<&Version>) -> Version {
        self.memory.next_version(current)
    }
}
