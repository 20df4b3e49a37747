use std::sync::Arc;

use langgraph_rust_core::{Domain, Fault, InvalidUpdate};

use crate::aggregate::second_overwrite;

/// Folds a superstep's writes into its value with one call of a reducer.
///
/// Storage keeps the writes, and the value only now and then: the value is rebuilt from the newest
/// one that is stored and the writes since.
pub struct Delta<D: Domain> {
    value: Option<D::Value>,
    reducer: Arc<D::Reducer>,
    frequency: u64,
}

impl<D: Domain> Delta<D> {
    /// A channel that starts from the reducer's initial value. After so many updates its value is
    /// to be stored.
    pub fn new(cx: D::Cx<'_>, reducer: Arc<D::Reducer>, frequency: u64) -> Self {
        Self { value: D::initial(cx, &reducer), reducer, frequency }
    }

    /// A channel that has not begun.
    pub fn empty(reducer: Arc<D::Reducer>, frequency: u64) -> Self {
        Self { value: None, reducer, frequency }
    }

    /// A channel like this one that holds `value`.
    pub fn with_value(&self, value: Option<D::Value>) -> Self {
        Self { value, reducer: self.reducer.clone(), frequency: self.frequency }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<&D::Value> {
        self.value.as_ref()
    }

    /// What folds writes into the value: all writes of a superstep at once.
    pub fn reducer(&self) -> &Arc<D::Reducer> {
        &self.reducer
    }

    /// After how many updates the value is to be stored.
    pub fn frequency(&self) -> u64 {
        self.frequency
    }

    /// An overwrite counts alone: other writes of its superstep are lost to it.
    pub(crate) fn update(
        &mut self,
        cx: D::Cx<'_>,
        key: &str,
        values: Vec<D::Value>,
    ) -> Result<bool, Fault<D>> {
        if values.is_empty() {
            return Ok(false);
        }
        let mut overwrites = values.iter().filter_map(|value| D::overwrite(cx, value));
        let (overwrite, another) = (overwrites.next(), overwrites.next());
        if another.is_some() {
            return Err(second_overwrite().into());
        }
        drop(overwrites);
        self.value = Some(match overwrite {
            Some(inner) => self.overwritten(cx, key, inner)?,
            None => self.folded(cx, key, values)?,
        });
        Ok(true)
    }

    /// The channel as its history left it: from the last overwrite on, in one batch.
    pub(crate) fn replay(
        &self,
        cx: D::Cx<'_>,
        key: &str,
        seed: Option<D::Value>,
        writes: Vec<D::Value>,
    ) -> Result<Self, Fault<D>> {
        let mut channel = self.with_value(seed.or_else(|| D::initial(cx, &self.reducer)));
        let mut batch = Vec::with_capacity(writes.len());
        for write in writes {
            match D::overwrite(cx, &write) {
                Some(inner) => {
                    batch.clear();
                    channel.value = Some(channel.overwritten(cx, key, inner)?);
                }
                None => batch.push(write),
            }
        }
        if !batch.is_empty() {
            channel.value = Some(channel.folded(cx, key, batch)?);
        }
        Ok(channel)
    }

    fn folded(
        &mut self,
        cx: D::Cx<'_>,
        key: &str,
        batch: Vec<D::Value>,
    ) -> Result<D::Value, Fault<D>> {
        let base = match D::held(cx, &mut self.value) {
            Some(value) => value,
            None => self.initial(cx, key)?,
        };
        D::reduce(cx, &self.reducer, base, batch).map_err(Fault::Domain)
    }

    /// A reducer may change what it is given, which must not be what somebody else holds.
    fn overwritten(&self, cx: D::Cx<'_>, key: &str, inner: D::Value) -> Result<D::Value, Fault<D>> {
        match D::is_unit(cx, &inner) {
            true => self.initial(cx, key),
            false => D::fresh(cx, &inner).map_err(Fault::Domain),
        }
    }

    fn initial(&self, cx: D::Cx<'_>, key: &str) -> Result<D::Value, Fault<D>> {
        D::initial(cx, &self.reducer).ok_or_else(|| {
            let message = format!(
                "Key '{key}': its type makes no empty value to apply writes to; give the channel a \
                 type that can be called without arguments, such as list or dict"
            );
            InvalidUpdate::new(message).into()
        })
    }
}
