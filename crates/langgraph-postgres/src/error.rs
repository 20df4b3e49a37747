//! What goes wrong, said so that one can do something about it.

use std::error::Error as StdError;
use std::fmt;

use langgraph_rust_runtime::Error;
use tokio_postgres::error::SqlState;

/// A failure, with all that its sources say: alone, the client's errors say little.
#[derive(Debug)]
struct Failure {
    text: String,
    source: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// The error that a run fails with. `whose`: of the saver, or of the store.
pub(crate) fn failed(whose: &'static str, source: impl StdError + Send + Sync + 'static) -> Error {
    let mut text = String::new();
    let mut at: Option<&dyn StdError> = Some(&source);
    let mut lacks_tables = false;
    while let Some(error) = at {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&said);
        }
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            lacks_tables |= error.code() == Some(&SqlState::UNDEFINED_TABLE);
        }
        at = error.source();
    }
    if lacks_tables {
        text.push_str(" (`setup` makes the tables; call it once before the database is used)");
    }
    Error::storage(whose, Failure { text, source: Box::new(source) })
}

/// Whether the connection is lost, and another one may do.
pub(crate) fn is_lost(error: &tokio_postgres::Error) -> bool {
    const ENDED: [SqlState; 4] = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CONNECTION_EXCEPTION,
        SqlState::CONNECTION_FAILURE,
    ];
    let is_broken = || error.source().is_some_and(|source| source.is::<std::io::Error>());
    error.is_closed() || error.code().is_some_and(|code| ENDED.contains(code)) || is_broken()
}

/// Whether the transaction failed only because of another one, so that it may be tried again.
pub(crate) fn is_conflict(error: &tokio_postgres::Error) -> bool {
    const CONFLICTS: [SqlState; 2] =
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| CONFLICTS.contains(code))
}
