//! Tool calls that a model's message has, each sent to a task of its own.

use langgraph_rust_runtime::{
    Config, Event, Goto, GraphInput, Message, MessagesState, Mode, NodeResult, Runtime, StateGraph,
    ToolCall, Update, Value, START,
};

async fn tool(call: &ToolCall, runtime: &Runtime) -> NodeResult<Update> {
    runtime.write(&*call.name);
    let id = call.id.clone().unwrap_or_default();
    Ok(MessagesState::adding(vec![Message::tool(id, format!("{} is done", call.name))]))
}

fn graph() -> langgraph_rust_runtime::Graph<MessagesState> {
    StateGraph::<MessagesState>::new()
        .node("tool", tool)
        .branch(START, |state| {
            let Some(last) = state.messages.last() else {
                return Ok(vec![Goto::send("tool", "look")]);
            };
            Ok(last.tool_calls().into_iter().map(|call| Goto::send("tool", call)).collect())
        })
        .compile()
        .unwrap()
}

#[tokio::test]
async fn a_node_reads_the_call_that_it_is_sent() {
    let calls = ["look", "listen"].map(|name| ToolCall::new(name, []).with_id(name));
    let input: GraphInput =
        MessagesState::adding(vec![Message::ai("").with_tool_calls(calls)]).into();
    let mut stream = graph().stream(input, &Config::default(), Mode::Custom);
    let mut said = Vec::new();
    while let Some(chunk) = stream.next().await {
        if let Event::Custom { value, .. } = chunk.unwrap().event {
            said.push(value);
        }
    }
    assert_eq!(said, ["look", "listen"].map(Value::from));
    let messages = stream.output().await.unwrap().state.messages;
    let answers: Vec<_> = messages[1..].iter().map(|m| (m.tool_call_id(), m.text())).collect();
    let expected = [("look", "look is done"), ("listen", "listen is done")];
    assert_eq!(answers, expected.map(|(id, text)| (Some(id), text.into())));
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let run = graph().invoke(MessagesState::adding(Vec::new()), &Config::default()).await;
    let error = run.unwrap_err().to_string();
    assert_eq!(error, "the node 'tool' failed: \"look\" is no tool call");
}
