use std::sync::Arc;

use langgraph_rust_core::{Domain, Fault, InvalidUpdate};

/// Opens once every expected name has been written; closes again when a task has run on it.
pub struct Barrier {
    names: Arc<[String]>,
    seen: Vec<String>,
}

impl Barrier {
    /// A barrier that waits for `names`.
    pub fn new(names: Arc<[String]>) -> Self {
        Self { names, seen: Vec::new() }
    }

    /// The same barrier, having seen `seen`.
    pub fn with_seen(&self, seen: Vec<String>) -> Self {
        Self { names: self.names.clone(), seen }
    }

    /// The names it waits for.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names it has seen.
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    pub(crate) fn is_open(&self) -> bool {
        self.seen.len() == self.names.len()
            && self.names.iter().all(|name| self.seen.contains(name))
    }

    pub(crate) fn update<D: Domain>(
        &mut self,
        cx: D::Cx<'_>,
        key: &str,
        values: &[D::Value],
    ) -> Result<bool, Fault<D>> {
        let known = self.seen.len();
        for value in values {
            let name = D::label(cx, value).filter(|name| self.names.iter().any(|n| n == name));
            let Some(name) = name else {
                // A refused update changes nothing.
                self.seen.truncate(known);
                return Err(self.unexpected::<D>(cx, key, value).into());
            };
            if !self.seen.iter().any(|seen| *seen == name) {
                self.seen.push(name.into_owned());
            }
        }
        Ok(self.seen.len() > known)
    }

    fn unexpected<D: Domain>(&self, cx: D::Cx<'_>, key: &str, value: &D::Value) -> InvalidUpdate {
        let names: Vec<String> = self.names.iter().map(|name| format!("'{name}'")).collect();
        InvalidUpdate::new(format!(
            "At key '{key}': Value {} not in {{{}}}",
            D::show(cx, value),
            names.join(", ")
        ))
    }

    pub(crate) fn consume(&mut self) -> bool {
        let open = self.is_open();
        if open {
            self.seen.clear();
        }
        open
    }
}

/// A [`Barrier`] that opens only when, besides, the run is about to end.
pub struct BarrierAfterFinish {
    barrier: Barrier,
    finished: bool,
}

impl BarrierAfterFinish {
    /// A barrier, released if `finished`.
    pub fn new(barrier: Barrier, finished: bool) -> Self {
        Self { barrier, finished }
    }

    /// The barrier inside.
    pub fn barrier(&self) -> &Barrier {
        &self.barrier
    }

    /// Whether the barrier has been released.
    pub fn finished(&self) -> bool {
        self.finished
    }

    pub(crate) fn is_open(&self) -> bool {
        self.finished && self.barrier.is_open()
    }

    pub(crate) fn update<D: Domain>(
        &mut self,
        cx: D::Cx<'_>,
        key: &str,
        values: &[D::Value],
    ) -> Result<bool, Fault<D>> {
        self.barrier.update(cx, key, values)
    }

    pub(crate) fn consume(&mut self) -> bool {
        let open = self.is_open();
        if open {
            self.finished = false;
            self.barrier.consume();
        }
        open
    }

    pub(crate) fn finish(&mut self) -> bool {
        let released = !self.finished && self.barrier.is_open();
        self.finished |= released;
        released
    }
}
