//! Deleting old checkpoints, and what only they needed.

use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_core::CheckpointId;
use langgraph_rust_runtime::saver::{Link, Look, Pruning};
use langgraph_rust_runtime::Error;
use tokio_postgres::{IsolationLevel, Row, Transaction};

use crate::connection::{Database, TRIES};
use crate::error::is_conflict;
use crate::rows::{column, elements, name};

const LINKS: &str = "
    SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, ARRAY(
        SELECT jsonb_object_keys(metadata -> 'counters_since_delta_snapshot')
    ) AS changed
    FROM checkpoints WHERE thread_id = $1
";

// How values are encoded, and their first bytes; what stays within the checkpoint is no list.
const LOOKS: &str = "
    SELECT c.checkpoint_ns, c.checkpoint_id,
        ARRAY(SELECT jsonb_object_keys(c.checkpoint -> 'channel_versions')) AS written,
        ARRAY(
            SELECT key FROM jsonb_each(c.checkpoint -> 'channel_values') WHERE value <> 'null'
        ) AS inline,
        stored.*
    FROM unnest($2::text[], $3::text[]) AS asked (checkpoint_ns, checkpoint_id)
    JOIN checkpoints c ON c.thread_id = $1 AND c.checkpoint_ns = asked.checkpoint_ns
        AND c.checkpoint_id = asked.checkpoint_id
    CROSS JOIN LATERAL (
        SELECT array_agg(b.channel) AS channels, array_agg(b.type) AS kinds,
            array_agg(substring(b.blob FOR 8)) AS heads
        FROM jsonb_each_text(c.checkpoint -> 'channel_versions') AS v (channel, version)
        JOIN checkpoint_blobs b ON b.thread_id = $1 AND b.checkpoint_ns = c.checkpoint_ns
            AND b.channel = v.channel AND b.version = v.version
        WHERE b.type <> 'empty'
    ) AS stored
";

// All parts see the tables as they were before. Writes may be stored before their checkpoint is, so
// those go whose checkpoint is seen to go.
const DELETE: &str = "
    WITH asked AS (
        SELECT * FROM unnest($2::text[], $3::text[]) AS asked (checkpoint_ns, checkpoint_id)
    ), written AS (
        DELETE FROM checkpoint_writes w USING asked
        WHERE w.thread_id = $1 AND w.checkpoint_ns = asked.checkpoint_ns
            AND w.checkpoint_id = asked.checkpoint_id
    ), gone AS (
        DELETE FROM checkpoints c USING asked
        WHERE c.thread_id = $1 AND c.checkpoint_ns = asked.checkpoint_ns
            AND c.checkpoint_id = asked.checkpoint_id
        RETURNING c.checkpoint_ns, c.checkpoint -> 'channel_versions' AS used
    ), garbage AS (
        SELECT checkpoint_ns, key, value FROM gone, jsonb_each_text(used)
        EXCEPT
        SELECT c.checkpoint_ns, v.key, v.value
        FROM checkpoints c, jsonb_each_text(c.checkpoint -> 'channel_versions') AS v
        WHERE c.thread_id = $1
            AND (c.checkpoint_ns, c.checkpoint_id) NOT IN (SELECT * FROM asked)
    )
    DELETE FROM checkpoint_blobs b USING garbage g
    WHERE b.thread_id = $1 AND b.checkpoint_ns = g.checkpoint_ns AND b.channel = g.key
        AND b.version = g.value
";

/// Ancestors that are looked at together: few, then more and more.
const FIRST_LOOKS: usize = 8;
const MOST_LOOKS: usize = 512;

type Failed = Result<(), tokio_postgres::Error>;
/// By namespace.
type Links = BTreeMap<Arc<str>, BTreeMap<CheckpointId, Link>>;
type Looks = BTreeMap<(Arc<str>, CheckpointId), Look>;

/// Keeps of each thread what its newest checkpoints need. Each is a transaction, which sees one state
/// of the tables: a run that goes on meanwhile loses nothing.
pub(crate) async fn keep_latest(database: &Database, threads: &[Arc<str>]) -> Result<(), Error> {
    for thread in threads {
        for tries_left in (0..TRIES).rev() {
            let mut client = database.client().await?;
            let transaction = client.build_transaction();
            let transaction = transaction.isolation_level(IsolationLevel::RepeatableRead);
            let transaction = transaction.start().await.map_err(|error| database.failed(error))?;
            // If this is dropped midway, it is rolled back.
            let is_done = match prune(database, &transaction, thread).await? {
                Ok(()) => transaction.commit().await,
                Err(error) => Err(error),
            };
            match is_done {
                Ok(()) => break,
                Err(error) if tries_left > 0 && is_conflict(&error) => {}
                Err(error) => return Err(database.failed(error)),
            }
        }
    }
    Ok(())
}

/// What the database says is apart from what cannot be read.
async fn prune(
    database: &Database,
    transaction: &Transaction<'_>,
    thread: &str,
) -> Result<Failed, Error> {
    let rows = transaction.query(LINKS, &[&thread]).await;
    let links = links(&rows.map_err(|error| database.failed(error))?)?;
    let mut all: Vec<_> = links
        .iter()
        .map(|(namespace, links)| (namespace.clone(), Pruning::new(links.values().cloned())))
        .collect();
    let mut looks = Looks::new();
    let mut at_once = FIRST_LOOKS;
    loop {
        let wanted = ask(&mut all, &links, &mut looks, at_once);
        if wanted.is_empty() {
            break;
        }
        let (namespaces, ids) = columns(&wanted);
        let rows = transaction.query(LOOKS, &[&thread, &namespaces, &ids]).await;
        for row in rows.map_err(|error| database.failed(error))? {
            looks.insert(key(&row)?, look(&row)?);
        }
        // What is not there holds nothing.
        for key in wanted {
            looks.entry(key).or_default();
        }
        at_once = (at_once * 2).min(MOST_LOOKS);
    }
    let gone: Vec<_> = all
        .into_iter()
        .flat_map(|(namespace, pruning)| {
            pruning.superfluous().into_iter().map(move |id| (namespace.clone(), id))
        })
        .collect();
    if gone.is_empty() {
        return Ok(Ok(()));
    }
    let (namespaces, ids) = columns(&gone);
    Ok(transaction.execute(DELETE, &[&thread, &namespaces, &ids]).await.map(drop))
}

/// Answers what can be answered; returns which checkpoints to look at for the rest.
fn ask(
    all: &mut [(Arc<str>, Pruning)],
    links: &Links,
    looks: &mut Looks,
    at_once: usize,
) -> Vec<(Arc<str>, CheckpointId)> {
    let mut wanted = Vec::new();
    for (namespace, pruning) in all {
        while let Some(asked) = pruning.asks().cloned() {
            let Some(look) = looks.remove(&(namespace.clone(), asked.clone())) else {
                // Its ancestors are what is asked for next.
                let links = &links[namespace];
                let parent = |id: &CheckpointId| links.get(id)?.parent.clone();
                let line = std::iter::successors(Some(asked), parent).take(at_once);
                wanted.extend(line.map(|id| (namespace.clone(), id)));
                break;
            };
            pruning.answer(look);
        }
    }
    wanted
}

fn columns(of: &[(Arc<str>, CheckpointId)]) -> (Vec<&str>, Vec<&str>) {
    of.iter().map(|(namespace, id)| (&**namespace, id.as_str())).unzip()
}

fn key(row: &Row) -> Result<(Arc<str>, CheckpointId), Error> {
    let id = CheckpointId::from_text(column(row, "checkpoint_id")?);
    Ok((name(column(row, "checkpoint_ns")?), id))
}

fn links(rows: &[Row]) -> Result<Links, Error> {
    let mut links = Links::new();
    for row in rows {
        let (namespace, id) = key(row)?;
        let parent: Option<&str> = column(row, "parent_checkpoint_id")?;
        let changed = elements::<&str>(row, "changed")?.into_iter().map(name).collect();
        let parent = parent.map(CheckpointId::from_text);
        let link = Link { id: id.clone(), parent, changed };
        links.entry(namespace).or_default().insert(id, link);
    }
    Ok(links)
}

fn look(row: &Row) -> Result<Look, Error> {
    let kinds = elements::<&str>(row, "kinds")?;
    let heads = elements::<Option<&[u8]>>(row, "heads")?;
    let stored = elements::<&str>(row, "channels")?.into_iter().zip(kinds.into_iter().zip(heads));
    let mut held: Vec<_> = stored
        .map(|(channel, (kind, head))| (name(channel), may_be_seed(kind, head.unwrap_or_default())))
        .collect();
    for channel in elements::<&str>(row, "inline")? {
        // A snapshot is marked in the checkpoint.
        if !held.iter().any(|(name, _)| **name == *channel) {
            held.push((name(channel), false));
        }
    }
    Ok(Look { written: elements::<&str>(row, "written")?.into_iter().map(name).collect(), held })
}

/// Whether the value that begins so is a list or a snapshot, from which a list may be rebuilt.
fn may_be_seed(kind: &str, head: &[u8]) -> bool {
    const SNAPSHOT: u8 = 7;
    let at = |index: usize| head.get(index) == Some(&SNAPSHOT);
    kind == "msgpack"
        && match head.first() {
            // Lists.
            Some(0x90..=0x9f | 0xdc | 0xdd) => true,
            // Extensions of a fixed length, and of lengths in one, two and four bytes.
            Some(0xd4..=0xd8) => at(1),
            Some(0xc7) => at(2),
            Some(0xc8) => at(3),
            Some(0xc9) => at(5),
            _ => false,
        }
}
