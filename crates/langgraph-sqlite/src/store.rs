//! The store.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust_runtime::store::{
    check_namespace, matches_filter, Item, ListNamespaces, Namespace, SearchQuery, Store,
};
use langgraph_rust_runtime::{BoxFuture, Error, Map, Value};
use rusqlite::{params, Connection, Row};
use serde_json::Value as Json;

use crate::worker::Worker;
use crate::SqliteOptions;

/// Keeps items in a SQLite database, in the table of LangGraph's own `SqliteStore`. Copies are
/// handles on the same connection.
///
/// What is forgotten after some time is not found any more then, and is deleted by
/// [`SqliteStore::sweep_ttl`].
#[derive(Clone)]
pub struct SqliteStore {
    worker: Arc<Worker>,
    leaves_ttl: bool,
}

/// What made the table what it is, one statement each; a database remembers how many it had.
const MIGRATIONS: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS store (
        prefix text NOT NULL,
        key text NOT NULL,
        value text NOT NULL,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (prefix, key)
    )",
    "CREATE INDEX IF NOT EXISTS store_prefix_idx ON store (prefix)",
    "ALTER TABLE store ADD COLUMN expires_at TIMESTAMP",
    "ALTER TABLE store ADD COLUMN ttl_minutes REAL",
    "CREATE INDEX IF NOT EXISTS idx_store_expires_at ON store (expires_at)
        WHERE expires_at IS NOT NULL",
];

/// Not forgotten yet. Times have been written in more than one form, which days in figures level.
const IS_THERE: &str = "(expires_at IS NULL OR julianday(expires_at) > julianday('now'))";

const COLUMNS: &str = "prefix, key, value,
    strftime('%Y-%m-%dT%H:%M:%f+00:00', created_at),
    strftime('%Y-%m-%dT%H:%M:%f+00:00', updated_at),
    ttl_minutes IS NOT NULL";

const REFRESH: &str = "UPDATE store
    SET expires_at =
        strftime('%Y-%m-%d %H:%M:%f', 'now', '+' || ttl_minutes || ' minutes') || '+00:00'
    WHERE prefix = ? AND key = ? AND ttl_minutes IS NOT NULL";

// What was forgotten begins anew.
const PUT: &str = "INSERT INTO store
        (prefix, key, value, created_at, updated_at, expires_at, ttl_minutes)
    VALUES (?1, ?2, ?3, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP,
        strftime('%Y-%m-%d %H:%M:%f', 'now', '+' || ?4 || ' minutes') || '+00:00', ?4)
    ON CONFLICT (prefix, key) DO UPDATE SET value = excluded.value,
        created_at = CASE WHEN julianday(expires_at) <= julianday('now') THEN CURRENT_TIMESTAMP
            ELSE created_at END,
        updated_at = excluded.updated_at, expires_at = excluded.expires_at,
        ttl_minutes = excluded.ttl_minutes";

impl SqliteStore {
    /// The database in a file, which is made if there is none; it may be a saver's as well. This waits
    /// for the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the file cannot be used.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::of(Connection::open(path).map_err(failed)?)
    }

    /// A database that ends with its last handle.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if there is no thread for it.
    pub fn in_memory() -> Result<Self, Error> {
        Self::of(Connection::open_in_memory().map_err(failed)?)
    }

    fn of(mut connection: Connection) -> Result<Self, Error> {
        SqliteOptions::default().prepare(&connection).map_err(failed)?;
        set_up(&mut connection).map_err(failed)?;
        Ok(Self { worker: Arc::new(Worker::start(connection, "SQLite store")?), leaves_ttl: false })
    }

    /// The same store, where reading an item puts off when it is forgotten, or does not. It does
    /// unless told otherwise.
    pub fn refresh_on_read(mut self, refreshes: bool) -> Self {
        self.leaves_ttl = !refreshes;
        self
    }

    /// Deletes what is forgotten; returns how many items that were.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the database cannot be used.
    pub async fn sweep_ttl(&self) -> Result<usize, Error> {
        let sweep = "DELETE FROM store WHERE julianday(expires_at) <= julianday('now')";
        self.worker.change(move |connection| connection.execute(sweep, []).map_err(failed)).await
    }

    /// Puts off when items are forgotten that have been read. Only those that are need a writer's turn.
    async fn put_off(&self, found: &[Stored]) -> Result<(), Error> {
        let read: Vec<(String, String)> = found
            .iter()
            .filter(|item| item.expires && !self.leaves_ttl)
            .map(|item| (item.prefix.clone(), item.key.clone()))
            .collect();
        if read.is_empty() {
            return Ok(());
        }
        let put_off = move |connection: &Connection| {
            let mut put_off = connection.prepare_cached(REFRESH).map_err(failed)?;
            for (prefix, key) in &read {
                put_off.execute(params![prefix, key]).map_err(failed)?;
            }
            Ok(())
        };
        self.worker.change(put_off).await
    }

    async fn find(&self, namespace: &[&str], key: &str) -> Result<Option<Item>, Error> {
        let (prefix, key) = (namespace.join("."), key.to_owned());
        let found = self.worker.ask(move |connection| {
            let sql =
                format!("SELECT {COLUMNS} FROM store WHERE prefix = ? AND key = ? AND {IS_THERE}");
            stored(connection, &sql, params![prefix, key]).map_err(failed)
        });
        let found = found.await?;
        self.put_off(&found).await?;
        found.into_iter().next().map(Stored::item).transpose()
    }

    async fn keep(
        &self,
        namespace: &[&str],
        key: &str,
        value: Map,
        ttl: Option<Duration>,
    ) -> Result<(), Error> {
        check_namespace(namespace)?;
        let value = Json::from(&Value::from(value).plain()?).to_string();
        let minutes = ttl.map(|ttl| ttl.as_secs_f64() / 60.0);
        let (prefix, key) = (namespace.join("."), key.to_owned());
        let put = move |connection: &Connection| {
            let put = || -> rusqlite::Result<()> {
                if has_table(connection, "store_vectors")? {
                    // What Python has embedded of the item before is not what it is about any more.
                    let vectors = "DELETE FROM store_vectors WHERE prefix = ? AND key = ?";
                    connection.execute(vectors, params![prefix, key])?;
                }
                connection.prepare_cached(PUT)?.execute(params![prefix, key, value, minutes])?;
                Ok(())
            };
            put().map_err(failed)
        };
        self.worker.change(put).await
    }

    async fn search_all(&self, query: &SearchQuery) -> Result<Vec<Item>, Error> {
        let query = query.clone();
        let found = self.worker.ask(move |connection| {
            // What begins with the prefix and a period lies between that and what follows on a period.
            let below = match query.namespace_prefix.is_empty() {
                true => "?1 = ''",
                false => "(prefix = ?1 OR (prefix > ?1 || '.' AND prefix < ?1 || '/'))",
            };
            let sql = format!(
                "SELECT {COLUMNS} FROM store WHERE {below} AND {IS_THERE}
                 ORDER BY updated_at DESC, prefix, key"
            );
            let prefix = query.namespace_prefix.join(".");
            let below = stored(connection, &sql, params![prefix]).map_err(failed)?;
            let (mut found, mut items, mut passed) = (Vec::new(), Vec::new(), 0);
            for row in below {
                if items.len() == query.limit {
                    break;
                }
                let item = row.clone().item()?;
                if !matches_filter(&item.value, &query.filter)? {
                    continue;
                }
                passed += 1;
                if passed > query.offset {
                    found.push(row);
                    items.push(item);
                }
            }
            Ok((found, items))
        });
        let (found, items) = found.await?;
        self.put_off(&found).await?;
        Ok(items)
    }

    async fn namespaces(&self, query: &ListNamespaces) -> Result<Vec<Namespace>, Error> {
        let prefixes = self.worker.ask(move |connection| {
            let sql = format!("SELECT DISTINCT prefix FROM store WHERE {IS_THERE}");
            let read = || -> rusqlite::Result<Vec<String>> {
                connection.prepare_cached(&sql)?.query_map([], |row| row.get(0))?.collect()
            };
            read().map_err(failed)
        });
        let depth = query.max_depth.unwrap_or(usize::MAX);
        let known = prefixes.await?.into_iter().map(|prefix| labels(&prefix));
        let known = known.filter(|namespace| query.matches(namespace));
        let found: BTreeSet<Namespace> =
            known.map(|namespace| namespace.iter().take(depth).cloned().collect()).collect();
        Ok(found.into_iter().skip(query.offset).take(query.limit).collect())
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::storage("SQLite store", error)
}

/// An item as it is stored.
#[derive(Clone)]
struct Stored {
    prefix: String,
    key: String,
    value: String,
    created_at: Option<String>,
    updated_at: Option<String>,
    /// Whether it is forgotten after some time.
    expires: bool,
}

impl Stored {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        // Python's store writes its JSON as bytes.
        let value = match row.get_ref(2)? {
            rusqlite::types::ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => row.get(2)?,
        };
        Ok(Self {
            prefix: row.get(0)?,
            key: row.get(1)?,
            value,
            created_at: row.get(3)?,
            updated_at: row.get(4)?,
            expires: row.get(5)?,
        })
    }

    fn item(self) -> Result<Item, Error> {
        let Self { prefix, key, value, created_at, updated_at, .. } = self;
        let json: Json = serde_json::from_str(&value).map_err(|error| {
            Error::Unfit(format!("the item '{key}' in '{prefix}' is no JSON: {error}"))
        })?;
        let Value::Map(value) = Value::from(json) else {
            return Err(Error::Unfit(format!("the item '{key}' in '{prefix}' is no object")));
        };
        Ok(Item {
            value: Arc::unwrap_or_clone(value),
            key: key.into(),
            namespace: labels(&prefix),
            created_at: created_at.unwrap_or_default().into(),
            updated_at: updated_at.unwrap_or_default().into(),
        })
    }
}

fn stored(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Stored>> {
    connection.prepare_cached(sql)?.query_map(parameters, Stored::of)?.collect()
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?";
    connection.prepare_cached(sql)?.query_row([name], |row| Ok(row.get::<_, i64>(0)? > 0))
}

fn labels(prefix: &str) -> Namespace {
    prefix.split('.').map(Arc::from).collect()
}

/// Makes the table, or brings it up to date; another process may do the same.
fn set_up(connection: &mut Connection) -> rusqlite::Result<()> {
    let newest = "SELECT coalesce(max(v), -1) FROM store_migrations";
    let last = MIGRATIONS.len() as i64 - 1;
    if has_table(connection, "store_migrations")?
        && connection.query_row(newest, [], |row| row.get::<_, i64>(0))? >= last
    {
        // Whoever writes need not be waited for.
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction
        .execute_batch("CREATE TABLE IF NOT EXISTS store_migrations (v INTEGER PRIMARY KEY)")?;
    let newest: i64 = transaction.query_row(newest, [], |row| row.get(0))?;
    for (version, migration) in (0_i64..).zip(MIGRATIONS).skip_while(|(v, _)| *v <= newest) {
        if let Err(error) = transaction.execute_batch(migration) {
            // LangGraph's store may have ended between the change and the note of it.
            if !error.to_string().contains("duplicate column name") {
                return Err(error);
            }
        }
        transaction.execute("INSERT INTO store_migrations (v) VALUES (?)", [version])?;
    }
    transaction.commit()
}

impl Store for SqliteStore {
    fn get<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<Item>, Error>> {
        Box::pin(self.find(namespace, key))
    }

    fn put<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
        value: Map,
        ttl: Option<Duration>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.keep(namespace, key, value, ttl))
    }

    fn delete<'a>(
        &'a self,
        namespace: &'a [&'a str],
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let (prefix, key) = (namespace.join("."), key.to_owned());
        let delete = move |connection: &Connection| {
            let sql = "DELETE FROM store WHERE prefix = ? AND key = ?";
            connection.execute(sql, params![prefix, key]).map(|_| ()).map_err(failed)
        };
        Box::pin(self.worker.change(delete))
    }

    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Item>, Error>> {
        Box::pin(self.search_all(query))
    }

    fn list_namespaces<'a>(
        &'a self,
        query: &'a ListNamespaces,
    ) -> BoxFuture<'a, Result<Vec<Namespace>, Error>> {
        Box::pin(self.namespaces(query))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}
