use langgraph_rust_core::Domain;

/// Holds the last of several equal writes; a superstep without a write empties it.
pub struct AnyValue<D: Domain> {
    value: Option<D::Value>,
}

impl<D: Domain> AnyValue<D> {
    /// A channel that holds `value`, or nothing.
    pub fn new(value: Option<D::Value>) -> Self {
        Self { value }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&D::Value> {
        self.value.as_ref()
    }

    pub(crate) fn update(&mut self, mut values: Vec<D::Value>) -> bool {
        let changed = !values.is_empty() || self.value.is_some();
        self.value = values.pop();
        changed
    }
}
