//! A thread's checkpoint as the engine takes it.

use std::sync::Arc;

use langgraph_rust_core::CheckpointId;
use langgraph_rust_pregel::Loaded;

use super::migrate;
use crate::graph::Core;
use crate::saver::{self, CheckpointTuple, Place, Saver};
use crate::{Error, Native};

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
    let migrated = migrate::migrate(core, saver, place, &mut found).await?;
    let id = found.checkpoint.id.clone();
    let (is_addressed, newest) = (addressed.is_some(), addressed.flatten());
    let specs = core.layout.specs();
    let mut loaded = saver::loaded(&core.plan, specs, found, is_addressed, newest.as_ref())?;
    migrate::mark(core, &mut loaded, &migrated);
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
