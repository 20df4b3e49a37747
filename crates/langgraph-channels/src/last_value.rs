use langgraph_rust_core::{Domain, Fault, InvalidUpdate};

/// Holds the last value; takes at most one write per superstep.
pub struct LastValue<D: Domain> {
    value: Option<D::Value>,
}

impl<D: Domain> LastValue<D> {
    /// A channel that holds `value`, or nothing.
    pub fn new(value: Option<D::Value>) -> Self {
        Self { value }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&D::Value> {
        self.value.as_ref()
    }

    pub(crate) fn set(&mut self, value: D::Value) -> bool {
        self.value = Some(value);
        true
    }

    pub(crate) fn update(
        &mut self,
        key: &str,
        mut values: Vec<D::Value>,
    ) -> Result<bool, Fault<D>> {
        let Some(value) = values.pop() else { return Ok(false) };
        if !values.is_empty() {
            return Err(InvalidUpdate::concurrent(format!(
                "At key '{key}': Can receive only one value per step. Use an Annotated key to \
                 handle multiple values."
            ))
            .into());
        }
        self.value = Some(value);
        Ok(true)
    }
}
