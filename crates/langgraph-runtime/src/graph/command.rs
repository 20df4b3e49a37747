use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::{Error, FieldValue, FieldWrite, Map, Value};

/// What a node writes to the state: values by field, in order.
#[derive(Clone, Default, PartialEq)]
pub struct Update {
    pub(crate) writes: Vec<(Cow<'static, str>, Value)>,
}

impl Update {
    /// An update that writes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same update, with `value` written to `field` as well.
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.writes.push((Cow::Owned(field.into()), value.into()));
        self
    }

    /// The same, for a field whose name is known to the compiler, and a value of any type.
    pub fn set_typed<T: FieldValue>(mut self, field: &'static str, value: T) -> Self {
        self.writes.push((Cow::Borrowed(field), Value::typed(value)));
        self
    }

    /// The same, for a field with a reducer.
    pub fn write_typed<T: FieldValue>(self, field: &'static str, write: FieldWrite<T>) -> Self {
        match write {
            FieldWrite::Fold(value) => self.set_typed(field, value),
            FieldWrite::Overwrite(value) => {
                self.set_typed(field, Value::overwrite(Value::typed(value)))
            }
        }
    }

    /// The same update, with those of `other` behind its writes.
    pub fn and(mut self, other: impl Into<Update>) -> Self {
        self.writes.extend(other.into().writes);
        self
    }

    /// What is written, in order.
    pub fn writes(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.writes.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

/// A map by field; of several writes to one, the last.
impl Serialize for Update {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.writes().map(|(name, value)| (Arc::from(name), value.clone()));
        named.collect::<Map>().serialize(serializer)
    }
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_map();
        self.writes().for_each(|(name, value)| {
            shown.entry(&name, &format_args!("{value}"));
        });
        shown.finish()
    }
}

/// A JSON object, its entries by field.
impl TryFrom<serde_json::Value> for Update {
    type Error = Error;

    fn try_from(json: serde_json::Value) -> Result<Self, Error> {
        match json {
            serde_json::Value::Object(map) => Ok(map.into()),
            other => Err(Error::Unfit(format!("{other} is no object, so it writes to no fields"))),
        }
    }
}

impl From<Map> for Update {
    fn from(map: Map) -> Self {
        let owned = |(name, value): (Arc<str>, Value)| (Cow::Owned(name.as_ref().into()), value);
        Self { writes: map.into_iter().map(owned).collect() }
    }
}

/// A JSON object, its entries by field.
impl From<serde_json::Map<String, serde_json::Value>> for Update {
    fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
        let entry = |(name, json)| (Cow::Owned(name), Value::from(json));
        Self { writes: map.into_iter().map(entry).collect() }
    }
}

/// Where to go next.
#[derive(Clone, Debug, PartialEq)]
pub enum Goto {
    /// A node, which runs on the state. [`END`](crate::END) is nowhere.
    Node(Arc<str>),
    /// A node, which runs on this value instead of the state (upstream's `Send`).
    Send {
        /// The node.
        node: Arc<str>,
        /// What it runs on.
        value: Value,
    },
}

impl Goto {
    /// A node that runs on the state, or [`END`](crate::END).
    pub fn node(node: &str) -> Self {
        Goto::Node(node.into())
    }

    /// A node that runs on `value` instead of the state.
    pub fn send(node: &str, value: impl Into<Value>) -> Self {
        Goto::Send { node: node.into(), value: value.into() }
    }
}

impl From<&str> for Goto {
    fn from(node: &str) -> Self {
        Goto::Node(node.into())
    }
}

/// Several places to go next: a name, a [`Goto`], or a list of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gotos(pub Vec<Goto>);

impl Gotos {
    /// The same places, with the nodes that their labels stand for.
    pub(crate) fn by_labels(
        self,
        labels: &[(Arc<str>, Arc<str>)],
        from: &str,
    ) -> Result<Self, Error> {
        let named = |goto: Goto| {
            let Goto::Node(label) = goto else { return Ok(goto) };
            match labels.iter().find(|(known, _)| *known == label) {
                Some((_, node)) => Ok(Goto::Node(node.clone())),
                None => {
                    let known: Vec<&str> = labels.iter().map(|(known, _)| &**known).collect();
                    Err(Error::message(format!(
                        "the branch after '{from}' chose '{label}', but was declared to choose one \
                         of: {}",
                        known.join(", ")
                    )))
                }
            }
        };
        Ok(Self(self.0.into_iter().map(named).collect::<Result<_, _>>()?))
    }
}

impl From<&String> for Goto {
    fn from(node: &String) -> Self {
        Goto::Node(node.as_str().into())
    }
}

impl From<&str> for Gotos {
    fn from(node: &str) -> Self {
        Self(vec![node.into()])
    }
}

impl From<Goto> for Gotos {
    fn from(goto: Goto) -> Self {
        Self(vec![goto])
    }
}

impl<G: Into<Goto>, const N: usize> From<[G; N]> for Gotos {
    fn from(gotos: [G; N]) -> Self {
        Self(gotos.into_iter().map(Into::into).collect())
    }
}

/// Nothing leads nowhere.
impl<G: Into<Gotos>> From<Option<G>> for Gotos {
    fn from(goto: Option<G>) -> Self {
        goto.map(Into::into).unwrap_or_default()
    }
}

impl From<String> for Gotos {
    fn from(node: String) -> Self {
        Self(vec![Goto::node(&node)])
    }
}

impl From<Vec<&str>> for Gotos {
    fn from(nodes: Vec<&str>) -> Self {
        Self(nodes.into_iter().map(Goto::from).collect())
    }
}

impl From<Vec<Goto>> for Gotos {
    fn from(gotos: Vec<Goto>) -> Self {
        Self(gotos)
    }
}

/// What a node returns: an update, and maybe where to go next. As input: an update, or resume values
/// for the interrupts a thread waits with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command {
    pub(crate) update: Update,
    pub(crate) goto: Vec<Goto>,
    pub(crate) resume: Option<Resume>,
    pub(crate) is_for_parent: bool,
}

/// Resume values for open interrupts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Resume {
    /// For the only interrupt, or the next one.
    Single(Value),
    /// By interrupt id.
    ById(BTreeMap<Arc<str>, Value>),
}

impl Command {
    /// A command that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A command that resumes from the open interrupt.
    pub fn resume(value: impl Into<Value>) -> Self {
        Self { resume: Some(Resume::Single(value.into())), ..Self::default() }
    }

    /// A command that resumes from interrupts by their ids.
    pub fn resume_by_id(values: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        Self { resume: Some(Resume::ById(values.into_iter().collect())), ..Self::default() }
    }

    /// The same command, writing `value` to `field` as well.
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.update = self.update.set(field, value);
        self
    }

    /// The same command, writing what `update` writes as well.
    pub fn update(mut self, update: impl Into<Update>) -> Self {
        self.update = self.update.and(update);
        self
    }

    /// The same command, going on to these places as well.
    pub fn goto(mut self, goto: impl Into<Gotos>) -> Self {
        self.goto.extend(goto.into().0);
        self
    }

    /// The same command, for the graph that this graph is a node of.
    pub fn parent(mut self) -> Self {
        self.is_for_parent = true;
        self
    }
}

impl<U: Into<Update>> From<U> for Command {
    fn from(update: U) -> Self {
        Self { update: update.into(), ..Self::default() }
    }
}

/// An update, and where to go.
impl<U: Into<Update>, G: Into<Gotos>> From<(U, G)> for Command {
    fn from((update, goto): (U, G)) -> Self {
        Self::from(update).goto(goto)
    }
}

impl From<Goto> for Command {
    fn from(goto: Goto) -> Self {
        Self::new().goto(goto)
    }
}

impl From<Gotos> for Command {
    fn from(gotos: Gotos) -> Self {
        Self::new().goto(gotos)
    }
}

impl From<Vec<Goto>> for Command {
    fn from(gotos: Vec<Goto>) -> Self {
        Self::new().goto(gotos)
    }
}

impl From<()> for Command {
    fn from((): ()) -> Self {
        Self::default()
    }
}
