//! Reading, in the thread that has the connection.

use std::collections::BTreeSet;
use std::sync::Arc;

use langgraph_rust_core::CheckpointId;
use langgraph_rust_runtime::saver::{wire, DeltaHistory, ListQuery, Place};
use langgraph_rust_runtime::{Error, Value};
use rusqlite::{params, params_from_iter, Connection, OptionalExtension};

use crate::rows::{blob, parent, Found, FoundValue, FoundWrite};
use crate::{failed, Unreadable};

/// The columns of a checkpoint, as [`Found::read`] takes them.
const COLUMNS: &str =
    "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata";

/// The checkpoint with the given id, or the newest, with the writes on it.
pub fn find(
    connection: &Connection,
    place: &Place,
    id: Option<&CheckpointId>,
) -> Result<Option<Found>, Error> {
    let read = || {
        let found = row(connection, place, id)?;
        found.map(|found| with_writes(connection, found)).transpose()
    };
    read().map_err(failed)
}

fn row(
    connection: &Connection,
    place: &Place,
    id: Option<&CheckpointId>,
) -> rusqlite::Result<Option<Found>> {
    let (thread, namespace) = (&*place.thread, &*place.namespace);
    let of = format!("SELECT {COLUMNS} FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ?");
    match id {
        Some(id) => connection
            .prepare_cached(&format!("{of} AND checkpoint_id = ?"))?
            .query_row(params![thread, namespace, id.as_str()], Found::read),
        None => connection
            .prepare_cached(&format!("{of} ORDER BY checkpoint_id DESC LIMIT 1"))?
            .query_row(params![thread, namespace], Found::read),
    }
    .optional()
}

fn with_writes(connection: &Connection, mut found: Found) -> rusqlite::Result<Found> {
    let mut select = connection.prepare_cached(
        "SELECT task_id, channel, type, value FROM writes \
         WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ? \
         ORDER BY task_path, task_id, idx",
    )?;
    let place = params![&*found.place.thread, &*found.place.namespace, found.id];
    let writes = select.query_map(place, |row| {
        let value = FoundValue::read(row, 2)?;
        Ok(FoundWrite { task: row.get(0)?, channel: row.get(1)?, value })
    })?;
    found.writes = writes.collect::<rusqlite::Result<_>>()?;
    Ok(found)
}

/// The checkpoints that are asked for, newest first, with the writes on them.
pub fn list(connection: &Connection, query: &ListQuery) -> Result<Vec<Found>, Error> {
    let texts = [
        ("thread_id =", query.thread.as_deref()),
        ("checkpoint_ns =", query.namespace.as_deref()),
        ("checkpoint_id <", query.before.as_ref().map(CheckpointId::as_str)),
    ];
    let given = texts.iter().filter_map(|(condition, text)| Some((condition, (*text)?)));
    let (conditions, values): (Vec<_>, Vec<_>) =
        given.map(|(condition, text)| (format!("{condition} ?"), text)).unzip();
    let limit = query.limit.unwrap_or(usize::MAX);
    let mut select = format!("SELECT {COLUMNS} FROM checkpoints");
    if !conditions.is_empty() {
        select = format!("{select} WHERE {}", conditions.join(" AND "));
    }
    select += " ORDER BY checkpoint_id DESC, thread_id, checkpoint_ns";
    let mut select = connection.prepare_cached(&select).map_err(failed)?;
    let mut rows = select.query(params_from_iter(values)).map_err(failed)?;
    let mut listed = Vec::new();
    // Metadata are compared here: an object's entries have no order, which SQL does not know.
    while listed.len() < limit {
        let Some(row) = rows.next().map_err(failed)? else { break };
        if !query.filter.is_empty() {
            let metadata = blob(row, 6).map_err(failed)?;
            let metadata = wire::metadata_from_json(metadata.as_deref().unwrap_or(b"{}"));
            // Who looks for something does not mind what somebody else could not store well.
            if !metadata.is_ok_and(|metadata| query.fits(&metadata)) {
                continue;
            }
        }
        let found = Found::read(row).and_then(|found| with_writes(connection, found));
        listed.push(found.map_err(failed)?);
    }
    Ok(listed)
}

/// How channels came to their values; see [`Saver::delta_history`](langgraph_rust_runtime::saver::Saver).
pub fn histories(
    connection: &Connection,
    place: &Place,
    id: &CheckpointId,
    channels: &[Arc<str>],
) -> Result<Vec<DeltaHistory>, Error> {
    let mut found: Vec<DeltaHistory> = vec![DeltaHistory::default(); channels.len()];
    // By channel, the newest first.
    let mut batches: Vec<Vec<Vec<Value>>> = vec![Vec::new(); channels.len()];
    let mut open: Vec<usize> = (0..channels.len()).collect();
    // A checkpoint that was stored again under one of its descendants is its own ancestor.
    let mut seen = BTreeSet::from([id.as_str().to_owned()]);
    let mut at = match open.is_empty() {
        true => None,
        false => parent_of(connection, place, id).map_err(failed)?,
    };
    while let Some(ancestor) = at.take().filter(|id| seen.insert(id.as_str().to_owned())) {
        let stored = row(connection, place, Some(&ancestor)).map_err(failed)?;
        let Some(stored) = stored else { break };
        let unreadable = |error| Unreadable::at(place, ancestor.as_str(), error);
        for index in &open {
            let writes = writes_to(connection, place, &ancestor, &channels[*index]);
            let values = writes.map_err(failed)?.into_iter().map(|value| value.decode());
            batches[*index].push(values.collect::<Result<_, _>>().map_err(unreadable)?);
        }
        let checkpoint = wire::decode_checkpoint(&stored.kind, &stored.checkpoint);
        for (name, value) in checkpoint.map_err(unreadable)?.channel_values {
            if let Some(position) = open.iter().position(|index| channels[*index] == name) {
                found[open.swap_remove(position)].seed = Some(value);
            }
        }
        if !open.is_empty() {
            at = stored.parent.as_deref().and_then(parent);
        }
    }
    for (history, batches) in found.iter_mut().zip(batches) {
        history.writes = batches.into_iter().rev().flatten().collect();
    }
    Ok(found)
}

fn parent_of(
    connection: &Connection,
    place: &Place,
    id: &CheckpointId,
) -> rusqlite::Result<Option<CheckpointId>> {
    let mut select = connection.prepare_cached(
        "SELECT parent_checkpoint_id FROM checkpoints \
         WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
    )?;
    let key = params![&*place.thread, &*place.namespace, id.as_str()];
    let found: Option<Option<String>> = select.query_row(key, |row| row.get(0)).optional()?;
    Ok(found.flatten().as_deref().and_then(parent))
}

/// The writes to a channel on a checkpoint, in the order in which they apply.
fn writes_to(
    connection: &Connection,
    place: &Place,
    id: &CheckpointId,
    channel: &str,
) -> rusqlite::Result<Vec<FoundValue>> {
    let mut select = connection.prepare_cached(
        "SELECT type, value FROM writes \
         WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ? AND channel = ? \
         ORDER BY task_path, task_id, idx",
    )?;
    let key = params![&*place.thread, &*place.namespace, id.as_str(), channel];
    let found = select.query_map(key, |row| FoundValue::read(row, 0))?.collect();
    found
}
