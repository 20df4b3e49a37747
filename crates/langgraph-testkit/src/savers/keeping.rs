//! Deleting, copying, pruning.

use langgraph_rust_checkpoint::SinceSnapshot;
use langgraph_rust_runtime::saver::{ListQuery, Place, Prune, Saver};
use langgraph_rust_runtime::Value;
use std::sync::Arc;

use super::{id, named, unordered, unused, writes, Line};

pub(super) async fn check(saver: &dyn Saver) {
    a_deleted_thread_is_gone_with_all_of_it(saver).await;
    a_copy_is_a_thread_of_its_own(saver).await;
    a_copy_takes_no_place(saver).await;
    pruning_keeps_the_newest(saver).await;
    pruning_keeps_what_the_newest_is_rebuilt_from(saver).await;
    pruning_may_keep_nothing(saver).await;
}

/// A thread with two checkpoints at its root and one inside, and writes on each.
async fn thread<'s>(saver: &'s dyn Saver, name: &Arc<str>) -> (Line<'s>, Line<'s>) {
    let (mut root, mut inner) = (Line::new(saver, name, ""), Line::new(saver, name, "in:1"));
    for number in [1, 2] {
        root.step(number, &[("x", Some(Value::Int(number as i64)))]).await;
        root.write(writes(number, 1, "", &[("x", Value::Int(10 * number as i64))])).await;
    }
    inner.step(3, &[("y", Some(vec!["in"].into()))]).await;
    inner.write(writes(3, 1, "", &[("y", vec!["written"].into())])).await;
    (root, inner)
}

async fn count(saver: &dyn Saver, thread: &Arc<str>) -> usize {
    let mut query = ListQuery::default();
    query.thread = Some(thread.clone());
    saver.list(&query).await.expect("it lists").len()
}

async fn a_deleted_thread_is_gone_with_all_of_it(saver: &dyn Saver) {
    let name = unused("delete");
    let longer: Arc<str> = format!("{name}2").into();
    let (mut root, inner) = thread(saver, &name).await;
    thread(saver, &longer).await;
    root.write(writes(9, 1, "", &[("x", 1.into())])).await;
    saver.delete_thread(&name).await.expect("a thread can be deleted");
    assert_eq!(count(saver, &name).await, 0, "nothing of it is left");
    assert_eq!((root.newest().await, inner.newest().await), (None, None), "in no namespace");
    assert_eq!(count(saver, &longer).await, 3, "others stay");
    root.at = None;
    root.step(1, &[]).await;
    root.step(9, &[]).await;
    assert_eq!(root.pending(1).await, [], "what was written on it is gone as well");
    assert_eq!(root.pending(9).await, [], "also what had come early");
    let found = root.newest().await.expect("it is found").checkpoint;
    assert!(found.channel_values.is_empty(), "and its values");
}

async fn a_copy_is_a_thread_of_its_own(saver: &dyn Saver) {
    let (from, to) = (unused("from"), unused("to"));
    let (root, inner) = thread(saver, &from).await;
    saver.copy_thread(&from, &to).await.expect("a thread can be copied");
    for line in [&root, &inner] {
        let copy = Line::new(saver, &to, &line.place.namespace);
        let query = |line: &Line<'_>| ListQuery::place(&line.place);
        let listed = saver.list(&query(line)).await.expect("it lists");
        let copied = saver.list(&query(&copy)).await.expect("it lists");
        let tuples = |listed: Vec<(Place, _)>| listed.into_iter().map(|(_, tuple)| tuple);
        let (listed, copied): (Vec<_>, Vec<_>) =
            (tuples(listed).collect(), tuples(copied).collect());
        assert_eq!(copied, listed, "checkpoints, parents, metadata and writes");
    }
    let mut copy = Line::new(saver, &to, "");
    copy.back(2).await;
    copy.step(5, &[("x", Some("copy".into()))]).await;
    root.write(writes(2, 2, "", &[("x", 99.into())])).await;
    assert_eq!(root.newest().await.expect("it is found").checkpoint.id, id(2), "they are apart");
    assert_eq!(copy.pending(2).await.len(), 1, "both ways");
    saver.delete_thread(&from).await.expect("a thread can be deleted");
    assert_eq!(count(saver, &to).await, 4, "a copy does not need what it was made from");
    let found = copy.get(2).await.expect("it is found").checkpoint;
    assert_eq!(found.channel_values, [("x".into(), 2.into())], "nor its values");
    saver.copy_thread(&from, &to).await.expect("there may be nothing to copy");
    assert_eq!(count(saver, &to).await, 4, "and that changes nothing");
}

async fn a_copy_takes_no_place(saver: &dyn Saver) {
    let (from, to) = (unused("from"), unused("to"));
    thread(saver, &from).await;
    let mut there = Line::new(saver, &to, "");
    there.step(1, &[("other", Some("mine".into()))]).await;
    there.step(7, &[("other", Some("mine too".into()))]).await;
    let mine = there.get(1).await.expect("it is found").checkpoint;
    saver.copy_thread(&from, &to).await.expect("a thread can be copied");
    assert_eq!(count(saver, &to).await, 4, "what is not there is copied");
    let found = there.get(1).await.expect("it is found").checkpoint;
    assert_eq!(unordered(found), unordered(mine), "what is there stays");
    assert_eq!(there.newest().await.expect("it is found").checkpoint.id, id(7), "all of it");
}

async fn pruning_keeps_the_newest(saver: &dyn Saver) {
    let (name, other) = (unused("prune"), unused("prune"));
    let (mut root, inner) = thread(saver, &name).await;
    thread(saver, &other).await;
    root.step(4, &[("__start__", None), ("branch:to:n", None), ("y", Some(Value::Null))]).await;
    root.write(writes(4, 1, "", &[("x", 40.into())])).await;
    root.write(writes(6, 1, "", &[("x", 60.into())])).await;
    let before = root.newest().await;
    let own = [name.clone()];
    saver.prune(&own, Prune::KeepLatest).await.expect("a thread can be pruned");
    assert_eq!(count(saver, &name).await, 2, "one of each namespace stays");
    assert_eq!(root.newest().await, before, "the newest, as it was");
    assert_eq!(inner.pending(3).await, named(&[("y", vec!["written"].into())]), "with its writes");
    assert_eq!(count(saver, &other).await, 3, "other threads stay");
    root.step(2, &[]).await;
    assert_eq!(root.pending(2).await, [], "writes go with what they were written on");
    root.step(6, &[]).await;
    assert_eq!(root.pending(6).await.len(), 1, "those that are early wait");
    saver.prune(&[], Prune::KeepLatest).await.expect("there may be nothing to prune");
    saver.prune(&[unused("nobody")], Prune::KeepLatest).await.expect("nor anybody");
}

/// Stores the checkpoint that follows, in which `log` has changed by what was written before.
async fn change(line: &mut Line<'_>, number: u128, value: Option<Value>) {
    let before = number - 1;
    line.write(writes(before, 1, "", &[("log", vec![Value::Int(before as i64)].into())])).await;
    let is_whole = value.is_some();
    let mut put = line.next(number, &[("log", value)]);
    if !is_whole {
        let since = SinceSnapshot { updates: 1, supersteps: 1 };
        put.metadata.since_snapshot = vec![("log".into(), since)];
    }
    line.put(put).await;
}

async fn pruning_keeps_what_the_newest_is_rebuilt_from(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("rebuilt"), "");
    line.step(1, &[("x", Some(1.into()))]).await;
    for number in 2..=8 {
        let seed = Value::Snapshot(Arc::new(Value::list([0])));
        change(&mut line, number, (number == 4).then_some(seed)).await;
    }
    let history = || async {
        let found = saver.delta_history(&line.place, &id(8), &["log".into()]).await;
        found.expect("a history can be read")
    };
    let before = history().await;
    assert_eq!(before[0].writes.len(), 4, "from the snapshot on");
    let own = [line.place.thread.clone()];
    saver.prune(&own, Prune::KeepLatest).await.expect("it prunes");
    assert_eq!(count(saver, &line.place.thread).await, 5, "the newest, and back to the snapshot");
    assert_eq!(history().await, before, "it is rebuilt as before");
    // A channel that has no value anywhere is rebuilt from its first write.
    let mut line = Line::new(saver, &unused("rebuilt"), "");
    line.step(1, &[("x", Some(1.into()))]).await;
    line.step(2, &[("x", Some(2.into()))]).await;
    for number in 3..=5 {
        change(&mut line, number, None).await;
    }
    let own = [line.place.thread.clone()];
    saver.prune(&own, Prune::KeepLatest).await.expect("it prunes");
    assert_eq!(count(saver, &line.place.thread).await, 4, "what is before that goes");
    let found = saver.delta_history(&line.place, &id(5), &["log".into()]).await;
    let found = found.expect("a history can be read");
    assert_eq!((found[0].writes.len(), &found[0].seed), (3, &None), "all its writes are left");
}

async fn pruning_may_keep_nothing(saver: &dyn Saver) {
    let (a, b, other) = (unused("nothing"), unused("nothing"), unused("nothing"));
    for name in [&a, &b, &other] {
        thread(saver, name).await;
    }
    saver.prune(&[a.clone(), b.clone()], Prune::Delete).await.expect("threads can be pruned");
    let left = [count(saver, &a).await, count(saver, &b).await, count(saver, &other).await];
    assert_eq!(left, [0, 0, 3], "nothing of those is left");
}
