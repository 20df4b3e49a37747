use std::sync::Arc;

use crate::{Map, Value};

/// Which items to find.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SearchQuery {
    /// Those whose namespaces begin with these labels; with none, those of all.
    pub namespace_prefix: Vec<Arc<str>>,
    /// Those whose values have these entries: see [`SearchQuery::filter`].
    pub filter: Map,
    /// No more than so many; 10 unless told otherwise.
    pub limit: usize,
    /// Without so many of the first.
    pub offset: usize,
}

impl SearchQuery {
    /// The first ten items below a namespace, itself included.
    pub fn new(namespace_prefix: &[&str]) -> Self {
        let namespace_prefix = namespace_prefix.iter().map(|label| Arc::from(*label)).collect();
        Self { namespace_prefix, filter: Map::new(), limit: 10, offset: 0 }
    }

    /// The same, but only items whose value has the entry `name`, and `value` in it. A map asks for
    /// its own entries only, unless it is one of comparisons: `$eq`, `$ne`, and for numbers `$gt`,
    /// `$gte`, `$lt`, `$lte`, all of which must hold. What an item does not have is `null`.
    pub fn filter(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.filter.insert(name.into(), value.into());
        self
    }

    /// The same, but no more than so many.
    pub fn limit(mut self, items: usize) -> Self {
        self.limit = items;
        self
    }

    /// The same, without so many of the first.
    pub fn offset(mut self, items: usize) -> Self {
        self.offset = items;
        self
    }
}

/// Which namespaces to list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListNamespaces {
    /// Those that begin with these labels; `*` stands for any.
    pub prefix: Vec<Arc<str>>,
    /// Those that end with these labels; `*` stands for any.
    pub suffix: Vec<Arc<str>>,
    /// Of each, no more than so many labels.
    pub max_depth: Option<usize>,
    /// No more than so many; 100 unless told otherwise.
    pub limit: usize,
    /// Without so many of the first.
    pub offset: usize,
}

impl Default for ListNamespaces {
    fn default() -> Self {
        Self { prefix: Vec::new(), suffix: Vec::new(), max_depth: None, limit: 100, offset: 0 }
    }
}

impl ListNamespaces {
    /// The first hundred.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but only those that begin with these labels; `*` stands for any.
    pub fn prefix(mut self, labels: &[&str]) -> Self {
        self.prefix = labels.iter().map(|label| Arc::from(*label)).collect();
        self
    }

    /// The same, but only those that end with these labels; `*` stands for any.
    pub fn suffix(mut self, labels: &[&str]) -> Self {
        self.suffix = labels.iter().map(|label| Arc::from(*label)).collect();
        self
    }

    /// The same, but of each no more than so many labels: those that are the same then are one.
    pub fn max_depth(mut self, labels: usize) -> Self {
        self.max_depth = Some(labels);
        self
    }

    /// The same, but no more than so many.
    pub fn limit(mut self, namespaces: usize) -> Self {
        self.limit = namespaces;
        self
    }

    /// The same, without so many of the first.
    pub fn offset(mut self, namespaces: usize) -> Self {
        self.offset = namespaces;
        self
    }

    /// Whether a namespace begins and ends as asked.
    pub fn matches(&self, namespace: &[Arc<str>]) -> bool {
        let is = |asked: &Arc<str>, label: &Arc<str>| **asked == *"*" || asked == label;
        let begins = self.prefix.iter().zip(namespace).all(|(asked, label)| is(asked, label));
        let mut ends = self.suffix.iter().rev().zip(namespace.iter().rev());
        namespace.len() >= self.prefix.len().max(self.suffix.len())
            && begins
            && ends.all(|(asked, label)| is(asked, label))
    }
}
