//! What is stored in one step, and by many at once.

use std::task::{Context, Poll};

use futures_util::future::{join, join_all};
use langgraph_rust_runtime::saver::{PutCheckpoint, Saver};
use langgraph_rust_runtime::Value;
use serde::{Deserialize, Serialize, Serializer};

use super::{id, named, unused, writes, Line};

pub(super) async fn check(saver: &dyn Saver) {
    a_superstep_is_stored_together(saver).await;
    what_cannot_be_stored_leaves_nothing(saver).await;
    what_is_given_up_is_stored_whole_or_not(saver).await;
    many_store_at_once(saver).await;
}

async fn a_superstep_is_stored_together(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("superstep"), "in:1");
    line.step(1, &[]).await;
    line.write(writes(1, 1, "a", &[("x", 1.into())])).await;
    let put = line.next(2, &[("x", Some(3.into()))]);
    let of = vec![
        writes(1, 1, "a", &[("x", 9.into()), ("y", 2.into())]),
        writes(1, 2, "b", &[("x", 3.into())]),
        writes(2, 3, "", &[("x", 4.into())]),
    ];
    line.put(PutCheckpoint { writes: of, ..put }).await;
    let before = [("x", 1.into()), ("y", 2.into()), ("x", 3.into())];
    assert_eq!(line.pending(1).await, named(&before), "the writes are on the checkpoint before");
    assert_eq!(line.pending(2).await, named(&[("x", 4.into())]), "or on the one that is stored");
    assert_eq!(line.newest().await.expect("it is found").parent, Some(id(1)), "its parent");
}

/// A type that fails to be stored.
#[derive(Clone, Deserialize)]
struct Unstorable;

impl Serialize for Unstorable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it cannot be stored"))
    }
}

async fn what_cannot_be_stored_leaves_nothing(saver: &dyn Saver) {
    for in_writes in [true, false] {
        let mut line = Line::new(saver, &unused("unstorable"), "");
        line.step(1, &[]).await;
        let bad = Value::typed(Unstorable);
        let (held, written) = if in_writes { (5.into(), bad) } else { (bad, 5.into()) };
        let mut put = line.next(2, &[("x", Some(held))]);
        put.writes = vec![
            writes(1, 1, "", &[("x", 1.into()), ("y", 2.into())]),
            writes(1, 2, "", &[("x", 3.into()), ("y", written.clone())]),
        ];
        let is_stored = saver.put(&line.place, put).await.is_ok();
        assert_eq!(line.get(2).await.is_some(), is_stored, "the checkpoint, if all could be");
        let pending = line.get(1).await.expect("it is found").pending.len();
        assert_eq!(pending, if is_stored { 4 } else { 0 }, "the writes, if all could be");
        let of = writes(1, 7, "", &[("x", 1.into()), ("y", written)]);
        let is_stored = saver.put_writes(&line.place, of).await.is_ok();
        let now = line.get(1).await.expect("it is found").pending.len();
        assert_eq!(now - pending, if is_stored { 2 } else { 0 }, "a task's writes are one thing");
        // Others are not touched by what failed.
        line.step(3, &[("x", Some(1.into()))]).await;
    }
}

async fn what_is_given_up_is_stored_whole_or_not(saver: &dyn Saver) {
    for polls in 0..3 {
        let mut line = Line::new(saver, &unused("given up"), "");
        line.step(1, &[]).await;
        let mut put = line.next(2, &[("x", Some("x".repeat(1 << 16).into()))]);
        put.writes =
            vec![writes(1, 1, "", &[("x", 1.into())]), writes(1, 2, "", &[("x", 2.into())])];
        {
            let mut storing = saver.put(&line.place, put);
            let mut context = Context::from_waker(futures_util::task::noop_waker_ref());
            for _ in 0..polls {
                if let Poll::Ready(stored) = storing.as_mut().poll(&mut context) {
                    stored.expect("it can be stored");
                    break;
                }
            }
        }
        let writes = line.get(1).await.expect("it is found").pending.len();
        let is_stored = line.get(2).await.is_some();
        assert!(writes == 0 || (writes == 2 && is_stored), "{writes} writes, {is_stored}");
    }
}

async fn many_store_at_once(saver: &dyn Saver) {
    let thread = unused("many");
    let mut shared = Line::new(saver, &thread, "");
    shared.step(1, &[]).await;
    let shared = &shared;
    let write = |by: u32| async move {
        shared.write(writes(1, by, "", &[("x", by.into()), ("y", by.into())])).await;
        let own = shared.pending(1).await;
        assert!(own.contains(&("x".to_owned(), by.into())), "who stored it sees it");
    };
    let own = |number: u32| {
        let thread = unused("one of many");
        async move {
            let mut line = Line::new(saver, &thread, "");
            for step in 1..=5 {
                line.step(step, &[("x", Some(number.into()))]).await;
                line.write(writes(step, 1, "", &[("x", number.into())])).await;
            }
            let newest = line.newest().await.expect("it is found");
            assert_eq!(newest.checkpoint.channel_values[0].1, number.into(), "threads are apart");
            assert_eq!(newest.parent, Some(id(4)), "and in order");
        }
    };
    join(join_all((1..=25).map(write)), join_all((1..=25).map(own))).await;
    let all = shared.pending(1).await;
    let wanted =
        (1..=25).flat_map(|by: u32| [("x".to_owned(), by.into()), ("y".to_owned(), by.into())]);
    assert_eq!(all, wanted.collect::<Vec<_>>(), "nothing is lost");
}
