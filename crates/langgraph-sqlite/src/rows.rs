//! Checkpoints and writes as rows, and back.

use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, TaskId};
use langgraph_rust_runtime::saver::{
    fixed_place, wire, CheckpointTuple, Place, PutCheckpoint, PutWrites, StoredWrite,
};
use langgraph_rust_runtime::Error;
use rusqlite::{params, Connection, Row};

use crate::{failed, Unreadable};

/// A checkpoint, encoded.
pub struct CheckpointRow {
    place: Place,
    id: CheckpointId,
    parent: Option<CheckpointId>,
    checkpoint: wire::Encoded,
    metadata: Vec<u8>,
}

impl CheckpointRow {
    pub fn encode(place: &Place, put: &PutCheckpoint) -> Result<Self, Error> {
        Ok(Self {
            place: place.clone(),
            id: put.checkpoint.id.clone(),
            parent: put.parent.clone(),
            checkpoint: wire::encode_checkpoint(&put.checkpoint, put.metadata.source.is_none())?,
            metadata: wire::metadata_json(&put.metadata)?,
        })
    }

    pub fn store(&self, connection: &Connection) -> Result<(), Error> {
        let put = || {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, \
                     parent_checkpoint_id, type, checkpoint, metadata) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    &*self.place.thread,
                    &*self.place.namespace,
                    self.id.as_str(),
                    self.parent.as_ref().map(CheckpointId::as_str),
                    self.checkpoint.kind,
                    self.checkpoint.bytes,
                    self.metadata,
                ])
        };
        put().map(|_| ()).map_err(failed)
    }
}

/// A task's writes on a checkpoint, encoded.
pub struct WriteRows {
    place: Place,
    checkpoint: CheckpointId,
    task: TaskId,
    path: Arc<str>,
    rows: Vec<WriteRow>,
}

struct WriteRow {
    at: i64,
    /// Whether it takes the place of an earlier one; otherwise that stays.
    replaces: bool,
    channel: Arc<str>,
    value: wire::Encoded,
}

impl WriteRows {
    pub fn encode(place: &Place, put: &PutWrites) -> Result<Self, Error> {
        let replaces = put.replaces();
        let row = |(position, (channel, value)): (usize, &(Arc<str>, _))| {
            Ok(WriteRow {
                at: fixed_place(channel).unwrap_or(position as i64),
                replaces,
                channel: channel.clone(),
                value: wire::encode(value)?,
            })
        };
        Ok(Self {
            place: place.clone(),
            checkpoint: put.checkpoint.clone(),
            task: put.task.clone(),
            path: put.path.clone(),
            rows: put.writes.iter().enumerate().map(row).collect::<Result<_, Error>>()?,
        })
    }

    pub fn store(&self, connection: &Connection) -> Result<(), Error> {
        self.rows.iter().try_for_each(|row| self.store_one(connection, row)).map_err(failed)
    }

    fn store_one(&self, connection: &Connection, row: &WriteRow) -> rusqlite::Result<()> {
        let insert = match row.replaces {
            true => PUT_STATUS,
            false => PUT_WRITE,
        };
        connection.prepare_cached(insert)?.execute(params![
            &*self.place.thread,
            &*self.place.namespace,
            self.checkpoint.as_str(),
            self.task.as_str(),
            &*self.path,
            row.at,
            &*row.channel,
            row.value.kind,
            row.value.bytes,
        ])?;
        Ok(())
    }
}

const PUT_STATUS: &str =
    "INSERT OR REPLACE INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, \
     idx, channel, type, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
const PUT_WRITE: &str =
    "INSERT OR IGNORE INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, \
     idx, channel, type, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// A stored checkpoint and the writes on it, not decoded.
pub struct Found {
    pub place: Place,
    pub id: String,
    pub parent: Option<String>,
    pub kind: String,
    pub checkpoint: Vec<u8>,
    pub metadata: Option<Vec<u8>>,
    pub writes: Vec<FoundWrite>,
}

pub struct FoundWrite {
    pub task: String,
    pub channel: String,
    pub value: FoundValue,
}

/// A stored value, not decoded.
pub struct FoundValue {
    pub kind: String,
    pub bytes: Vec<u8>,
}

impl FoundValue {
    /// The value in the columns `type` and another, from the first of them on.
    pub fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let kind: Option<String> = row.get(first)?;
        let bytes = blob(row, first + 1)?;
        Ok(Self {
            kind: kind.unwrap_or_else(|| "null".to_owned()),
            bytes: bytes.unwrap_or_default(),
        })
    }

    pub fn decode(&self) -> Result<langgraph_rust_runtime::Value, Error> {
        wire::decode(&self.kind, &self.bytes)
    }
}

/// Bytes that may be stored as text, which old versions did with metadata.
pub fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Vec<u8>>> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        other => Some(other.as_bytes()?.to_vec()),
    })
}

impl Found {
    /// A row of the columns that `read` asks for.
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let text = |column| row.get::<_, String>(column).map(Arc::from);
        let FoundValue { kind, bytes } = FoundValue::read(row, 4)?;
        Ok(Self {
            place: Place { thread: text(0)?, namespace: text(1)? },
            id: row.get(2)?,
            parent: row.get(3)?,
            kind,
            checkpoint: bytes,
            metadata: blob(row, 6)?,
            writes: Vec::new(),
        })
    }

    pub fn decode(self) -> Result<(Place, CheckpointTuple), Error> {
        match self.decoded() {
            Ok(tuple) => Ok((self.place, tuple)),
            Err(error) => Err(Unreadable::at(&self.place, &self.id, error)),
        }
    }

    fn decoded(&self) -> Result<CheckpointTuple, Error> {
        let metadata = self.metadata.as_deref().unwrap_or(b"{}");
        let write = |write: &FoundWrite| {
            Ok(StoredWrite {
                task: TaskId::from_text(&write.task),
                channel: write.channel.as_str().into(),
                value: write.value.decode()?,
            })
        };
        Ok(CheckpointTuple {
            checkpoint: wire::decode_checkpoint(&self.kind, &self.checkpoint)?,
            metadata: wire::metadata_from_json(metadata)?,
            parent: self.parent.as_deref().and_then(parent),
            pending: self.writes.iter().map(write).collect::<Result<_, Error>>()?,
        })
    }
}

/// A parent's id; some savers have stored none as an empty text.
pub fn parent(text: &str) -> Option<CheckpointId> {
    (!text.is_empty()).then(|| CheckpointId::from_text(text))
}
