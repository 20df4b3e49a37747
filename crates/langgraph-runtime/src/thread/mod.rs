//! Threads from outside: how one stands, how it came there, and writing to it.

mod base;
mod load;
mod look;
mod migrate;
mod seat;
mod snapshot;
mod update;

use langgraph_rust_core::CheckpointId;

use crate::saver::ListQuery;
use crate::{Config, Error, Graph, GraphInput, Map, Value};
pub(crate) use load::{engine_form, load};
use look::View;
pub(crate) use migrate::STATE_VERSION;
use seat::Seat;
pub use snapshot::{Snapshot, SnapshotTask};
pub use update::{StateUpdate, COPY, INPUT};

/// Which of a thread's checkpoints its history is to have.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// Those before this one.
    pub before: Option<CheckpointId>,
    /// No more than so many, the newest.
    pub limit: Option<usize>,
    /// Those with these entries in their metadata: `source`, `step`, and what the run said of itself.
    pub filter: Map,
}

impl HistoryQuery {
    /// All of them.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, but only those before this one.
    pub fn before(mut self, id: &CheckpointId) -> Self {
        self.before = Some(id.clone());
        self
    }

    /// The same, but no more than so many.
    pub fn limit(mut self, checkpoints: usize) -> Self {
        self.limit = Some(checkpoints);
        self
    }

    /// The same, but only those with this entry in their metadata.
    pub fn filter(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.filter.insert(name.into(), value.into());
        self
    }
}

impl<S> Graph<S> {
    /// How the thread stands, or stood at the checkpoint that `config` names; `None` if there is
    /// no such thread or checkpoint.
    ///
    /// # Errors
    ///
    /// The graph has no saver, or what is stored does not fit it.
    pub async fn state(&self, config: &Config) -> Result<Option<Snapshot>, Error> {
        Seat::of(&self.any, config)?.state(config, false).await
    }

    /// The same, with how graphs that are nodes stand, in [`SnapshotTask::state`].
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn state_with_subgraphs(&self, config: &Config) -> Result<Option<Snapshot>, Error> {
        Seat::of(&self.any, config)?.state(config, true).await
    }

    /// The thread's checkpoints, newest first; only the one that `config` names, if it names one.
    ///
    /// # Errors
    ///
    /// The graph has no saver, or what is stored does not fit it.
    pub async fn history(&self, config: &Config) -> Result<Vec<Snapshot>, Error> {
        self.history_with(config, &HistoryQuery::default()).await
    }

    /// The same, but only those that `query` asks for.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn history_with(
        &self,
        config: &Config,
        query: &HistoryQuery,
    ) -> Result<Vec<Snapshot>, Error> {
        let seat = Seat::of(&self.any, config)?;
        let one = config.checkpoint.as_ref();
        let found = seat
            .saver
            .list(&ListQuery {
                before: query.before.clone(),
                limit: query.limit.filter(|_| one.is_none()),
                filter: query.filter.clone(),
                ..ListQuery::place(&seat.place)
            })
            .await?;
        let mut history = Vec::with_capacity(found.len());
        for (_, found) in found {
            if one.is_none_or(|id| found.checkpoint.id == *id) {
                history.push(seat.snapshot(found, View::Record, false).await?);
            }
        }
        history.truncate(query.limit.unwrap_or(usize::MAX));
        Ok(history)
    }

    /// Writes to the state of a thread from outside of a run, as if `as_node` had returned `update`:
    /// through the fields' reducers, and going on to what follows on the node. Returns the config of
    /// the new checkpoint, from which the thread goes on.
    ///
    /// Without `as_node` it is the node that ran last; [`START`](crate::START) before any has. If
    /// `config` names a checkpoint, the new one is a branch that begins there.
    ///
    /// Two nodes are none of the graph: [`INPUT`] takes `update` for an input, and with
    /// [`END`](crate::END) and no update (`()`) nothing is left to run. No update and no node store
    /// the checkpoint once more, beside itself, so that its superstep runs again; so does [`COPY`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUpdate`] if several nodes ran last, and for an update that cannot be;
    /// [`Error::UnknownNode`], [`Error::UnknownField`]; the graph has no saver, or that failed.
    pub async fn update_state(
        &self,
        config: &Config,
        update: impl Into<GraphInput>,
        as_node: Option<&str>,
    ) -> Result<Config, Error> {
        let update = StateUpdate::new(update, as_node);
        self.bulk_update_state(config, vec![vec![update]]).await
    }

    /// The same, for several supersteps, one after another, each with the updates of one node or
    /// several.
    ///
    /// # Errors
    ///
    /// The same; [`Error::InvalidUpdate`] for a superstep without updates, and for one of several of
    /// which not all name their node.
    pub async fn bulk_update_state(
        &self,
        config: &Config,
        supersteps: Vec<Vec<StateUpdate>>,
    ) -> Result<Config, Error> {
        update::bulk(Seat::for_update(&self.any, config)?, config, supersteps).await
    }
}
