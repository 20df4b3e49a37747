//! Deleting and copying, in the thread that has the connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_core::CheckpointId;
use langgraph_rust_runtime::saver::{wire, Link, Look, Place, Pruning};
use langgraph_rust_runtime::Error;
use rusqlite::{params, Connection, OptionalExtension};

use crate::rows::{blob, parent, FoundValue};
use crate::{failed, Unreadable};

/// Deletes all rows of a thread.
pub fn delete_thread(connection: &Connection, thread: &str) -> Result<(), Error> {
    let delete = || {
        for table in ["checkpoints", "writes"] {
            let delete = format!("DELETE FROM {table} WHERE thread_id = ?");
            connection.prepare_cached(&delete)?.execute([thread])?;
        }
        Ok(())
    };
    delete().map_err(failed)
}

/// Copies all rows of a thread to another; rows that are there already stay.
pub fn copy_thread(connection: &Connection, from: &str, to: &str) -> Result<(), Error> {
    const TABLES: [(&str, &str); 2] = [
        ("checkpoints", "parent_checkpoint_id, type, checkpoint, metadata"),
        ("writes", "task_id, task_path, idx, channel, type, value"),
    ];
    let copy = || {
        for (table, columns) in TABLES {
            let columns = format!("checkpoint_ns, checkpoint_id, {columns}");
            let copy = format!(
                "INSERT OR IGNORE INTO {table} (thread_id, {columns}) \
                 SELECT ?, {columns} FROM {table} WHERE thread_id = ?"
            );
            connection.prepare_cached(&copy)?.execute([to, from])?;
        }
        Ok(())
    };
    copy().map_err(failed)
}

/// Deletes the checkpoints of a thread that its newest ones can do without, and the writes on them.
pub fn keep_latest(connection: &Connection, thread: &Arc<str>) -> Result<(), Error> {
    for (namespace, links) in links(connection, thread)? {
        let place = Place { thread: thread.clone(), namespace: namespace.into() };
        let mut pruning = Pruning::new(links);
        while let Some(asked) = pruning.asks() {
            let look = look(connection, &place, asked)?;
            pruning.answer(look);
        }
        for id in pruning.superfluous() {
            delete(connection, &place, &id).map_err(failed)?;
        }
    }
    Ok(())
}

/// A thread's checkpoints, by namespace.
fn links(connection: &Connection, thread: &Arc<str>) -> Result<BTreeMap<String, Vec<Link>>, Error> {
    let read = || {
        let mut select = connection.prepare_cached(
            "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata \
             FROM checkpoints WHERE thread_id = ?",
        )?;
        let found = select.query_map([&**thread], |row| {
            let parent_id: Option<String> = row.get(2)?;
            let id: String = row.get(1)?;
            Ok((row.get::<_, String>(0)?, id, parent_id, blob(row, 3)?))
        })?;
        found.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut links: BTreeMap<String, Vec<Link>> = BTreeMap::new();
    for (namespace, id, parent_id, metadata) in read().map_err(failed)? {
        let metadata = wire::metadata_from_json(metadata.as_deref().unwrap_or(b"{}"));
        let place = Place { thread: thread.clone(), namespace: namespace.as_str().into() };
        let metadata = metadata.map_err(|error| Unreadable::at(&place, &id, error))?;
        let parent_id = parent_id.as_deref().and_then(parent);
        let link = Link::new(CheckpointId::from_text(&id), parent_id, &metadata);
        links.entry(namespace).or_default().push(link);
    }
    Ok(links)
}

fn look(connection: &Connection, place: &Place, id: &CheckpointId) -> Result<Look, Error> {
    let read = || {
        let mut select = connection.prepare_cached(
            "SELECT type, checkpoint FROM checkpoints \
             WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
        )?;
        let key = params![&*place.thread, &*place.namespace, id.as_str()];
        select.query_row(key, |row| FoundValue::read(row, 0)).optional()
    };
    let Some(found) = read().map_err(failed)? else { return Ok(Look::default()) };
    let checkpoint = wire::decode_checkpoint(&found.kind, &found.bytes);
    let checkpoint = checkpoint.map_err(|error| Unreadable::at(place, id.as_str(), error))?;
    Ok(Look::new(&checkpoint.channel_versions, &checkpoint.channel_values))
}

fn delete(connection: &Connection, place: &Place, id: &CheckpointId) -> rusqlite::Result<()> {
    for table in ["writes", "checkpoints"] {
        let delete = format!(
            "DELETE FROM {table} WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
        );
        let key = params![&*place.thread, &*place.namespace, id.as_str()];
        connection.prepare_cached(&delete)?.execute(key)?;
    }
    Ok(())
}
