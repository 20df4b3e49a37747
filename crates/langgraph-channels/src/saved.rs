use langgraph_rust_core::{Domain, Held, PacketTarget};

/// What storage keeps of a channel.
pub enum Saved<D: Domain> {
    /// The value as it is.
    Value(D::Value),
    /// A value and whether it has been released by `finish`.
    Released(D::Value, bool),
    /// The names a barrier has seen.
    Names(Vec<String>),
    /// The names a barrier has seen and whether it has been released by `finish`.
    ReleasedNames(Vec<String>, bool),
    /// The items of a topic.
    Items(Vec<D::Value>),
    /// The packets of the next superstep.
    Packets(Vec<(PacketTarget, D::Value)>),
    /// The value of a channel that mostly keeps changes.
    Snapshot(D::Value),
    /// The changes that it keeps, collected from earlier checkpoints.
    History(Box<History<D>>),
}

/// How a channel that keeps changes came to its value.
pub struct History<D: Domain> {
    /// The newest value that is stored; `None` if the channel began empty.
    pub seed: Option<Saved<D>>,
    /// The writes since, in the order in which they were applied.
    pub writes: Vec<D::Value>,
}

impl<D: Domain> Saved<D> {
    /// What was stored, as one value.
    pub(crate) fn into_value(self, cx: D::Cx<'_>) -> D::Value {
        match self {
            Saved::Value(value) | Saved::Released(value, _) | Saved::Snapshot(value) => value,
            Saved::History(history) => match history.seed {
                Some(seed) => seed.into_value(cx),
                None => D::list(cx, history.writes),
            },
            Saved::Names(names) | Saved::ReleasedNames(names, _) => {
                D::list(cx, names.iter().map(|name| D::name(cx, name)).collect())
            }
            Saved::Items(items) => D::list(cx, items),
            Saved::Packets(packets) => {
                D::list(cx, packets.into_iter().map(|(_, value)| value).collect())
            }
        }
    }

    /// Shows what is held, for the garbage collector.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Saved::Value(value) | Saved::Released(value, _) | Saved::Snapshot(value) => {
                visit(Held::Value(value))
            }
            Saved::History(history) => {
                history.seed.as_ref().map_or(Ok(()), |seed| seed.traverse(visit))?;
                history.writes.iter().try_for_each(|write| visit(Held::Value(write)))
            }
            Saved::Names(_) | Saved::ReleasedNames(..) => Ok(()),
            Saved::Items(items) => items.iter().try_for_each(|item| visit(Held::Value(item))),
            Saved::Packets(packets) => {
                packets.iter().try_for_each(|(_, value)| visit(Held::Value(value)))
            }
        }
    }

    /// A copy, for a second reader.
    pub fn copy(&self, cx: D::Cx<'_>) -> Self {
        match self {
            Saved::Value(value) => Saved::Value(D::copy(cx, value)),
            Saved::Snapshot(value) => Saved::Snapshot(D::copy(cx, value)),
            Saved::History(history) => Saved::History(Box::new(History {
                seed: history.seed.as_ref().map(|seed| seed.copy(cx)),
                writes: history.writes.iter().map(|write| D::copy(cx, write)).collect(),
            })),
            Saved::Released(value, finished) => Saved::Released(D::copy(cx, value), *finished),
            Saved::Names(names) => Saved::Names(names.clone()),
            Saved::ReleasedNames(names, finished) => Saved::ReleasedNames(names.clone(), *finished),
            Saved::Items(items) => {
                Saved::Items(items.iter().map(|item| D::copy(cx, item)).collect())
            }
            Saved::Packets(packets) => {
                let copy = |(target, value): &(PacketTarget, D::Value)| {
                    (target.clone(), D::copy(cx, value))
                };
                Saved::Packets(packets.iter().map(copy).collect())
            }
        }
    }
}
