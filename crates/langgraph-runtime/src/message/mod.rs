//! Chat messages, and lists of them as state.
//!
//! A [`Message`] is what langchain-core's message classes are in Python: a thread that one language
//! stored goes on in the other. [`add_messages`] merges lists by the messages' ids, and
//! [`Reducer::add_messages`](crate::Reducer::add_messages) is that for a field; [`MessagesState`] is a
//! state that has such a field and nothing else.
//!
//! ```
//! use langgraph_rust_runtime::message::{add_messages, Message, ToolCall};
//!
//! let call = ToolCall::new("search", [("query", "weather".into())]).with_id("call_1");
//! let history = vec![Message::human("What is the weather?").with_id("1")];
//! let history = add_messages(history, vec![
//!     Message::ai("").with_tool_calls([call]),
//!     Message::tool("call_1", "It rains."),
//!     Message::human("What is the weather in Paris?").with_id("1"), // instead of the first
//! ])?;
//! assert_eq!(history[0].text(), "What is the weather in Paris?");
//! assert_eq!(history[1].tool_calls()[0].name, "search");
//! assert_eq!(history[2].tool_call_id(), Some("call_1"));
//! assert!(history[2].id().is_some()); // those without an id have got one
//! # Ok::<(), langgraph_rust_runtime::Error>(())
//! ```
//!
//! # Forms
//!
//! In JSON, and in whatever else serde writes, a message is a map of its fields: `{"type": "human",
//! "content": "hi", ..}`, as langchain's `model_dump` makes it. Read are also `{"role": "user", "content":
//! "hi"}`, `["user", "hi"]`, a text alone for what a human says, and what langchain's `dumps` makes
//! (`{"lc": 1, ..}`). In a checkpoint a message is the record that Python writes, byte for byte; one
//! that was read is written back as it was, with its class, its fields and their order, whether they are
//! known here or not.

mod add;
mod calls;
mod fields;
mod form;
mod kind;
mod state;
mod store;
mod tools;

use std::sync::Arc;

use crate::{Map, Value};
pub use add::{add_messages, REMOVE_ALL_MESSAGES};
use kind::Class;
pub use kind::MessageKind;
pub use state::MessagesState;
pub use tools::{InvalidToolCall, ToolCall, Usage};

/// A chat message: what was said, by whom, and what else is known of it. Copies share what they hold.
///
/// What its fields mean, langchain-core says of its message classes. All of them can be read, by an
/// accessor or by [`Message::field`]; those of a message that Python stored stay as they are.
#[derive(Clone, PartialEq)]
pub struct Message(Arc<Inner>);

#[derive(Clone, PartialEq)]
struct Inner {
    class: Class,
    /// By name, in the order in which they are written.
    fields: Map,
}

impl Message {
    /// What a person says: a text, or a list of texts and content blocks.
    pub fn human(content: impl Into<Value>) -> Self {
        Self::new(MessageKind::Human, content)
    }

    /// What a model says.
    pub fn ai(content: impl Into<Value>) -> Self {
        Self::new(MessageKind::Ai, content)
    }

    /// What a model is told before everything else.
    pub fn system(content: impl Into<Value>) -> Self {
        Self::new(MessageKind::System, content)
    }

    /// What came of the tool call with this id.
    pub fn tool(tool_call_id: impl Into<Arc<str>>, content: impl Into<Value>) -> Self {
        Self::new(MessageKind::Tool, content)
            .with_field("tool_call_id", Value::Text(tool_call_id.into()))
    }

    /// What came of calling a function; models of today call tools.
    pub fn function(name: impl Into<Arc<str>>, content: impl Into<Value>) -> Self {
        Self::new(MessageKind::Function, content).with_name(name)
    }

    /// What somebody else says.
    pub fn chat(role: impl Into<Arc<str>>, content: impl Into<Value>) -> Self {
        Self::new(MessageKind::Chat, content).with_field("role", Value::Text(role.into()))
    }

    /// Written to a list of messages, removes the one with this id.
    pub fn remove(id: impl Into<Arc<str>>) -> Self {
        Self::new(MessageKind::Remove, "").with_id(id)
    }

    /// Written to a list of messages, removes all that are there.
    pub fn remove_all() -> Self {
        Self::remove(REMOVE_ALL_MESSAGES)
    }

    fn new(kind: MessageKind, content: impl Into<Value>) -> Self {
        let class = Class::of_kind(kind);
        let mut fields = class.defaults();
        fields.insert("content".into(), content.into());
        Self::of(class, fields)
    }

    fn of(class: Class, fields: Map) -> Self {
        Self(Arc::new(Inner { class, fields }))
    }

    /// The same message, with another id.
    pub fn with_id(self, id: impl Into<Arc<str>>) -> Self {
        self.with_field("id", Value::Text(id.into()))
    }

    /// The same message, by somebody of this name.
    pub fn with_name(self, name: impl Into<Arc<str>>) -> Self {
        self.with_field("name", Value::Text(name.into()))
    }

    /// The same message, with other content.
    pub fn with_content(self, content: impl Into<Value>) -> Self {
        self.with_field("content", content)
    }

    /// The same message, of a model that calls these tools.
    pub fn with_tool_calls(self, calls: impl IntoIterator<Item = ToolCall>) -> Self {
        self.with_field("tool_calls", Value::list(calls))
    }

    /// The same message, of a model that needed so many tokens.
    pub fn with_usage(self, usage: Usage) -> Self {
        self.with_field("usage_metadata", usage)
    }

    /// The same message, of a tool that made something which the model does not see.
    pub fn with_artifact(self, artifact: impl Into<Value>) -> Self {
        self.with_field("artifact", artifact)
    }

    /// The same message, of a tool that failed: its status is `error`.
    pub fn failed(self) -> Self {
        self.with_field("status", "error")
    }

    /// The same message with another value in one of its fields, which is the last of them if it had none of
    /// that name.
    pub fn with_field(mut self, name: &str, value: impl Into<Value>) -> Self {
        Arc::make_mut(&mut self.0).fields.insert(name.into(), value.into());
        self
    }
}

/// As Python shows it, but with the fields as JSON.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.0.class.name(), Value::from(self.0.fields.clone()))
    }
}
