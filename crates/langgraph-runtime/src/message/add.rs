//! Lists of messages, merged.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Message, MessageKind};
use crate::{Error, Map, NodeError, Reducer, Value};

/// The id of a [`Message::remove`] that removes all messages.
pub const REMOVE_ALL_MESSAGES: &str = "__remove_all__";

/// With so few new messages, looking for their ids is quicker than an index of all ids.
const FEW: usize = 4;

/// Adds messages to a list; those with an id that is there already replace the old ones, where those
/// stand.
///
/// Missing ids are filled in with random UUIDs, and chunks become messages. A [`Message::remove`]
/// removes the message with its id, and [`Message::remove_all`] everything before it.
///
/// # Errors
///
/// [`Error::Message`] if a message that is to be removed does not exist.
pub fn add_messages(left: Vec<Message>, right: Vec<Message>) -> Result<Vec<Message>, Error> {
    let mut merged = completed(left);
    let right = completed(right);
    let removes_all = |message: &Message| {
        message.kind() == MessageKind::Remove && message.id() == Some(REMOVE_ALL_MESSAGES)
    };
    if let Some(last) = right.iter().rposition(removes_all) {
        return Ok(right.into_iter().skip(last + 1).collect());
    }
    let mut places = Places::of(&merged, right.len());
    let mut removed = HashSet::new();
    for message in right {
        let id = message.key();
        match (places.find(&merged, &id), message.kind()) {
            (Some(_), MessageKind::Remove) => {
                removed.insert(id);
            }
            (None, MessageKind::Remove) => {
                return Err(Error::Message(format!(
                    "a message with the id '{id}' is to be removed, but there is none"
                )));
            }
            (Some(place), _) => {
                removed.remove(&id);
                merged[place] = message;
            }
            (None, _) => {
                places.add(id, merged.len());
                merged.push(message);
            }
        }
    }
    if !removed.is_empty() {
        merged.retain(|message| !removed.contains(&message.key()));
    }
    Ok(merged)
}

/// Where ids stand in a list.
enum Places {
    /// Where one looks.
    Unknown,
    Known(HashMap<Arc<str>, usize>),
}

impl Places {
    fn of(messages: &[Message], sought: usize) -> Self {
        if sought <= FEW {
            return Places::Unknown;
        }
        let ids = messages.iter().enumerate().map(|(place, message)| (message.key(), place));
        Places::Known(ids.collect())
    }

    fn find(&self, messages: &[Message], id: &str) -> Option<usize> {
        match self {
            Places::Unknown => messages.iter().rposition(|message| message.id() == Some(id)),
            Places::Known(places) => places.get(id).copied(),
        }
    }

    fn add(&mut self, id: Arc<str>, place: usize) {
        if let Places::Known(places) = self {
            places.insert(id, place);
        }
    }
}

/// The messages, whole and with ids.
fn completed(messages: Vec<Message>) -> Vec<Message> {
    messages.into_iter().map(|message| message.whole().identified()).collect()
}

impl Message {
    /// The same message, with a random id if it has none.
    pub fn identified(self) -> Self {
        match self.id() {
            Some(_) => self,
            None => self.with_id(uuid::Uuid::new_v4().to_string()),
        }
    }

    /// The id of one that has one.
    fn key(&self) -> Arc<str> {
        match self.field("id") {
            Value::Text(id) => id.clone(),
            _ => Arc::from(""),
        }
    }

    /// A chunk as the message that it is a part of; others as they are, and so are chunks of classes that
    /// are not langchain-core's.
    pub fn whole(self) -> Self {
        let Some(class) = self.0.class.whole() else { return self };
        let mut given: Map = self.0.fields.clone();
        for name in ["type", "tool_call_chunks", "chunk_position"] {
            given.shift_remove(name);
        }
        // Its fields were those of a message already, so nothing can be wrong with them.
        Message::validated(class, given).unwrap_or(self)
    }
}

impl Reducer {
    /// Adds messages to a list as [`add_messages`] does, from an empty one. What is written may be a list or
    /// one message, in any form that messages have.
    pub fn add_messages() -> Self {
        Self::new(|left, right| Ok(Value::typed(add_messages(messages(left)?, messages(right)?)?)))
            .starting_from(Value::typed(Vec::<Message>::new()))
            .admitting(with_ids)
            .reading(|value| Ok(Value::typed(messages(value)?)))
    }
}

/// A write with ids in it: it may be stored and applied at every read, and a message that had another
/// id each time could not be replaced or removed.
fn with_ids(write: Value) -> Result<Value, NodeError> {
    if let Value::Overwrite(inner) = write {
        return Ok(Value::overwrite(with_ids(Arc::unwrap_or_clone(inner))?));
    }
    if write.is_null() {
        return Ok(write);
    }
    let is_one = write.as_typed::<Message>().is_some();
    let mut list: Vec<Message> = messages(write)?.into_iter().map(Message::identified).collect();
    Ok(match is_one {
        true => list.pop().map(Value::typed).unwrap_or_default(),
        false => Value::typed(list),
    })
}

/// A list of messages, or one, in any form.
fn messages(value: Value) -> Result<Vec<Message>, Error> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => match Arc::try_unwrap(items) {
            Ok(items) => items.into_iter().map(Message::try_from).collect(),
            Err(items) => items.iter().cloned().map(Message::try_from).collect(),
        },
        value if value.as_typed::<Vec<Message>>().is_some() => value.into_typed(),
        value if value.as_typed::<Message>().is_some() => Ok(vec![value.into_typed()?]),
        Value::Typed(held) => messages(held.to_value()?),
        one => Ok(vec![Message::try_from(one)?]),
    }
}
