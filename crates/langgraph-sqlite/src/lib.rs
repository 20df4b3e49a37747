//! Threads of graphs in a SQLite file.
//!
#![doc = include_str!("../README.md")]

mod options;
mod prune;
mod read;
mod rows;
mod store;
mod worker;

use std::path::Path;
use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Version};
use langgraph_rust_runtime::saver::{
    wire, CheckpointTuple, DeltaHistory, ListQuery, Place, Prune, PutCheckpoint, PutWrites, Saver,
};
use langgraph_rust_runtime::{BoxFuture, Error};
use rusqlite::Connection;

pub use options::{SqliteOptions, Synchronous};
pub use store::SqliteStore;
use worker::Worker;

/// Keeps threads in a SQLite database. Copies are handles on the same connection.
///
/// What was stored is on disk once that is answered, unless [`SqliteOptions::synchronous`] says less. What
/// several runs store at the same time is committed together.
///
/// The last handle that is dropped lets what was asked for be done.
#[derive(Clone)]
pub struct Sqlite(Arc<Worker>);

impl Sqlite {
    /// The database in a file, which is made if there is none. This waits for the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the file cannot be used.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        SqliteOptions::default().open(path)
    }

    /// A database that ends with its last handle.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if there is no thread for it.
    pub fn in_memory() -> Result<Self, Error> {
        SqliteOptions::default().in_memory()
    }

    /// How to open a database otherwise.
    pub fn options() -> SqliteOptions {
        SqliteOptions::default()
    }

    fn of(connection: Connection) -> Result<Self, Error> {
        Ok(Self(Arc::new(Worker::start(connection, "SQLite saver")?)))
    }
}

impl Saver for Sqlite {
    fn get<'a>(
        &'a self,
        place: &'a Place,
        id: Option<&'a CheckpointId>,
    ) -> BoxFuture<'a, Result<Option<CheckpointTuple>, Error>> {
        let (place, id) = (place.clone(), id.cloned());
        let asked = self.0.ask(move |connection| read::find(connection, &place, id.as_ref()));
        Box::pin(async move { asked.await?.map(|found| Ok(found.decode()?.1)).transpose() })
    }

    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
    ) -> BoxFuture<'a, Result<Vec<(Place, CheckpointTuple)>, Error>> {
        let query = query.clone();
        let asked = self.0.ask(move |connection| read::list(connection, &query));
        Box::pin(async move { asked.await?.into_iter().map(rows::Found::decode).collect() })
    }

    fn put<'a>(&'a self, place: &'a Place, put: PutCheckpoint) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let writes = put.writes.iter().map(|writes| rows::WriteRows::encode(place, writes));
            let writes = writes.collect::<Result<Vec<_>, Error>>()?;
            let row = rows::CheckpointRow::encode(place, &put)?;
            let store = move |connection: &Connection| {
                writes.iter().try_for_each(|writes| writes.store(connection))?;
                row.store(connection)
            };
            self.0.change(store).await
        })
    }

    fn put_writes<'a>(
        &'a self,
        place: &'a Place,
        writes: PutWrites,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let rows = rows::WriteRows::encode(place, &writes)?;
            self.0.change(move |connection| rows.store(connection)).await
        })
    }

    fn delete_thread<'a>(&'a self, thread: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        let thread = thread.to_owned();
        Box::pin(self.0.change(move |connection| prune::delete_thread(connection, &thread)))
    }

    fn copy_thread<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        let (from, to) = (from.to_owned(), to.to_owned());
        Box::pin(self.0.change(move |connection| prune::copy_thread(connection, &from, &to)))
    }

    /// Each thread is pruned whole or not at all.
    fn prune<'a>(
        &'a self,
        threads: &'a [Arc<str>],
        strategy: Prune,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            for thread in threads {
                let thread = thread.clone();
                let prune = move |connection: &Connection| match strategy {
                    Prune::KeepLatest => prune::keep_latest(connection, &thread),
                    Prune::Delete => prune::delete_thread(connection, &thread),
                };
                self.0.change(prune).await?;
            }
            Ok(())
        })
    }

    fn delta_history<'a>(
        &'a self,
        place: &'a Place,
        id: &'a CheckpointId,
        channels: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<DeltaHistory>, Error>> {
        let (place, id, channels) = (place.clone(), id.clone(), channels.to_vec());
        Box::pin(self.0.ask(move |connection| read::histories(connection, &place, &id, &channels)))
    }

    fn next_version(&self, current: Option<&Version>) -> Version {
        wire::next_version(current)
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sqlite")
    }
}

/// What SQLite failed with.
fn failed(error: rusqlite::Error) -> Error {
    Error::storage("SQLite saver", error)
}

/// Something stored that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("checkpoint {checkpoint} of the thread '{thread}' cannot be read: {source}")]
struct Unreadable {
    thread: Arc<str>,
    checkpoint: Arc<str>,
    source: Error,
}

impl Unreadable {
    fn at(place: &Place, checkpoint: &str, source: Error) -> Error {
        let (thread, checkpoint) = (place.thread.clone(), checkpoint.into());
        Error::storage("SQLite saver", Unreadable { thread, checkpoint, source })
    }
}
