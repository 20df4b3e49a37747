use langgraph_rust_core::{Domain, Fault, InvalidUpdate};

/// Holds a value for one superstep.
pub struct Ephemeral<D: Domain> {
    value: Option<D::Value>,
    guard: bool,
}

impl<D: Domain> Ephemeral<D> {
    /// A channel that holds `value`, or nothing; with `guard` it takes one write per superstep.
    pub fn new(value: Option<D::Value>, guard: bool) -> Self {
        Self { value, guard }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&D::Value> {
        self.value.as_ref()
    }

    /// Whether a second write in one superstep is an error.
    pub fn guard(&self) -> bool {
        self.guard
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
        if self.guard && values.len() > 1 {
            return Err(InvalidUpdate::new(format!(
                "At key '{key}': EphemeralValue(guard=True) can receive only one value per step. \
                 Use guard=False if you want to store any one of multiple values."
            ))
            .into());
        }
        let changed = !values.is_empty() || self.value.is_some();
        self.value = values.pop();
        Ok(changed)
    }
}
