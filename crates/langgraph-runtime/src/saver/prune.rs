//! What of a thread nobody needs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{Record, StoredValue};
use langgraph_rust_core::{CheckpointId, Version};

use super::{CheckpointMetadata, CheckpointTuple};
use crate::Value;

/// Finds out which checkpoints of a namespace may go when the newest is to stay: all but those that
/// it is rebuilt from. For savers: while it [`asks`](Pruning::asks), look and
/// [`answer`](Pruning::answer).
///
/// ```
/// use langgraph_rust_runtime::saver::{Link, Look, Pruning};
/// # use langgraph_rust_core::CheckpointId;
///
/// let id = CheckpointId::from_bits;
/// let link = |bits, parent| Link { id: id(bits), parent, changed: Vec::new() };
/// let mut pruning = Pruning::new(vec![link(1, None), link(2, Some(id(1)))]);
/// while let Some(asked) = pruning.asks() {
///     assert_eq!(*asked, id(2));
///     pruning.answer(Look { written: vec!["x".into()], held: vec![("x".into(), true)] });
/// }
/// assert_eq!(pruning.superfluous(), [id(1)]);
/// ```
#[derive(Clone, Debug)]
pub struct Pruning {
    links: BTreeMap<CheckpointId, Link>,
    newest: Option<CheckpointId>,
    asked: Option<CheckpointId>,
    /// Channels that have a version, and whose values have not been found.
    missing: Vec<Arc<str>>,
    /// The newest's ancestors that were looked at, the nearest first.
    ancestors: Vec<CheckpointId>,
    seen: BTreeSet<CheckpointId>,
    /// How many of these are needed.
    depth: usize,
}

/// A checkpoint and what it follows on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The checkpoint.
    pub id: CheckpointId,
    /// The checkpoint before it.
    pub parent: Option<CheckpointId>,
    /// The channels that its metadata name as stored as changes.
    pub changed: Vec<Arc<str>>,
}

/// What a checkpoint says of its channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Those that have a version.
    pub written: Vec<Arc<str>>,
    /// Those whose values it holds, and whether a list may be rebuilt from such a value.
    pub held: Vec<(Arc<str>, bool)>,
}

impl Link {
    /// A checkpoint by its id, parent and metadata.
    pub fn new(
        id: CheckpointId,
        parent: Option<CheckpointId>,
        metadata: &CheckpointMetadata,
    ) -> Self {
        let changed = metadata.since_snapshot.iter().map(|(name, _)| name.clone()).collect();
        Self { id, parent, changed }
    }
}

impl Look {
    /// What there is to see of versions and values.
    pub fn new(versions: &[(Arc<str>, Version)], values: &[(Arc<str>, Value)]) -> Self {
        Self {
            written: versions.iter().map(|(name, _)| name.clone()).collect(),
            held: values.iter().map(|(name, value)| (name.clone(), may_be_seed(value))).collect(),
        }
    }

    fn holds(&self, name: &str) -> Option<bool> {
        self.held.iter().find(|(held, _)| **held == *name).map(|(_, may_be_seed)| *may_be_seed)
    }
}

impl From<&CheckpointTuple> for Link {
    fn from(tuple: &CheckpointTuple) -> Self {
        Self::new(tuple.checkpoint.id.clone(), tuple.parent.clone(), &tuple.metadata)
    }
}

impl From<&CheckpointTuple> for Look {
    fn from(tuple: &CheckpointTuple) -> Self {
        Self::new(&tuple.checkpoint.channel_versions, &tuple.checkpoint.channel_values)
    }
}

/// Whether a list may be rebuilt from this value: it is one, or a snapshot.
fn may_be_seed(value: &Value) -> bool {
    match value {
        Value::List(_) | Value::Snapshot(_) => true,
        Value::Typed(held) => held.to_value().is_ok_and(|value| may_be_seed(&value)),
        Value::Stored(stored) => match &**stored {
            StoredValue::Record(record) => record.code() == Record::SNAPSHOT,
            other => matches!(other, StoredValue::List(_)),
        },
        _ => false,
    }
}

impl Pruning {
    /// Begins with all checkpoints of a namespace.
    pub fn new(links: impl IntoIterator<Item = Link>) -> Self {
        let links: BTreeMap<_, _> = links.into_iter().map(|link| (link.id.clone(), link)).collect();
        let newest = links.keys().next_back().cloned();
        Self {
            asked: newest.clone(),
            newest,
            links,
            missing: Vec::new(),
            ancestors: Vec::new(),
            seen: BTreeSet::new(),
            depth: 0,
        }
    }

    /// The checkpoint to look at next; `None` once it is decided.
    pub fn asks(&self) -> Option<&CheckpointId> {
        self.asked.as_ref()
    }

    /// Tells what was asked for.
    pub fn answer(&mut self, look: Look) {
        let Some(asked) = self.asked.take() else { return };
        self.seen.insert(asked.clone());
        if self.newest.as_ref() == Some(&asked) {
            // The engine's own channels have no reducers.
            let may_need = |name: &str| !name.starts_with("__") && !name.starts_with("branch:");
            let names = look.written.iter().filter(|name| look.holds(name).is_none());
            let names = names.filter(|name| self.is_changed(name) || may_need(name));
            self.missing = names.cloned().collect();
        } else {
            self.ancestors.push(asked.clone());
            for name in std::mem::take(&mut self.missing) {
                let is_changed = self.is_changed(&name);
                let held = look.holds(&name);
                // Before the first write to it there is nothing to rebuild it from.
                let is_first = is_changed && !look.written.contains(&name);
                if held.is_none() && !is_first {
                    self.missing.push(name);
                } else if held == Some(true) || is_changed {
                    self.depth = self.ancestors.len();
                }
            }
        }
        self.go_on(&asked);
    }

    fn go_on(&mut self, from: &CheckpointId) {
        if self.missing.is_empty() {
            return;
        }
        let parent = self.links.get(from).and_then(|link| link.parent.clone());
        // What was stored under one of its descendants again would be its own ancestor.
        let is_new = |id: &CheckpointId| self.links.contains_key(id) && !self.seen.contains(id);
        self.asked = parent.filter(is_new);
        // What has no value anywhere, and was written, is rebuilt from the beginning.
        if self.asked.is_none() && self.missing.iter().any(|name| self.is_changed(name)) {
            self.depth = self.ancestors.len();
        }
    }

    fn is_changed(&self, name: &str) -> bool {
        let newest = self.newest.as_ref().and_then(|newest| self.links.get(newest));
        newest.is_some_and(|link| link.changed.iter().any(|changed| **changed == *name))
    }

    /// The checkpoints that may go.
    pub fn superfluous(self) -> Vec<CheckpointId> {
        let kept = self.ancestors[..self.depth].iter().chain(&self.newest);
        let kept: BTreeSet<_> = kept.collect();
        self.links.keys().filter(|id| !kept.contains(id)).cloned().collect()
    }
}
