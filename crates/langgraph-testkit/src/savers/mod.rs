//! What every saver does: the rules of [`Saver`], one by one.

mod history;
mod keeping;
mod reading;
mod together;
mod writing;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use langgraph_rust_checkpoint::{Source, Versions};
use langgraph_rust_core::{CheckpointId, IdHash, TaskId, Version};
use langgraph_rust_runtime::saver::{
    CheckpointMetadata, CheckpointTuple, Place, PutCheckpoint, PutWrites, Saver, StoredCheckpoint,
};
use langgraph_rust_runtime::Value;

/// Holds a saver against all rules. It may have threads already; those that are made here have names
/// of their own, and stay.
///
/// ```
/// use std::sync::Arc;
///
/// use langgraph_rust_runtime::Memory;
///
/// # futures_util::FutureExt::now_or_never(async {
/// langgraph_rust_testkit::check_saver(Arc::new(Memory::new())).await;
/// # }).expect("memory does not wait");
/// ```
///
/// # Panics
///
/// The saver breaks a rule; the message says which.
pub async fn check(saver: Arc<dyn Saver>) {
    let saver = &*saver;
    reading::check(saver).await;
    writing::check(saver).await;
    together::check(saver).await;
    keeping::check(saver).await;
    history::check(saver).await;
}

/// A thread's name that nobody has taken.
fn unused(name: &str) -> Arc<str> {
    format!("{name}-{:016x}", RandomState::new().hash_one(name)).into()
}

fn id(number: u128) -> CheckpointId {
    CheckpointId::from_bits(number)
}

fn task(number: u32) -> TaskId {
    TaskId::from_text(&format!("{number:08x}-0000-4000-8000-000000000000"))
}

/// A graph's part of a thread, as a run goes through it.
struct Line<'s> {
    saver: &'s dyn Saver,
    place: Place,
    /// The newest checkpoint, and what it holds.
    at: Option<StoredCheckpoint>,
}

impl<'s> Line<'s> {
    fn new(saver: &'s dyn Saver, thread: &Arc<str>, namespace: &str) -> Self {
        let place = Place { thread: thread.clone(), namespace: namespace.into() };
        Self { saver, place, at: None }
    }

    /// The checkpoint `number`, after the newest, in which `values` have changed; `None` is a change
    /// that leaves no value behind.
    fn next(&self, number: u128, values: &[(&str, Option<Value>)]) -> PutCheckpoint {
        let parent = self.at.as_ref().map(|at| at.id.clone());
        let mut checkpoint = self.at.clone().unwrap_or_else(|| StoredCheckpoint {
            id: id(number),
            ts: "".into(),
            task_ids: IdHash::default(),
            channel_values: Vec::new(),
            channel_versions: Vec::new(),
            versions_seen: vec![("__input__".into(), Arc::default())],
            updated_channels: None,
        });
        checkpoint.id = id(number);
        checkpoint.ts = format!("2026-01-01T00:00:{:02}+00:00", number % 60).into();
        let versions = checkpoint.channel_versions.iter().map(|(_, version)| version);
        let newest = versions.max_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let version = self.saver.next_version(newest);
        let mut new_versions = Versions::new();
        for (name, value) in values {
            let name: Arc<str> = (*name).into();
            checkpoint.channel_values.retain(|(held, _)| *held != name);
            checkpoint.channel_versions.retain(|(held, _)| *held != name);
            checkpoint.channel_versions.push((name.clone(), version.clone()));
            new_versions.push((name.clone(), version.clone()));
            checkpoint.channel_values.extend(value.clone().map(|value| (name, value)));
        }
        let updated = new_versions.iter().map(|(name, _)| name.clone());
        checkpoint.updated_channels = (!values.is_empty()).then(|| updated.collect());
        let metadata = CheckpointMetadata {
            source: Some(Source::Loop),
            step: number as i64,
            ..CheckpointMetadata::default()
        };
        PutCheckpoint { checkpoint, metadata, parent, new_versions, writes: Vec::new() }
    }

    /// Stores a checkpoint, which is the newest then.
    async fn put(&mut self, put: PutCheckpoint) {
        let checkpoint = put.checkpoint.clone();
        self.saver.put(&self.place, put).await.expect("a checkpoint can be stored");
        self.at = Some(checkpoint);
    }

    /// Stores the checkpoint [`Line::next`].
    async fn step(&mut self, number: u128, values: &[(&str, Option<Value>)]) {
        self.put(self.next(number, values)).await;
    }

    /// Goes on at an older checkpoint.
    async fn back(&mut self, number: u128) {
        self.at = self.get(number).await.map(|found| found.checkpoint);
        assert!(self.at.is_some(), "a stored checkpoint is found");
    }

    async fn write(&self, writes: PutWrites) {
        self.saver.put_writes(&self.place, writes).await.expect("writes can be stored");
    }

    async fn get(&self, number: u128) -> Option<CheckpointTuple> {
        let found = self.saver.get(&self.place, Some(&id(number))).await;
        found.expect("a checkpoint can be read")
    }

    async fn newest(&self) -> Option<CheckpointTuple> {
        self.saver.get(&self.place, None).await.expect("the newest checkpoint can be read")
    }

    /// What is pending on a checkpoint: channels and values.
    async fn pending(&self, number: u128) -> Vec<(String, Value)> {
        let found = self.get(number).await.expect("the checkpoint is there");
        let pending = found.pending.into_iter();
        pending.map(|write| (write.channel.to_string(), write.value)).collect()
    }
}

/// A task's writes on the checkpoint `number`.
fn writes(number: u128, by: u32, path: &str, of: &[(&str, Value)]) -> PutWrites {
    PutWrites {
        checkpoint: id(number),
        task: task(by),
        path: path.into(),
        writes: of.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
    }
}

fn named(of: &[(&str, Value)]) -> Vec<(String, Value)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// A checkpoint without the order that databases do not keep.
fn unordered(mut checkpoint: StoredCheckpoint) -> StoredCheckpoint {
    fn by_name<T>(named: &mut [(Arc<str>, T)]) {
        named.sort_by(|a, b| a.0.cmp(&b.0));
    }
    by_name(&mut checkpoint.channel_values);
    by_name(&mut checkpoint.channel_versions);
    checkpoint
        .versions_seen
        .iter_mut()
        .for_each(|(_, seen)| by_name(Arc::make_mut(seen).as_mut_slice()));
    by_name(&mut checkpoint.versions_seen);
    checkpoint
}

/// Whether versions grow, and may be compared.
fn check_versions(saver: &dyn Saver) {
    let mut version: Option<Version> = None;
    for _ in 0..120 {
        let next = saver.next_version(version.as_ref());
        assert!(next.newer_than(version.as_ref()), "{next:?} is newer than {version:?}");
        version = Some(next);
    }
}
