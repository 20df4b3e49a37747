//! Threads of graphs in PostgreSQL.
//!
#![doc = include_str!("../README.md")]

mod columns;
mod connection;
mod error;
mod history;
mod keep;
mod prune;
mod rows;
mod saver;
mod schema;
mod store;

use std::fmt;

pub use deadpool_postgres;
use deadpool_postgres::Pool;
use langgraph_rust_runtime::Error;
pub use tokio_postgres;

use connection::Database;
pub use store::PostgresStore;

const SAVER: &str = "Postgres saver";

/// Keeps threads in PostgreSQL. Copies share their connections.
///
/// What is stored with a checkpoint is one statement, so one transaction and, once a connection has
/// been used, one round trip.
#[derive(Clone)]
pub struct Postgres(Database);

impl Postgres {
    /// Connects to `postgres://user:password@host/database`, without TLS. Connections are made as
    /// they are needed, up to four for each processor.
    ///
    /// For TLS, or other limits, make a pool and see [`Postgres::with_pool`].
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if `url` is none, or the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Ok(Self(Database::connect(url, SAVER).await?))
    }

    /// Uses the connections of a pool, which others may use as well. They must be in no transaction.
    ///
    /// Behind PgBouncer with transaction pooling, that must be able to track prepared statements
    /// (`max_prepared_statements`).
    pub fn with_pool(pool: Pool) -> Self {
        Self(Database { pool, whose: SAVER })
    }

    /// The connections.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Makes the tables, or brings them up to date: to be called once before a database is used, and
    /// harmless at any time. Several processes may do so at the same time, Python's included.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the database cannot be reached or does not permit it.
    pub async fn setup(&self) -> Result<(), Error> {
        schema::setup(&self.0, &schema::THREADS).await
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("pool", &self.0.pool.status()).finish()
    }
}
