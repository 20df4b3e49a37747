//! Clock and chance as the engine asks for them.

use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Version};
use langgraph_rust_pregel::Env;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::domain::Objects;
use super::texts::Texts;
use super::version;
use crate::collects;
use crate::host::call::call;
use crate::host::clock::{checkpoint_bits, next_text_version, timestamp};

/// How a thread counts its versions.
pub enum Versioning {
    /// 1, 2, 3: without a saver.
    Ints,
    /// As the savers that ship do.
    Text,
    /// As the saver's own `get_next_version` does.
    Custom(Py<PyAny>),
}

collects!(
    enum Versioning {
        Ints,
        Text,
        Custom(next),
    }
);

impl Versioning {
    /// Reads it as Python says it: nothing, a name, or the saver's function.
    pub fn read(kind: Option<Bound<'_, PyAny>>) -> Self {
        match kind {
            None => Versioning::Ints,
            Some(kind) if kind.is_instance_of::<PyString>() => Versioning::Text,
            Some(next) => Versioning::Custom(next.unbind()),
        }
    }
}

/// The engine's environment during one call.
pub struct Clock<'a, 'py> {
    /// The attached thread.
    pub py: Python<'py>,
    /// How versions are counted.
    pub versioning: &'a Versioning,
}

impl Env<Objects> for Clock<'_, '_> {
    fn next_version(&mut self, current: Option<&Version>) -> PyResult<Version> {
        match (self.versioning, current) {
            (Versioning::Ints, Some(Version::Int(n))) => Ok(Version::Int(n + 1)),
            (Versioning::Ints, _) => Ok(Version::Int(1)),
            (Versioning::Text, Some(Version::Text(text))) => {
                Ok(Version::Text(next_text_version(Some(text)).into()))
            }
            (Versioning::Text, Some(Version::Int(n))) => {
                Ok(Version::Text(next_text_version(Some(&n.to_string())).into()))
            }
            (Versioning::Text, _) => Ok(Version::Text(next_text_version(None).into())),
            (Versioning::Custom(next), current) => {
                let none = self.py.None().into_bound(self.py);
                let current = current
                    .map(|current| version::to_python(self.py, current, &mut Texts::default()));
                let current = current.transpose()?.unwrap_or_else(|| none.clone());
                version::read(&call(next.bind(self.py), &[&current, &none])?)
            }
        }
    }

    fn checkpoint_id(&mut self, step: i64) -> CheckpointId {
        CheckpointId::from_bits(checkpoint_bits(step))
    }

    fn now(&mut self) -> Arc<str> {
        timestamp().into()
    }
}
