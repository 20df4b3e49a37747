//! Goes on with a thread that `from_python.py` has begun, and stopped in the middle of a node:
//!
//! ```text
//! from_python threads.db yes
//! ```

use std::error::Error;

use langgraph_rust::prelude::*;
use langgraph_rust::Message;

/// The state, with the names of fields that it has in Python, and reducers that do the same.
#[derive(Clone, State)]
struct Mail {
    #[reducer(add_messages)]
    messages: Vec<Message>,
    recipient: String,
    sent: bool,
}

/// Has run in Python already. What has to be the same is the nodes' names: a thread says by them where
/// it stands.
fn write(mail: &Mail) -> NodeResult<MailUpdate> {
    let asked = mail.messages.last().map(Message::text).unwrap_or_default();
    Ok(Mail::update().messages([Message::ai(format!("Dear {}, {asked}", mail.recipient))]))
}

/// Python stopped at its interrupt in this node; the node runs from its beginning, and has the answer.
fn approve(mail: &Mail, runtime: &Runtime) -> NodeResult<MailUpdate> {
    let text = mail.messages.last().map(Message::text).unwrap_or_default();
    let question = Value::from([("to", (&mail.recipient).into()), ("text", (&*text).into())]);
    let answer: String = runtime.interrupt_for(question)?;
    Ok(Mail::update().messages([Message::human(answer)]))
}

fn send(mail: &Mail) -> NodeResult<MailUpdate> {
    Ok(Mail::update().sent(mail.messages.last().is_some_and(|answer| answer.text() == "yes")))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(answer)) = (arguments.next(), arguments.next()) else {
        return Err("name the database, and the answer".into());
    };
    let graph = StateGraph::<Mail>::new()
        .node("write", write)
        .node("approve", approve)
        .node("send", send)
        .edge(START, "write")
        .edge("write", "approve")
        .edge("approve", "send")
        .edge("send", END)
        .compile()?
        .with_saver(Sqlite::open(path)?)
        .blocking();
    let thread = Config::thread("mail");

    let found = graph.state(&thread)?.ok_or("Python has not begun the thread")?;
    let mail: Mail = found.state()?;
    println!("Rust finds {} messages, next: {}", mail.messages.len(), found.next.join(", "));
    for interrupt in found.tasks.iter().flat_map(|task| &task.interrupts) {
        println!("the question was {}", interrupt.value);
    }
    let mail = graph.invoke(Command::resume(answer), &thread)?.state;
    println!("sent to {}: {}", mail.recipient, mail.sent);
    Ok(())
}
