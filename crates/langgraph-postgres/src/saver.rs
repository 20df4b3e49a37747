//! The saver: what is asked of it, as statements.

use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Version};
use langgraph_rust_runtime::saver::wire::{self, divide, metadata_json};
use langgraph_rust_runtime::saver::{
    CheckpointTuple, DeltaHistory, ListQuery, Place, Prune, PutCheckpoint, PutWrites, Saver,
};
use langgraph_rust_runtime::{BoxFuture, Error};
use serde_json::{Map as JsonMap, Value as Json};
use tokio_postgres::types::ToSql;

use crate::columns::{CheckpointRow, Stored};
use crate::rows::{self, select, ORDER};
use crate::{history, keep, prune, Postgres};

impl Postgres {
    async fn store(&self, place: &Place, stored: &Stored) -> Result<(), Error> {
        let Some((sql, own)) = stored.statement() else { return Ok(()) };
        let (thread, namespace) = (&*place.thread, &*place.namespace);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&thread, &namespace];
        parameters.extend(own);
        self.0.query(&sql, &parameters).await?;
        Ok(())
    }

    async fn find(
        &self,
        place: &Place,
        id: Option<&CheckpointId>,
    ) -> Result<Option<CheckpointTuple>, Error> {
        let (thread, namespace) = (&*place.thread, &*place.namespace);
        let found = match id.map(CheckpointId::as_str) {
            Some(id) => {
                let sql =
                    select("WHERE thread_id = $1 AND checkpoint_ns = $2 AND checkpoint_id = $3");
                self.0.query(&sql, &[&thread, &namespace, &id]).await?
            }
            None => {
                let sql = select(
                    "WHERE thread_id = $1 AND checkpoint_ns = $2 \
                     ORDER BY checkpoint_id DESC LIMIT 1",
                );
                self.0.query(&sql, &[&thread, &namespace]).await?
            }
        };
        found.first().map(|row| Ok(rows::tuple(row)?.1)).transpose()
    }

    async fn search(&self, query: &ListQuery) -> Result<Vec<(Place, CheckpointTuple)>, Error> {
        let thread = query.thread.as_deref();
        let namespace = query.namespace.as_deref();
        let before = query.before.as_ref().map(CheckpointId::as_str);
        let filter = (!query.filter.is_empty()).then(|| filter(query));
        let limit = query.limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let asked: [(bool, &str, &(dyn ToSql + Sync)); 4] = [
            (thread.is_some(), "thread_id = ?", &thread),
            (namespace.is_some(), "checkpoint_ns = ?", &namespace),
            (before.is_some(), "checkpoint_id < ?", &before),
            (filter.is_some(), FILTER, &filter),
        ];
        let mut conditions = String::new();
        let mut parameters: Vec<&(dyn ToSql + Sync)> = Vec::new();
        for (_, condition, parameter) in asked.into_iter().filter(|(is_asked, ..)| *is_asked) {
            conditions.push_str(if parameters.is_empty() { "WHERE " } else { " AND " });
            parameters.push(parameter);
            conditions.push_str(&condition.replace('?', &format!("${}", parameters.len())));
        }
        conditions.push_str(ORDER);
        if limit.is_some() {
            parameters.push(&limit);
            conditions.push_str(&format!(" LIMIT ${}", parameters.len()));
        }
        let sql = select(&conditions);
        self.0.query(&sql, &parameters).await?.iter().map(rows::tuple).collect()
    }
}

/// Whether the metadata have the entries that are asked for: an entry that is nothing is also one
/// that is not there.
const FILTER: &str = "NOT EXISTS (
    SELECT FROM jsonb_each(?::text::jsonb) AS wanted (name, value)
    WHERE COALESCE(metadata -> wanted.name, 'null') <> wanted.value
)";

/// What is filtered by, as JSON that PostgreSQL takes.
fn filter(query: &ListQuery) -> String {
    let entries = query.filter.iter().map(|(name, value)| {
        let value = match Json::from(value) {
            // As metadata lose them.
            Json::String(text) => Json::String(text.replace('\0', "")),
            other => other,
        };
        (name.to_string(), value)
    });
    Json::Object(entries.collect::<JsonMap<_, _>>()).to_string()
}

/// What is stored of a checkpoint.
fn checkpoint_rows(put: &PutCheckpoint) -> Result<Stored, Error> {
    let mut stored = Stored::default();
    stored.add_writes(&put.writes)?;
    let divided = divide(&put.checkpoint, &put.new_versions, put.metadata.source.is_none())?;
    let metadata = String::from_utf8(metadata_json(&put.metadata)?);
    let row = CheckpointRow {
        id: put.checkpoint.id.as_str().into(),
        parent: put.parent.as_ref().map(|parent| parent.as_str().into()),
        checkpoint: divided.json,
        metadata: metadata.map_err(|error| Error::Unfit(error.to_string()))?,
    };
    stored.add_checkpoint(row, divided.rows);
    Ok(stored)
}

impl Saver for Postgres {
    fn get<'a>(
        &'a self,
        place: &'a Place,
        id: Option<&'a CheckpointId>,
    ) -> BoxFuture<'a, Result<Option<CheckpointTuple>, Error>> {
        Box::pin(self.find(place, id))
    }

    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
    ) -> BoxFuture<'a, Result<Vec<(Place, CheckpointTuple)>, Error>> {
        Box::pin(self.search(query))
    }

    fn put<'a>(&'a self, place: &'a Place, put: PutCheckpoint) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.store(place, &checkpoint_rows(&put)?).await })
    }

    fn put_writes<'a>(
        &'a self,
        place: &'a Place,
        writes: PutWrites,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut stored = Stored::default();
            stored.add_writes(&[writes])?;
            self.store(place, &stored).await
        })
    }

    fn delete_thread<'a>(&'a self, thread: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(keep::delete(&self.0, vec![thread]))
    }

    fn copy_thread<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(keep::copy(&self.0, from, to))
    }

    fn prune<'a>(
        &'a self,
        threads: &'a [Arc<str>],
        strategy: Prune,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            match strategy {
                Prune::Delete => {
                    keep::delete(&self.0, threads.iter().map(|name| &**name).collect()).await
                }
                Prune::KeepLatest => prune::keep_latest(&self.0, threads).await,
            }
        })
    }

    fn delta_history<'a>(
        &'a self,
        place: &'a Place,
        id: &'a CheckpointId,
        channels: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<DeltaHistory>, Error>> {
        Box::pin(history::find(&self.0, place, id, channels))
    }

    fn next_version(&self, current: Option<&Version>) -> Version {
        wire::next_version(current)
    }
}
