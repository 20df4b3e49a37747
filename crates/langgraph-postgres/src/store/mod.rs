//! The store.

mod filter;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use langgraph_rust_runtime::store::{
    check_namespace, Item, ListNamespaces, Namespace, SearchQuery, Store,
};
use langgraph_rust_runtime::{BoxFuture, Error, Map, Value};
use serde_json::Value as Json;
use tokio_postgres::types::ToSql;
use tokio_postgres::Row;

use crate::connection::Database;
use crate::schema;
use filter::Conditions;

/// Keeps items in PostgreSQL, in the table of LangGraph's own `PostgresStore`. Copies share their
/// connections.
///
/// What is forgotten after some time is not found any more then, and is deleted by
/// [`PostgresStore::sweep_ttl`]. The table counts that time in whole minutes, rounded up, once reading
/// an item has put it off.
#[derive(Clone)]
pub struct PostgresStore {
    database: Database,
    leaves_ttl: bool,
}

const WHOSE: &str = "Postgres store";

const IS_THERE: &str = "(expires_at IS NULL OR expires_at > CURRENT_TIMESTAMP)";

/// An item; `FROM` follows.
const ITEM: &str = "
    SELECT prefix, key, value::text AS value,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"') AS created_at,
        to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"') AS updated_at
";

const REFRESH: &str = "
    UPDATE store s SET expires_at = CURRENT_TIMESTAMP + s.ttl_minutes * interval '1 minute'
    FROM found WHERE s.prefix = found.prefix AND s.key = found.key AND s.ttl_minutes IS NOT NULL
";

const PUT: &str = "
    INSERT INTO store AS s (prefix, key, value, created_at, updated_at, expires_at, ttl_minutes)
    VALUES ($1, $2, $3::text::jsonb, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP,
        CURRENT_TIMESTAMP + $4::float8 * interval '1 second', $5)
    ON CONFLICT (prefix, key) DO UPDATE SET value = EXCLUDED.value,
        created_at = CASE WHEN s.expires_at <= CURRENT_TIMESTAMP THEN CURRENT_TIMESTAMP
            ELSE s.created_at END,
        updated_at = EXCLUDED.updated_at, expires_at = EXCLUDED.expires_at,
        ttl_minutes = EXCLUDED.ttl_minutes
";

// `*` stands for any label.
const NAMESPACES: &str = "
    SELECT labels FROM (
        SELECT DISTINCT labels[1:$3] AS labels
        FROM (
            SELECT DISTINCT string_to_array(prefix, '.') AS labels FROM store
            WHERE expires_at IS NULL OR expires_at > CURRENT_TIMESTAMP
        ) AS stored
        WHERE cardinality(labels) >= greatest(cardinality($1::text[]), cardinality($2::text[]))
            AND NOT EXISTS (
                SELECT FROM unnest($1::text[]) WITH ORDINALITY AS asked (label, at)
                WHERE label <> '*' AND labels[at] <> label
            )
            AND NOT EXISTS (
                SELECT FROM unnest($2::text[]) WITH ORDINALITY AS asked (label, at)
                WHERE label <> '*'
                    AND labels[cardinality(labels) - cardinality($2::text[]) + at] <> label
            )
    ) AS found
    ORDER BY labels COLLATE \"C\" LIMIT $4 OFFSET $5
";

impl PostgresStore {
    /// Connects as [`Postgres::connect`](crate::Postgres::connect) does.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if `url` is none, or the database cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Ok(Self { database: Database::connect(url, WHOSE).await?, leaves_ttl: false })
    }

    /// Uses the connections of a pool, such as a saver's.
    pub fn with_pool(pool: Pool) -> Self {
        Self { database: Database { pool, whose: WHOSE }, leaves_ttl: false }
    }

    /// The connections.
    pub fn pool(&self) -> &Pool {
        &self.database.pool
    }

    /// The same store, where reading an item puts off when it is forgotten, or does not. It does
    /// unless told otherwise.
    pub fn refresh_on_read(mut self, refreshes: bool) -> Self {
        self.leaves_ttl = !refreshes;
        self
    }

    /// Makes the table, or brings it up to date: to be called once before a database is used, and
    /// harmless at any time, as for savers.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the database cannot be reached or does not permit it.
    pub async fn setup(&self) -> Result<(), Error> {
        schema::setup(&self.database, &schema::ITEMS).await
    }

    /// Deletes what is forgotten; returns how many items that were.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the database cannot be reached.
    pub async fn sweep_ttl(&self) -> Result<u64, Error> {
        let sql = "
            WITH gone AS (DELETE FROM store WHERE expires_at <= CURRENT_TIMESTAMP RETURNING 1)
            SELECT count(*) AS count FROM gone
        ";
        let rows = self.database.query(sql, &[]).await?;
        let count = rows.first().map(|row| self.database.column::<i64>(row, "count"));
        Ok(u64::try_from(count.transpose()?.unwrap_or_default()).unwrap_or_default())
    }

    /// A statement that reads the items that `found` finds.
    fn reading(&self, found: &str) -> String {
        let refreshed = match self.leaves_ttl {
            true => String::new(),
            false => format!(", refreshed AS ({REFRESH})"),
        };
        format!("WITH found AS ({found}){refreshed} {ITEM} FROM found")
    }

    fn item(&self, row: &Row) -> Result<Item, Error> {
        let text = |name| self.database.column::<&str>(row, name);
        let time = |name| self.database.column::<Option<&str>>(row, name);
        let value: Json = serde_json::from_str(text("value")?)
            .map_err(|error| Error::Unfit(format!("an item is no JSON: {error}")))?;
        let Value::Map(value) = Value::from(value) else {
            let text = format!("the item '{}' in '{}' is no object", text("key")?, text("prefix")?);
            return Err(Error::Unfit(text));
        };
        Ok(Item {
            value: Arc::unwrap_or_clone(value),
            key: text("key")?.into(),
            namespace: text("prefix")?.split('.').map(Arc::from).collect(),
            created_at: time("created_at")?.unwrap_or_default().into(),
            updated_at: time("updated_at")?.unwrap_or_default().into(),
        })
    }

    async fn find(&self, namespace: &[&str], key: &str) -> Result<Option<Item>, Error> {
        let prefix = namespace.join(".");
        let sql = format!("SELECT * FROM store WHERE prefix = $1 AND key = $2 AND {IS_THERE}");
        let rows = self.database.query(&self.reading(&sql), &[&prefix, &key]).await?;
        rows.first().map(|row| self.item(row)).transpose()
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
        let seconds = ttl.map(|ttl| ttl.as_secs_f64());
        let minutes = ttl.map(|ttl| ttl.as_secs().saturating_add(59) / 60);
        let minutes = minutes.map(|minutes| i32::try_from(minutes).unwrap_or(i32::MAX));
        let prefix = namespace.join(".");
        self.database.query(PUT, &[&prefix, &key, &value, &seconds, &minutes]).await?;
        Ok(())
    }

    async fn search_all(&self, query: &SearchQuery) -> Result<Vec<Item>, Error> {
        let mut conditions = Conditions::new(&query.namespace_prefix);
        conditions.add_filter(&query.filter)?;
        let (limit, offset) = (number(query.limit), number(query.offset));
        let Conditions { mut sql, parameters } = conditions;
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            parameters.iter().map(|parameter| &**parameter as &(dyn ToSql + Sync)).collect();
        parameters.extend([&limit as &(dyn ToSql + Sync), &offset]);
        let count = parameters.len();
        sql = format!(
            "SELECT * FROM store WHERE {IS_THERE}{sql} ORDER BY updated_at DESC, prefix, key \
             LIMIT ${} OFFSET ${count}",
            count - 1
        );
        let sql = format!("{} ORDER BY found.updated_at DESC, prefix, key", self.reading(&sql));
        let rows = self.database.query(&sql, &parameters).await?;
        rows.iter().map(|row| self.item(row)).collect()
    }

    async fn namespaces(&self, query: &ListNamespaces) -> Result<Vec<Namespace>, Error> {
        let names = |labels: &[Arc<str>]| labels.iter().map(|label| label.to_string()).collect();
        let (prefix, suffix): (Vec<String>, Vec<String>) =
            (names(&query.prefix), names(&query.suffix));
        let depth =
            query.max_depth.map_or(i32::MAX, |depth| i32::try_from(depth).unwrap_or(i32::MAX));
        let (limit, offset) = (number(query.limit), number(query.offset));
        let parameters: [&(dyn ToSql + Sync); 5] = [&prefix, &suffix, &depth, &limit, &offset];
        let rows = self.database.query(NAMESPACES, &parameters).await?;
        let labels = |row| {
            let labels = self.database.column::<Vec<&str>>(row, "labels")?;
            Ok(labels.into_iter().map(Arc::from).collect())
        };
        rows.iter().map(labels).collect()
    }
}

fn number(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

impl Store for PostgresStore {
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
        Box::pin(async move {
            let sql = "DELETE FROM store WHERE prefix = $1 AND key = $2";
            self.database.query(sql, &[&namespace.join("."), &key]).await?;
            Ok(())
        })
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

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("pool", &self.database.pool.status()).finish()
    }
}
