//! Parts of messages that have a shape of their own.

use std::sync::Arc;

use crate::{Error, FieldValue, Input, Map, TaskInput, Value};

/// A tool that a model calls.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The tool.
    pub name: String,
    /// Its arguments, by name.
    pub args: Map,
    /// What the message with the tool's answer refers to.
    pub id: Option<String>,
}

impl ToolCall {
    /// A call without an id.
    pub fn new<'a>(
        name: impl Into<String>,
        args: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Self {
        let args = args.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Self { name: name.into(), args, id: None }
    }

    /// The same call, with an id.
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..self }
    }

    /// The arguments as a type of one's own.
    ///
    /// # Errors
    ///
    /// [`Error::Unfit`] if they describe none.
    pub fn args_as<T: FieldValue>(&self) -> Result<T, Error> {
        Value::from(self.args.clone()).into_typed()
    }

    pub(super) fn of(value: &Value) -> Self {
        let args = match value.get("args") {
            Value::Map(args) => Arc::unwrap_or_clone(args),
            _ => Map::new(),
        };
        Self { name: text(value, "name").unwrap_or_default(), args, id: text(value, "id") }
    }
}

impl From<ToolCall> for Value {
    fn from(call: ToolCall) -> Self {
        Value::from([
            ("name", call.name.into()),
            ("args", call.args.into()),
            ("id", call.id.into()),
            ("type", "tool_call".into()),
        ])
    }
}

/// For nodes that tool calls are sent to, each of which runs one.
impl Input for ToolCall {
    fn read(from: &TaskInput) -> Result<Arc<Self>, Error> {
        let value = from.value();
        match value.get("name") {
            Value::Text(_) => Ok(Arc::new(Self::of(&value))),
            _ => Err(Error::Unfit(format!("{value} is no tool call"))),
        }
    }
}

/// A tool that a model calls with arguments that are no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidToolCall {
    /// The tool.
    pub name: Option<String>,
    /// The arguments, as the model wrote them.
    pub args: Option<String>,
    /// The call's id.
    pub id: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl InvalidToolCall {
    pub(super) fn of(value: &Value) -> Self {
        Self {
            name: text(value, "name"),
            args: text(value, "args"),
            id: text(value, "id"),
            error: text(value, "error"),
        }
    }
}

impl From<InvalidToolCall> for Value {
    fn from(call: InvalidToolCall) -> Self {
        Value::from([
            ("type", "invalid_tool_call".into()),
            ("id", call.id.into()),
            ("name", call.name.into()),
            ("args", call.args.into()),
            ("error", call.error.into()),
        ])
    }
}

/// How many tokens a model needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens that it was given.
    pub input_tokens: i64,
    /// Tokens that it wrote.
    pub output_tokens: i64,
    /// Both.
    pub total_tokens: i64,
}

impl Usage {
    pub(super) fn of(value: &Value) -> Option<Self> {
        let count = |name| value.get(name).int().ok();
        Some(Self {
            input_tokens: count("input_tokens")?,
            output_tokens: count("output_tokens")?,
            total_tokens: count("total_tokens")?,
        })
    }
}

impl From<Usage> for Value {
    fn from(usage: Usage) -> Self {
        Value::from([
            ("input_tokens", usage.input_tokens.into()),
            ("output_tokens", usage.output_tokens.into()),
            ("total_tokens", usage.total_tokens.into()),
        ])
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).text().ok().map(str::to_owned)
}
