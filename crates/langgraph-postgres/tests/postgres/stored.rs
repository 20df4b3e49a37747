//! What stands in the tables.

use langgraph_rust_core::Version;
use langgraph_rust_runtime::saver::{ListQuery, Prune, Saver};
use langgraph_rust_runtime::Value;
use std::sync::Arc;

use crate::dropped::{id, place, step};
use crate::server::{connect, saver};

#[tokio::test]
async fn single_values_are_in_the_checkpoint_and_others_beside_it() {
    let Some((saver, url)) = saver().await else { return };
    let place = place("rows");
    let mut put = step(1);
    put.metadata.extra.insert("user".into(), "é\0".into());
    let snapshot = Value::Snapshot(Arc::new(Value::list([1])));
    for (name, value) in [("nul", "a\0b".into()), ("snapshot", snapshot), ("none", Value::Null)] {
        let version = (Arc::from(name), Version::Int(1));
        put.checkpoint.channel_values.push((name.into(), value));
        put.checkpoint.channel_versions.push(version.clone());
        put.new_versions.push(version);
    }
    saver.put(&place, put.clone()).await.expect("it stores");
    let client = connect(&url).await;
    let row = client
        .query_one(
            "SELECT checkpoint::text, metadata::text, parent_checkpoint_id FROM checkpoints",
            &[],
        )
        .await
        .expect("there is one");
    // As PostgreSQL orders and spells it.
    assert_eq!(
        row.get::<_, &str>(0),
        r#"{"v": 4, "id": "00000000-0000-0000-0000-000000000001", "ts": "2026-01-01T00:00:00+00:00", "versions_seen": {}, "channel_values": {"none": null, "number": 1, "snapshot": true}, "channel_versions": {"nul": 1, "list": "00000000000000000000000000000001.5", "none": 1, "snapshot": 1}, "updated_channels": null}"#
    );
    assert_eq!(
        row.get::<_, &str>(1),
        r#"{"step": 1, "user": "é", "source": "loop", "parents": {}}"#
    );
    assert_eq!(row.get::<_, Option<&str>>(2), None);
    let blobs = "SELECT channel, version, type, blob FROM checkpoint_blobs ORDER BY channel";
    let blobs = client.query(blobs, &[]).await.expect("they are there");
    let blobs: Vec<(String, String, String, Vec<u8>)> =
        blobs.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
    let of = |channel: &str, version: &str, blob: &[u8]| {
        (channel.to_owned(), version.to_owned(), "msgpack".to_owned(), blob.to_vec())
    };
    let wanted = [
        of("list", "00000000000000000000000000000001.5", b"\x91\x01"),
        of("nul", "1", b"\xa3a\0b"),
        of("snapshot", "1", b"\xd5\x07\x91\x01"),
    ];
    assert_eq!(blobs, wanted);
    let found = saver.get(&place, None).await.expect("it reads").expect("it is there");
    let mut values = found.checkpoint.channel_values;
    values.sort_by(|a, b| a.0.cmp(&b.0));
    put.checkpoint.channel_values.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(values, put.checkpoint.channel_values);
}

#[tokio::test]
async fn pruning_deletes_values_that_nobody_has() {
    let Some((saver, url)) = saver().await else { return };
    let (place, other) = (place("pruned"), place("other"));
    for number in 1..=5 {
        saver.put(&place, step(number)).await.expect("it stores");
        saver.put(&other, step(number)).await.expect("it stores");
    }
    // The newest still has what the one before it had.
    let mut put = step(6);
    put.new_versions.clear();
    put.checkpoint.channel_versions = step(5).checkpoint.channel_versions;
    put.checkpoint.channel_values = step(5).checkpoint.channel_values;
    saver.put(&place, put).await.expect("it stores");
    let threads = std::slice::from_ref(&place.thread);
    saver.prune(threads, Prune::KeepLatest).await.expect("it prunes");
    let client = connect(&url).await;
    for (table, left) in
        [("checkpoints", [1, 5]), ("checkpoint_blobs", [1, 5]), ("checkpoint_writes", [1, 5])]
    {
        let counts =
            ["pruned", "other"].map(|thread| {
                let sql = format!("SELECT count(*) FROM {table} WHERE thread_id = $1");
                let client = &client;
                async move {
                    client.query_one(&sql, &[&thread]).await.expect("it counts").get::<_, i64>(0)
                }
            });
        let [pruned, other] = counts;
        // A write on what was never stored waits for it.
        assert_eq!([pruned.await, other.await], left.map(i64::from), "{table}");
    }
    let newest = saver.get(&place, None).await.expect("it reads").expect("it is there");
    assert_eq!(newest.checkpoint.id, id(6));
    assert!(newest.checkpoint.channel_values.contains(&("list".into(), Value::list([5]))));
}

#[tokio::test]
async fn checkpoints_of_old_releases_are_read() {
    let Some((saver, url)) = saver().await else { return };
    let client = connect(&url).await;
    client
        .batch_execute(
            r#"INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint, metadata) VALUES
                ('old', '1ef4f797-8335-6428-8001-8a1503f9b875', '{"v": 1, "ts": "2024",
                "id": "1ef4f797-8335-6428-8001-8a1503f9b875", "versions_seen": {},
                "channel_versions": {"a": 2, "b": 1}}', '{"source": "loop", "step": 1}');
            INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob) VALUES
                ('old', 'a', '2', 'msgpack', '\xa178'), ('old', 'b', '1', 'empty', NULL),
                ('old', 'a', '1', 'msgpack', '\xa179')"#,
        )
        .await
        .expect("they are in");
    let found = saver.list(&ListQuery::place(&place("old"))).await.expect("it lists");
    let [(_, found)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found.checkpoint.channel_values, [("a".into(), "x".into())]);
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let Some((saver, url)) = saver().await else { return };
    saver.put(&place("broken"), step(1)).await.expect("it stores");
    let client = connect(&url).await;
    client.execute("UPDATE checkpoint_blobs SET blob = '\\xc1'", &[]).await.expect("it is broken");
    let error = saver.get(&place("broken"), None).await.expect_err("it is broken");
    let text = error.to_string();
    for part in ["00000001", "'broken'", "'list'"] {
        assert!(text.contains(part), "{text}");
    }
}
