//! Laws that every channel keeps, and laws of single kinds.

use std::sync::Arc;

use langgraph_rust_channels::{
    Aggregate, AnyValue, Barrier, BarrierAfterFinish, Channel, Ephemeral, LastValue,
    LastValueAfterFinish, Saved, Topic, Untracked,
};
use langgraph_rust_runtime::{Native, Reducer, Value};
use proptest::prelude::*;

const KEY: &str = "key";
const NAMES: [&str; 3] = ["a", "b", "c"];

/// What can happen to a channel.
#[derive(Clone, Debug)]
enum Happening {
    Update(Vec<Value>),
    Consume,
    Finish,
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..5i64).prop_map(Value::Int),
        proptest::sample::select(&NAMES[..]).prop_map(Value::from),
        proptest::collection::vec(0..5i64, 0..3).prop_map(Value::from),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let happening = prop_oneof![
        4 => proptest::collection::vec(value(), 0..4).prop_map(Happening::Update),
        1 => Just(Happening::Consume),
        1 => Just(Happening::Finish),
    ];
    proptest::collection::vec(happening, 0..12)
}

/// An empty channel of each kind.
fn kinds() -> Vec<Channel<Native>> {
    let names = || NAMES.iter().map(|name| name.to_string()).collect();
    let append = |reducer| Channel::Aggregate(Aggregate::new((), Arc::new(reducer)));
    vec![
        Channel::LastValue(LastValue::new(None)),
        Channel::LastValueAfterFinish(LastValueAfterFinish::new(None, false)),
        Channel::AnyValue(AnyValue::new(None)),
        Channel::Ephemeral(Ephemeral::new(None, true)),
        Channel::Ephemeral(Ephemeral::new(None, false)),
        Channel::Untracked(Untracked::new(None, true)),
        Channel::Untracked(Untracked::new(None, false)),
        append(Reducer::append()),
        append(Reducer::new(|left, _| Ok(left))),
        Channel::Barrier(Barrier::new(names())),
        Channel::BarrierAfterFinish(BarrierAfterFinish::new(Barrier::new(names()), false)),
        Channel::Topic(Topic::new(Vec::new(), false)),
        Channel::Topic(Topic::new(Vec::new(), true)),
    ]
}

fn happen(channel: &mut Channel<Native>, happening: &Happening) -> Option<bool> {
    match happening {
        Happening::Update(values) => channel.update((), KEY, values.clone()),
        Happening::Consume => channel.consume(()),
        Happening::Finish => channel.finish(()),
    }
    .ok()
}

/// All that can be seen of a channel.
fn seen(channel: &Channel<Native>) -> String {
    let saved = match channel.checkpoint(()).unwrap() {
        Some(Saved::Snapshot(_) | Saved::History(_)) => {
            unreachable!("no kind under test stores these")
        }
        None => "nothing".into(),
        Some(Saved::Value(value)) => format!("{value}"),
        Some(Saved::Released(value, finished)) => format!("{value} {finished}"),
        Some(Saved::Names(names)) => format!("{names:?}"),
        Some(Saved::ReleasedNames(names, finished)) => format!("{names:?} {finished}"),
        Some(Saved::Items(items)) => Value::list(items).to_string(),
        Some(Saved::Packets(packets)) => format!("{} packets", packets.len()),
    };
    format!("{saved} {:?}", channel.get(()).unwrap())
}

proptest! {
    #[test]
    fn what_returns_false_or_fails_changes_nothing(happenings in happenings()) {
        for mut channel in kinds() {
            for happening in &happenings {
                let before = seen(&channel);
                if happen(&mut channel, happening) != Some(true) {
                    prop_assert_eq!(&before, &seen(&channel), "{:?}", happening);
                }
            }
        }
    }

    #[test]
    fn a_stored_channel_is_the_same_and_goes_on_the_same(
        before in happenings(),
        after in happenings(),
    ) {
        for pattern in kinds() {
            if matches!(pattern, Channel::Untracked(_)) {
                continue;
            }
            let mut channel = pattern.restore((), "c", None).unwrap();
            for happening in &before {
                happen(&mut channel, happening);
            }
            let mut restored = pattern.restore((), "c", channel.checkpoint(()).unwrap()).unwrap();
            prop_assert_eq!(seen(&channel), seen(&restored));
            for happening in &after {
                prop_assert_eq!(happen(&mut channel, happening), happen(&mut restored, happening));
                prop_assert_eq!(seen(&channel), seen(&restored));
            }
        }
    }

    #[test]
    fn a_copy_is_the_same_and_independent(before in happenings(), after in happenings()) {
        for mut channel in kinds() {
            for happening in &before {
                happen(&mut channel, happening);
            }
            let mut copy = channel.duplicate(()).unwrap();
            let original = seen(&channel);
            prop_assert_eq!(&original, &seen(&copy));
            for happening in &after {
                happen(&mut copy, happening);
            }
            prop_assert_eq!(&original, &seen(&channel));
        }
    }

    #[test]
    fn what_is_available_can_be_read(happenings in happenings()) {
        for mut channel in kinds() {
            for happening in &happenings {
                happen(&mut channel, happening);
                let value = channel.get(()).unwrap();
                prop_assert_eq!(value.is_some(), channel.is_available(()).unwrap());
            }
        }
    }

    #[test]
    fn only_transient_channels_change_without_a_write(happenings in happenings()) {
        for mut channel in kinds() {
            for happening in &happenings {
                happen(&mut channel, happening);
                if !channel.is_transient() {
                    prop_assert!(!channel.update((), KEY, Vec::new()).unwrap());
                }
            }
        }
    }

    #[test]
    fn consuming_and_finishing_twice_is_doing_it_once(happenings in happenings()) {
        for mut channel in kinds() {
            for happening in &happenings {
                happen(&mut channel, happening);
            }
            channel.consume(()).unwrap();
            prop_assert!(!channel.consume(()).unwrap());
            channel.finish(()).unwrap();
            prop_assert!(!channel.finish(()).unwrap());
        }
    }

    #[test]
    fn a_barrier_does_not_care_about_order(order in Just(NAMES.to_vec()).prop_shuffle()) {
        let mut barrier = Channel::<Native>::Barrier(
            Barrier::new(NAMES.iter().map(|name| name.to_string()).collect()),
        );
        for (position, name) in order.iter().enumerate() {
            prop_assert!(!barrier.is_available(()).unwrap(), "open after {}", position);
            prop_assert!(barrier.update((), KEY, vec![(*name).into()]).unwrap());
            prop_assert!(!barrier.update((), KEY, vec![(*name).into()]).unwrap());
        }
        prop_assert!(barrier.is_available(()).unwrap());
    }

    #[test]
    fn an_associative_fold_does_not_care_about_supersteps(
        writes in proptest::collection::vec(0..9i64, 0..9),
        cut in 0..9usize,
    ) {
        let fold = |parts: &[&[i64]]| {
            let append = Arc::new(Reducer::append());
            let mut channel = Channel::<Native>::Aggregate(Aggregate::new((), append));
            for part in parts {
                let values = part.iter().map(|n| Value::Int(*n)).collect();
                channel.update((), KEY, values).unwrap();
            }
            channel.get(()).unwrap()
        };
        let (left, right) = writes.split_at(cut.min(writes.len()));
        prop_assert_eq!(fold(&[&writes]), fold(&[left, right]));
        prop_assert_eq!(fold(&[&writes]), Some(Value::from(writes)));
    }

    #[test]
    fn an_overwrite_wins_over_all_writes_beside_it(
        before in proptest::collection::vec(0..9i64, 0..4),
        after in proptest::collection::vec(0..9i64, 0..4),
    ) {
        let mut channel =
            Channel::<Native>::Aggregate(Aggregate::new((), Arc::new(Reducer::sum())));
        let mut writes: Vec<Value> = before.into_iter().map(Value::Int).collect();
        writes.push(Value::overwrite(100));
        writes.extend(after.into_iter().map(Value::Int));
        channel.update((), KEY, writes.clone()).unwrap();
        prop_assert_eq!(channel.get(()).unwrap(), Some(Value::Int(100)));
        writes.push(Value::overwrite(1));
        prop_assert!(channel.update((), KEY, writes).is_err());
    }
}
