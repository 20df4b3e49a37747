//! How channels that are stored as changes came to their values.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use langgraph_rust_core::CheckpointId;
use langgraph_rust_runtime::saver::{DeltaHistory, Place};
use langgraph_rust_runtime::{Error, Value};
use tokio_postgres::Row;

use crate::connection::Database;
use crate::rows::{column, elements, name, stored_value, writes};

// Up the ancestors until every channel has a value: of each, what was asked of it, what is still
// missing after it, the writes on it, and the values found there. Each step, and each look for a
// value, is a look-up by key whatever the planner thinks of the table's size: `LIMIT` sees to it. A
// checkpoint that was stored again under one of its descendants is its own ancestor: `UNION` ends
// that. A value of JSON's null counts as none, as with LangGraph's own savers.
const ANCESTORS: &str = "
    WITH RECURSIVE line AS (
        SELECT checkpoint_id, parent_checkpoint_id, ARRAY[]::text[] AS asked, $4::text[] AS missing
        FROM checkpoints
        WHERE thread_id = $1 AND checkpoint_ns = $2 AND checkpoint_id = $3
        UNION
        SELECT parent.* FROM line CROSS JOIN LATERAL (
            SELECT c.checkpoint_id, c.parent_checkpoint_id, line.missing AS asked, ARRAY(
                SELECT channel FROM unnest(line.missing) AS m (channel)
                WHERE COALESCE(c.checkpoint -> 'channel_values' -> channel, 'null') = 'null'
                    AND NOT EXISTS (
                        SELECT FROM checkpoint_blobs b
                        WHERE b.thread_id = $1 AND b.checkpoint_ns = $2 AND b.channel = m.channel
                            AND b.version = c.checkpoint -> 'channel_versions' ->> m.channel
                            AND b.type <> 'empty'
                    )
            ) AS missing
            FROM checkpoints c
            WHERE c.thread_id = $1 AND c.checkpoint_ns = $2
                AND c.checkpoint_id = line.parent_checkpoint_id
            LIMIT 1
        ) AS parent
        WHERE cardinality(line.missing) > 0
    )
    SELECT line.*, written.*, found.*
    FROM line
    CROSS JOIN LATERAL (
        SELECT array_agg(task_id) AS tasks, array_agg(task_path) AS paths, array_agg(idx) AS places,
            array_agg(channel) AS channels, array_agg(type) AS kinds, array_agg(blob) AS blobs
        FROM checkpoint_writes w
        WHERE w.thread_id = $1 AND w.checkpoint_ns = $2 AND w.checkpoint_id = line.checkpoint_id
            AND w.channel = ANY(line.asked)
    ) AS written
    CROSS JOIN LATERAL (
        SELECT array_agg(m.channel) AS held_channels,
            array_agg((c.checkpoint -> 'channel_values' -> m.channel)::text) AS held_inline,
            array_agg(b.type) AS held_kinds, array_agg(b.blob) AS held_blobs
        FROM unnest(line.asked) AS m (channel)
        JOIN checkpoints c ON c.thread_id = $1 AND c.checkpoint_ns = $2
            AND c.checkpoint_id = line.checkpoint_id
        LEFT JOIN checkpoint_blobs b ON b.thread_id = $1 AND b.checkpoint_ns = $2
            AND b.channel = m.channel AND b.type <> 'empty'
            AND b.version = c.checkpoint -> 'channel_versions' ->> m.channel
        WHERE m.channel <> ALL(line.missing)
    ) AS found
";

/// The histories of channels as of a checkpoint.
pub(crate) async fn find(
    database: &Database,
    place: &Place,
    id: &CheckpointId,
    channels: &[Arc<str>],
) -> Result<Vec<DeltaHistory>, Error> {
    let asked: BTreeSet<&str> = channels.iter().map(|name| &**name).collect();
    let asked: Vec<&str> = asked.into_iter().collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let (thread, namespace) = (&*place.thread, &*place.namespace);
    let rows = database.query(ANCESTORS, &[&thread, &namespace, &id.as_str(), &asked]).await?;
    let mut histories: BTreeMap<Arc<str>, DeltaHistory> = BTreeMap::new();
    for row in line(&rows, id.as_str())? {
        for (channel, value) in found(row)? {
            histories.entry(channel).or_default().seed = Some(value);
        }
        // The nearest comes first, and of each the last.
        for write in writes(row)?.iter().rev() {
            let history = histories.entry(name(write.channel)).or_default();
            history.writes.push(write.value()?);
        }
    }
    histories.values_mut().for_each(|history| history.writes.reverse());
    Ok(channels.iter().map(|name| histories.get(name).cloned().unwrap_or_default()).collect())
}

/// The rows of the ancestors, the nearest first.
fn line<'r>(rows: &'r [Row], target: &str) -> Result<Vec<&'r Row>, Error> {
    let mut by_id: BTreeMap<&str, (usize, &Row)> = BTreeMap::new();
    for row in rows {
        let asked = elements::<&str>(row, "asked")?.len();
        match by_id.entry(column(row, "checkpoint_id")?) {
            Entry::Vacant(entry) => drop(entry.insert((asked, row))),
            // One that was come by twice: the first time, the most was asked of it.
            Entry::Occupied(mut entry) if entry.get().0 < asked => drop(entry.insert((asked, row))),
            Entry::Occupied(_) => {}
        }
    }
    let parent = |row| column::<Option<&str>>(row, "parent_checkpoint_id");
    let mut line = Vec::new();
    let mut at = by_id.remove(target).map(|(_, row)| parent(row)).transpose()?.flatten();
    while let Some((_, row)) = at.and_then(|id| by_id.remove(id)) {
        line.push(row);
        at = parent(row)?;
    }
    Ok(line)
}

/// The values that an ancestor holds.
fn found(row: &Row) -> Result<Vec<(Arc<str>, Value)>, Error> {
    let inline = elements::<Option<&str>>(row, "held_inline")?;
    let kinds = elements::<Option<&str>>(row, "held_kinds")?;
    let blobs = elements::<Option<&[u8]>>(row, "held_blobs")?;
    let channels = elements::<&str>(row, "held_channels")?.into_iter();
    let values = channels.zip(inline).zip(kinds.into_iter().zip(blobs));
    let values = values.map(|((channel, inline), (kind, blob))| {
        // Of a snapshot, the checkpoint only says that it is there.
        let value = match (kind, inline) {
            (None, Some(inline)) => json_value(inline)?,
            _ => stored_value(channel, kind, blob)?,
        };
        Ok((name(channel), value))
    });
    values.collect()
}

fn json_value(text: &str) -> Result<Value, Error> {
    let json = serde_json::from_str::<serde_json::Value>(text);
    Ok(json.map_err(|error| Error::Unfit(error.to_string()))?.into())
}
