//! Messages, read from the forms that they have.

use std::sync::Arc;

use langgraph_rust_checkpoint::wire::{Record, StoredValue};

use super::kind::Class;
use super::{Message, MessageKind};
use crate::{Error, Map, Value};

/// A message in any form, see [`message`](super).
impl TryFrom<Value> for Message {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self, Error> {
        if let Some(message) = value.as_typed::<Message>() {
            return Ok(message.clone());
        }
        match value {
            Value::Text(text) => Ok(Message::human(Value::Text(text))),
            Value::Map(map) => of_map(Arc::unwrap_or_clone(map)),
            Value::List(ref pair) => match &pair[..] {
                [Value::Text(role), content] => {
                    of_role(role, Map::from_iter([("content".into(), content.clone())]))
                }
                _ => Err(unfit("a message as a list is a role and its content", value)),
            },
            Value::Stored(stored) => match Arc::unwrap_or_clone(stored) {
                StoredValue::Record(record) => of_record(*record),
                other => Err(unfit("that is no message", Value::from(other))),
            },
            Value::Typed(held) => Message::try_from(held.to_value()?),
            other => Err(unfit("that is no message", other)),
        }
    }
}

fn unfit(what: &str, shown: impl Into<Value>) -> Error {
    Error::Unfit(format!("{what}: {}", shown.into()))
}

/// What Python stored, as it is.
fn of_record(record: Record) -> Result<Message, Error> {
    let tag = record.content().get("type").and_then(StoredValue::as_str);
    let class = tag.and_then(|tag| Class::of_record(&record, tag));
    let is_message = record.content().get("content").is_some();
    match (class.filter(|_| is_message), Value::from(record.content())) {
        (Some(class), Value::Map(fields)) => Ok(Message::of(class, Arc::unwrap_or_clone(fields))),
        (_, other) => {
            let name = record.name().unwrap_or("a record");
            Err(unfit(&format!("{name} is no message"), other))
        }
    }
}

fn of_map(mut map: Map) -> Result<Message, Error> {
    let text = |map: &Map, name| Some(map.get(name)?.text().ok()?.to_owned());
    let tag = text(&map, "type");
    if let (Some("constructor"), Some(kwargs)) = (tag.as_deref(), map.get("kwargs")) {
        return of_envelope(map.get("id"), kwargs);
    }
    let class = tag.as_deref().and_then(Class::of_tag);
    let is_chat = class.as_ref().is_some_and(|class| class.kind() == MessageKind::Chat);
    if let (Some(role), false) = (text(&map, "role"), is_chat) {
        map.shift_remove("role");
        return of_role(&role, map);
    }
    match (class, tag) {
        (Some(class), _) => Message::validated(class, map),
        (None, Some(tag)) => {
            map.shift_remove("type");
            of_role(&tag, map)
        }
        (None, None) => Err(unfit("a message has a type or a role", map)),
    }
}

/// What langchain's `dumps` makes: a class by its path, and what it is made from.
fn of_envelope(path: Option<&Value>, kwargs: &Value) -> Result<Message, Error> {
    let name = path.and_then(|path| path.items().ok()?.last()?.text().ok());
    let class = name.and_then(Class::of_name);
    match (class, kwargs) {
        (Some(class), Value::Map(kwargs)) => {
            Message::validated(class.whole().unwrap_or(class), (**kwargs).clone())
        }
        _ => Err(unfit("that constructs no message", kwargs)),
    }
}

/// What is said in a role. What has no place in a message goes to its `additional_kwargs`.
fn of_role(role: &str, mut given: Map) -> Result<Message, Error> {
    let class = match role {
        "user" => Class::of_kind(MessageKind::Human),
        "assistant" => Class::of_kind(MessageKind::Ai),
        "developer" => Class::of_kind(MessageKind::System),
        "human" | "ai" | "system" | "function" | "tool" | "remove" => {
            Class::of_tag(role).unwrap_or(Class::of_kind(MessageKind::Human))
        }
        _ => return Err(Error::Unfit(format!("'{role}' is no role that messages have"))),
    };
    let mut fields = Map::new();
    let own: &[&str] = match class.kind() {
        MessageKind::Tool => &["artifact", "status"],
        MessageKind::Human | MessageKind::Ai => &["example"],
        _ => &[],
    };
    let shared = ["content", "name", "tool_call_id", "response_metadata", "id", "tool_calls"];
    for name in shared.iter().chain(own) {
        match given.shift_remove(*name) {
            None | Some(Value::Null) if *name != "content" => {}
            Some(Value::Bool(false)) if *name == "example" => {}
            Some(value) => {
                fields.insert((*name).into(), value);
            }
            None => {}
        }
    }
    if let Some(Value::Map(nested)) = given.shift_remove("additional_kwargs") {
        given.extend(Arc::unwrap_or_clone(nested));
    }
    if role == "developer" {
        given.insert("__openai_role__".into(), role.into());
    }
    fields.insert("additional_kwargs".into(), given.into());
    if let Some(calls) = fields.get_mut("tool_calls") {
        *calls = super::calls::of_openai(calls)?;
    }
    Message::validated(class, fields)
}

impl Message {
    /// A message of this class, from fields that somebody gave: complete, and in Python's order.
    pub(super) fn validated(class: Class, given: Map) -> Result<Self, Error> {
        let mut fields = class.defaults();
        if !given.contains_key("content") && class.kind() != MessageKind::Remove {
            return Err(unfit("a message has content", given));
        }
        for (name, value) in given {
            let is_tag = &*name == "type";
            let value = match (&*name, value) {
                ("content", Value::Null) => Value::from(""),
                ("id" | "tool_call_id", Value::Int(number)) => Value::from(number.to_string()),
                (_, value) => value,
            };
            if !is_tag {
                fields.insert(name, value);
            }
        }
        if class.kind() == MessageKind::Remove {
            fields.insert("content".into(), "".into());
        }
        check(&class, &fields)?;
        if class.kind() == MessageKind::Ai {
            super::calls::complete(&mut fields);
        }
        Ok(Message::of(class, fields))
    }
}

/// Refuses what Python would refuse to make a message of.
fn check(class: &Class, fields: &Map) -> Result<(), Error> {
    let fail = |what: &str| Err(unfit(what, fields.clone()));
    let is_text = |name: &str| fields.get(name).is_some_and(|value| value.text().is_ok());
    let is_map = |value: &Value| match value {
        Value::Map(_) => true,
        Value::Stored(stored) => matches!(**stored, StoredValue::Map(_)),
        _ => false,
    };
    let is_content = match fields.get("content") {
        Some(Value::Text(_)) => true,
        Some(Value::List(blocks)) => {
            blocks.iter().all(|block| block.text().is_ok() || is_map(block))
        }
        _ => false,
    };
    if !is_content {
        return fail("the content of a message is a text, or a list of texts and blocks");
    }
    for name in ["additional_kwargs", "response_metadata"] {
        if !fields.get(name).is_some_and(is_map) {
            return fail(&format!("a message's {name} are a map"));
        }
    }
    match class.kind() {
        MessageKind::Tool if !is_text("tool_call_id") => fail("a tool message has a tool_call_id"),
        MessageKind::Function if !is_text("name") => fail("a function message has a name"),
        MessageKind::Chat if !is_text("role") => fail("a chat message has a role"),
        MessageKind::Remove if !is_text("id") => fail("what is to be removed has an id"),
        _ => Ok(()),
    }
}
