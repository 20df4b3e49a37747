//! Which channels are stored as changes though they are no delta channels.
//!
//! A channel with a reducer that has a version but no stored value is rebuilt from what was written
//! to it, by this package and by LangGraph. So a list that grows need not be stored again with each
//! checkpoint, as long as replaying its writes gives it.

use std::sync::Arc;

use langgraph_rust_channels::Channel;
use langgraph_rust_core::ChannelIndex;
use langgraph_rust_pregel::Plan;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::plan::Graph;
use crate::values::domain::Objects;

/// Channels with reducers that are stored as changes.
pub enum Linear {
    /// None of them.
    Nothing,
    /// Those whose reducers are known to replay.
    Known,
    /// Those of these names.
    Named(Vec<String>),
}

impl Linear {
    /// Reads what a saver wants: a bool, or names.
    pub fn read(wanted: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(wanted) = wanted else { return Ok(Linear::Nothing) };
        match wanted.cast::<PyBool>() {
            Ok(all) if all.is_true() => Ok(Linear::Known),
            Ok(_) => Ok(Linear::Nothing),
            Err(_) => Ok(Linear::Named(wanted.extract()?)),
        }
    }

    /// The graph's plan, with these channels stored as changes.
    pub fn plan(&self, py: Python<'_>, graph: &Graph) -> Arc<Plan<Objects>> {
        let plan = &graph.plan;
        let is_chosen = |index: &&ChannelIndex| {
            let spec = plan.channel(**index);
            match (self, &spec.pattern) {
                (Linear::Named(names), _) => names.iter().any(|name| **name == *spec.name),
                (_, Channel::Aggregate(channel)) => channel.reducer().is_known_to_replay(py),
                _ => false,
            }
        };
        if matches!(self, Linear::Nothing) {
            return plan.clone();
        }
        let chosen: Vec<ChannelIndex> = plan.reduced().iter().filter(is_chosen).copied().collect();
        match chosen.is_empty() {
            true => plan.clone(),
            false => Arc::new(plan.storing_changes_of(&chosen)),
        }
    }
}
