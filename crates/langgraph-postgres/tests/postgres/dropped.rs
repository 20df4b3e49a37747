//! Calls that nobody waits for any more, and connections that are lost.

use std::task::Context;

use langgraph_rust_checkpoint::Source;
use langgraph_rust_core::{CheckpointId, IdHash, TaskId, Version};
use langgraph_rust_postgres::deadpool_postgres::{Manager, Pool};
use langgraph_rust_postgres::tokio_postgres::NoTls;
use langgraph_rust_postgres::Postgres;
use langgraph_rust_runtime::saver::{
    CheckpointMetadata, Place, Prune, PutCheckpoint, PutWrites, Saver, StoredCheckpoint,
};
use langgraph_rust_runtime::Value;

use crate::server::{connect, saver};

pub fn id(number: u128) -> CheckpointId {
    CheckpointId::from_bits(number)
}

/// A checkpoint with a list in it, and a write on the one before.
pub fn step(number: u128) -> PutCheckpoint {
    let version = Version::Text(format!("{number:032}.5").into());
    let channel = |version| vec![("list".into(), version)];
    PutCheckpoint {
        checkpoint: StoredCheckpoint {
            id: id(number),
            ts: "2026-01-01T00:00:00+00:00".into(),
            task_ids: IdHash::default(),
            channel_values: vec![
                ("list".into(), Value::list([number as i64])),
                ("number".into(), Value::Int(number as i64)),
            ],
            channel_versions: channel(version.clone()),
            versions_seen: Vec::new(),
            updated_channels: None,
        },
        metadata: CheckpointMetadata {
            source: Some(Source::Loop),
            step: number as i64,
            ..CheckpointMetadata::default()
        },
        parent: (number > 1).then(|| id(number - 1)),
        new_versions: channel(version),
        writes: vec![PutWrites {
            checkpoint: id(number - 1),
            task: TaskId::from_text("00000001-0000-4000-8000-000000000000"),
            path: "".into(),
            writes: vec![("list".into(), Value::list([number as i64]))],
        }],
    }
}

pub fn place(thread: &str) -> Place {
    Place { thread: thread.into(), namespace: "".into() }
}

/// A saver that has one connection, so that each call uses that which the last one left.
fn on_one_connection(url: &str) -> Postgres {
    let manager = Manager::new(url.parse().expect("it is an address"), NoTls);
    let pool = Pool::builder(manager).max_size(1).build().expect("it is a pool");
    Postgres::with_pool(pool)
}

/// Polls a future some times, letting others go on in between, and drops it.
async fn give_up<T>(
    mut future: impl std::future::Future<Output = T> + Unpin,
    polls: usize,
) -> bool {
    for _ in 0..polls {
        let mut context = Context::from_waker(futures_util::task::noop_waker_ref());
        if std::pin::Pin::new(&mut future).poll(&mut context).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
        if polls % 2 == 0 {
            tokio::time::sleep(std::time::Duration::from_micros(300)).await;
        }
    }
    false
}

#[tokio::test]
async fn calls_given_up_leave_a_connection_that_works() {
    let Some((_, url)) = saver().await else { return };
    let saver = on_one_connection(&url);
    let place = place("given up");
    let mut finished = 0;
    for polls in 1..60 {
        let number = polls as u128;
        finished += usize::from(give_up(saver.put(&place, step(number)), polls).await);
        let stored = saver.get(&place, Some(&id(number))).await.expect("it reads");
        if let Some(stored) = stored {
            assert_eq!(stored.checkpoint.channel_values.len(), 2, "its values came with it");
            if let Some(before) = saver.get(&place, Some(&id(number - 1))).await.expect("it reads")
            {
                assert_eq!(before.pending.len(), 1, "and its writes");
            }
        }
        saver.put(&place, step(number)).await.expect("it can be stored again");
        give_up(saver.get(&place, None), polls).await;
        let threads = [place.thread.clone()];
        give_up(saver.prune(&threads, Prune::KeepLatest), polls % 12).await;
        let newest = saver.get(&place, None).await.expect("it reads").expect("it is there");
        assert_eq!(newest.checkpoint.id, id(number), "no transaction is left open");
    }
    assert!((1..58).contains(&finished), "some were given up in time, some not");
    let client = connect(&url).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND state LIKE 'idle in transaction%'";
    let row = client.query_one(open, &[]).await.expect("it is listed");
    assert_eq!(row.get::<_, i64>(0), 0, "no transaction is left open");
}

#[tokio::test]
async fn a_setup_given_up_does_not_keep_its_lock() {
    let Some(url) = crate::server::database().await else { return };
    for polls in 1..40 {
        let saver = on_one_connection(&url);
        give_up(Box::pin(saver.setup()), polls).await;
    }
    on_one_connection(&url).setup().await.expect("it is not in the way of others");
}

#[tokio::test]
async fn lost_connections_are_replaced() {
    let Some((saver, url)) = saver().await else { return };
    let place = place("lost");
    saver.put(&place, step(1)).await.expect("it stores");
    let client = connect(&url).await;
    for number in 2..6 {
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.execute(others, &[]).await.expect("they can be ended");
        saver.put(&place, step(number)).await.expect("on a new connection");
        let newest = saver.get(&place, None).await.expect("it reads").expect("it is there");
        assert_eq!(newest.checkpoint.id, id(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_savers_on_one_thread() {
    let Some((one, url)) = saver().await else { return };
    let other = Postgres::connect(&url).await.expect("it connects");
    let place = place("shared");
    let savers = [&one, &other];
    for number in 1..30_u128 {
        let storing = savers.map(|saver| saver.put(&place, step(number)));
        for stored in futures_util::future::join_all(storing).await {
            stored.expect("the same from both is no conflict");
        }
        let threads = [place.thread.clone()];
        let (pruned, newest) = futures_util::future::join(
            savers[number as usize % 2].prune(&threads, Prune::KeepLatest),
            savers[(number as usize + 1) % 2].get(&place, None),
        )
        .await;
        pruned.expect("it prunes");
        let newest = newest.expect("it reads").expect("it is there");
        assert_eq!(newest.checkpoint.channel_values.len(), 2, "with its values");
    }
}
