use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Cache, CacheEntry, CacheKey, CacheNamespace};
use crate::{BoxFuture, Clock, Error, Value};

/// Keeps values in memory. Copies are handles on the same values.
#[derive(Clone, Default)]
pub struct MemoryCache(Arc<Inner>);

#[derive(Default)]
struct Inner {
    clock: Clock,
    namespaces: Mutex<BTreeMap<CacheNamespace, BTreeMap<Arc<str>, Kept>>>,
}

struct Kept {
    value: Value,
    /// When it is to be forgotten, since 1970.
    until: Option<Duration>,
}

type Namespaces = BTreeMap<CacheNamespace, BTreeMap<Arc<str>, Kept>>;

impl MemoryCache {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing yet, and `clock` says what time it is.
    pub fn with_clock(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, ..Inner::default() }))
    }

    fn namespaces(&self) -> MutexGuard<'_, Namespaces> {
        self.0.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, namespaces: &mut Namespaces, key: &CacheKey) -> Option<Value> {
        let namespace = namespaces.get_mut(&key.namespace)?;
        let kept = namespace.get(&key.key)?;
        if kept.until.is_none_or(|until| self.0.clock.since_epoch() < until) {
            return Some(kept.value.clone());
        }
        namespace.remove(&key.key);
        None
    }
}

impl Cache for MemoryCache {
    fn get<'a>(&'a self, keys: &'a [CacheKey]) -> BoxFuture<'a, Result<Vec<Option<Value>>, Error>> {
        let mut namespaces = self.namespaces();
        let found = keys.iter().map(|key| self.find(&mut namespaces, key)).collect();
        Box::pin(std::future::ready(Ok(found)))
    }

    fn set(&self, entries: Vec<CacheEntry>) -> BoxFuture<'_, Result<(), Error>> {
        let mut namespaces = self.namespaces();
        for CacheEntry { key, value, ttl } in entries {
            let until = ttl.map(|ttl| self.0.clock.since_epoch().saturating_add(ttl));
            namespaces.entry(key.namespace).or_default().insert(key.key, Kept { value, until });
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn clear<'a>(
        &'a self,
        namespaces: Option<&'a [CacheNamespace]>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let mut kept = self.namespaces();
        match namespaces {
            None => kept.clear(),
            Some(namespaces) => {
                namespaces.iter().for_each(|namespace| drop(kept.remove(namespace)))
            }
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryCache")
    }
}
