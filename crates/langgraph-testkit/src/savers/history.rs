//! How channels that are stored as changes came to their values.

use std::sync::Arc;

use langgraph_rust_runtime::saver::{DeltaHistory, Saver};
use langgraph_rust_runtime::Value;

use super::{id, unused, writes, Line};

pub(super) async fn check(saver: &dyn Saver) {
    a_history_goes_back_to_the_nearest_value(saver).await;
    writes_of_a_superstep_are_in_order(saver).await;
    branches_have_no_part_in_each_other(saver).await;
    a_history_may_begin_anywhere(saver).await;
}

async fn histories(line: &Line<'_>, number: u128, channels: &[&str]) -> Vec<DeltaHistory> {
    let names: Vec<Arc<str>> = channels.iter().map(|name| (*name).into()).collect();
    let found = line.saver.delta_history(&line.place, &id(number), &names).await;
    found.expect("a history can be read")
}

fn history(seed: Option<Value>, written: &[i64]) -> DeltaHistory {
    DeltaHistory { seed, writes: written.iter().map(|number| Value::Int(*number)).collect() }
}

async fn a_history_goes_back_to_the_nearest_value(saver: &dyn Saver) {
    let thread = unused("history");
    let mut line = Line::new(saver, &thread, "in:1");
    let mut other = Line::new(saver, &thread, "");
    let snapshot = |number: i64| Value::Snapshot(Arc::new(Value::list([number])));
    line.step(1, &[("a", Some(snapshot(1))), ("b", Some(snapshot(2))), ("c", None)]).await;
    for number in 2..=5 {
        let before = number as i64 - 1;
        let of = [("a", before.into()), ("b", (10 * before).into()), ("c", (100 * before).into())];
        line.write(writes(number - 1, 1, "", &of)).await;
        let a = (number == 3).then(|| snapshot(3));
        line.step(number, &[("a", a), ("b", None), ("c", None)]).await;
        other.step(number, &[("a", Some(0.into()))]).await;
        other.write(writes(number, 1, "", &[("a", (-1).into())])).await;
    }
    line.write(writes(5, 1, "", &[("a", 5.into()), ("b", 50.into())])).await;
    let wanted = [
        history(Some(snapshot(2)), &[10, 20, 30, 40]),
        history(None, &[100, 200, 300, 400]),
        history(Some(snapshot(3)), &[3, 4]),
        history(None, &[]),
    ];
    let found = histories(&line, 5, &["b", "c", "a", "nobody"]).await;
    assert_eq!(found, wanted, "of each channel, in the order in which they were asked for");
    assert_eq!(histories(&line, 5, &[]).await, [], "of none, if none were asked for");
    let wanted = history(Some(snapshot(1)), &[1, 2]);
    assert_eq!(histories(&line, 3, &["a"]).await, [wanted], "what the checkpoint holds is no part");
    assert_eq!(
        histories(&line, 1, &["a"]).await,
        [history(None, &[])],
        "before the first: nothing"
    );
}

async fn writes_of_a_superstep_are_in_order(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("order"), "");
    line.step(1, &[]).await;
    line.write(writes(1, 3, "b", &[("x", 5.into()), ("y", 0.into()), ("x", 6.into())])).await;
    line.write(writes(1, 4, "b", &[("x", 7.into())])).await;
    line.write(writes(1, 2, "b", &[("x", 4.into())])).await;
    let many: Vec<_> = (10..25).map(|number: i64| ("x", number.into())).collect();
    line.write(writes(1, 1, "c", &many)).await;
    line.write(writes(1, 9, "a", &[("y", 0.into()), ("x", 3.into())])).await;
    line.step(2, &[("x", None)]).await;
    line.write(writes(2, 1, "", &[("x", 1.into())])).await;
    line.step(3, &[("x", None)]).await;
    let written: Vec<i64> = (3..=7).chain(10..25).chain([1]).collect();
    let wanted = [history(None, &written)];
    assert_eq!(histories(&line, 3, &["x"]).await, wanted, "by path, task and place, by number");
}

async fn branches_have_no_part_in_each_other(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("branches"), "");
    line.step(1, &[("x", Some(vec![0].into()))]).await;
    line.write(writes(1, 1, "", &[("x", 1.into())])).await;
    line.step(2, &[("x", None)]).await;
    line.write(writes(2, 1, "", &[("x", 2.into())])).await;
    line.step(3, &[("x", None)]).await;
    line.back(2).await;
    line.step(4, &[("x", None)]).await;
    line.write(writes(4, 1, "", &[("x", 4.into())])).await;
    line.step(5, &[("x", None)]).await;
    line.write(writes(3, 1, "", &[("x", 3.into())])).await;
    line.back(3).await;
    line.step(6, &[("x", None)]).await;
    let seed = || Some(Value::from(vec![0]));
    let (a, b) = (history(seed(), &[1, 2, 4]), history(seed(), &[1, 2, 3]));
    assert_eq!(histories(&line, 5, &["x"]).await, [a], "by parents, not by ids");
    assert_eq!(histories(&line, 6, &["x"]).await, [b], "on the other branch");
}

async fn a_history_may_begin_anywhere(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("begin"), "");
    let mut put = line.next(2, &[("x", None)]);
    // Its parent was deleted, or never stored.
    put.parent = Some(id(1));
    line.write(writes(1, 1, "", &[("x", 1.into())])).await;
    line.put(put).await;
    line.write(writes(2, 1, "", &[("x", 2.into())])).await;
    line.step(3, &[("x", None)]).await;
    assert_eq!(histories(&line, 3, &["x"]).await, [history(None, &[2])], "what is there");
    // Stored again under its own descendant.
    let mut again = line.next(2, &[("x", None)]);
    again.parent = Some(id(3));
    line.put(again).await;
    line.back(3).await;
    let found = histories(&line, 3, &["x"]).await;
    assert_eq!(found, [history(None, &[2])], "a circle ends");
}
