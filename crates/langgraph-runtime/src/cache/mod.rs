//! Caches: what keeps the writes of nodes, so that a node need not run twice on the same input.
//!
//! A node has them kept by [`Node::cache`](crate::Node::cache), in the cache that the graph was given
//! by [`Graph::with_cache`](crate::Graph::with_cache). Its key is a hash of what the node runs on, as
//! that is stored, unless the policy says otherwise.

mod memory;
mod policy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{BoxFuture, Error, Value};
pub use memory::MemoryCache;
pub use policy::CachePolicy;
pub(crate) use policy::{digest, key_bytes};

/// Keeps values by namespace and key, each for as long as it is told to.
///
/// Calls may come from several runs at once. It is a cache: what it keeps it may forget.
pub trait Cache: fmt::Debug + Send + Sync + 'static {
    /// The values that it has under these keys, in their order.
    fn get<'a>(&'a self, keys: &'a [CacheKey]) -> BoxFuture<'a, Result<Vec<Option<Value>>, Error>>;

    /// Keeps values, in place of those that it has under the same keys.
    fn set(&self, entries: Vec<CacheEntry>) -> BoxFuture<'_, Result<(), Error>>;

    /// Forgets what it has in these namespaces; everything, if none are given.
    fn clear<'a>(
        &'a self,
        namespaces: Option<&'a [CacheNamespace]>,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

/// What a cache keeps apart: of a node, the function and the name.
pub type CacheNamespace = Arc<[Arc<str>]>;

/// Under which a cache keeps a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey {
    /// What the key counts in.
    pub namespace: CacheNamespace,
    /// The key.
    pub key: Arc<str>,
}

/// What a cache is to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheEntry {
    /// Under which key.
    pub key: CacheKey,
    /// What: of a node, a list of pairs, of a channel's name and what was written to it.
    pub value: Value,
    /// For how long; `None`: for ever.
    pub ttl: Option<Duration>,
}

/// The namespace of what a node wrote.
pub(crate) fn node_namespace(code: &str, node: &str) -> CacheNamespace {
    ["__pregel_ns_writes", code, node].map(Arc::from).into()
}
