//! An agent of rig's as a node: rig runs the model and its tools, the graph asks somebody to approve what
//! comes of it, and keeps the conversation with the thread.

mod scripted;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use langgraph_rust::prelude::*;

use rig_core::agent::AgentBuilder;
use rig_core::completion::{Chat, Message};
use rig_core::tool::Tool;
use scripted::Scripted;
use serde::Deserialize;

#[derive(Clone, State)]
struct Announcement {
    /// What the agent is asked next.
    prompt: String,
    /// What was said so far, as rig has it: any type that serde knows can be a field.
    talk: Vec<Message>,
    text: String,
}

/// A tool, as rig has them.
struct Changes;

#[derive(Deserialize)]
struct Release {
    version: u32,
}

impl Tool for Changes {
    const NAME: &'static str = "changes";
    type Error = Infallible;
    type Args = Release;
    type Output = String;

    fn description(&self) -> String {
        "What is new in a version.".into()
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::json!({
            "type": "object",
            "properties": {"version": {"type": "integer"}},
            "required": ["version"],
        })
    }

    async fn call(&self, release: Release) -> Result<String, Infallible> {
        Ok(format!("{} is twice as fast", release.version))
    }
}

/// Asks somebody: nothing approves the text, and a remark goes back to the agent.
fn approve(announcement: &Announcement, runtime: &Runtime) -> NodeResult<Command> {
    let remark: Option<String> = runtime.interrupt_for(&announcement.text)?;
    Ok(match remark {
        None => Command::new().goto(END),
        Some(remark) => Command::from(Announcement::update().prompt(remark)).goto("agent"),
    })
}

fn announcing() -> Result<Graph<Announcement>, langgraph_rust::Error> {
    let agent = AgentBuilder::new(Scripted)
        .preamble("You announce releases.")
        .tool(Changes)
        .default_max_turns(4)
        .build();
    let agent = Arc::new(agent);
    let graph = StateGraph::<Announcement>::new()
        .node("agent", move |announcement: Arc<Announcement>| {
            let agent = agent.clone();
            async move {
                let mut talk = announcement.talk.clone();
                let text = agent.chat(&announcement.prompt, &mut talk).await?;
                Ok(Announcement::update().talk(talk).text(text))
            }
        })
        .node("approve", approve)
        .edge(START, "agent")
        .edge("agent", "approve")
        .compile()?;
    Ok(graph.with_saver(Sqlite::in_memory()?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let graph = announcing()?;
    let thread = Config::thread("release 7");
    let input = Announcement::update().prompt("Announce version 7.");
    let paused = graph.invoke(input, &thread).await?;
    println!("approve? {}", paused.interrupts()[0].value.text()?);
    let paused = graph.invoke(Command::resume("louder"), &thread).await?;
    println!("approve? {}", paused.interrupts()[0].value.text()?);
    let done = graph.invoke(Command::resume(()), &thread).await?;
    println!("announced: {}, after {} messages", done.state.text, done.state.talk.len());
    Ok(())
}
