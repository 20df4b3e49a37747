//! What of a run's tasks a cache has, and what it is to keep.

use std::sync::Arc;

use langgraph_rust_core::{Control, Write};
use langgraph_rust_pregel::{TaskKey, TaskOutcome};

use super::Run;
use crate::cache::{self, Cache, CacheEntry, CacheKey};
use crate::{saver, BoxFuture, Error, Native, Value};

/// What a cache is asked for, and for which tasks.
pub(crate) struct Asked {
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) tasks: Vec<TaskKey>,
    pub(crate) keys: Vec<CacheKey>,
}

impl Run {
    /// What the graph's cache is to be asked for; `None` if it has none.
    ///
    /// # Errors
    ///
    /// What a node runs on is no input that its policy can take.
    pub(crate) fn cache_slots(&mut self, tasks: Vec<TaskKey>) -> Result<Option<Asked>, Error> {
        let Some(cache) = self.shared.cache.clone() else { return Ok(None) };
        let mut slots = Vec::with_capacity(tasks.len());
        for key in tasks {
            let input = self.input_of(key);
            let Some(program) = self.program(key) else { continue };
            let Some(kept) = &program.cache else { continue };
            let digest = cache::digest(&cache::key_bytes(&kept.policy, &input)?);
            let slot = CacheKey { namespace: kept.namespace.clone(), key: digest };
            slots.push((key, slot, kept.policy.ttl));
        }
        let asked = Asked {
            cache,
            tasks: slots.iter().map(|(task, ..)| *task).collect(),
            keys: slots.iter().map(|(_, key, _)| key.clone()).collect(),
        };
        self.slots = slots;
        Ok(Some(asked))
    }

    /// Tells the engine what a cache has for tasks.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] if what it has of a field is of another type than the field.
    pub(crate) fn cached(&mut self, found: Vec<(TaskKey, Option<Value>)>) -> Result<(), Error> {
        let core = self.shared.graph.core.clone();
        let mut answers = Vec::new();
        for (key, value) in found {
            let Some(value) = value else { continue };
            self.slots.retain(|(task, ..)| *task != key);
            let pairs = value.plain_pairs()?;
            let write = |(name, value): (Arc<str>, Value)| {
                let value = match core.layout.position(&name) {
                    Some(position) => core.layout.spec(position).read(value)?,
                    None => value,
                };
                Ok(saver::pending_write(&core.plan, &name, value))
            };
            let writes = pairs.into_iter().map(write).collect::<Result<Vec<_>, Error>>()?;
            answers.push((key, writes));
        }
        self.engine.cache_answered((), answers);
        Ok(())
    }

    /// Keeps what a task wrote that has finished, if it is to be kept.
    pub(crate) fn keeping(
        &mut self,
        key: TaskKey,
        outcome: &TaskOutcome<Native>,
    ) -> Option<BoxFuture<'static, Result<(), Error>>> {
        let place = self.slots.iter().position(|(task, ..)| *task == key)?;
        let TaskOutcome::Finished(writes) = outcome else { return None };
        let (_, key, ttl) = self.slots.swap_remove(place);
        let cache = self.shared.cache.clone()?;
        let plan = &self.shared.graph.core.plan;
        let pair = |write: &Write<Native>| {
            let (name, value) = saver::write_form(plan, write.copy(()));
            Value::list([Value::from(name), value])
        };
        let output = writes.iter().filter(|write| write.is_output());
        let mut pairs: Vec<Value> = output.map(pair).collect();
        if pairs.is_empty() {
            pairs.push(pair(&Write::control(Control::NoWrites, Value::Null)));
        }
        let entry = CacheEntry { key, value: Value::list(pairs), ttl };
        Some(Box::pin(async move { cache.set(vec![entry]).await }))
    }
}

impl Value {
    /// The value as pairs of a name and a value.
    fn plain_pairs(&self) -> Result<Vec<(Arc<str>, Value)>, Error> {
        let pair = |item: &Value| match item.items()? {
            [name, value] => Ok((Arc::from(name.text()?), value.clone())),
            _ => Err(Error::Unfit(format!("{item} is no write that a cache has kept"))),
        };
        self.items()?.iter().map(pair).collect()
    }
}
