//! A statement and its answer: on whose connection, and what if that is lost.

use deadpool_postgres::{Client, Object};
use langgraph_rust_runtime::Error;
use tokio_postgres::types::ToSql;
use tokio_postgres::Row;

use crate::error::{failed, is_conflict, is_lost};
use crate::Postgres;

/// A statement's parameters.
pub(crate) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// How often a statement is tried, if connections are lost or others are in the way.
pub(crate) const TRIES: usize = 5;

impl Postgres {
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        self.pool.get().await.map_err(failed)
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
                Err(error) => return Err(failed(error)),
            }
        }
        Err(Error::message("there was no try left"))
    }
}
