use langgraph_rust_core::{Domain, Fault, ForeignChannel, Held};

use crate::{
    Aggregate, AnyValue, Barrier, BarrierAfterFinish, Delta, Ephemeral, History, LastValue,
    LastValueAfterFinish, Packet, Saved, Tasks, Topic, Untracked,
};

/// A channel of any kind.
#[allow(missing_docs)] // each variant is documented by its type
pub enum Channel<D: Domain> {
    LastValue(LastValue<D>),
    LastValueAfterFinish(LastValueAfterFinish<D>),
    AnyValue(AnyValue<D>),
    Ephemeral(Ephemeral<D>),
    Untracked(Untracked<D>),
    Aggregate(Aggregate<D>),
    Delta(Delta<D>),
    Barrier(Barrier),
    BarrierAfterFinish(BarrierAfterFinish),
    Topic(Topic<D>),
    Tasks(Tasks<D>),
    Foreign(D::Foreign),
}

impl<D: Domain> Channel<D> {
    /// What the channel reads as, or `None` while it is empty.
    pub fn get(&self, cx: D::Cx<'_>) -> Result<Option<D::Value>, Fault<D>> {
        let copy = |value: &D::Value| D::copy(cx, value);
        Ok(match self {
            Channel::LastValue(channel) => channel.value().map(copy),
            Channel::LastValueAfterFinish(channel) => channel.value().map(copy),
            Channel::AnyValue(channel) => channel.value().map(copy),
            Channel::Ephemeral(channel) => channel.value().map(copy),
            Channel::Untracked(channel) => channel.value().map(copy),
            Channel::Aggregate(channel) => channel.value().map(copy),
            Channel::Delta(channel) => channel.value().map(copy),
            Channel::Barrier(channel) => channel.is_open().then(|| D::unit(cx)),
            Channel::BarrierAfterFinish(channel) => channel.is_open().then(|| D::unit(cx)),
            Channel::Topic(channel) => (!channel.items().is_empty())
                .then(|| D::list(cx, channel.items().iter().map(copy).collect())),
            Channel::Tasks(channel) => (!channel.packets().is_empty())
                .then(|| D::list(cx, channel.packets().iter().map(|p| copy(&p.value)).collect())),
            Channel::Foreign(channel) => channel.get(cx).map_err(Fault::Domain)?,
        })
    }

    /// Whether the channel has a value to read, and so can trigger tasks.
    #[inline]
    pub fn is_available(&self, cx: D::Cx<'_>) -> Result<bool, Fault<D>> {
        Ok(match self {
            Channel::LastValue(channel) => channel.value().is_some(),
            Channel::LastValueAfterFinish(channel) => channel.value().is_some(),
            Channel::AnyValue(channel) => channel.value().is_some(),
            Channel::Ephemeral(channel) => channel.value().is_some(),
            Channel::Untracked(channel) => channel.value().is_some(),
            Channel::Aggregate(channel) => channel.value().is_some(),
            Channel::Delta(channel) => channel.value().is_some(),
            Channel::Barrier(channel) => channel.is_open(),
            Channel::BarrierAfterFinish(channel) => channel.is_open(),
            Channel::Topic(channel) => !channel.items().is_empty(),
            Channel::Tasks(channel) => !channel.packets().is_empty(),
            Channel::Foreign(channel) => channel.is_available(cx).map_err(Fault::Domain)?,
        })
    }

    /// Whether a superstep without writes can change the channel, so that it must be told.
    pub fn is_transient(&self) -> bool {
        match self {
            Channel::AnyValue(_) | Channel::Ephemeral(_) | Channel::Tasks(_) => true,
            Channel::Topic(channel) => !channel.accumulate(),
            Channel::Foreign(_) => true,
            _ => false,
        }
    }

    /// Whether the end of a run can change the channel, so that it must be told.
    pub fn hears_finish(&self) -> bool {
        matches!(
            self,
            Channel::LastValueAfterFinish(_) | Channel::BarrierAfterFinish(_) | Channel::Foreign(_)
        )
    }

    /// Applies a superstep's writes, maybe none. `key` is the channel's name, for errors. Packets
    /// go through [`Tasks::replace`] instead.
    pub fn update(
        &mut self,
        cx: D::Cx<'_>,
        key: &str,
        values: Vec<D::Value>,
    ) -> Result<bool, Fault<D>> {
        match self {
            Channel::LastValue(channel) => channel.update(key, values),
            Channel::LastValueAfterFinish(channel) => Ok(channel.update(values)),
            Channel::AnyValue(channel) => Ok(channel.update(values)),
            Channel::Ephemeral(channel) => channel.update(key, values),
            Channel::Untracked(channel) => channel.update(key, values),
            Channel::Aggregate(channel) => channel.update(cx, values),
            Channel::Delta(channel) => channel.update(cx, key, values),
            Channel::Barrier(channel) => channel.update::<D>(cx, key, &values),
            Channel::BarrierAfterFinish(channel) => channel.update::<D>(cx, key, &values),
            Channel::Topic(channel) => Ok(channel.update(cx, values)),
            Channel::Tasks(channel) => Ok(channel.replace(Vec::new())),
            Channel::Foreign(channel) => channel.update(cx, values),
        }
    }

    /// Applies a superstep's only write, as [`Channel::update`] would.
    #[inline]
    pub fn update_with(
        &mut self,
        cx: D::Cx<'_>,
        key: &str,
        value: D::Value,
    ) -> Result<bool, Fault<D>> {
        match self {
            Channel::LastValue(channel) => Ok(channel.set(value)),
            Channel::Ephemeral(channel) => Ok(channel.set(value)),
            _ => self.update(cx, key, vec![value]),
        }
    }

    /// A task that the channel triggered ran.
    #[inline]
    pub fn consume(&mut self, cx: D::Cx<'_>) -> Result<bool, Fault<D>> {
        match self {
            Channel::LastValueAfterFinish(channel) => Ok(channel.consume()),
            Channel::Barrier(channel) => Ok(channel.consume()),
            Channel::BarrierAfterFinish(channel) => Ok(channel.consume()),
            Channel::Foreign(channel) => channel.consume(cx).map_err(Fault::Domain),
            _ => Ok(false),
        }
    }

    /// The run is about to end.
    pub fn finish(&mut self, cx: D::Cx<'_>) -> Result<bool, Fault<D>> {
        match self {
            Channel::LastValueAfterFinish(channel) => Ok(channel.finish()),
            Channel::BarrierAfterFinish(channel) => Ok(channel.finish()),
            Channel::Foreign(channel) => channel.finish(cx).map_err(Fault::Domain),
            _ => Ok(false),
        }
    }

    /// Shows what is held, for the garbage collector. A reducer is the plan's.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        let one = match self {
            Channel::LastValue(channel) => channel.value(),
            Channel::LastValueAfterFinish(channel) => channel.held(),
            Channel::AnyValue(channel) => channel.value(),
            Channel::Ephemeral(channel) => channel.value(),
            Channel::Untracked(channel) => channel.value(),
            Channel::Aggregate(channel) => channel.value(),
            Channel::Delta(channel) => channel.value(),
            Channel::Barrier(_) | Channel::BarrierAfterFinish(_) => None,
            Channel::Topic(channel) => {
                return channel.items().iter().try_for_each(|item| visit(Held::Value(item)));
            }
            Channel::Tasks(channel) => {
                return channel.packets().iter().try_for_each(|p| visit(Held::Value(&p.value)));
            }
            Channel::Foreign(channel) => return visit(Held::Foreign(channel)),
        };
        one.map_or(Ok(()), |value| visit(Held::Value(value)))
    }

    /// What storage keeps, or `None` if it keeps nothing.
    pub fn checkpoint(&self, cx: D::Cx<'_>) -> Result<Option<Saved<D>>, Fault<D>> {
        let copy = |value: &D::Value| D::copy(cx, value);
        let plain = |value: Option<&D::Value>| value.map(copy).map(Saved::Value);
        Ok(match self {
            Channel::LastValue(channel) => plain(channel.value()),
            Channel::AnyValue(channel) => plain(channel.value()),
            Channel::Ephemeral(channel) => plain(channel.value()),
            Channel::Aggregate(channel) => plain(channel.value()),
            Channel::Untracked(_) | Channel::Delta(_) => None,
            Channel::LastValueAfterFinish(channel) => {
                channel.held().map(|value| Saved::Released(copy(value), channel.finished()))
            }
            Channel::Barrier(channel) => Some(Saved::Names(channel.seen().to_vec())),
            Channel::BarrierAfterFinish(channel) => {
                Some(Saved::ReleasedNames(channel.barrier().seen().to_vec(), channel.finished()))
            }
            Channel::Topic(channel) => {
                Some(Saved::Items(channel.items().iter().map(copy).collect()))
            }
            Channel::Tasks(channel) => Some(Saved::Packets(
                channel.packets().iter().map(|p| (p.target.clone(), copy(&p.value))).collect(),
            )),
            Channel::Foreign(channel) => {
                channel.checkpoint(cx).map_err(Fault::Domain)?.map(Saved::Value)
            }
        })
    }

    /// The value of a channel with a reducer that is stored as changes, for storage; `None` for other
    /// channels, and while it is empty.
    pub fn snapshot(&self, cx: D::Cx<'_>) -> Option<Saved<D>> {
        let copy = |value: &D::Value| D::copy(cx, value);
        match self {
            Channel::Delta(channel) => channel.value().map(copy).map(Saved::Snapshot),
            Channel::Aggregate(channel) => channel.value().map(copy).map(Saved::Value),
            _ => None,
        }
    }

    /// A live channel of this kind, holding what storage kept. `key` is the channel's name, for
    /// errors. A stored form that the kind does
    /// not have (the channel's kind changed between releases of a graph) restores as empty; a
    /// reducer's channel takes what another kind kept as its value.
    pub fn restore(
        &self,
        cx: D::Cx<'_>,
        key: &str,
        saved: Option<Saved<D>>,
    ) -> Result<Self, Fault<D>> {
        let value = match saved {
            Some(Saved::Value(value) | Saved::Snapshot(value)) => Some(value),
            Some(Saved::History(history)) => return self.replay(cx, key, *history),
            Some(other) => return Ok(self.restore_structured(cx, other)),
            None => None,
        };
        Ok(match self {
            Channel::LastValue(_) => Channel::LastValue(LastValue::new(value)),
            Channel::AnyValue(_) => Channel::AnyValue(AnyValue::new(value)),
            Channel::Ephemeral(channel) => {
                Channel::Ephemeral(Ephemeral::new(value, channel.guard()))
            }
            Channel::Untracked(channel) => {
                Channel::Untracked(Untracked::new(None, channel.guard()))
            }
            Channel::Aggregate(channel) => {
                let reducer = channel.reducer().clone();
                Channel::Aggregate(match value {
                    Some(value) => Aggregate::with_value(Some(value), reducer),
                    None => Aggregate::new(cx, reducer),
                })
            }
            Channel::Delta(channel) => Channel::Delta(match value {
                Some(value) => channel.with_value(Some(value)),
                None => Delta::new(cx, channel.reducer().clone(), channel.frequency()),
            }),
            Channel::Foreign(channel) => {
                Channel::Foreign(channel.restore(cx, value).map_err(Fault::Domain)?)
            }
            _ => self.empty(),
        })
    }

    fn replay(&self, cx: D::Cx<'_>, key: &str, history: History<D>) -> Result<Self, Fault<D>> {
        let History { seed, writes } = history;
        let value = |seed: Option<Saved<D>>| seed.map(|seed| seed.into_value(cx));
        match self {
            Channel::Delta(channel) => {
                channel.replay(cx, key, value(seed), writes).map(Channel::Delta)
            }
            Channel::Aggregate(channel) => {
                channel.replay(cx, value(seed), writes).map(Channel::Aggregate)
            }
            _ => self.restore(cx, key, seed),
        }
    }

    fn restore_structured(&self, cx: D::Cx<'_>, saved: Saved<D>) -> Self {
        match (self, saved) {
            (Channel::LastValueAfterFinish(_), Saved::Released(value, finished)) => {
                Channel::LastValueAfterFinish(LastValueAfterFinish::new(Some(value), finished))
            }
            (Channel::Barrier(channel), Saved::Names(seen)) => {
                Channel::Barrier(channel.with_seen(seen))
            }
            (Channel::BarrierAfterFinish(channel), Saved::ReleasedNames(seen, finished)) => {
                let barrier = channel.barrier().with_seen(seen);
                Channel::BarrierAfterFinish(BarrierAfterFinish::new(barrier, finished))
            }
            (Channel::Topic(channel), Saved::Items(items)) => {
                Channel::Topic(Topic::new(items, channel.accumulate()))
            }
            (Channel::Tasks(_), Saved::Packets(packets)) => Channel::Tasks(Tasks::new(
                packets.into_iter().map(|(target, value)| Packet { target, value }).collect(),
            )),
            (Channel::Aggregate(channel), saved) => {
                let value = Some(saved.into_value(cx));
                Channel::Aggregate(Aggregate::with_value(value, channel.reducer().clone()))
            }
            (Channel::Delta(channel), saved) => {
                Channel::Delta(channel.with_value(Some(saved.into_value(cx))))
            }
            _ => self.empty(),
        }
    }

    fn empty(&self) -> Self {
        match self {
            Channel::LastValueAfterFinish(_) => {
                Channel::LastValueAfterFinish(LastValueAfterFinish::new(None, false))
            }
            Channel::Barrier(channel) => Channel::Barrier(channel.with_seen(Vec::new())),
            Channel::BarrierAfterFinish(channel) => Channel::BarrierAfterFinish(
                BarrierAfterFinish::new(channel.barrier().with_seen(Vec::new()), false),
            ),
            Channel::Topic(channel) => Channel::Topic(Topic::new(Vec::new(), channel.accumulate())),
            Channel::AnyValue(_) => Channel::AnyValue(AnyValue::new(None)),
            Channel::Ephemeral(channel) => {
                Channel::Ephemeral(Ephemeral::new(None, channel.guard()))
            }
            Channel::Untracked(channel) => {
                Channel::Untracked(Untracked::new(None, channel.guard()))
            }
            Channel::Tasks(_) => Channel::Tasks(Tasks::new(Vec::new())),
            _ => Channel::LastValue(LastValue::new(None)),
        }
    }

    /// An independent copy, for a read that applies writes of its own.
    pub fn duplicate(&self, cx: D::Cx<'_>) -> Result<Self, Fault<D>> {
        match self {
            Channel::Foreign(channel) => {
                Ok(Channel::Foreign(channel.duplicate(cx).map_err(Fault::Domain)?))
            }
            Channel::Untracked(channel) => Ok(Channel::Untracked(Untracked::new(
                channel.value().map(|value| D::copy(cx, value)),
                channel.guard(),
            ))),
            Channel::Aggregate(channel) => Ok(Channel::Aggregate(Aggregate::with_value(
                channel.value().map(|value| D::copy(cx, value)),
                channel.reducer().clone(),
            ))),
            Channel::Delta(channel) => {
                let value = channel.value().map(|value| D::fresh(cx, value));
                Ok(Channel::Delta(channel.with_value(value.transpose().map_err(Fault::Domain)?)))
            }
            other => other.restore(cx, "", other.checkpoint(cx)?),
        }
    }
}
