use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use langgraph_rust_core::iso8601;

use super::{check_namespace, matches_filter, Item, ListNamespaces, Namespace, SearchQuery, Store};
use crate::{BoxFuture, Clock, Error, Map};

/// Keeps items in memory, in the order in which they were first put there. Copies are handles on the
/// same items.
#[derive(Clone, Default)]
pub struct MemoryStore {
    items: Arc<Mutex<Items>>,
    clock: Clock,
    /// Whether reading an item leaves it when it is forgotten.
    leaves_ttl: bool,
}

type Items = IndexMap<Namespace, IndexMap<Arc<str>, Kept>>;

struct Kept {
    item: Item,
    ttl: Option<Duration>,
    /// When it is to be forgotten, since 1970.
    until: Option<Duration>,
}

impl MemoryStore {
    /// No items yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// No items yet, and `clock` says what time it is.
    pub fn with_clock(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// The same store, where reading an item puts off when it is forgotten, or does not. It does
    /// unless told otherwise.
    pub fn refresh_on_read(mut self, refreshes: bool) -> Self {
        self.leaves_ttl = !refreshes;
        self
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        // Each call changes one item at most, and that last.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(&self, ttl: Option<Duration>) -> Option<Duration> {
        ttl.map(|ttl| self.clock.since_epoch().saturating_add(ttl))
    }

    fn is_there(&self, kept: &Kept) -> bool {
        kept.until.is_none_or(|until| self.clock.since_epoch() < until)
    }

    /// An item that is being read.
    fn read(&self, kept: &mut Kept) -> Item {
        if !self.leaves_ttl {
            kept.until = self.until(kept.ttl);
        }
        kept.item.clone()
    }

    fn put_item(
        &self,
        namespace: &[&str],
        key: &str,
        value: Map,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        check_namespace(namespace)?;
        let now: Arc<str> = iso8601(self.clock.since_epoch()).into();
        let (namespace, key) = (labels(namespace), Arc::<str>::from(key));
        let until = self.until(ttl);
        let mut items = self.items();
        let place = items.entry(namespace.clone()).or_default();
        let before = place.get(&key).filter(|kept| self.is_there(kept));
        let created_at = before.map_or_else(|| now.clone(), |kept| kept.item.created_at.clone());
        let item = Item { value, key: key.clone(), namespace, created_at, updated_at: now };
        place.insert(key, Kept { item, ttl, until });
        Ok(())
    }

    fn find(&self, query: &SearchQuery) -> Result<Vec<Item>, Error> {
        let (mut found, mut passed) = (Vec::new(), 0);
        let mut items = self.items();
        let below = |namespace: &Namespace| namespace.starts_with(&query.namespace_prefix);
        let places = items.iter_mut().filter(|(namespace, _)| below(namespace));
        for kept in places.flat_map(|(_, place)| place.values_mut()) {
            if found.len() == query.limit {
                break;
            }
            if !self.is_there(kept) || !matches_filter(&kept.item.value, &query.filter)? {
                continue;
            }
            passed += 1;
            if passed > query.offset {
                found.push(self.read(kept));
            }
        }
        Ok(found)
    }

    fn namespaces(&self, query: &ListNamespaces) -> Vec<Namespace> {
        let items = self.items();
        let has_items = |place: &IndexMap<_, Kept>| place.values().any(|kept| self.is_there(kept));
        let known = items.iter().filter(|(_, place)| has_items(place)).map(|(name, _)| name);
        let depth = query.max_depth.unwrap_or(usize::MAX);
        let short = |name: &Namespace| name.iter().take(depth).cloned().collect::<Namespace>();
        let found: BTreeSet<Namespace> =
            known.filter(|name| query.matches(name)).map(short).collect();
        found.into_iter().skip(query.offset).take(query.limit).collect()
    }
}

fn labels(namespace: &[&str]) -> Namespace {
    namespace.iter().map(|label| Arc::from(*label)).collect()
}

fn ready<'a, T: Send + 'a>(answer: Result<T, Error>) -> BoxFuture<'a, Result<T, Error>> {
    Box::pin(std::future::ready(answer))
}

impl Store for MemoryStore {
    fn get<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Item>, Error>> {
        let mut items = self.items();
        let kept = items.get_mut(&labels(namespace)).and_then(|place| place.get_mut(key));
        let kept = kept.filter(|kept| self.is_there(kept));
        ready(Ok(kept.map(|kept| self.read(kept))))
    }

    fn put<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
        value: Map,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        ready(self.put_item(namespace, key, value, ttl))
    }

    fn delete<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let mut items = self.items();
        let namespace = labels(namespace);
        if let Some(place) = items.get_mut(&namespace) {
            place.shift_remove(key);
            if place.is_empty() {
                items.shift_remove(&namespace);
            }
        }
        ready(Ok(()))
    }

    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Item>, Error>> {
        ready(self.find(query))
    }

    fn list_namespaces<'a>(
        &'a self,
        query: &'a ListNamespaces,
    ) -> BoxFuture<'a, Result<Vec<Namespace>, Error>> {
        ready(Ok(self.namespaces(query)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}
