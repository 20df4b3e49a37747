//! What is stored and read back: what counts as finished, and states of graphs that have changed since.

use std::sync::Arc;

use langgraph_rust_channels::{
    Aggregate, AnyValue, Barrier, BarrierAfterFinish, Channel, Ephemeral, LastValue,
    LastValueAfterFinish, Saved, Topic, Untracked,
};
use langgraph_rust_checkpoint::{pending_interrupts, task_output, Checkpoint, PendingWrite};
use langgraph_rust_core::{
    ChannelIndex, CheckpointId, Control, Fault, NodeIndex, PacketTarget, Target, TaskId, TaskPath,
    Version, Write,
};
use langgraph_rust_pregel::{ChannelSpec, NodeSpec, Plan, PlanError, TaskWrites, ThreadState};
use langgraph_rust_runtime::{Clock, Native, Reducer, Value};

#[test]
fn a_task_is_finished_once_it_has_output() {
    let (asking, done) = (TaskId::from_text("asking"), TaskId::from_text("done"));
    let question = |text: &str| Write::control(Control::Interrupt, Value::from(text));
    let output = Write::channel(ChannelIndex::new(0), Value::from(1));
    let pending = [
        PendingWrite { task: asking.clone(), write: question("open") },
        PendingWrite { task: done.clone(), write: question("answered") },
        PendingWrite { task: done.clone(), write: output },
    ];
    assert_eq!(task_output::<Native>(&pending, &asking).count(), 0);
    assert_eq!(task_output(&pending, &done).count(), 1);
    let open: Vec<_> = pending_interrupts(&pending).collect();
    assert_eq!(open, [&Value::from("open")]);
}

fn plan() -> Arc<Plan<Native>> {
    let spec = |name: &str| ChannelSpec {
        name: name.into(),
        pattern: Channel::LastValue(LastValue::new(None)),
    };
    let node = NodeSpec::new("node", vec![ChannelIndex::new(1)]);
    Arc::new(Plan::new(vec![spec("x"), spec("start")], vec![node]).unwrap())
}

#[test]
fn a_state_keeps_what_its_plan_does_not_know() {
    let version = |number| Version::Text(format!("{number:03}").into());
    let names = |pairs: &[(&str, i64)]| -> Vec<(Arc<str>, Version)> {
        pairs.iter().map(|(name, number)| (Arc::from(*name), version(*number))).collect()
    };
    let checkpoint = Checkpoint {
        channel_values: vec![
            ("x".into(), Saved::Value(7.into())),
            ("gone".into(), Saved::Value(8.into())),
        ],
        channel_versions: names(&[("x", 2), ("gone", 5), ("start", 4)]),
        versions_seen: vec![
            ("__input__".into(), Arc::default()),
            ("node".into(), names(&[("start", 3), ("gone", 1)]).into()),
            ("left".into(), names(&[("gone", 1)]).into()),
            ("__interrupt__".into(), names(&[("x", 2)]).into()),
        ],
        updated_channels: Some(vec!["gone".into(), "start".into()]),
        ..Checkpoint::empty(CheckpointId::from_bits(1))
    };
    let state = ThreadState::load((), plan(), checkpoint.copy(())).unwrap();
    assert_eq!(state.read((), ChannelIndex::new(0)).unwrap(), Some(Value::Int(7)));
    let again = state.checkpoint((), CheckpointId::from_bits(2), "now".into(), &[]).unwrap();
    let sorted = |versions: &[(Arc<str>, Version)]| {
        let mut versions = versions.to_vec();
        versions.sort_by(|a, b| a.0.cmp(&b.0));
        versions
    };
    assert_eq!(sorted(&again.channel_versions), sorted(&checkpoint.channel_versions));
    assert_eq!(again.versions_seen, checkpoint.versions_seen);
    assert_eq!(again.updated_channels, Some(vec!["start".into()]));
    assert_eq!(again.channel_values.len(), 1);
}

#[test]
fn a_node_runs_on_news_alone() {
    let node = |seen: i64| {
        let version = |number| Version::Int(number);
        let checkpoint = Checkpoint {
            channel_values: vec![("start".into(), Saved::Value(1.into()))],
            channel_versions: vec![("start".into(), version(2))],
            versions_seen: vec![("node".into(), vec![("start".into(), version(seen))].into())],
            ..Checkpoint::empty(CheckpointId::from_bits(1))
        };
        let state = ThreadState::<Native>::load((), plan(), checkpoint).unwrap();
        state.prepare((), "", 1).unwrap()
    };
    assert!(node(2).is_empty());
    let tasks = node(1);
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].path, TaskPath::Pull("node".into()));
}

/// A plan of a list, a number without an initial value, and a field of each kind that may be empty
/// after a write.
fn plan_of_kinds() -> Arc<Plan<Native>> {
    let largest = Reducer::new(|left, right| Ok(left.int()?.max(right.int()?).into()));
    let aggregate = |reducer| Channel::Aggregate(Aggregate::new((), Arc::new(reducer)));
    let barrier = || Barrier::new(["a".to_string()].into());
    let kinds = [
        ("list", aggregate(Reducer::append())),
        ("largest", aggregate(largest)),
        ("last", Channel::LastValue(LastValue::new(None))),
        ("ephemeral", Channel::Ephemeral(Ephemeral::new(None, true))),
        ("untracked", Channel::Untracked(Untracked::new(None, true))),
        ("any", Channel::AnyValue(AnyValue::new(None))),
        ("released", Channel::LastValueAfterFinish(LastValueAfterFinish::new(None, false))),
        ("barrier", Channel::Barrier(barrier())),
        ("late", Channel::BarrierAfterFinish(BarrierAfterFinish::new(barrier(), false))),
        ("topic", Channel::Topic(Topic::new(Vec::new(), false))),
    ];
    let specs = kinds.into_iter();
    let specs = specs.map(|(name, pattern)| ChannelSpec { name: name.into(), pattern });
    Arc::new(Plan::new(specs.collect(), Vec::new()).unwrap())
}

fn written(plan: &Plan<Native>) -> Checkpoint<Native> {
    let names = plan.channels().iter().map(|channel| (channel.name.clone(), Version::Int(1)));
    Checkpoint {
        channel_versions: names.collect(),
        ..Checkpoint::empty(CheckpointId::from_bits(1))
    }
}

#[test]
fn a_written_channel_with_a_reducer_is_never_empty() {
    let plan = plan_of_kinds();
    let checkpoint = written(&plan);
    let needy = plan.needs_history(&checkpoint);
    assert_eq!(needy, [ChannelIndex::new(0), ChannelIndex::new(1)]);
    let fault = ThreadState::load((), plan.clone(), checkpoint).err().unwrap();
    let Fault::MissingHistory(history) = fault else { panic!("{fault:?}") };
    assert_eq!(history.names, ["list".into(), "largest".into()]);
    assert!(history.to_string().contains("list, largest"));

    let mut checkpoint = written(&plan);
    for (name, value) in [("list", Value::list([1])), ("largest", 7.into())] {
        checkpoint.channel_values.push((name.into(), Saved::Value(value)));
    }
    let state = ThreadState::load((), plan.clone(), checkpoint).unwrap();
    assert_eq!(state.read((), ChannelIndex::new(1)).unwrap(), Some(7.into()));
    let unwritten = Checkpoint::empty(CheckpointId::from_bits(1));
    assert!(plan.needs_history(&unwritten).is_empty(), "a channel without a version is empty");
}

#[test]
fn whatever_was_stored_of_a_field_its_reducer_goes_on_with() {
    let plan = plan_of_kinds();
    let saved: [(Saved<Native>, Value); 4] = [
        (Saved::Items(vec![1.into(), 2.into()]), Value::list([1, 2])),
        (Saved::Names(vec!["a".into()]), Value::list(["a"])),
        (Saved::Released(3.into(), true), 3.into()),
        (Saved::Packets(vec![(PacketTarget::Malformed, 4.into())]), Value::list([4])),
    ];
    for (saved, expected) in saved {
        let checkpoint = Checkpoint {
            channel_values: vec![("largest".into(), saved)],
            channel_versions: vec![("largest".into(), Version::Int(1))],
            ..Checkpoint::empty(CheckpointId::from_bits(1))
        };
        let state = ThreadState::load((), plan.clone(), checkpoint).unwrap();
        assert_eq!(state.read((), ChannelIndex::new(1)).unwrap(), Some(expected));
        let again = state.checkpoint((), CheckpointId::from_bits(2), "now".into(), &[]).unwrap();
        assert!(plan.needs_history(&again).is_empty(), "what is stored again can be loaded");
    }
}

#[test]
fn what_was_stored_by_a_larger_graph_is_passed_over() {
    let far =
        |position| Saved::Packets(vec![(PacketTarget::Node(NodeIndex::new(position)), 1.into())]);
    let checkpoint = Checkpoint {
        channel_values: vec![("__pregel_tasks".into(), far(7))],
        channel_versions: vec![("__pregel_tasks".into(), Version::Int(1))],
        ..Checkpoint::empty(CheckpointId::from_bits(1))
    };
    let mut state = ThreadState::<Native>::load((), plan(), checkpoint).unwrap();
    assert!(state.prepare((), "", 1).unwrap().is_empty());
    let writes = vec![Write::channel(ChannelIndex::new(7), 1.into())];
    let mut clock = Clock::counter();
    state.apply((), &mut clock, vec![TaskWrites::of_input(writes)]).unwrap();
    assert_eq!(state.updated(), Some(&[][..]));
}

#[test]
fn plans_refuse_what_is_declared_twice_or_not_at_all() {
    let channel = || ChannelSpec {
        name: "x".into(),
        pattern: Channel::<Native>::LastValue(LastValue::new(None)),
    };
    let node = |trigger| NodeSpec::new("node", vec![ChannelIndex::new(trigger)]);
    let twice = Plan::new(vec![channel(), channel()], Vec::new());
    assert_eq!(twice.err(), Some(PlanError::DuplicateChannel("x".into())));
    let twice = Plan::new(vec![channel()], vec![node(0), node(0)]);
    assert_eq!(twice.err(), Some(PlanError::DuplicateNode("node".into())));
    let unknown = Plan::new(vec![channel()], vec![node(7)]);
    assert_eq!(unknown.err(), Some(PlanError::UnknownTrigger("node".into())));
    let mut requiring = node(0);
    requiring.requires = Some(ChannelIndex::new(7));
    let unknown = Plan::new(vec![channel()], vec![requiring]);
    assert_eq!(unknown.err(), Some(PlanError::UnknownTrigger("node".into())));
    let mut handled = node(0);
    handled.error_handler = Some(NodeIndex::new(1));
    let unknown = Plan::new(vec![channel()], vec![handled]);
    assert_eq!(unknown.err(), Some(PlanError::UnknownHandler("node".into())));
}

#[test]
fn names_and_targets_are_each_others_inverse() {
    let plan = plan();
    for name in ["x", "start", "nowhere", "__no_writes__", "__return__", "__resume__"] {
        let target = plan.target(name);
        assert_eq!(plan.target_name(&target), name);
    }
    assert_eq!(plan.target("x"), Target::Channel(ChannelIndex::new(0)));
}
