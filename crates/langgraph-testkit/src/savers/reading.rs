//! Finding what was stored.

use std::sync::Arc;

use langgraph_rust_checkpoint::{SinceSnapshot, Source};
use langgraph_rust_core::IdHash;
use langgraph_rust_runtime::saver::{
    CheckpointMetadata, ListQuery, Place, PutCheckpoint, Saver, StoredCheckpoint,
};
use langgraph_rust_runtime::{Map, Value};

use super::{id, unordered, unused, Line};

pub(super) async fn check(saver: &dyn Saver) {
    super::check_versions(saver);
    nothing_is_there_before_it_is_stored(saver).await;
    checkpoints_come_back_whole(saver).await;
    metadata_come_back(saver).await;
    a_stub_comes_back(saver).await;
    a_checkpoint_may_be_stored_again(saver).await;
    lists_are_newest_first_and_limited(saver).await;
    lists_are_filtered_by_metadata(saver).await;
}

async fn nothing_is_there_before_it_is_stored(saver: &dyn Saver) {
    let line = Line::new(saver, &unused("none"), "");
    assert_eq!(line.newest().await, None, "a thread that nobody began has no checkpoint");
    assert_eq!(line.get(1).await, None, "nor one by its id");
    let listed = saver.list(&ListQuery::place(&line.place)).await.expect("it lists");
    assert!(listed.is_empty(), "it has none to list");
    let histories = saver.delta_history(&line.place, &id(1), &["a".into(), "b".into()]).await;
    let histories = histories.expect("a history can be asked for");
    assert_eq!(histories, [Default::default(), Default::default()], "its channels are empty");
    saver.delete_thread(&line.place.thread).await.expect("there may be nothing to delete");
}

fn kinds() -> Vec<(&'static str, Option<Value>)> {
    let map = Value::from([("b", 1.into()), ("a", Value::list([1.5, -0.25])), ("ключ", ().into())]);
    vec![
        ("null", Some(Value::Null)),
        ("bool", Some(true.into())),
        ("int", Some(i64::MIN.into())),
        ("float", Some(1e300.into())),
        ("text", Some("ünï\n\"quoted\" \u{1F980}".into())),
        ("empty", Some("".into())),
        ("bytes", Some(Value::Bytes((0..=255).collect::<Vec<u8>>().into()))),
        ("list", Some(Value::list([map.clone(), Value::list::<Value>([]), Value::Null]))),
        ("map", Some(map.clone())),
        ("typed", Some(Value::typed(vec![(1_u8, "x".to_owned())]))),
        ("send", Some(Value::list([Value::Send(Arc::new(("node".into(), map.clone())))]))),
        ("snapshot", Some(Value::Snapshot(Arc::new(Value::list([map]))))),
        ("overwrite", Some(Value::overwrite(Value::list([9])))),
        ("large", Some("0123456789abcdef".repeat(1 << 17).into())),
        ("long", Some(Value::Bytes(vec![7; 3 << 20].into()))),
        ("gone", None),
        ("имя, with \"quotes\" 'and' spaces", Some("odd".into())),
    ]
}

async fn checkpoints_come_back_whole(saver: &dyn Saver) {
    for namespace in ["", "inner:1ef|più:2|3"] {
        let thread = unused("whole/Ω 'quoted' \"twice\" %_");
        let mut line = Line::new(saver, &thread, namespace);
        let mut first = line.next(7, &kinds());
        let versions = first.checkpoint.channel_versions.clone();
        first.checkpoint.versions_seen.push(("node".into(), Arc::new(versions[..2].to_vec())));
        line.put(first.clone()).await;
        line.step(8, &[("text", Some("second".into())), ("int", None)]).await;
        for (number, put) in [(7, Some(first.checkpoint)), (8, line.at.clone())] {
            let found = line.get(number).await.expect("what was stored is found");
            let put = put.expect("it was stored");
            assert_eq!(unordered(found.checkpoint), unordered(put), "it is what was stored");
            assert_eq!(found.parent, (number == 8).then(|| id(7)), "it has the parent it had");
            assert!(found.pending.is_empty(), "nothing was written on it");
        }
        let newest = line.newest().await.expect("the newest is found");
        assert_eq!(newest.checkpoint.id, id(8), "the newest has the greatest id");
        assert_eq!(line.get(9).await, None, "an id that nobody stored is not found");
        let other = Line::new(saver, &thread, "other");
        assert_eq!(other.newest().await, None, "namespaces are apart");
    }
}

async fn metadata_come_back(saver: &dyn Saver) {
    for source in [Source::Input, Source::Loop, Source::Update, Source::Fork] {
        let mut line = Line::new(saver, &unused("metadata"), "");
        let extra = [
            ("user", Value::from("é\"\n")),
            ("tries", 3.into()),
            ("score", 0.5.into()),
            ("ok", false.into()),
            ("nested", Value::from([("list", Value::list([1, 2]))])),
        ];
        let metadata = CheckpointMetadata {
            source: Some(source),
            step: -1,
            parents: vec![("".into(), "1ef".into()), ("outer:1".into(), "1f0".into())],
            since_snapshot: vec![("log".into(), SinceSnapshot { updates: 2, supersteps: 5 })],
            extra: extra.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        };
        let put = PutCheckpoint { metadata: metadata.clone(), ..line.next(1, &[]) };
        line.put(put).await;
        let mut found = line.newest().await.expect("it is found").metadata;
        found.parents.sort();
        assert_eq!(found, metadata, "metadata come back as they were");
    }
}

async fn a_stub_comes_back(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("stub"), "");
    let stub = StoredCheckpoint {
        id: id(1),
        ts: "2026-01-01T00:00:00+00:00".into(),
        task_ids: IdHash::default(),
        channel_values: Vec::new(),
        channel_versions: Vec::new(),
        versions_seen: Vec::new(),
        updated_channels: None,
    };
    let metadata = CheckpointMetadata { step: -2, ..CheckpointMetadata::default() };
    let put =
        PutCheckpoint { checkpoint: stub.clone(), metadata: metadata.clone(), ..line.next(1, &[]) };
    line.put(put).await;
    let found = line.newest().await.expect("it is found");
    assert_eq!((found.checkpoint, found.metadata), (stub, metadata), "a stub stays what it is");
}

async fn a_checkpoint_may_be_stored_again(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("again"), "");
    line.step(1, &[("x", Some(1.into()))]).await;
    line.write(super::writes(1, 1, "a", &[("x", 5.into())])).await;
    let mut again = line.next(1, &[("x", Some(2.into()))]);
    again.parent = None;
    line.put(again.clone()).await;
    let found = line.newest().await.expect("it is found");
    assert_eq!(unordered(found.checkpoint), unordered(again.checkpoint), "the second counts");
    assert_eq!(found.pending.len(), 1, "what was written on it stays");
    let listed = saver.list(&ListQuery::place(&line.place)).await.expect("it lists");
    assert_eq!(listed.len(), 1, "there is one");
}

/// The places and numbers that a query finds.
async fn found(saver: &dyn Saver, query: &ListQuery) -> Vec<(Place, i64)> {
    let listed = saver.list(query).await.expect("it lists");
    listed.into_iter().map(|(place, tuple)| (place, tuple.metadata.step)).collect()
}

async fn lists_are_newest_first_and_limited(saver: &dyn Saver) {
    let thread = unused("list");
    let (mut root, mut inner) = (Line::new(saver, &thread, ""), Line::new(saver, &thread, "in:1"));
    for number in [2, 4, 3] {
        root.step(number, &[("x", Some(Value::Int(number as i64)))]).await;
    }
    root.write(super::writes(4, 1, "", &[("x", 9.into())])).await;
    inner.step(5, &[]).await;
    let query = ListQuery::place(&root.place);
    let place = &root.place;
    let at = |numbers: &[i64]| -> Vec<(Place, i64)> {
        numbers.iter().map(|number| (place.clone(), *number)).collect()
    };
    assert_eq!(found(saver, &query).await, at(&[4, 3, 2]), "the newest comes first");
    let listed = saver.list(&query).await.expect("it lists");
    for (place, tuple) in &listed {
        let same = saver.get(place, Some(&tuple.checkpoint.id)).await.expect("it is read");
        assert_eq!(same.as_ref(), Some(tuple), "what is listed is what is found");
    }
    let mut all = ListQuery::place(&root.place);
    all.namespace = None;
    let inner_first = [(inner.place.clone(), 5)].into_iter().chain(at(&[4, 3, 2]));
    assert_eq!(found(saver, &all).await, inner_first.collect::<Vec<_>>(), "in all namespaces");
    for (before, limit, numbers) in [
        (Some(id(4)), None, &[3, 2][..]),
        (None, Some(2), &[4, 3]),
        (Some(id(4)), Some(1), &[3]),
        (Some(id(2)), None, &[]),
        (None, Some(0), &[]),
        (Some(id(99)), Some(99), &[4, 3, 2]),
    ] {
        let mut query = query.clone();
        (query.before, query.limit) = (before, limit);
        assert_eq!(found(saver, &query).await, at(numbers), "{query:?}");
    }
}

async fn lists_are_filtered_by_metadata(saver: &dyn Saver) {
    let tag = unused("tag");
    let (a, b) = (unused("filter"), unused("filter"));
    for (thread, number, color) in [
        (&a, 1, Value::from("red")),
        (&b, 2, "blue".into()),
        (&a, 3, "red".into()),
        (&b, 4, Value::Null),
    ] {
        let mut line = Line::new(saver, thread, "");
        let mut put = line.next(number, &[]);
        put.metadata.extra = [("tag", Value::from(&tag)), ("color", color)]
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        let of_number = Value::from([("a", 1.into()), ("b", Value::Int(number as i64))]);
        put.metadata.extra.insert("odd name's".into(), of_number);
        line.put(put).await;
    }
    let tagged = || Map::from_iter([("tag".into(), Value::from(&tag))]);
    let nested = |value: Value| ("odd name's", value);
    for (entry, numbers) in [
        (("source", "loop".into()), &[4, 3, 2, 1][..]),
        (("source", "input".into()), &[]),
        (("color", "red".into()), &[3, 1]),
        (("color", Value::Null), &[4]),
        (("nobody", Value::Null), &[4, 3, 2, 1]),
        (("step", 2.into()), &[2]),
        (("step", "2".into()), &[]),
        (nested(Value::from([("b", 3.into()), ("a", 1.into())])), &[3]),
        (nested(Value::from([("a", 1.into())])), &[]),
    ] {
        let mut query = ListQuery::default();
        query.filter = tagged();
        query.filter.insert(entry.0.into(), entry.1);
        let steps: Vec<_> = found(saver, &query).await.into_iter().map(|(_, step)| step).collect();
        assert_eq!(steps, numbers, "{query:?}");
        (query.thread, query.limit) = (Some(b.clone()), Some(1));
        let steps = found(saver, &query).await;
        let newest = numbers.iter().find(|number| **number % 2 == 0);
        assert_eq!(steps.first().map(|(_, step)| step), newest, "{query:?}");
    }
}
