use std::path::Path;
use std::time::Duration;

use langgraph_rust_runtime::Error;
use rusqlite::Connection;

use crate::{failed, Sqlite};

/// How a database is opened.
///
/// ```
/// use std::time::Duration;
///
/// use langgraph_rust_sqlite::{Sqlite, Synchronous};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("threads.db");
/// let saver = Sqlite::options()
///     .synchronous(Synchronous::Normal)
///     .busy_timeout(Duration::from_secs(5))
///     .open(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SqliteOptions {
    synchronous: Synchronous,
    busy_timeout: Duration,
    is_wal: bool,
}

/// What a commit waits for: SQLite's `synchronous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Until it is on disk. What was answered outlives a loss of power.
    #[default]
    Full,
    /// Until the system has it. What was answered outlives the process; a loss of power may take the
    /// last commits, but leaves the database whole.
    Normal,
    /// For nothing. A loss of power may leave the database broken.
    Off,
}

/// How long others are waited for who write to the database.
const PATIENCE: Duration = Duration::from_secs(30);

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { synchronous: Synchronous::Full, busy_timeout: PATIENCE, is_wal: true }
    }
}

impl SqliteOptions {
    /// What a commit waits for; [`Synchronous::Full`] unless said otherwise.
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long others are waited for who write to the database; 30 seconds unless said otherwise.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Whether the database is put into WAL mode, in which readers and a writer do not wait for each
    /// other; unless said otherwise it is. File systems in networks cannot do that; without, the mode
    /// stays what it is.
    pub fn wal(mut self, is_wal: bool) -> Self {
        self.is_wal = is_wal;
        self
    }

    /// The database in a file, which is made if there is none. This waits for the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if the file cannot be used.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Sqlite, Error> {
        let connection = Connection::open(path).map_err(failed)?;
        self.set_up(&connection).map_err(failed)?;
        Sqlite::of(connection)
    }

    /// A database that ends with its last handle.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] if there is no thread for it.
    pub fn in_memory(self) -> Result<Sqlite, Error> {
        let connection = Connection::open_in_memory().map_err(failed)?;
        self.set_up(&connection).map_err(failed)?;
        Sqlite::of(connection)
    }

    fn set_up(&self, connection: &Connection) -> rusqlite::Result<()> {
        self.prepare(connection)?;
        make_tables(connection)
    }

    /// How the connection waits, and what it leaves to the disk.
    pub(crate) fn prepare(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.set_prepared_statement_cache_capacity(64);
        connection.busy_timeout(self.busy_timeout)?;
        if self.is_wal {
            // Answers with the mode that there is then; in memory it is another.
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        }
        let synchronous = match self.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
            Synchronous::Off => "OFF",
        };
        connection.pragma_update(None, "synchronous", synchronous)
    }
}

/// The tables of LangGraph's own saver.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS checkpoints (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        parent_checkpoint_id TEXT,
        type TEXT,
        checkpoint BLOB,
        metadata BLOB,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
    );
    CREATE TABLE IF NOT EXISTS writes (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        task_path TEXT NOT NULL DEFAULT '',
        idx INTEGER NOT NULL,
        channel TEXT NOT NULL,
        type TEXT,
        value BLOB,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    );
";

/// Makes the tables unless they are there, and the column that those of old versions lack.
fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    let count = "SELECT count(*) FROM sqlite_master WHERE name IN ('checkpoints', 'writes')";
    let tables: i64 = connection.query_row(count, [], |row| row.get(0))?;
    if tables < 2 {
        connection.execute_batch(TABLES)?;
    }
    let column = "SELECT count(*) FROM pragma_table_info('writes') WHERE name = 'task_path'";
    let has_path = || connection.query_row(column, [], |row| row.get::<_, i64>(0));
    if has_path()? == 0 {
        let add = "ALTER TABLE writes ADD COLUMN task_path TEXT NOT NULL DEFAULT ''";
        if let Err(error) = connection.execute_batch(add) {
            // Another process may have been quicker.
            if has_path()? == 0 {
                return Err(error);
            }
        }
    }
    Ok(())
}
