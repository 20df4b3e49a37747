//! Messages, in a state that is a type.

use langgraph_rust::{Message, State, StateGraph, ToolCall};
use langgraph_rust_runtime::message::Usage;
use langgraph_rust_runtime::{Dynamic, Error, Graph, Node, Update, Value};
use serde_json::json;

use super::{chain, Kit};

/// A conversation.
#[derive(Clone, Debug, Default, State)]
pub(crate) struct Chat {
    #[reducer(custom = langgraph_rust::add_messages)]
    messages: Vec<Message>,
    #[reducer(sum)]
    turns: i64,
    last: Option<String>,
}

pub(super) fn conversation(kit: &Kit) -> Result<Graph<Chat>, Error> {
    chain(StateGraph::new(), nodes(kit)).compile()
}

/// What answers, looks something up and says what was said last.
pub(super) fn nodes(kit: &Kit) -> Vec<(&'static str, Node)> {
    let answer = kit.node("answer", |state, _| {
        let count = messages(state)?.len() as i64;
        let deep = Value::from(json!({ "x": [1.5, null] }));
        let call = ToolCall::new("look", [("n", count.into()), ("deep", deep)])
            .with_id(format!("call-{count}"));
        let usage = Usage { input_tokens: count, output_tokens: 1, total_tokens: count + 1 };
        let answer = Message::ai(format!("{count}?")).with_id(format!("ai-{count}"));
        let answer = answer.with_tool_calls([call]).with_usage(usage);
        Ok(Update::new().set("messages", Value::list([answer])))
    });
    let look = kit.node("look", |state, _| {
        let messages = messages(state)?;
        let last = messages.last().ok_or_else(|| Error::message("nobody said anything"))?;
        let call = last.tool_calls().into_iter().next().and_then(|call| call.id);
        let found = Message::tool(call.unwrap_or_default(), "found")
            .with_id(format!("found-{}", last.text()));
        Ok(Update::new().set("messages", Value::list([found])).set("turns", 1))
    });
    let summarize = kit.node("summarize", |state, _| {
        let messages = messages(state)?;
        let last = messages.last().map(|last| last.text().into_owned()).unwrap_or_default();
        Ok(Update::new().set("last", format!("{last} of {}", messages.len())))
    });
    vec![("answer", answer), ("look", look), ("summarize", summarize)]
}

fn messages(state: &Dynamic) -> Result<Vec<Message>, Error> {
    state.get("messages").to_typed()
}
