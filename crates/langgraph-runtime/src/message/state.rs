use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Message;
use crate::{Error, Field, FieldSpec, Input, Reducer, State, TaskInput, Update};

/// A state that is a list of messages, in the field `messages`, to which nodes add.
///
/// ```
/// use langgraph_rust_runtime::{
///     Config, Message, MessagesState, NodeResult, StateGraph, Update, END, START,
/// };
///
/// async fn answer(state: &MessagesState) -> NodeResult<Update> {
///     let asked = state.messages.last().map(|message| message.text().into_owned());
///     let answer = format!("You said: {}", asked.unwrap_or_default());
///     Ok(MessagesState::adding(vec![Message::ai(answer)]))
/// }
///
/// let graph = StateGraph::<MessagesState>::new()
///     .node("answer", answer)
///     .edge(START, "answer")
///     .edge("answer", END)
///     .compile()?;
/// let input = MessagesState::adding(vec![Message::human("hi")]);
/// let output = graph.blocking().invoke(input, &Config::default())?;
/// assert_eq!(output.state.messages[1].text(), "You said: hi");
/// # Ok::<(), langgraph_rust_runtime::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MessagesState {
    /// The messages, in order.
    pub messages: Vec<Message>,
}

impl MessagesState {
    /// An update that adds messages, as [`add_messages`](super::add_messages) does.
    pub fn adding(messages: Vec<Message>) -> Update {
        Update::new().set_typed("messages", messages)
    }
}

impl Input for MessagesState {
    fn read(from: &TaskInput) -> Result<Arc<Self>, Error> {
        from.shared(|| Ok(Self { messages: from.field("messages")? }))
    }
}

impl State for MessagesState {
    type Update = Update;

    fn fields() -> Vec<FieldSpec> {
        let field = Field::Reduce(Reducer::add_messages());
        vec![FieldSpec::of::<Vec<Message>>("messages", field)]
    }

    fn into_update(self) -> Update {
        Self::adding(self.messages)
    }
}
