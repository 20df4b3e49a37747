use langgraph_rust_core::Domain;

/// A list of values: of the last superstep, or of all if it accumulates.
pub struct Topic<D: Domain> {
    items: Vec<D::Value>,
    accumulate: bool,
}

impl<D: Domain> Topic<D> {
    /// A topic that holds `items`.
    pub fn new(items: Vec<D::Value>, accumulate: bool) -> Self {
        Self { items, accumulate }
    }

    /// The items, oldest first.
    pub fn items(&self) -> &[D::Value] {
        &self.items
    }

    /// Whether items outlive their superstep.
    pub fn accumulate(&self) -> bool {
        self.accumulate
    }

    pub(crate) fn update(&mut self, cx: D::Cx<'_>, values: Vec<D::Value>) -> bool {
        let cleared = !self.accumulate && !self.items.is_empty();
        if cleared {
            self.items.clear();
        }
        let before = self.items.len();
        for value in values {
            match D::items(cx, &value) {
                Some(items) => self.items.extend(items),
                None => self.items.push(value),
            }
        }
        cleared || self.items.len() > before
    }
}
