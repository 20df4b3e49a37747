//! Threads that were stored for an older version of the state.

use std::sync::Arc;

use langgraph_rust_channels::{History, Saved};
use langgraph_rust_checkpoint::SinceSnapshot;
use langgraph_rust_pregel::Loaded;

use crate::graph::Core;
use crate::saver::{self, CheckpointTuple, Place, Saver};
use crate::{state, Error, Field, FieldSpec, Map, Native, TaskInput, Update, Value};

/// Under which name the version of the state is stored with a checkpoint.
pub(crate) const STATE_VERSION: &str = "langgraph_rust_state_version";

/// Brings a checkpoint that was stored for an older version of the state to the graph's; returns the
/// fields that it has new values for.
pub(super) async fn migrate(
    core: &Core,
    saver: &dyn Saver,
    place: &Place,
    found: &mut CheckpointTuple,
) -> Result<Vec<Arc<str>>, Error> {
    let stored = found.metadata.extra.get(STATE_VERSION).and_then(|number| number.int().ok());
    let stored = u32::try_from(stored.unwrap_or(1)).unwrap_or_default();
    if stored == core.version.number {
        return Ok(Vec::new());
    }
    let fields = (core.version.fields_of)(stored);
    check_pending(core, &fields, found)?;
    let held = held(core, saver, place, &fields, found).await?;
    let update = (core.version.migrate)(stored, &TaskInput::sent(Value::from(held)))?;
    Ok(replace(core, update, found))
}

/// What the fields of an older version held.
async fn held(
    core: &Core,
    saver: &dyn Saver,
    place: &Place,
    fields: &[FieldSpec],
    found: &CheckpointTuple,
) -> Result<Map, Error> {
    let checkpoint = &found.checkpoint;
    let whole = checkpoint.channel_values.iter().map(|(name, value)| match value {
        Value::Snapshot(value) => (name.clone(), (**value).clone()),
        value => (name.clone(), value.clone()),
    });
    let mut held: Map = whole.collect();
    let is_missing = |spec: &&FieldSpec| {
        let was_written = checkpoint.channel_versions.iter().any(|(name, _)| *name == spec.name);
        let folds = matches!(spec.field, Field::Reduce(_) | Field::Delta(..));
        folds && was_written && !held.contains_key(&spec.name)
    };
    let missing: Vec<&FieldSpec> = fields.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(held);
    }
    let names: Vec<Arc<str>> = missing.iter().map(|spec| spec.name.clone()).collect();
    let histories = saver.delta_history(place, &checkpoint.id, &names).await?;
    for (spec, history) in missing.into_iter().zip(histories) {
        let pattern = spec.field.pattern(&spec.name);
        let saved = saver::history(&core.plan, Some(spec), &pattern, history)?;
        let channel = pattern.restore((), &spec.name, Some(saved))?;
        held.insert(spec.name.clone(), state::read(&channel));
    }
    Ok(held)
}

/// What a finished task wrote to a field that is no more would be lost.
fn check_pending(core: &Core, fields: &[FieldSpec], found: &CheckpointTuple) -> Result<(), Error> {
    let is_lost = |name: &Arc<str>| {
        fields.iter().any(|spec| spec.name == *name) && core.layout.position(name).is_none()
    };
    match found.pending.iter().find(|write| is_lost(&write.channel)) {
        None => Ok(()),
        Some(write) => Err(Error::message(
            "a task that is over has written it, and others of its superstep are not over; the \
             graph's version of the state does not have it: go on with the older program until the \
             superstep is over",
        )
        .in_field(&write.channel)),
    }
}

/// Puts the values of `update` in place of those that are stored.
fn replace(core: &Core, update: Update, found: &mut CheckpointTuple) -> Vec<Arc<str>> {
    let values = &mut found.checkpoint.channel_values;
    let mut migrated = Vec::with_capacity(update.writes.len());
    for (name, value) in update.writes {
        let Some(position) = core.layout.position(&name) else { continue };
        let spec = core.layout.spec(position);
        let known = values.iter_mut().find(|(held, _)| *held == spec.name);
        match (&spec.field, known) {
            // What is not kept is not there to be migrated.
            (Field::Untracked, _) | (Field::Ephemeral, None) => continue,
            (_, Some((_, held))) => *held = value,
            (_, None) => values.push((spec.name.clone(), value)),
        }
        migrated.push(spec.name.clone());
    }
    // A field that is stored as changes counts as written once it has a version.
    for name in &migrated {
        let versions = &mut found.checkpoint.channel_versions;
        if versions.iter().all(|(known, _)| known != name) {
            // Whichever: it gets one of its own when it is stored.
            let some = versions.first().map(|(_, version)| version.clone());
            versions.extend(some.map(|version| (name.clone(), version)));
        }
    }
    migrated
}

/// Has the engine store the values of these fields with the next checkpoint: what is stored of them is
/// of an older version.
pub(super) fn mark(core: &Core, loaded: &mut Loaded<Native>, migrated: &[Arc<str>]) {
    if migrated.is_empty() {
        return;
    }
    for (name, saved) in &mut loaded.checkpoint.channel_values {
        if migrated.contains(name) {
            let seed = std::mem::replace(saved, Saved::Value(Value::Null));
            *saved = Saved::History(Box::new(History { seed: Some(seed), writes: Vec::new() }));
        }
    }
    let is_delta = |name: &&Arc<str>| {
        let found = core.plan.channel_named(name);
        found.is_some_and(|index| core.plan.deltas().contains(&index))
    };
    loaded.since_snapshot.retain(|(name, _)| !migrated.contains(name));
    for name in migrated.iter().filter(is_delta) {
        let long_ago = SinceSnapshot { updates: u64::MAX / 2, supersteps: u64::MAX / 2 };
        loaded.since_snapshot.push((name.clone(), long_ago));
    }
}
