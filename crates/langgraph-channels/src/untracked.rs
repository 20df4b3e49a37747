use langgraph_rust_core::{Domain, Fault, InvalidUpdate};

/// Holds the last value during a run and is never stored.
pub struct Untracked<D: Domain> {
    value: Option<D::Value>,
    guard: bool,
}

impl<D: Domain> Untracked<D> {
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

    pub(crate) fn update(
        &mut self,
        key: &str,
        mut values: Vec<D::Value>,
    ) -> Result<bool, Fault<D>> {
        let Some(value) = values.pop() else { return Ok(false) };
        if self.guard && !values.is_empty() {
            return Err(InvalidUpdate::new(format!(
                "At key '{key}': UntrackedValue(guard=True) can receive only one value per step. \
                 Use guard=False if you want to store any one of multiple values."
            ))
            .into());
        }
        self.value = Some(value);
        Ok(true)
    }
}
