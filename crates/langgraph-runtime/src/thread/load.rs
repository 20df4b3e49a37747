//! A thread's checkpoint as the engine takes it.

use std::sync::Arc;

use langgraph_rust_core::CheckpointId;
use langgraph_rust_pregel::Loaded;

use crate::graph::Core;
use crate::saver::{self, CheckpointTuple, Place, Saver};
use crate::{Error, Map, Native, TaskInput, Value};

/// Under which name the version of the state is stored with a checkpoint.
pub(crate) const STATE_VERSION: &str = "langgraph_rust_state_version";

/// What a run at `place` starts from: the checkpoint with the given id, or the newest.
pub(crate) async fn load(
    core: &Core,
    saver: &dyn Saver,
    place: &Place,
    id: Option<&CheckpointId>,
) -> Result<Option<Loaded<Native>>, Error> {
    let Some(found) = saver.get(place, id).await? else {
        return match id {
            None => Ok(None),
            Some(id) => Err(Error::UnknownCheckpoint {
                thread: place.thread.clone(),
                checkpoint: id.as_str().into(),
            }),
        };
    };
    let newest = match id {
        None => None,
        Some(_) => saver.get(place, None).await?.map(|newest| newest.checkpoint.id),
    };
    let addressed = id.is_some().then_some(newest);
    engine_form(core, saver, place, found, addressed).await.map(Some)
}

/// A stored checkpoint, with the histories of the fields whose values it does not hold. `addressed`:
/// whether it was asked for, and then the newest of its thread.
pub(crate) async fn engine_form(
    core: &Core,
    saver: &dyn Saver,
    place: &Place,
    mut found: CheckpointTuple,
    addressed: Option<Option<CheckpointId>>,
) -> Result<Loaded<Native>, Error> {
    migrate(core, &mut found)?;
    let id = found.checkpoint.id.clone();
    let (is_addressed, newest) = (addressed.is_some(), addressed.flatten());
    let specs = core.layout.specs();
    let mut loaded = saver::loaded(&core.plan, specs, found, is_addressed, newest.as_ref())?;
    let needy = core.plan.needs_history(&loaded.checkpoint);
    if needy.is_empty() {
        return Ok(loaded);
    }
    let names: Vec<Arc<str>> =
        needy.iter().map(|index| core.plan.channel(*index).name.clone()).collect();
    let histories = saver.delta_history(place, &id, &names).await?;
    for ((index, name), history) in needy.into_iter().zip(names).zip(histories) {
        let pattern = &core.plan.channel(index).pattern;
        let saved = saver::history(&core.plan, specs.get(index.get()), pattern, history)?;
        loaded.checkpoint.channel_values.push((name, saved));
    }
    Ok(loaded)
}

/// Brings a thread that an older version of the state was stored for to the newest.
fn migrate(core: &Core, found: &mut CheckpointTuple) -> Result<(), Error> {
    if core.version.number == 1 {
        return Ok(());
    }
    let stored = found.metadata.extra.get(STATE_VERSION).and_then(|number| number.int().ok());
    let stored = stored.unwrap_or(1);
    if stored == i64::from(core.version.number) {
        return Ok(());
    }
    let stored = u32::try_from(stored).unwrap_or_default();
    let values = &mut found.checkpoint.channel_values;
    let held: Map = values.iter().cloned().collect();
    let update = (core.version.migrate)(stored, &TaskInput::sent(Value::from(held)))?;
    for (name, value) in update.writes {
        let known = values.iter_mut().find(|(held, _)| **held == *name);
        match known {
            Some((_, held)) => *held = value,
            None => values.push((name.as_ref().into(), value)),
        }
    }
    Ok(())
}
