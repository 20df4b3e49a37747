//! What is stored, as columns, and the statement that stores it.

use std::collections::BTreeMap;
use std::fmt::Write;

use langgraph_rust_runtime::saver::wire::{encode, OwnRow};
use langgraph_rust_runtime::saver::{fixed_place, PutWrites};
use langgraph_rust_runtime::Error;
use tokio_postgres::types::ToSql;

/// Writes, column by column.
#[derive(Default)]
pub(crate) struct WriteColumns {
    checkpoints: Vec<String>,
    tasks: Vec<String>,
    paths: Vec<String>,
    places: Vec<i32>,
    channels: Vec<String>,
    kinds: Vec<String>,
    blobs: Vec<Vec<u8>>,
}

/// Values of channels, column by column.
#[derive(Default)]
pub(crate) struct ValueColumns {
    channels: Vec<String>,
    versions: Vec<String>,
    kinds: Vec<String>,
    blobs: Vec<Vec<u8>>,
}

/// All that one statement stores.
#[derive(Default)]
pub(crate) struct Stored {
    /// Writes that leave earlier ones in place.
    keep: WriteColumns,
    /// Those that take their place.
    replace: WriteColumns,
    values: ValueColumns,
    checkpoint: Option<CheckpointRow>,
}

/// A row of `checkpoints`, without its thread and namespace.
pub(crate) struct CheckpointRow {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) checkpoint: String,
    pub(crate) metadata: String,
}

impl WriteColumns {
    fn columns(&self) -> [&(dyn ToSql + Sync); 7] {
        let Self { checkpoints, tasks, paths, places, channels, kinds, blobs } = self;
        [checkpoints, tasks, paths, places, channels, kinds, blobs]
    }
}

impl Stored {
    /// Adds writes, in the order in which they are to be stored.
    pub(crate) fn add_writes(&mut self, all: &[PutWrites]) -> Result<(), Error> {
        // A statement cannot touch a row twice: the last one that replaces counts.
        let mut fixed = BTreeMap::new();
        for put in all {
            let replaces = put.replaces();
            for (position, (channel, value)) in put.writes.iter().enumerate() {
                let encoded = encode(value)?;
                let place = fixed_place(channel).unwrap_or(position as i64);
                if place < 0 {
                    let key = (put.checkpoint.as_str(), put.task.as_str(), place);
                    if let Some((is_replacing, row)) = fixed.get(&key) {
                        let there: &mut WriteColumns =
                            if *is_replacing { &mut self.replace } else { &mut self.keep };
                        if replaces {
                            there.kinds[*row] = encoded.kind;
                            there.blobs[*row] = encoded.bytes;
                        }
                        continue;
                    }
                }
                let columns = if replaces { &mut self.replace } else { &mut self.keep };
                if place < 0 {
                    let key = (put.checkpoint.as_str(), put.task.as_str(), place);
                    fixed.insert(key, (replaces, columns.blobs.len()));
                }
                columns.checkpoints.push(put.checkpoint.as_str().into());
                columns.tasks.push(put.task.as_str().into());
                columns.paths.push(put.path.as_ref().into());
                columns.places.push(i32::try_from(place).map_err(|_| too_many())?);
                columns.channels.push(channel.as_ref().into());
                columns.kinds.push(encoded.kind);
                columns.blobs.push(encoded.bytes);
            }
        }
        Ok(())
    }

    /// Adds a checkpoint and its values.
    pub(crate) fn add_checkpoint(&mut self, row: CheckpointRow, values: Vec<OwnRow>) {
        for OwnRow { channel, version, value } in values {
            self.values.channels.push(channel.as_ref().into());
            self.values.versions.push(version);
            self.values.kinds.push(value.kind);
            self.values.blobs.push(value.bytes);
        }
        self.checkpoint = Some(row);
    }

    /// The statement, and its parameters after thread and namespace; `None` if there is nothing to
    /// store. There are few texts, so that each is prepared once.
    pub(crate) fn statement(&self) -> Option<(String, Vec<&(dyn ToSql + Sync)>)> {
        let mut parts = Vec::new();
        let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::new();
        for (writes, on_conflict) in [(&self.keep, KEEP), (&self.replace, REPLACE)] {
            if !writes.blobs.is_empty() {
                let arrays = arrays(&WRITE_TYPES, parameters.len());
                parts.push(format!("{WRITES} {arrays} {on_conflict}"));
                parameters.extend(writes.columns());
            }
        }
        if !self.values.blobs.is_empty() {
            let arrays = arrays(&VALUE_TYPES, parameters.len());
            parts.push(format!("{VALUES} {arrays} ON CONFLICT DO NOTHING"));
            let ValueColumns { channels, versions, kinds, blobs } = &self.values;
            parameters.extend([channels as &(dyn ToSql + Sync), versions, kinds, blobs]);
        }
        if let Some(row) = &self.checkpoint {
            let [id, parent, checkpoint, metadata] =
                std::array::from_fn(|n| parameters.len() + n + 3);
            parts.push(format!(
                "{CHECKPOINTS} VALUES ($1, $2, ${id}, ${parent}, ${checkpoint}::text::jsonb, \
                 ${metadata}::text::jsonb) {REPLACE_CHECKPOINT}"
            ));
            parameters.extend([&row.id as &(dyn ToSql + Sync), &row.parent, &row.checkpoint]);
            parameters.push(&row.metadata);
        }
        let last = parts.pop()?;
        let mut sql = String::new();
        for (number, part) in parts.iter().enumerate() {
            let start = if number == 0 { "WITH" } else { "," };
            // Writing to a text does not fail.
            let _ = write!(sql, "{start} part{number} AS ({part})");
        }
        sql.push(' ');
        sql.push_str(&last);
        Some((sql, parameters))
    }
}

fn too_many() -> Error {
    Error::Unfit("a task has more writes than can be stored".to_owned())
}

/// Rows from arrays, of which the first is the parameter after `before` and the address.
fn arrays(types: &[&str], before: usize) -> String {
    let mut sql = "SELECT $1::text, $2::text, * FROM unnest(".to_owned();
    for (number, kind) in types.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _ = write!(sql, "{comma}${}::{kind}[]", before + number + 3);
    }
    sql.push(')');
    sql
}

const WRITE_TYPES: [&str; 7] = ["text", "text", "text", "int4", "text", "text", "bytea"];
const VALUE_TYPES: [&str; 4] = ["text", "text", "text", "bytea"];

const WRITES: &str = "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, \
    task_id, task_path, idx, channel, type, blob)";
const VALUES: &str =
    "INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)";
const CHECKPOINTS: &str = "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, \
    parent_checkpoint_id, checkpoint, metadata)";
const KEEP: &str = "ON CONFLICT DO NOTHING";
const REPLACE: &str = "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) \
    DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob";
const REPLACE_CHECKPOINT: &str = "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) \
    DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata";
