use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_checkpoint::wire::{self, StoredValue};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::{Error, Input, TaskInput, Value};

type KeyOf = dyn Fn(&TaskInput) -> Result<Value, Error> + Send + Sync;

/// For how long what a node wrote is kept in the graph's cache, and what counts as the same input.
#[derive(Clone, Default)]
pub struct CachePolicy {
    /// For how long; `None`: for ever.
    pub ttl: Option<Duration>,
    key: Option<Arc<KeyOf>>,
}

impl CachePolicy {
    /// Keeps for ever what a node wrote, by all that it runs on.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, for no longer than this.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The same, where inputs count as the same that `of` gives the same for: a part of the state, or
    /// something made of it. `I` is what a node's function may take.
    pub fn key<I: Input, K: Serialize>(
        mut self,
        of: impl Fn(&I) -> K + Send + Sync + 'static,
    ) -> Self {
        let key = move |input: &TaskInput| Value::from_serde(&of(&*I::read(input)?));
        self.key = Some(Arc::new(key));
        self
    }
}

impl fmt::Debug for CachePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachePolicy")
            .field("ttl", &self.ttl)
            .field("key", &self.key.is_some())
            .finish()
    }
}

/// What counts as the input by the policy, as bytes.
pub(crate) fn key_bytes(policy: &CachePolicy, input: &TaskInput) -> Result<Vec<u8>, Error> {
    let value = match &policy.key {
        Some(key) => key(input)?,
        None => input.value(),
    };
    let mut stored = StoredValue::try_from(&value)?;
    sort(&mut stored)?;
    Ok(wire::encode(&stored)?.bytes)
}

/// The hash of those bytes, as text.
pub(crate) fn digest(bytes: &[u8]) -> Arc<str> {
    format!("{:032x}", xxh3_128(bytes)).into()
}

/// Puts the entries of maps in one order, which for a `HashMap` is another in each process.
fn sort(value: &mut StoredValue) -> Result<(), Error> {
    match value {
        StoredValue::List(items) => items.iter_mut().try_for_each(sort),
        StoredValue::Map(entries) => {
            let mut keyed = Vec::with_capacity(entries.len());
            for (key, mut value) in std::mem::take(entries) {
                sort(&mut value)?;
                keyed.push((wire::encode(&key)?.bytes, (key, value)));
            }
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            *entries = keyed.into_iter().map(|(_, entry)| entry).collect();
            Ok(())
        }
        _ => Ok(()),
    }
}
