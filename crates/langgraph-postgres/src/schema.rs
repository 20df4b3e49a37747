//! The tables that LangGraph's own Postgres savers and stores share.

use deadpool_postgres::{ClientWrapper, Object};
use langgraph_rust_runtime::Error;
use tokio_postgres::error::SqlState;

use crate::connection::{Database, TRIES};

/// What is done to a database, in order. It remembers how far it has come: a migration's number is
/// its index.
pub(crate) struct Migrations {
    /// The table in which it remembers that.
    table: &'static str,
    all: &'static [&'static str],
}

/// The tables of savers.
pub(crate) const THREADS: Migrations = Migrations { table: "checkpoint_migrations", all: &[
    // LangGraph's number 0 is the table of numbers, which is made before.
    "SELECT 0",
    "CREATE TABLE IF NOT EXISTS checkpoints (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        parent_checkpoint_id TEXT,
        type TEXT,
        checkpoint JSONB NOT NULL,
        metadata JSONB NOT NULL DEFAULT '{}',
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
    )",
    "CREATE TABLE IF NOT EXISTS checkpoint_blobs (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        channel TEXT NOT NULL,
        version TEXT NOT NULL,
        type TEXT NOT NULL,
        blob BYTEA,
        PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
    )",
    "CREATE TABLE IF NOT EXISTS checkpoint_writes (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        idx INTEGER NOT NULL,
        channel TEXT NOT NULL,
        type TEXT,
        blob BYTEA NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    )",
    "ALTER TABLE checkpoint_blobs ALTER COLUMN blob DROP NOT NULL",
    // LangGraph's number 5, once an empty text.
    "SELECT 1",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS checkpoints_thread_id_idx ON checkpoints (thread_id)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS checkpoint_blobs_thread_id_idx
        ON checkpoint_blobs (thread_id)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS checkpoint_writes_thread_id_idx
        ON checkpoint_writes (thread_id)",
    "ALTER TABLE checkpoint_writes ADD COLUMN IF NOT EXISTS task_path TEXT NOT NULL DEFAULT ''",
]};

/// The table of stores.
pub(crate) const ITEMS: Migrations = Migrations {
    table: "store_migrations",
    all: &[
        "CREATE TABLE IF NOT EXISTS store (
        prefix TEXT NOT NULL,
        key TEXT NOT NULL,
        value JSONB NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (prefix, key)
    )",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS store_prefix_idx
        ON store USING btree (prefix text_pattern_ops)",
        "ALTER TABLE store
        ADD COLUMN IF NOT EXISTS expires_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN IF NOT EXISTS ttl_minutes INT",
        "CREATE INDEX IF NOT EXISTS idx_store_expires_at ON store (expires_at)
        WHERE expires_at IS NOT NULL",
    ],
};

/// The number of the lock that whoever makes the tables holds; this project's Python savers hold the
/// same.
const LOCK: i64 = 0x6C67_7261_7068;

/// How often that is asked for, 50 ms apart. Not for ever: behind PgBouncer, whoever has the lock may
/// not be able to give it back.
const PATIENCE: usize = 200;

/// What it looks like when others make the tables without that lock, as LangGraph's own savers do.
const RACES: [SqlState; 5] = [
    SqlState::UNIQUE_VIOLATION,
    SqlState::DUPLICATE_TABLE,
    SqlState::DUPLICATE_OBJECT,
    SqlState::DUPLICATE_COLUMN,
    SqlState::T_R_DEADLOCK_DETECTED,
];

/// Brings the tables up to date.
pub(crate) async fn setup(database: &Database, to: &Migrations) -> Result<(), Error> {
    for tries_left in (0..TRIES).rev() {
        // Out of the pool: if this is dropped midway, the connection ends, and the lock with it.
        let client = Object::take(database.client().await?);
        match migrate(&client, to).await {
            Err(error)
                if tries_left > 0 && error.code().is_some_and(|code| RACES.contains(code)) => {}
            done => return done.map_err(|error| database.failed(error)),
        }
    }
    Ok(())
}

async fn migrate(client: &ClientWrapper, to: &Migrations) -> Result<(), tokio_postgres::Error> {
    let Migrations { table, all } = to;
    let numbers = format!("CREATE TABLE IF NOT EXISTS {table} (v INTEGER PRIMARY KEY)");
    client.batch_execute(&numbers).await?;
    if done(client, to).await? == all.len() {
        return Ok(());
    }
    // Two that make the same index at the same time would end in a deadlock. So would one that waits
    // for the lock, since an index waits for all transactions: hence it is asked for again and again.
    for _ in 0..PATIENCE {
        let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await?;
        if row.get(0) {
            break;
        }
        client.batch_execute("SELECT pg_sleep(0.05)").await?;
    }
    for (number, migration) in all.iter().enumerate().skip(done(client, to).await?) {
        // Each by itself: an index is not made within a transaction.
        client.batch_execute(migration).await?;
        let done = format!("INSERT INTO {table} (v) VALUES ($1) ON CONFLICT DO NOTHING");
        client.execute(&done, &[&(number as i32)]).await?;
    }
    Ok(())
}

/// How many migrations are done; a newer saver may have more.
async fn done(client: &ClientWrapper, to: &Migrations) -> Result<usize, tokio_postgres::Error> {
    let newest = format!("SELECT max(v) FROM {}", to.table);
    let newest = client.query_one(&newest, &[]).await?;
    let newest: Option<i32> = newest.get(0);
    let done = newest.map_or(0, |newest| usize::try_from(newest + 1).unwrap_or_default());
    Ok(done.min(to.all.len()))
}
