//! The thread that has the connection, and what it is asked.

use std::future::Future;
use std::sync::mpsc::{channel, Receiver, Sender};

use langgraph_rust_runtime::Error;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// The way to the thread that has the connection. The thread ends when this does, after what it was
/// asked.
pub struct Worker {
    jobs: Sender<Job>,
    /// Whose it is, for errors.
    whose: &'static str,
}

/// Something to do in a transaction.
struct Job {
    is_change: bool,
    /// Does it, or learns why it cannot be done.
    work: Box<Work>,
}

type Work = dyn FnOnce(Result<&Connection, Error>) -> Done + Send;

/// Something that was done, to be told once it is committed.
struct Done {
    is_failed: bool,
    /// Tells what came of it; or the error that the transaction ended with.
    tell: Box<dyn FnOnce(Option<Error>)>,
}

/// How many jobs share a transaction at most.
const MOST: usize = 1024;

impl Worker {
    /// Gives the connection to a thread. `whose` it is stands in errors: `SQLite saver`.
    pub fn start(connection: Connection, whose: &'static str) -> Result<Self, Error> {
        let (sender, jobs) = channel();
        let thread = std::thread::Builder::new().name("langgraph-sqlite".to_owned());
        let spawned = thread.spawn(move || work(&connection, &jobs, whose));
        spawned.map_err(|error| Error::storage(whose, error))?;
        Ok(Self { jobs: sender, whose })
    }

    /// Asks for something that only reads.
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'static {
        self.send(false, work)
    }

    /// Has something done that writes. It is, or not at all.
    pub fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'static {
        self.send(true, work)
    }

    fn send<T: Send + 'static>(
        &self,
        is_change: bool,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'static {
        let (sender, answer) = oneshot::channel();
        let work = Box::new(move |connection: Result<&Connection, Error>| {
            let result = connection.and_then(work);
            let is_failed = result.is_err();
            let tell = Box::new(move |error: Option<Error>| {
                // Whoever asked may have given up.
                let _ = sender.send(error.map_or(result, Err));
            });
            Done { is_failed, tell }
        });
        // If the thread is gone so is the sender of the answer, which is told below.
        let _ = self.jobs.send(Job { is_change, work });
        let whose = self.whose;
        async move { answer.await.unwrap_or_else(|_| Err(Error::storage(whose, Gone))) }
    }
}

/// The thread has ended, which it does only if it panics.
#[derive(Debug, thiserror::Error)]
#[error("the thread that has the connection is gone")]
struct Gone;

/// Does what is asked until nobody can ask any more. What waits at the same time is one transaction.
fn work(connection: &Connection, jobs: &Receiver<Job>, whose: &'static str) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(MOST - 1));
        let mut batch = batch.into_iter();
        while batch.len() > 0 {
            transact(connection, &mut batch, whose);
        }
    }
}

/// Does jobs in one transaction, in their order, and tells what came of them. Leaves those over that
/// come after one with which the transaction ended.
fn transact(connection: &Connection, jobs: &mut std::vec::IntoIter<Job>, whose: &'static str) {
    let run =
        |statement: &str| run(connection, statement).map_err(|error| Error::storage(whose, error));
    let is_change = jobs.as_slice().iter().any(|job| job.is_change);
    // Who asks to write later than at the beginning may find that others have written since.
    let begin = if is_change { "BEGIN IMMEDIATE" } else { "BEGIN" };
    if let Err(error) = run(begin) {
        return refuse(connection, jobs, error);
    }
    let is_shared = jobs.len() > 1;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs.by_ref() {
        done.push(part(connection, job, is_shared, &run));
        // Some errors end the transaction, with all that was done in it.
        if connection.is_autocommit() {
            break;
        }
    }
    let ended = match connection.is_autocommit() {
        true => Err(Error::storage(whose, Undone)),
        false => end(connection, done.iter().all(|done| done.is_failed), &run),
    };
    for done in done {
        let error = ended.as_ref().err().filter(|_| !done.is_failed);
        (done.tell)(error.cloned());
    }
}

/// Another job of the same transaction took it all back.
#[derive(Debug, thiserror::Error)]
#[error("it was undone, because the transaction ended with an error")]
struct Undone;

/// Does what can be done where no transaction could be begun: to read, nobody needs to wait.
fn refuse(connection: &Connection, jobs: &mut std::vec::IntoIter<Job>, error: Error) {
    for job in jobs {
        let connection = if job.is_change { Err(error.clone()) } else { Ok(connection) };
        ((job.work)(connection).tell)(None);
    }
}

/// Does a job, or nothing of it. One that has the transaction to itself needs no part of it.
fn part(connection: &Connection, job: Job, is_shared: bool, run: &Run<'_>) -> Done {
    if !is_shared || !job.is_change {
        return (job.work)(Ok(connection));
    }
    if let Err(error) = run("SAVEPOINT part") {
        return (job.work)(Err(error));
    }
    let done = (job.work)(Ok(connection));
    let undone = match done.is_failed && !connection.is_autocommit() {
        true => run("ROLLBACK TO part"),
        false => Ok(()),
    };
    let is_over = connection.is_autocommit();
    let ended = undone.and_then(|()| if is_over { Ok(()) } else { run("RELEASE part") });
    if ended.is_err() && !connection.is_autocommit() {
        // What cannot be told apart from the rest goes with it.
        let _ = run("ROLLBACK");
    }
    done
}

/// Ends a transaction, with nothing if all that was done in it has failed.
fn end(connection: &Connection, is_failed: bool, run: &Run<'_>) -> Result<(), Error> {
    if is_failed {
        return run("ROLLBACK");
    }
    run("COMMIT").inspect_err(|_| {
        if !connection.is_autocommit() {
            let _ = run("ROLLBACK");
        }
    })
}

/// Runs a statement, and says whose it was that failed.
type Run<'r> = dyn Fn(&str) -> Result<(), Error> + 'r;

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failed;

    fn worker() -> Worker {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x INTEGER UNIQUE)").unwrap();
        Worker::start(connection, "SQLite saver").unwrap()
    }

    fn insert(number: i64) -> impl FnOnce(&Connection) -> Result<(), Error> + Send + 'static {
        move |connection| {
            let insert = |number: i64| connection.execute("INSERT INTO t VALUES (?)", [number]);
            insert(number).map_err(failed)?;
            if number < 0 {
                return Err(Error::message("no"));
            }
            Ok(())
        }
    }

    fn all(connection: &Connection) -> Result<Vec<i64>, Error> {
        let read = || -> rusqlite::Result<Vec<i64>> {
            connection
                .prepare("SELECT x FROM t ORDER BY x")?
                .query_map([], |row| row.get(0))?
                .collect()
        };
        read().map_err(failed)
    }

    /// Has jobs wait until all of them do.
    fn blocked(worker: &Worker) -> std::sync::mpsc::Sender<()> {
        let (go, wait) = channel();
        drop(worker.ask(move |_| Ok(wait.recv().is_ok())));
        go
    }

    #[tokio::test]
    async fn what_waits_is_one_transaction_and_a_failure_is_its_own() {
        let worker = worker();
        let go = blocked(&worker);
        let asked = [1, 2, -3, 2, 4].map(|number| worker.change(insert(number)));
        let seen = worker.ask(all);
        drop(go);
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.is_ok());
        }
        assert_eq!(answers, [true, true, false, false, true]);
        assert_eq!(seen.await.unwrap(), [1, 2, 4], "who asks later sees what was asked for before");
        assert!(worker.change(insert(-9)).await.is_err());
        assert_eq!(worker.ask(all).await.unwrap(), [1, 2, 4], "alone as well");
    }

    #[tokio::test]
    async fn what_ends_the_transaction_ends_it_for_those_before() {
        let worker = worker();
        let go = blocked(&worker);
        let first = worker.change(insert(1));
        let ends = worker.change(|connection| {
            connection.execute_batch("ROLLBACK").map_err(failed)?;
            Err::<(), _>(Error::message("the disk is full"))
        });
        let later = worker.change(insert(2));
        drop(go);
        assert!(first.await.unwrap_err().to_string().contains("undone"));
        assert_eq!(ends.await.unwrap_err().to_string(), "the disk is full");
        later.await.unwrap();
        assert_eq!(worker.ask(all).await.unwrap(), [2]);
    }

    #[tokio::test]
    async fn what_was_asked_for_is_done_after_the_last_handle() {
        let worker = worker();
        let go = blocked(&worker);
        let asked = worker.change(insert(1));
        drop(worker.change(insert(2)));
        let seen = worker.ask(all);
        drop(worker);
        drop(go);
        asked.await.unwrap();
        assert_eq!(seen.await.unwrap(), [1, 2], "whether or not anybody waits for it");
    }

    #[tokio::test]
    async fn a_panic_is_told() {
        let worker = worker();
        let told = worker.ask(|_| -> Result<(), Error> { panic!("of the test") }).await;
        assert!(told.unwrap_err().to_string().contains("is gone"));
        assert!(worker.ask(all).await.is_err());
    }
}
