//! A statement and its answer: on whose connection, and what if that is lost.

use deadpool_postgres::{Client, Manager, ManagerConfig, Object, Pool};
use langgraph_rust_runtime::Error;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Config, NoTls, Row};

use crate::error::{failed, is_conflict, is_lost};

/// A statement's parameters.
pub(crate) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// How often a statement is tried, if connections are lost or others are in the way.
pub(crate) const TRIES: usize = 5;

/// The connections of a saver or a store.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) pool: Pool,
    /// What fails if they do: `Postgres saver`.
    pub(crate) whose: &'static str,
}

impl Database {
    /// Connects without TLS.
    pub(crate) async fn connect(url: &str, whose: &'static str) -> Result<Self, Error> {
        let config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| failed(whose, error))?;
        let manager = Manager::from_config(config, NoTls, ManagerConfig::default());
        let pool = Pool::builder(manager).build().map_err(|error| failed(whose, error))?;
        let database = Self { pool, whose };
        drop(database.client().await?);
        Ok(database)
    }

    /// A column of a row.
    pub(crate) fn column<'r, T: FromSql<'r>>(&self, row: &'r Row, name: &str) -> Result<T, Error> {
        row.try_get(name).map_err(|error| self.failed(error))
    }

    /// The error that a run fails with.
    pub(crate) fn failed(&self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        failed(self.whose, source)
    }

    pub(crate) async fn client(&self) -> Result<Client, Error> {
        self.pool.get().await.map_err(|error| self.failed(error))
    }

    /// Executes one statement, which is a transaction of its own: one round trip if its connection
    /// has executed it before. All that are executed here may be executed twice.
    ///
    /// If this is dropped midway, the client reads on to the answer, and the connection can be used.
    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        for tries_left in (0..TRIES).rev() {
            let client = self.client().await?;
            let answered = async {
                let statement = client.prepare_cached(sql).await?;
                client.query(&statement, parameters).await
            };
            match answered.await {
                Ok(rows) => return Ok(rows),
                Err(error) if tries_left > 0 && is_lost(&error) => {
                    // The pool does not get it back.
                    drop(Object::take(client));
                }
                Err(error) if tries_left > 0 && is_conflict(&error) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Err(Error::message("there was no try left"))
    }
}
