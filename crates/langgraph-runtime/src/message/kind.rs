use std::sync::Arc;

use langgraph_rust_checkpoint::wire::Record;

use crate::{Map, Value};

/// Who says a message, or what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// A person.
    Human,
    /// A model.
    Ai,
    /// What a model is told before everything else.
    System,
    /// What came of a tool call.
    Tool,
    /// What came of calling a function, in the way before tools.
    Function,
    /// Somebody with a role of another name.
    Chat,
    /// No message, but the wish to remove one.
    Remove,
    /// A kind that somebody made for themselves.
    Other,
}

/// The code of records that are pydantic models.
const MODEL: u8 = 5;

/// The method that such records name.
const METHOD: &str = "model_validate_json";

/// What langchain-core has of a kind.
#[derive(Debug)]
struct Family {
    kind: MessageKind,
    module: &'static str,
    /// The class's name, and that of its chunks, which is their type as well.
    class: &'static str,
    chunk: &'static str,
    /// The field `type`.
    tag: &'static str,
}

macro_rules! families {
    ($($kind:ident: $module:literal, $class:literal, $tag:literal;)*) => {
        [$(Family {
            kind: MessageKind::$kind,
            module: concat!("langchain_core.messages.", $module),
            class: $class,
            chunk: concat!($class, "Chunk"),
            tag: $tag,
        }),*]
    };
}

static FAMILIES: [Family; 7] = families! {
    Human: "human", "HumanMessage", "human";
    Ai: "ai", "AIMessage", "ai";
    System: "system", "SystemMessage", "system";
    Tool: "tool", "ToolMessage", "tool";
    Function: "function", "FunctionMessage", "function";
    Chat: "chat", "ChatMessage", "chat";
    Remove: "modifier", "RemoveMessage", "remove";
};

/// A Python class.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Class {
    /// One of langchain-core's, by its place among the families.
    Known { family: usize, is_chunk: bool },
    /// Another.
    Other(Arc<Foreign>),
}

/// A class that is none of langchain-core's, or that was stored in another way.
#[derive(Debug, PartialEq)]
pub(super) struct Foreign {
    code: u8,
    module: Box<str>,
    name: Box<str>,
    method: Option<Box<str>>,
    kind: MessageKind,
    is_chunk: bool,
}

impl Class {
    pub(super) fn of_kind(kind: MessageKind) -> Self {
        let family = FAMILIES.iter().position(|family| family.kind == kind).unwrap_or_default();
        Class::Known { family, is_chunk: false }
    }

    /// The class whose messages have this in their field `type`.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        Self::find(|family| (family.tag == tag, family.chunk == tag))
    }

    /// The class of langchain-core that has this name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::find(|family| (family.class == name, family.chunk == name))
    }

    fn find(matches: impl Fn(&Family) -> (bool, bool)) -> Option<Self> {
        FAMILIES.iter().enumerate().find_map(|(place, family)| match matches(family) {
            (true, _) => Some(Class::Known { family: place, is_chunk: false }),
            (_, true) => Some(Class::Known { family: place, is_chunk: true }),
            _ => None,
        })
    }

    /// The class of a record, whose field `type` is `tag`.
    pub(super) fn of_record(record: &Record, tag: &str) -> Option<Self> {
        let (module, name) = (record.module()?, record.name()?);
        let code = u8::try_from(record.code()).ok()?;
        let is_usual = code == MODEL && record.method() == Some(METHOD);
        let known = Self::of_name(name).filter(|known| is_usual && known.module() == module);
        Some(known.unwrap_or_else(|| {
            let alike = Self::of_tag(tag);
            Class::Other(Arc::new(Foreign {
                code,
                module: module.into(),
                name: name.into(),
                method: record.method().map(Into::into),
                kind: alike.as_ref().map_or(MessageKind::Other, Class::kind),
                is_chunk: alike.is_some_and(|alike| alike.is_chunk()),
            }))
        }))
    }

    pub(super) fn kind(&self) -> MessageKind {
        match self {
            Class::Known { family, .. } => FAMILIES[*family].kind,
            Class::Other(foreign) => foreign.kind,
        }
    }

    pub(super) fn is_chunk(&self) -> bool {
        match self {
            Class::Known { is_chunk, .. } => *is_chunk,
            Class::Other(foreign) => foreign.is_chunk,
        }
    }

    /// The class of the messages that chunks of this class add up to, if it is one of langchain-core's.
    pub(super) fn whole(&self) -> Option<Self> {
        match self {
            Class::Known { family, is_chunk: true } => {
                Some(Class::Known { family: *family, is_chunk: false })
            }
            _ => None,
        }
    }

    pub(super) fn code(&self) -> u8 {
        match self {
            Class::Known { .. } => MODEL,
            Class::Other(foreign) => foreign.code,
        }
    }

    pub(super) fn module(&self) -> &str {
        match self {
            Class::Known { family, .. } => FAMILIES[*family].module,
            Class::Other(foreign) => &foreign.module,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Class::Known { family, is_chunk: false } => FAMILIES[*family].class,
            Class::Known { family, is_chunk: true } => FAMILIES[*family].chunk,
            Class::Other(foreign) => &foreign.name,
        }
    }

    pub(super) fn method(&self) -> Option<&str> {
        match self {
            Class::Known { .. } => Some(METHOD),
            Class::Other(foreign) => foreign.method.as_deref(),
        }
    }

    /// What is in the field `type` of messages of this class.
    fn tag(&self) -> &str {
        match self {
            Class::Known { family, is_chunk: false } => FAMILIES[*family].tag,
            other => other.name(),
        }
    }

    /// The fields of a message of which nothing is known, in the order in which Python writes them.
    /// Those that must be given are nothing.
    pub(super) fn defaults(&self) -> Map {
        let empty = || Value::from(Map::new());
        let none = || Value::list::<Value>([]);
        let mut fields = vec![
            ("content", Value::Null),
            ("additional_kwargs", empty()),
            ("response_metadata", empty()),
            ("type", Value::from(self.tag())),
            ("name", Value::Null),
            ("id", Value::Null),
        ];
        match self.kind() {
            MessageKind::Ai => {
                fields.extend([
                    ("tool_calls", none()),
                    ("invalid_tool_calls", none()),
                    ("usage_metadata", Value::Null),
                ]);
                if self.is_chunk() {
                    fields.extend([("tool_call_chunks", none()), ("chunk_position", Value::Null)]);
                }
            }
            MessageKind::Tool => fields.extend([
                ("tool_call_id", Value::Null),
                ("artifact", Value::Null),
                ("status", Value::from("success")),
            ]),
            MessageKind::Chat => fields.push(("role", Value::Null)),
            _ => {}
        }
        fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }
}
