//! An agent with tools. The model calls tools, which run side by side; what it says at the end comes
//! word by word.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use langgraph_rust::message::{Message, MessageKind, ToolCall};
use langgraph_rust::prelude::*;
use langgraph_rust::{BoxFuture, Event};
use serde::{Deserialize, Serialize};

/// What the agent remembers. Messages are added, and replaced by their ids.
#[derive(Clone, State)]
struct Chat {
    #[reducer(add_messages)]
    messages: Vec<Message>,
}

type Answer<'a> = BoxFuture<'a, NodeResult<Message>>;
type OnToken<'a> = &'a (dyn Fn(&str) + Sync);

/// What the agent needs of a model. One of a provider's would be asked over HTTP.
trait ChatModel: Send + Sync {
    /// The model's next message; `on_token` is told each part of it as it comes.
    fn answer<'a>(&'a self, messages: &'a [Message], on_token: OnToken<'a>) -> Answer<'a>;
}

/// A model that knows what to say.
struct Scripted;

impl ChatModel for Scripted {
    fn answer<'a>(&'a self, messages: &'a [Message], on_token: OnToken<'a>) -> Answer<'a> {
        Box::pin(async move {
            let answers = messages.iter().filter(|message| message.kind() == MessageKind::Tool);
            let answers: Vec<_> = answers.map(|message| message.text()).collect();
            if answers.is_empty() {
                let call = |name: &str, id: &str| {
                    ToolCall::new(name, [("city", "Paris".into())]).with_id(id)
                };
                let calls = [call("weather", "call_1"), call("clock", "call_2")];
                return Ok(Message::ai("").with_tool_calls(calls));
            }
            let text = format!("In Paris it is {}.", answers.join(", and "));
            for token in text.split_inclusive(' ') {
                on_token(token);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(Message::ai(text))
        })
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct City {
    city: String,
}

/// One call of a tool. That a tool fails is for the model to know, not a failure of the run.
async fn tool(call: &ToolCall, runtime: &Runtime) -> NodeResult<ChatUpdate> {
    let City { city } = call.args_as()?;
    runtime.write(format!("[{} of {city}]\n", call.name));
    tokio::time::sleep(Duration::from_millis(20)).await;
    let answer = match &*call.name {
        "weather" => Ok("18 degrees"),
        "clock" => Ok("10 past 9"),
        unknown => Err(format!("there is no tool {unknown}")),
    };
    let id = call.id.clone().unwrap_or_default();
    Ok(Chat::update().messages([match answer {
        Ok(answer) => Message::tool(id, answer),
        Err(error) => Message::tool(id, error).failed(),
    }]))
}

fn agent(model: Arc<dyn ChatModel>) -> Result<Graph<Chat>, langgraph_rust::Error> {
    StateGraph::<Chat>::new()
        // A node that holds something of its own is a closure that gives a future.
        .node("model", move |chat: Arc<Chat>, runtime: Runtime| {
            let model = model.clone();
            async move {
                let message = model.answer(&chat.messages, &|token| runtime.write(token)).await?;
                Ok(Chat::update().messages([message]))
            }
        })
        .node("tool", tool)
        .edge(START, "model")
        // Each call is sent to a task of its own; without any, the agent is done.
        .branch("model", |chat| {
            let calls = chat.messages.last().map(Message::tool_calls).unwrap_or_default();
            Ok(calls.into_iter().map(|call| Goto::send("tool", call)).collect::<Vec<_>>())
        })
        .edge("tool", "model")
        .compile()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = agent(Arc::new(Scripted))?;
    let question = Message::human("What are the weather and the time in Paris?");
    let input = Chat::update().messages([question]);
    let mut stream = agent.stream(input, &Config::default(), Mode::Custom);
    while let Some(chunk) = stream.next().await {
        if let Event::Custom { value, .. } = chunk?.event {
            print!("{}", value.text()?);
        }
    }
    println!("\n");
    for message in stream.output().await?.state.messages {
        println!(
            "{:?}: {:?}, {} calls",
            message.kind(),
            message.text(),
            message.tool_calls().len()
        );
    }
    Ok(())
}
