//! Graphs without others inside.

use std::sync::Arc;

use langgraph_rust_runtime::{
    Command, Error, Field, Graph, Node, StateGraph, Update, Value, END, START,
};

use super::{chain, entry, fan_out, length, log, logging, text, to_all, Kit};

pub(super) fn question(kit: &Kit) -> Result<Graph, Error> {
    let ask = kit.node("ask", |_, runtime| {
        let first = runtime.interrupt(entry("say", "first"))?;
        let second = runtime.interrupt(entry("after", first.clone()))?;
        let third = runtime.interrupt(Value::list::<Value>(["last".into(), 3.into()]))?;
        Ok(log([first, second, third]))
    });
    chain(logging(), vec![("ask", ask), ("tell", kit.tell())]).compile()
}

pub(super) fn questions(kit: &Kit) -> Result<Graph, Error> {
    let asking = |name: &'static str| {
        kit.node(name, move |_, runtime| {
            let answer = runtime.interrupt(entry("from", name))?;
            Ok(log([format!("{name} {}", answer.text()?)]))
        })
    };
    let mut graph = logging();
    for name in ["left", "middle", "right"] {
        graph = graph.add_node(asking(name)).edge(name, "tell");
    }
    let graph = graph.add_node(kit.saying("silent", &["silent"]));
    to_all(graph, START, &["left", "middle", "right", "silent"]).add_node(kit.tell()).compile()
}

pub(super) fn command(kit: &Kit) -> Result<Graph, Error> {
    let ask = kit.node("ask", |_, runtime| Ok(log([runtime.interrupt("where to?")?]).goto("tell")));
    logging().add_node(ask).add_node(kit.tell()).add_node(aside(kit)).edge(START, "ask").compile()
}

pub(super) fn aside(kit: &Kit) -> Node {
    kit.node("aside", |state, _| Ok(log([format!("aside, {}", text(state, "topic"))])))
}

pub(super) fn packets(kit: &Kit) -> Result<Graph, Error> {
    let work = kit.node("work", |packet, _| Ok(log([packet.get("number"), packet.get("note")])));
    fan_out(kit, logging(), work, false)
}

pub(super) fn packets_that_ask(kit: &Kit) -> Result<Graph, Error> {
    let work = kit.node("work", |packet, runtime| match packet.get("number").int()? {
        0 => Ok(log(["no question"])),
        number => Ok(log([runtime.interrupt(format!("number {number}?"))?])),
    });
    fan_out(kit, logging(), work, true)
}

pub(super) fn failing_packets(kit: &Kit) -> Result<Graph, Error> {
    let own = kit.clone();
    let work = Node::new("work", move |packet: Arc<Value>| {
        let kit = own.clone();
        async move {
            let number = packet.get("number").int()?;
            if number == 1 {
                return kit.fail("work").await;
            }
            kit.note("work");
            Ok(log([number]))
        }
    });
    fan_out(kit, logging(), work, false)
}

pub(super) fn failing(kit: &Kit) -> Result<Graph, Error> {
    let good = kit.node("good", |_, _| Ok(log(["good"]).set("topic", "from good")));
    let graph = logging()
        .add_node(kit.failing("bad"))
        .add_node(good)
        .add_node(kit.node("quiet", |_, _| Ok(Command::new())))
        .add_node(kit.tell());
    to_all(graph, START, &["bad", "good", "quiet"]).join(&["good", "bad"], "tell").compile()
}

pub(super) fn failing_beside_question(kit: &Kit) -> Result<Graph, Error> {
    let ask = kit.node("ask", |_, runtime| Ok(log([runtime.interrupt("well?")?])));
    let graph = logging().add_node(ask).add_node(kit.failing("bad"));
    to_all(graph, START, &["bad", "ask"]).compile()
}

pub(super) fn handled(kit: &Kit) -> Result<Graph, Error> {
    let own = kit.clone();
    let handle = move |_: &(), runtime: &langgraph_rust_runtime::Runtime| {
        own.note("handle");
        let failed = runtime.failure().map(|failed| failed.node.to_string()).unwrap_or_default();
        let answer = runtime.interrupt(format!("{failed}?"))?;
        Ok(log([format!("handled, {}", answer.text()?)]).goto("tell"))
    };
    let graph = logging()
        .add_node(kit.saying("good", &["good"]))
        .add_node(kit.failing("bad").on_error(handle))
        .add_node(kit.tell());
    to_all(graph, START, &["bad", "good"]).compile()
}

pub(super) fn barrier(kit: &Kit) -> Result<Graph, Error> {
    let graph = logging()
        .add_node(kit.saying("start", &["start"]))
        .add_node(kit.saying("short", &["short"]))
        .add_node(kit.saying("long_1", &["long_1"]))
        .add_node(kit.saying("long_2", &["long_2"]))
        .add_node(kit.saying("join", &["join"]))
        .add_node(kit.saying("last", &["last"]).deferred())
        .edge(START, "start");
    to_all(graph, "start", &["short", "long_1", "last"])
        .edge("long_1", "long_2")
        .join(&["short", "long_2"], "join")
        .compile()
}

pub(super) fn channels(kit: &Kit) -> Result<Graph, Error> {
    let one = kit.node("one", |_, _| {
        Ok(Update::new()
            .set("items", Value::list(["one"]))
            .set("passed_on", "first")
            .set("passing", 1)
            .set("untracked", "u"))
    });
    let two = kit.node("two", |state, _| {
        let is_there = !state.get("untracked").is_null();
        let seen = [state.get("passing"), is_there.into(), state.get("passed_on")];
        Ok(Update::new()
            .set("items", Value::list(seen))
            .set("any", 2)
            .set("passed_on", Value::list(["second", "third"])))
    });
    let three = kit.node("three", |state, _| {
        let mut items = state.get("items").items()?.to_vec();
        items.push("three".into());
        Ok(Update::new().set("items", Value::overwrite(Value::list(items))).set("passing", 3))
    });
    let four = kit.node("four", |state, _| {
        Ok(Update::new()
            .set("items", Value::list([state.get("passed_on"), state.get("any")]))
            .set("kept", Value::list::<Value>(["k".into(), 1.into()])))
    });
    let graph = StateGraph::new()
        .field("items", Field::append())
        .field("passed_on", Field::Topic)
        .field("kept", Field::Log)
        .field("passing", Field::Ephemeral)
        .field("any", Field::Any)
        .field("untracked", Field::Untracked);
    chain(graph, vec![("one", one), ("two", two), ("three", three), ("four", four)]).compile()
}

pub(super) fn again(kit: &Kit) -> Result<Graph, Error> {
    let again = kit.node("again", |state, _| Ok(log([length(state, "log") as i64])));
    chain(logging(), vec![("again", again)])
        .branch("again", |state| Ok(if length(state, "log") > 6 { END } else { "again" }))
        .compile()
}

pub(super) fn two(kit: &Kit) -> Node {
    kit.node("two", |state, _| Ok(log([format!("two, {}", text(state, "topic"))])))
}

pub(super) fn travel(kit: &Kit) -> Result<Graph, Error> {
    let one = kit.node("one", |_, _| Ok(log(["one"]).set("topic", "first")));
    let three = kit.node("three", |state, _| Ok(log([format!("three, {}", length(state, "log"))])));
    chain(logging(), vec![("one", one), ("two", two(kit))])
        .add_node(three)
        .branch("two", |_| Ok("three"))
        .compile()
}
