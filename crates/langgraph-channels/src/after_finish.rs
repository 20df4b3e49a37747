use langgraph_rust_core::Domain;

/// Holds the last value back until the run is about to end; gone once a task has run on it.
pub struct LastValueAfterFinish<D: Domain> {
    value: Option<D::Value>,
    finished: bool,
}

impl<D: Domain> LastValueAfterFinish<D> {
    /// A channel that holds `value`, or nothing, released if `finished`.
    pub fn new(value: Option<D::Value>, finished: bool) -> Self {
        Self { value, finished }
    }

    /// The value held, released or not.
    pub fn held(&self) -> Option<&D::Value> {
        self.value.as_ref()
    }

    /// Whether the value has been released.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// The value, once released.
    pub fn value(&self) -> Option<&D::Value> {
        self.value.as_ref().filter(|_| self.finished)
    }

    pub(crate) fn update(&mut self, mut values: Vec<D::Value>) -> bool {
        let Some(value) = values.pop() else { return false };
        *self = Self { value: Some(value), finished: false };
        true
    }

    pub(crate) fn consume(&mut self) -> bool {
        let consumed = self.finished;
        if consumed {
            *self = Self { value: None, finished: false };
        }
        consumed
    }

    pub(crate) fn finish(&mut self) -> bool {
        let released = !self.finished && self.value.is_some();
        self.finished |= released;
        released
    }
}
