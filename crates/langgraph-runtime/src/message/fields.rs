//! What a message says of itself.

use std::borrow::Cow;

use super::{InvalidToolCall, Message, MessageKind, ToolCall, Usage};
use crate::Value;

static NOTHING: Value = Value::Null;

impl Message {
    /// Who says it.
    pub fn kind(&self) -> MessageKind {
        self.0.class.kind()
    }

    /// Whether it is a part of a message, as models stream them.
    pub fn is_chunk(&self) -> bool {
        self.0.class.is_chunk()
    }

    /// The name of its Python class.
    pub fn class_name(&self) -> &str {
        self.0.class.name()
    }

    /// What is in the field of this name; nothing if the message has none.
    pub fn field(&self, name: &str) -> &Value {
        self.0.fields.get(name).unwrap_or(&NOTHING)
    }

    /// All fields, in the order in which they are written.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.fields.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// What is said: a text, or a list of texts and content blocks.
    pub fn content(&self) -> &Value {
        self.field("content")
    }

    /// The text of what is said. Of a list, that is its texts and text blocks, one after the other.
    pub fn text(&self) -> Cow<'_, str> {
        match self.content() {
            Value::Text(text) => Cow::Borrowed(text),
            Value::List(blocks) => blocks.iter().filter_map(text_of_block).collect(),
            _ => Cow::Borrowed(""),
        }
    }

    /// The id, by which a list of messages knows it.
    pub fn id(&self) -> Option<&str> {
        self.field("id").text().ok()
    }

    /// The name of whoever says it.
    pub fn name(&self) -> Option<&str> {
        self.field("name").text().ok()
    }

    /// The role, of a [`MessageKind::Chat`].
    pub fn role(&self) -> Option<&str> {
        self.field("role").text().ok()
    }

    /// What the model's provider has sent besides, as it came.
    pub fn additional_kwargs(&self) -> &Value {
        self.field("additional_kwargs")
    }

    /// What the provider says of the response: headers, why it ended.
    pub fn response_metadata(&self) -> &Value {
        self.field("response_metadata")
    }

    /// The tools that the model calls.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        let calls = self.field("tool_calls").items().unwrap_or_default();
        calls.iter().map(ToolCall::of).collect()
    }

    /// The calls whose arguments are broken.
    pub fn invalid_tool_calls(&self) -> Vec<InvalidToolCall> {
        let calls = self.field("invalid_tool_calls").items().unwrap_or_default();
        calls.iter().map(InvalidToolCall::of).collect()
    }

    /// How many tokens the model needed, if that is known. What is known in more detail is in the field
    /// `usage_metadata`.
    pub fn usage(&self) -> Option<Usage> {
        Usage::of(self.field("usage_metadata"))
    }

    /// The id of the tool call that this answers.
    pub fn tool_call_id(&self) -> Option<&str> {
        self.field("tool_call_id").text().ok()
    }

    /// What the tool made and the model does not see.
    pub fn artifact(&self) -> &Value {
        self.field("artifact")
    }

    /// Whether the tool failed.
    pub fn is_failed(&self) -> bool {
        self.field("status").text().is_ok_and(|status| status == "error")
    }
}

fn text_of_block(block: &Value) -> Option<String> {
    match block {
        Value::Text(text) => Some(text.as_ref().to_owned()),
        block if block.get("type") == Value::from("text") => {
            block.get("text").text().ok().map(str::to_owned)
        }
        _ => None,
    }
}
