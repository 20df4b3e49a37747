//! Writing to a thread's state from outside of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use langgraph_rust_checkpoint::{task_output, Source};
use langgraph_rust_core::{
    names, ChannelIndex, CheckpointId, NodeIndex, Target, TaskId, TaskPath, Version, Write,
};
use langgraph_rust_pregel::{self as pregel, Reader, TaskWrites};

use super::base::{invalid, versions_read, Base};
use super::seat::Seat;
use crate::{Command, Config, Error, GraphInput, Map, Native, END, START};

/// As a node of an update: the update is an input.
pub const INPUT: &str = names::INPUT;
/// As a node of an update: the checkpoint is stored once more, beside itself.
pub const COPY: &str = "__copy__";

/// An update of a thread's state from outside: see
/// [`Graph::update_state`](crate::Graph::update_state).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StateUpdate {
    /// What is written.
    pub update: GraphInput,
    /// The node that is taken to have returned it.
    pub as_node: Option<Arc<str>>,
    /// The task that is taken to have run; one that was to run next, unless given.
    pub task: Option<TaskId>,
}

impl StateUpdate {
    /// An update as if `as_node` had returned it.
    pub fn new(update: impl Into<GraphInput>, as_node: Option<&str>) -> Self {
        Self { update: update.into(), as_node: as_node.map(Arc::from), task: None }
    }

    /// The same, as the result of the task with this id.
    pub fn task(mut self, id: &TaskId) -> Self {
        self.task = Some(id.clone());
        self
    }

    fn is_nothing(&self) -> bool {
        matches!(self.update, GraphInput::Nothing)
    }
}

/// Does what [`Graph::bulk_update_state`](crate::Graph::bulk_update_state) says.
pub(super) async fn bulk(
    seat: Seat,
    config: &Config,
    supersteps: Vec<Vec<StateUpdate>>,
) -> Result<Config, Error> {
    if supersteps.is_empty() {
        return Err(invalid("No supersteps provided"));
    }
    if supersteps.iter().any(Vec::is_empty) {
        return Err(invalid("No updates provided"));
    }
    let mut id = config.checkpoint.clone();
    // What the config says of the update is stored with the first of them alone, as upstream does.
    let bare = Config { metadata: Map::new(), ..config.clone() };
    for (number, updates) in supersteps.into_iter().enumerate() {
        let is_first = number == 0;
        let config = if is_first { config } else { &bare };
        let base = Base::load(&seat, config, id.as_ref(), is_first).await?;
        id = Some(superstep(base, updates).await?);
    }
    Ok(Config {
        thread: seat.place.thread.clone(),
        namespace: seat.place.namespace.clone(),
        checkpoint: id,
        ..config.clone()
    })
}

async fn superstep(base: Base<'_>, updates: Vec<StateUpdate>) -> Result<CheckpointId, Error> {
    let alone = |what: &str| match updates.len() {
        1 => Ok(()),
        _ => {
            Err(invalid(format!("Cannot {what} together with other updates: give it a superstep")))
        }
    };
    let first = &updates[0];
    match first.as_node.as_deref() {
        Some(END) if first.is_nothing() => {
            alone("clear the tasks")?;
            clear_tasks(base).await
        }
        Some(INPUT) => {
            alone("update as an input")?;
            let [first] = <[StateUpdate; 1]>::try_from(updates).map_err(|_| several())?;
            write_input(base, first.update).await
        }
        Some(COPY) => {
            alone("copy a checkpoint")?;
            match first.is_nothing() {
                true => copy(base).await,
                false => Err(invalid("A copy takes no update: update it in the next superstep")),
            }
        }
        None if first.is_nothing() && updates.len() == 1 => copy(base).await,
        _ => write_as_nodes(base, updates).await,
    }
}

fn several() -> Error {
    invalid("as_node is required when applying multiple updates")
}

async fn copy(mut base: Base<'_>) -> Result<CheckpointId, Error> {
    base.put_copy().await
}

/// Ends the superstep: the output of finished tasks counts, the others have nothing to say.
async fn clear_tasks(mut base: Base<'_>) -> Result<CheckpointId, Error> {
    let tasks = base.planned()?;
    let mut updated = base.apply_input_writes()?;
    let plan = base.seat.graph.core.plan.clone();
    let output = |id: &TaskId| {
        let pending = base.saved.iter().flat_map(|saved| task_output(&saved.pending, id));
        pending.map(|write| write.copy(())).collect()
    };
    let over: Vec<_> =
        tasks.iter().map(|task| TaskWrites::of_task(&plan, task, output(&task.id))).collect();
    if !over.is_empty() {
        updated.extend(base.apply(over)?);
    }
    base.put(Source::Update, base.step + 1, &updated).await
}

/// Applies an input, as a run would.
async fn write_input(mut base: Base<'_>, update: GraphInput) -> Result<CheckpointId, Error> {
    let core = base.seat.graph.core.clone();
    let mut writes = match core.engine_input(update)? {
        pregel::RunInput::Writes(writes) => writes,
        _ => return Err(invalid(format!("Received no input writes for {START}"))),
    };
    core.plan.admit((), &mut writes)?;
    let task = TaskId::for_input(base.state.checkpoint_id());
    base.store_writes(&task, String::new(), &writes).await?;
    base.sealed.extend(pregel::overwritten((), &core.plan, &writes));
    let updated = base.apply(vec![TaskWrites::of_input(writes)])?;
    let step = if base.saved.is_some() { base.step + 1 } else { -1 };
    base.put(Source::Input, step, &updated).await
}

/// What an update as a node amounts to.
struct Made {
    node: NodeIndex,
    task: TaskId,
    writes: Vec<Write<Native>>,
}

/// Applies what nodes would write if they had returned the updates, and where they lead.
async fn write_as_nodes(
    mut base: Base<'_>,
    updates: Vec<StateUpdate>,
) -> Result<CheckpointId, Error> {
    let core = base.seat.graph.core.clone();
    let made = made(&mut base, updates)?;
    for one in &made {
        base.sealed.extend(pregel::overwritten((), &core.plan, &one.writes));
    }
    for (position, one) in made.iter().enumerate() {
        base.store_writes(&one.task, path(position), &one.writes).await?;
    }
    let targets = made.iter().flat_map(|one| &one.writes).filter_map(|write| match write.target {
        Target::Channel(index) => Some(index),
        _ => None,
    });
    let updated: BTreeSet<ChannelIndex> = targets.collect();
    let applied = made.iter().map(|one| TaskWrites {
        reader: Reader::Node(one.node),
        path: TaskPath::Input,
        triggers: Vec::new(),
        writes: one.writes.iter().map(|write| write.copy(())).collect(),
    });
    base.apply(applied.collect())?;
    let stored = base.put(Source::Update, base.step + 1, &updated).await?;
    for one in made {
        let packets =
            one.writes.into_iter().filter(|write| matches!(write.target, Target::Packet(_)));
        base.put_writes(stored.clone(), &one.task, String::new(), packets.collect()).await?;
    }
    Ok(stored)
}

/// The path of an update, as savers sort by it.
fn path(position: usize) -> String {
    format!("~{}, {position:010}", names::INTERRUPT)
}

fn made(base: &mut Base<'_>, updates: Vec<StateUpdate>) -> Result<Vec<Made>, Error> {
    let core = base.seat.graph.core.clone();
    let is_alone = updates.len() == 1;
    // With the ids of the tasks that were to run, the history shows the updates as their results.
    let mut free = base.planned()?;
    let mut made = Vec::with_capacity(updates.len());
    for (position, StateUpdate { update, as_node, task }) in updates.into_iter().enumerate() {
        let name = match as_node {
            Some(name) => name,
            None if is_alone => last_node(base)?,
            None => return Err(several()),
        };
        let found = core.plan.node_named(&name);
        let node = found.ok_or_else(|| core.unknown_node(&name))?;
        let mut command = match update {
            GraphInput::Nothing => Command::new(),
            GraphInput::Update(update) => update.into(),
            GraphInput::Command(command) => command,
        };
        let program = &core.programs[node.get()];
        let mut writes = core.writes(program, &mut command, &base.state)?;
        core.plan.admit((), &mut writes)?;
        let waiting = free.iter().position(|task| task.name == name);
        let task = match (task, waiting) {
            (Some(task), _) => task,
            (None, Some(at)) => free.remove(at).id,
            (None, None) => TaskId::for_update(base.state.checkpoint_id(), position),
        };
        made.push(Made { node, task, writes });
    }
    Ok(made)
}

/// The node that ran last, if it is one alone; [`START`] before any has.
fn last_node(base: &Base<'_>) -> Result<Arc<str>, Error> {
    let seen = match &base.saved {
        Some(saved) => versions_read(&saved.tuple.checkpoint.versions_seen),
        None => Vec::new(),
    };
    let read = |versions: &[Version]| versions.iter().any(|version| version.newer_than(None));
    if !seen.iter().any(|(_, versions)| read(versions)) {
        return Ok(START.into());
    }
    let plan = &base.seat.graph.core.plan;
    let known = seen.iter().filter(|(node, _)| plan.node_named(node).is_some());
    let mut latest: Option<(&Version, &Arc<str>)> = None;
    let mut is_ambiguous = true;
    for (node, versions) in known {
        for version in versions {
            match latest {
                Some((newest, _)) if newest == version => is_ambiguous = true,
                Some((newest, _)) if !version.newer_than(Some(newest)) => {}
                _ => (latest, is_ambiguous) = (Some((version, node)), false),
            }
        }
    }
    match latest {
        Some((_, node)) if !is_ambiguous => Ok(node.clone()),
        _ => Err(invalid("Ambiguous update, specify as_node: the node that is to have written it")),
    }
}
