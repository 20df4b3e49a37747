//! Rows as checkpoints.

use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, TaskId};
use langgraph_rust_runtime::saver::wire::{checkpoint_from_json, decode, metadata_from_json};
use langgraph_rust_runtime::saver::{CheckpointTuple, Place, StoredWrite};
use langgraph_rust_runtime::{Error, Value};
use tokio_postgres::types::FromSql;
use tokio_postgres::Row;

use crate::error::failed;

/// Newest first; threads that are copies of each other have checkpoints of the same id.
pub(crate) const ORDER: &str = " ORDER BY checkpoint_id DESC, thread_id, checkpoint_ns";

/// Checkpoints with their values and pending writes, which are looked for once it is known which
/// checkpoints: those that `conditions` find.
pub(crate) fn select(conditions: &str) -> String {
    format!("{COLUMNS} FROM (SELECT * FROM checkpoints {conditions}) AS c {BESIDE} {ORDER}")
}

// Those of old releases have no values in them.
const COLUMNS: &str = "
    SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata::text AS metadata,
        ('{\"channel_values\": {}}'::jsonb || checkpoint)::text AS checkpoint,
        held.channels AS held_channels, held.kinds AS held_kinds, held.blobs AS held_blobs,
        pending.tasks, pending.paths, pending.places, pending.channels, pending.kinds, pending.blobs
";

const BESIDE: &str = "
    CROSS JOIN LATERAL (
        SELECT array_agg(b.channel) AS channels, array_agg(b.type) AS kinds,
            array_agg(b.blob) AS blobs
        FROM jsonb_each_text(c.checkpoint -> 'channel_versions') AS v (channel, version)
        JOIN checkpoint_blobs b ON b.thread_id = c.thread_id AND b.checkpoint_ns = c.checkpoint_ns
            AND b.channel = v.channel AND b.version = v.version
        WHERE b.type <> 'empty'
    ) AS held
    CROSS JOIN LATERAL (
        SELECT array_agg(task_id) AS tasks, array_agg(task_path) AS paths, array_agg(idx) AS places,
            array_agg(channel) AS channels, array_agg(type) AS kinds, array_agg(blob) AS blobs
        FROM checkpoint_writes w
        WHERE w.thread_id = c.thread_id AND w.checkpoint_ns = c.checkpoint_ns
            AND w.checkpoint_id = c.checkpoint_id
    ) AS pending
";

/// A column of a row.
pub(crate) fn column<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, Error> {
    row.try_get(name).map_err(|error| failed(crate::SAVER, error))
}

/// The elements of an array that was aggregated from rows, of which there may have been none.
pub(crate) fn elements<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<Vec<T>, Error> {
    Ok(column::<Option<Vec<T>>>(row, name)?.unwrap_or_default())
}

/// A checkpoint that [`select`] gives.
///
/// # Errors
///
/// Something cannot be read; the error says of which checkpoint.
pub(crate) fn tuple(row: &Row) -> Result<(Place, CheckpointTuple), Error> {
    let place = Place {
        thread: column::<&str>(row, "thread_id")?.into(),
        namespace: column::<&str>(row, "checkpoint_ns")?.into(),
    };
    let id: &str = column(row, "checkpoint_id")?;
    let tuple = read(row).map_err(|error| {
        let Place { thread, namespace } = &place;
        let text =
            format!("checkpoint {id} of thread '{thread}', namespace '{namespace}': {error}");
        Error::Unfit(text)
    })?;
    Ok((place, tuple))
}

fn read(row: &Row) -> Result<CheckpointTuple, Error> {
    let mut checkpoint = checkpoint_from_json(column(row, "checkpoint")?)?;
    let channels = elements::<&str>(row, "held_channels")?.into_iter();
    let kinds = elements::<&str>(row, "held_kinds")?;
    let blobs = elements::<Option<&[u8]>>(row, "held_blobs")?;
    for ((channel, kind), blob) in channels.zip(kinds).zip(blobs) {
        let value = stored_value(channel, Some(kind), blob)?;
        let values = &mut checkpoint.channel_values;
        // A snapshot is marked in the checkpoint.
        match values.iter_mut().find(|(name, _)| **name == *channel) {
            Some((_, marked)) => *marked = value,
            None => values.push((channel.into(), value)),
        }
    }
    let parent: Option<&str> = column(row, "parent_checkpoint_id")?;
    Ok(CheckpointTuple {
        checkpoint,
        metadata: metadata_from_json(column::<&str>(row, "metadata")?.as_bytes())?,
        parent: parent.filter(|parent| !parent.is_empty()).map(CheckpointId::from_text),
        pending: pending(row)?,
    })
}

fn pending(row: &Row) -> Result<Vec<StoredWrite>, Error> {
    let all = writes(row)?;
    let stored = all.into_iter().map(|write| {
        Ok(StoredWrite {
            task: TaskId::from_text(write.task),
            channel: write.channel.into(),
            value: write.value()?,
        })
    });
    stored.collect()
}

/// A row of `checkpoint_writes`, not decoded.
pub(crate) struct Written<'r> {
    pub(crate) channel: &'r str,
    path: &'r str,
    task: &'r str,
    place: i32,
    kind: Option<&'r str>,
    blob: &'r [u8],
}

impl Written<'_> {
    pub(crate) fn value(&self) -> Result<Value, Error> {
        stored_value(self.channel, self.kind, Some(self.blob))
    }
}

/// The writes of a row, in the order in which they apply.
pub(crate) fn writes(row: &Row) -> Result<Vec<Written<'_>>, Error> {
    let tasks = elements::<&str>(row, "tasks")?.into_iter();
    let tasks = tasks.zip(elements::<&str>(row, "paths")?).zip(elements::<i32>(row, "places")?);
    let channels = elements::<&str>(row, "channels")?.into_iter();
    let values = elements::<Option<&str>>(row, "kinds")?.into_iter();
    let values = values.zip(elements::<&[u8]>(row, "blobs")?);
    let mut all: Vec<_> = tasks
        .zip(channels.zip(values))
        .map(|(((task, path), place), (channel, (kind, blob)))| Written {
            channel,
            path,
            task,
            place,
            kind,
            blob,
        })
        .collect();
    // Not in the database, whose order of texts depends on its language.
    all.sort_by(|a, b| (a.path, a.task, a.place).cmp(&(b.path, b.task, b.place)));
    Ok(all)
}

/// A stored value of a channel.
pub(crate) fn stored_value(
    channel: &str,
    kind: Option<&str>,
    blob: Option<&[u8]>,
) -> Result<Value, Error> {
    let value = decode(kind.unwrap_or("msgpack"), blob.unwrap_or_default());
    value.map_err(|error| Error::Unfit(format!("the value of '{channel}': {error}")))
}

/// A thread's or a channel's name in several places.
pub(crate) fn name(text: &str) -> Arc<str> {
    text.into()
}
