use langgraph_core::{Domain, Held, PacketTarget};

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
}

impl<D: Domain> Saved<D> {
    /// What was stored, as one value.
    pub(crate) fn into_value(self, cx: D::Cx<'_>) -> D::Value {
        match self {
            Saved::Value(value) | Saved::Released(value, _) => value,
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
            Saved::Value(value) | Saved::Released(value, _) => visit(Held::Value(value)),
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
