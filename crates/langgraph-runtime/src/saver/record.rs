//! What the engine stores and what savers are given, both ways.
//!
//! The stored forms of channels carry no tag: the kind of the channel tells how to read one. They are
//! those of `docs/contributing/checkpoint-format.md`.

use std::sync::Arc;

use langgraph_rust_channels::{Channel, History, Saved};
use langgraph_rust_checkpoint::wire::{Record, StoredValue};
use langgraph_rust_checkpoint::{self as engine};
use langgraph_rust_core::{names, CheckpointId, PacketTarget, Target, Write};
use langgraph_rust_pregel::{CheckpointToStore, Loaded, Plan, WritesToStore};

use super::{
    CheckpointMetadata, CheckpointTuple, DeltaHistory, PutCheckpoint, PutWrites, StoredCheckpoint,
    StoredWrite,
};
use crate::{Error, FieldSpec, Native, Value};

/// What a saver is given of a checkpoint that the engine wants stored.
pub fn from_engine(plan: &Plan<Native>, put: CheckpointToStore<Native>) -> PutCheckpoint {
    PutCheckpoint {
        metadata: CheckpointMetadata {
            source: (!put.is_stub).then_some(put.metadata.source),
            step: put.metadata.step,
            since_snapshot: put.metadata.since_snapshot,
            ..CheckpointMetadata::default()
        },
        parent: put.parent,
        new_versions: put.new_versions,
        writes: put.writes.into_iter().map(|writes| task_writes(plan, writes)).collect(),
        checkpoint: checkpoint_form(plan, put.checkpoint),
    }
}

/// A checkpoint as savers keep it.
pub(crate) fn checkpoint_form(
    plan: &Plan<Native>,
    checkpoint: engine::Checkpoint<Native>,
) -> StoredCheckpoint {
    let values = checkpoint
        .channel_values
        .into_iter()
        .filter_map(|(name, saved)| Some((name, stored_form(plan, saved)?)));
    StoredCheckpoint {
        id: checkpoint.id,
        ts: checkpoint.ts,
        task_ids: checkpoint.task_ids,
        channel_values: values.collect(),
        channel_versions: checkpoint.channel_versions,
        versions_seen: checkpoint.versions_seen,
        updated_channels: checkpoint.updated_channels,
    }
}

/// What a saver is given of a task's writes.
pub fn task_writes(plan: &Plan<Native>, put: WritesToStore<Native>) -> PutWrites {
    PutWrites {
        checkpoint: put.checkpoint,
        task: put.task,
        path: put.path.as_ref().map(|path| path.text().into()).unwrap_or_default(),
        writes: write_forms(plan, put.writes),
    }
}

/// Writes as savers keep them: without those to fields that are never stored.
pub(crate) fn write_forms(
    plan: &Plan<Native>,
    writes: Vec<Write<Native>>,
) -> Vec<(Arc<str>, Value)> {
    let is_kept = |write: &Write<Native>| match &write.target {
        Target::Channel(index) => !matches!(plan.channel(*index).pattern, Channel::Untracked(_)),
        _ => true,
    };
    writes.into_iter().filter(is_kept).map(|write| write_form(plan, write)).collect()
}

/// A write as it is kept: the channel's name, and the value.
pub(crate) fn write_form(plan: &Plan<Native>, write: Write<Native>) -> (Arc<str>, Value) {
    let name = Arc::from(plan.target_name(&write.target));
    let value = match &write.target {
        Target::Packet(target) => packet_form(plan, target, write.value),
        _ => write.value,
    };
    (name, value)
}

/// What a run starts from: `found`, with the histories of the channels that the plan
/// [`needs_history`](Plan::needs_history) of.
///
/// # Errors
///
/// [`Error::Field`] if what is stored of a field is of another type than the field.
pub fn loaded(
    plan: &Plan<Native>,
    specs: &[FieldSpec],
    found: CheckpointTuple,
    addressed: bool,
    newest: Option<&CheckpointId>,
) -> Result<Loaded<Native>, Error> {
    let CheckpointTuple { checkpoint, metadata, parent, pending } = found;
    let read = |name: &Arc<str>, value: Value| read_field(plan, specs, name, value);
    let mut channel_values = Vec::with_capacity(checkpoint.channel_values.len());
    for (name, value) in checkpoint.channel_values {
        let Some(index) = plan.channel_named(&name) else { continue };
        let saved = saved_form(plan, &plan.channel(index).pattern, value);
        channel_values.push((name.clone(), read_saved(saved, |value| read(&name, value))?));
    }
    let pending = pending.into_iter().map(|write| {
        let StoredWrite { task, channel, value } = write;
        let value = read(&channel, value)?;
        Ok(engine::PendingWrite { task, write: pending_write(plan, &channel, value) })
    });
    let superseded = newest.is_some_and(|newest| *newest != checkpoint.id);
    Ok(Loaded {
        pending: pending.collect::<Result<_, Error>>()?,
        checkpoint: engine::Checkpoint {
            id: checkpoint.id,
            ts: checkpoint.ts,
            task_ids: checkpoint.task_ids,
            channel_values,
            channel_versions: checkpoint.channel_versions,
            versions_seen: checkpoint.versions_seen,
            updated_channels: checkpoint.updated_channels,
        },
        source: metadata.source,
        step: metadata.step,
        since_snapshot: metadata.since_snapshot,
        addressed,
        superseded,
        parent,
        stored: true,
    })
}

/// A history as the engine takes it.
pub(crate) fn history(
    plan: &Plan<Native>,
    spec: Option<&FieldSpec>,
    pattern: &Channel<Native>,
    found: DeltaHistory,
) -> Result<Saved<Native>, Error> {
    let read = |value: Value| spec.map_or(Ok(value.clone()), |spec| spec.read(value));
    let seed = found.seed.map(|seed| read_saved(saved_form(plan, pattern, seed), read));
    let writes = found.writes.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Saved::History(Box::new(History { seed: seed.transpose()?, writes })))
}

/// A stored write as the engine takes it.
pub fn pending_write(plan: &Plan<Native>, channel: &str, value: Value) -> Write<Native> {
    if channel == names::TASKS {
        let (target, value) = packet(plan, value);
        return Write::packet(target, value);
    }
    Write { target: plan.target(channel), value }
}

fn read_field(
    plan: &Plan<Native>,
    specs: &[FieldSpec],
    name: &Arc<str>,
    value: Value,
) -> Result<Value, Error> {
    let position = plan.channel_named(name).map(|index| index.get());
    match position.and_then(|position| specs.get(position)) {
        Some(spec) => spec.read(value),
        None => Ok(value),
    }
}

fn read_saved(
    saved: Saved<Native>,
    read: impl Fn(Value) -> Result<Value, Error>,
) -> Result<Saved<Native>, Error> {
    Ok(match saved {
        Saved::Value(value) => Saved::Value(read(value)?),
        Saved::Snapshot(value) => Saved::Snapshot(read(value)?),
        Saved::Released(value, finished) => Saved::Released(read(value)?, finished),
        other => other,
    })
}

/// What storage keeps of a channel, as a value; `None` for what is only ever read.
fn stored_form(plan: &Plan<Native>, saved: Saved<Native>) -> Option<Value> {
    Some(match saved {
        Saved::Value(value) => value,
        Saved::Released(value, finished) => Value::list([value, finished.into()]),
        Saved::Names(names) => set(names),
        Saved::ReleasedNames(names, finished) => Value::list([set(names), finished.into()]),
        Saved::Items(items) => Value::list(items),
        Saved::Packets(packets) => {
            let packet = |(target, value)| packet_form(plan, &target, value);
            Value::list(packets.into_iter().map(packet))
        }
        Saved::Snapshot(value) => Value::Snapshot(Arc::new(value)),
        Saved::History(_) => return None,
    })
}

/// What was stored of a channel like `pattern`.
fn saved_form(plan: &Plan<Native>, pattern: &Channel<Native>, value: Value) -> Saved<Native> {
    match pattern {
        Channel::LastValueAfterFinish(_) => {
            let (value, finished) = pair(&value);
            Saved::Released(value, finished)
        }
        Channel::Barrier(_) => Saved::Names(names_of(&value)),
        Channel::BarrierAfterFinish(_) => {
            let (seen, finished) = pair(&value);
            Saved::ReleasedNames(names_of(&seen), finished)
        }
        Channel::Topic(_) => Saved::Items(value.items().unwrap_or_default().to_vec()),
        Channel::Tasks(_) => {
            let packets = value.items().unwrap_or_default().iter().cloned();
            Saved::Packets(packets.map(|value| packet(plan, value)).collect())
        }
        Channel::Aggregate(_) | Channel::Delta(_) => match value {
            Value::Snapshot(inner) => Saved::Snapshot((*inner).clone()),
            value => Saved::Value(value),
        },
        _ => Saved::Value(value),
    }
}

fn pair(value: &Value) -> (Value, bool) {
    let parts = value.items().unwrap_or_default();
    let first = parts.first().cloned().unwrap_or_default();
    (first, parts.get(1).is_some_and(|finished| finished.bool().unwrap_or(false)))
}

/// A set of names, as Python's.
fn set(names: Vec<String>) -> Value {
    let names = StoredValue::List(names.into_iter().map(StoredValue::Text).collect());
    let record = Record::named(0, "builtins", "set", names);
    Value::Stored(Arc::new(StoredValue::Record(Box::new(record))))
}

fn names_of(value: &Value) -> Vec<String> {
    let list = match value {
        Value::Stored(stored) => match &**stored {
            StoredValue::Record(record) => Value::from(record.content()),
            _ => Value::Null,
        },
        other => other.clone(),
    };
    let names = list.items().unwrap_or_default().iter();
    names.filter_map(|name| name.text().ok().map(String::from)).collect()
}

/// A packet as `Send` is stored: where to, and what.
fn packet_form(plan: &Plan<Native>, target: &PacketTarget, value: Value) -> Value {
    let node: Arc<str> = match target {
        PacketTarget::Node(index) => plan.node(*index).name.clone(),
        PacketTarget::Unknown(name) => name.clone(),
        PacketTarget::Malformed => return value,
    };
    Value::Send(Arc::new((node, value)))
}

fn packet(plan: &Plan<Native>, value: Value) -> (PacketTarget, Value) {
    match value {
        Value::Send(send) => (plan.packet_target(&send.0), send.1.clone()),
        other => (PacketTarget::Malformed, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saver::wire::encode;

    #[test]
    fn names_are_stored_as_pythons_set_and_come_back() {
        let stored = set(vec!["n1".to_owned(), "n2".to_owned()]);
        let python = b"\xc7\x15\x00\x93\xa8builtins\xa3set\x92\xa2n1\xa2n2";
        assert_eq!(encode(&stored).unwrap().bytes, python);
        assert_eq!(names_of(&stored), ["n1", "n2"]);
        assert_eq!(
            encode(&set(Vec::new())).unwrap().bytes,
            b"\xc7\x0f\x00\x93\xa8builtins\xa3set\x90"
        );
    }
}
