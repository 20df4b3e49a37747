//! Stores: what graphs remember beyond one thread. Values by namespace and key, which nodes reach by
//! [`Runtime::store`](crate::Runtime::store).
//!
//! ```
//! use langgraph_rust_runtime::store::{MemoryStore, SearchQuery, Store};
//! use langgraph_rust_runtime::{block_on, Map};
//!
//! # block_on(async {
//! let store = MemoryStore::new();
//! let likes = Map::from([("likes".into(), "tea".into()), ("since".into(), 2020.into())]);
//! store.put(&["users", "ada"], "drinks", likes, None).await?;
//! let found = store.get(&["users", "ada"], "drinks").await?.unwrap();
//! assert_eq!(found.get("likes"), "tea".into());
//!
//! let recent = serde_json::json!({ "$gte": 2019 });
//! let found = store.search(&SearchQuery::new(&["users"]).filter("since", recent)).await?;
//! assert_eq!(&*found[0].key, "drinks");
//! # Ok::<(), langgraph_rust_runtime::Error>(())
//! # }).unwrap();
//! ```
//!
//! Items are found by their namespaces and by what they hold. There is no search by meaning: upstream's
//! `query`, and the vectors that it needs, are not here.

mod filter;
mod memory;
mod query;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{BoxFuture, Error, Map, Value};
pub use filter::matches_filter;
pub use memory::MemoryStore;
pub use query::{ListNamespaces, SearchQuery};

/// Keeps values by namespace and key.
///
/// Calls may come from several runs at once. What a call has answered is kept; what it has not,
/// because its future was dropped, is kept or not, but never in part.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The item under a key, if there is one. Reading it puts off when it is forgotten, unless the
    /// store was told otherwise.
    fn get<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Item>, Error>>;

    /// Keeps a value, in place of the one under the same key, which keeps when it was made. `ttl`: for
    /// how long; `None` for ever. Fails with [`Error::InvalidNamespace`] if [`check_namespace`] does.
    fn put<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
        value: Map,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Forgets the item under a key, if there is one.
    fn delete<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// The items that `query` asks for, in an order of the store's own: the same one as long as
    /// nothing is written.
    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Item>, Error>>;

    /// The namespaces that have items and that `query` asks for, sorted.
    fn list_namespaces<'a>(
        &'a self,
        query: &'a ListNamespaces,
    ) -> BoxFuture<'a, Result<Vec<Namespace>, Error>>;
}

/// Where an item is: labels, from the outermost.
pub type Namespace = Arc<[Arc<str>]>;

/// What a store keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it holds.
    pub value: Map,
    /// Its name within its namespace.
    pub key: Arc<str>,
    /// Where it is.
    pub namespace: Namespace,
    /// When there first was one under its key: UTC, ISO 8601.
    pub created_at: Arc<str>,
    /// When it was last written.
    pub updated_at: Arc<str>,
}

impl Item {
    /// An entry of its value; [`Value::Null`] if it has none of that name.
    pub fn get(&self, name: &str) -> Value {
        self.value.get(name).cloned().unwrap_or_default()
    }

    /// Its value as a type that serde can read.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if the value does not describe a `T`.
    pub fn to_serde<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Value::from(self.value.clone()).to_serde()
    }
}

/// Whether items may be put there: into a namespace of at least one label, none of them empty or with a
/// period or a NUL in it, and not below `langgraph`.
///
/// # Errors
///
/// [`Error::InvalidNamespace`] if not.
pub fn check_namespace(namespace: &[&str]) -> Result<(), Error> {
    let refuse = |why: &str| {
        let name = namespace.join("', '");
        Err(Error::InvalidNamespace(format!("the namespace ['{name}'] {why}")))
    };
    match namespace {
        [] => return Err(Error::InvalidNamespace("a namespace has at least one label".into())),
        ["langgraph", ..] => return refuse("begins with 'langgraph', which is reserved"),
        _ => {}
    }
    for label in namespace {
        if label.is_empty() {
            return refuse("has an empty label");
        }
        if label.contains('.') {
            return refuse(
                "has a label with a period, by which stores join labels: use another sign",
            );
        }
        if label.contains('\0') {
            return refuse("has a label with a NUL, which databases do not take");
        }
    }
    Ok(())
}
