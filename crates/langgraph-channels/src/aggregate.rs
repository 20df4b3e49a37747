use std::sync::Arc;

use langgraph_rust_core::{Domain, Fault, InvalidUpdate};

/// Folds writes into its value with a reducer.
pub struct Aggregate<D: Domain> {
    value: Option<D::Value>,
    reducer: Arc<D::Reducer>,
}

impl<D: Domain> Aggregate<D> {
    /// A channel that starts from the reducer's initial value.
    pub fn new(cx: D::Cx<'_>, reducer: Arc<D::Reducer>) -> Self {
        Self { value: D::initial(cx, &reducer), reducer }
    }

    /// A channel that holds `value`, or nothing.
    pub fn with_value(value: Option<D::Value>, reducer: Arc<D::Reducer>) -> Self {
        Self { value, reducer }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&D::Value> {
        self.value.as_ref()
    }

    /// What folds writes into the value.
    pub fn reducer(&self) -> &Arc<D::Reducer> {
        &self.reducer
    }

    /// The channel as a history of changes left it, from the last overwrite on, in one batch: a
    /// reducer folds one write after another, whichever supersteps they are of.
    pub(crate) fn replay(
        &self,
        cx: D::Cx<'_>,
        seed: Option<D::Value>,
        writes: Vec<D::Value>,
    ) -> Result<Self, Fault<D>> {
        let mut channel = match seed {
            Some(value) => Self::with_value(Some(value), self.reducer.clone()),
            None => Self::new(cx, self.reducer.clone()),
        };
        let mut batch = Vec::with_capacity(writes.len());
        for write in writes {
            match D::overwrite(cx, &write) {
                Some(inner) => {
                    batch.clear();
                    channel.value = Some(inner);
                }
                None => batch.push(write),
            }
        }
        channel.update(cx, batch)?;
        Ok(channel)
    }

    /// Writes before an overwrite are folded and then lost to it; writes after it are dropped.
    pub(crate) fn update(
        &mut self,
        cx: D::Cx<'_>,
        values: Vec<D::Value>,
    ) -> Result<bool, Fault<D>> {
        if values.is_empty() {
            return Ok(false);
        }
        let mut values = values.into_iter();
        let mut left = D::held(cx, &mut self.value).or_else(|| values.next());
        let mut batch = Vec::with_capacity(values.len());
        let mut overwritten = false;
        for value in values {
            match D::overwrite(cx, &value) {
                None if overwritten => {}
                None => batch.push(value),
                Some(_) if overwritten => return Err(second_overwrite().into()),
                Some(inner) => {
                    // What came before must still be folded: a reducer may refuse it.
                    self.fold(cx, &mut left, std::mem::take(&mut batch))?;
                    left = Some(inner);
                    overwritten = true;
                }
            }
        }
        self.fold(cx, &mut left, batch)?;
        self.value = left;
        Ok(true)
    }

    fn fold(
        &self,
        cx: D::Cx<'_>,
        left: &mut Option<D::Value>,
        batch: Vec<D::Value>,
    ) -> Result<(), Fault<D>> {
        if batch.is_empty() {
            return Ok(());
        }
        if let Some(value) = left.take() {
            *left = Some(D::reduce(cx, &self.reducer, value, batch).map_err(Fault::Domain)?);
        }
        Ok(())
    }
}

pub(crate) fn second_overwrite() -> InvalidUpdate {
    InvalidUpdate::concurrent("Can receive only one Overwrite value per super-step.".into())
}
