//! Writes pending on checkpoints.

use langgraph_rust_core::{names, TaskId};
use langgraph_rust_runtime::saver::{ListQuery, PutWrites, Saver};
use langgraph_rust_runtime::Value;

use super::{id, named, task, unused, writes, Line};

pub(super) async fn check(saver: &dyn Saver) {
    writes_come_back_in_the_order_of_their_tasks(saver).await;
    a_write_stays_and_a_status_is_replaced(saver).await;
    writes_may_come_before_their_checkpoint(saver).await;
    writes_are_of_any_kind(saver).await;
}

async fn writes_come_back_in_the_order_of_their_tasks(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("order"), "");
    line.step(1, &[]).await;
    line.write(writes(1, 3, "b", &[("x", 31.into()), ("y", 32.into())])).await;
    line.write(writes(1, 2, "b", &[("x", 21.into())])).await;
    line.write(writes(1, 9, "a", &[("z", 91.into()), (names::RESUME, 90.into())])).await;
    line.write(writes(1, 1, "~", &[])).await;
    let null = PutWrites {
        task: TaskId::from_text(TaskId::NULL),
        ..writes(1, 0, "", &[("x", 1.into()), ("x", 2.into())])
    };
    line.write(null).await;
    let found = line.newest().await.expect("it is found").pending;
    let found: Vec<_> = found
        .iter()
        .map(|write| (write.task.clone(), &*write.channel, write.value.clone()))
        .collect();
    let null = TaskId::from_text(TaskId::NULL);
    let wanted = [
        (null.clone(), "x", 1.into()),
        (null, "x", 2.into()),
        (task(9), names::RESUME, 90.into()),
        (task(9), "z", 91.into()),
        (task(2), "x", Value::Int(21)),
        (task(3), "x", 31.into()),
        (task(3), "y", 32.into()),
    ];
    assert_eq!(found, wanted, "by the task's path, its id and the write's place");
}

async fn a_write_stays_and_a_status_is_replaced(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("twice"), "");
    line.step(1, &[]).await;
    let first = [("x", 1.into()), (names::INTERRUPT, 10.into()), ("y", 2.into())];
    line.write(writes(1, 1, "", &first)).await;
    line.write(writes(1, 1, "", &first)).await;
    let wanted = [(names::INTERRUPT, 10.into()), ("x", 1.into()), ("y", 2.into())];
    assert_eq!(line.pending(1).await, named(&wanted), "the same again changes nothing");
    let second = [("x", 5.into()), (names::INTERRUPT, 20.into()), ("other", 6.into())];
    line.write(writes(1, 1, "", &second)).await;
    // Of the status of a task that writes output as well, some savers keep the first.
    let mut output = line.pending(1).await;
    output.retain(|(channel, _)| channel != names::INTERRUPT);
    assert_eq!(output, named(&[("x", 1.into()), ("y", 2.into())]), "a write stays");
    line.write(writes(1, 1, "", &[(names::INTERRUPT, 20.into())])).await;
    let wanted = [(names::INTERRUPT, 20.into()), ("x", 1.into()), ("y", 2.into())];
    assert_eq!(line.pending(1).await, named(&wanted), "a status is replaced");
    for value in [7, 8] {
        let own = [(names::RESUME, value.into()), (names::ERROR, (value * 10).into())];
        line.write(writes(1, 1, "", &own)).await;
    }
    let wanted = [
        (names::RESUME, 8.into()),
        (names::INTERRUPT, 20.into()),
        (names::ERROR, 80.into()),
        ("x", 1.into()),
        ("y", 2.into()),
    ];
    assert_eq!(line.pending(1).await, named(&wanted), "there is one status of each kind");
    line.write(writes(
        1,
        1,
        "",
        &[("a", 0.into()), ("b", 0.into()), ("c", 0.into()), ("d", 4.into())],
    ))
    .await;
    let newest = line.pending(1).await.into_iter().last();
    assert_eq!(newest, Some(("d".into(), 4.into())), "what is new is added");
}

async fn writes_may_come_before_their_checkpoint(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("early"), "in:1");
    line.write(writes(2, 1, "", &[("x", 2.into())])).await;
    assert_eq!(line.newest().await, None, "writes make no checkpoint");
    assert_eq!(line.get(2).await, None, "nor one of that id");
    let listed = saver.list(&ListQuery::place(&line.place)).await.expect("it lists");
    assert!(listed.is_empty(), "nor one to list");
    line.step(1, &[]).await;
    assert_eq!(line.newest().await.expect("it is found").checkpoint.id, id(1), "still none");
    line.step(2, &[]).await;
    assert_eq!(line.pending(2).await, named(&[("x", 2.into())]), "they wait for it");
    assert_eq!(line.pending(1).await, [], "and are on no other");
    let root = Line { place: line.place.clone(), ..Line::new(saver, &line.place.thread, "") };
    assert_eq!(root.pending(2).await.len(), 1, "who asks does not matter");
}

async fn writes_are_of_any_kind(saver: &dyn Saver) {
    let mut line = Line::new(saver, &unused("kinds"), "");
    line.step(1, &[]).await;
    let of = [
        ("null", Value::Null),
        ("bytes", Value::Bytes(vec![0, 255].into())),
        ("typed", Value::typed(Some(1.5_f32))),
        ("overwrite", Value::overwrite(())),
        ("send", Value::Send(std::sync::Arc::new(("node".into(), "x".into())))),
        ("ключ", Value::from([("ü", "ö\u{1F980}".into())])),
        ("large", "x".repeat(1 << 21).into()),
    ];
    line.write(writes(1, 1, "~__pregel_pull, ключ", &of)).await;
    assert_eq!(line.pending(1).await, named(&of), "values come back as they were");
}
