use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Error, FieldSpec};

/// The fields of a state: which stands where.
#[derive(Debug)]
pub(crate) struct Layout {
    specs: Vec<FieldSpec>,
    positions: BTreeMap<Arc<str>, usize>,
}

impl Layout {
    pub(crate) fn new(specs: Vec<FieldSpec>) -> Self {
        let positions =
            specs.iter().enumerate().map(|(position, spec)| (spec.name.clone(), position));
        Self { positions: positions.collect(), specs }
    }

    /// The error of a field that there is none of.
    pub(crate) fn unknown(&self, name: &str) -> Error {
        Error::UnknownField { name: name.into(), known: self.names().cloned().collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.specs.len()
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    pub(crate) fn spec(&self, position: usize) -> &FieldSpec {
        &self.specs[position]
    }

    /// In order of declaration.
    pub(crate) fn specs(&self) -> &[FieldSpec] {
        &self.specs
    }

    /// In order of declaration.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.specs.iter().map(|spec| &spec.name)
    }
}
