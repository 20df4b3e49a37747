//! Lists of messages, merged: alone, and as the state of a graph.
//!
//! `messages/merged.jsonl` is upstream's, made by `messages/generate.py`.

use std::collections::BTreeSet;

use langgraph_rust_checkpoint::wire::encode;
use langgraph_rust_runtime::{
    add_messages, Config, Dynamic, Field, Goto, Memory, Message, MessagesState, Reducer,
    StateGraph, Update, Value, START,
};
use proptest::prelude::*;
use serde_json::{json, Value as Json};

const MERGED: &str = include_str!("messages/merged.jsonl");

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16);
    (0..hex.len()).step_by(2).map(|place| digit(place).expect("two hexadecimal digits")).collect()
}

/// The messages, with "new" for ids that are not `given`.
fn without_random_ids(messages: Vec<Message>, given: &BTreeSet<String>) -> Vec<Message> {
    let replace = |message: Message| match message.id() {
        Some(id) if given.contains(id) => message,
        id => {
            let uuid = uuid::Uuid::parse_str(id.expect("an id")).expect("a UUID");
            assert_eq!(uuid.get_version_num(), 4);
            message.with_id("new")
        }
    };
    messages.into_iter().map(replace).collect()
}

fn listed(side: &Json) -> Vec<Message> {
    let messages = match side {
        Json::Array(_) => side.clone(),
        one => json!([one]),
    };
    serde_json::from_value(messages).unwrap()
}

#[test]
fn lists_are_merged_as_upstream_merges_them() {
    for line in MERGED.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let (left, right) = (listed(&case["left"]), listed(&case["right"]));
        let ids = left.iter().chain(&right).filter_map(|message| message.id());
        let given: BTreeSet<String> = ids.map(str::to_owned).collect();
        let merged = add_messages(left.clone(), right.clone());
        let graph = merging(Field::Reduce(Reducer::add_messages()));
        let reduced = graph.blocking().invoke(
            Update::new().set("messages", Value::overwrite(left)).set("right", &case["right"]),
            &Config::default(),
        );
        match case["result"].as_str() {
            Some(expected) => {
                let merged = without_random_ids(merged.unwrap(), &given);
                assert_eq!(encode(&merged).unwrap().bytes, bytes(expected), "{line}");
                let reduced = reduced.unwrap().get("messages").into_typed().unwrap();
                assert_eq!(without_random_ids(reduced, &given), merged, "{line}");
            }
            None => {
                let error = merged.unwrap_err().to_string();
                assert!(error.ends_with("is to be removed, but there is none"), "{error}");
                assert!(reduced.unwrap_err().to_string().contains(&error));
            }
        }
    }
}

/// A graph that writes the field `right`, as it is, to the field `messages`.
fn merging(field: Field) -> langgraph_rust_runtime::Graph<Dynamic> {
    StateGraph::<Dynamic>::new()
        .field("messages", field)
        .field("right", Field::Last)
        .node("add", |state: &Dynamic| Ok(Update::new().set("messages", state.get("right"))))
        .edge(START, "add")
        .compile()
        .unwrap()
}

#[test]
fn messages_in_a_delta_field_have_one_id_however_often_they_are_read() {
    let graph = merging(Field::Delta(Reducer::add_messages(), 100)).with_saver(Memory::new());
    let config = Config::thread("1");
    let input = Update::new()
        .set("messages", Value::overwrite(vec![Message::human("first")]))
        .set("right", vec!["second"]);
    let output = graph.blocking().invoke(input, &config).unwrap();
    let messages: Vec<Message> = output.get("messages").into_typed().unwrap();
    assert_eq!(messages.len(), 2);
    for _ in 0..2 {
        let state = graph.blocking().state(&config).unwrap().unwrap();
        let read: Vec<Message> = state.values["messages"].to_typed().unwrap();
        assert_eq!(read, messages);
    }
    // So one of them can be replaced.
    let id = messages[1].id().expect("an id").to_owned();
    let input = Update::new().set("right", Message::human("third").with_id(id));
    let output = graph.blocking().invoke(input, &config).unwrap();
    let texts = output.get("messages").into_typed::<Vec<Message>>().unwrap();
    let texts: Vec<_> = texts.iter().map(|message| message.text().into_owned()).collect();
    assert_eq!(texts, ["first", "third"]);
}

/// A branch sends the message that the node wrote on to a node that replaces it.
#[test]
fn branches_see_the_ids_that_messages_will_have() {
    let graph = StateGraph::<MessagesState>::new()
        .node("draft", |_: &()| Ok(MessagesState::adding(vec![Message::ai("draft")])))
        .node("improve", |sent: &MessagesState| {
            let draft = sent.messages[0].clone();
            Ok(MessagesState::adding(vec![draft.with_content("better")]))
        })
        .edge(START, "draft")
        .branch("draft", |state: &MessagesState| {
            let draft = state.messages.last().expect("a draft").clone();
            Ok(Goto::send("improve", [("messages", vec![draft].into())]))
        })
        .compile()
        .unwrap();
    let output = graph.blocking().invoke(Update::new(), &Config::default()).unwrap();
    let texts: Vec<_> = output.state.messages.iter().map(|said| said.text()).collect();
    assert_eq!(texts, ["better"]);
}

#[test]
fn a_thread_of_messages_goes_on() {
    let graph = StateGraph::<MessagesState>::new()
        .node("count", |state: &MessagesState| {
            let answer = Message::ai(format!("{} so far", state.messages.len()));
            Ok(MessagesState::adding(vec![answer]))
        })
        .edge(START, "count")
        .compile()
        .unwrap()
        .with_saver(Memory::new());
    let config = Config::thread("1");
    for expected in ["1 so far", "3 so far"] {
        let input = MessagesState::adding(vec![Message::human("how many?")]);
        let output = graph.blocking().invoke(input, &config).unwrap();
        assert_eq!(output.state.messages.last().unwrap().text(), expected);
    }
}

#[test]
fn a_field_of_messages_takes_them_in_any_form() {
    let graph = StateGraph::<MessagesState>::new()
        .node("answer", |_: &()| {
            Ok(Update::new().set("messages", Message::ai("hello")).set("messages", "again"))
        })
        .edge(START, "answer")
        .compile()
        .unwrap();
    for input in [json!("hi"), json!({"role": "user", "content": "hi"}), json!([["user", "hi"]])] {
        let input = Update::new().set("messages", &input);
        let output = graph.blocking().invoke(input, &Config::default()).unwrap();
        let texts: Vec<_> = output.state.messages.iter().map(|said| said.text()).collect();
        assert_eq!(texts, ["hi", "hello", "again"]);
    }
    let input = Update::new().set("messages", 5);
    let error = graph.blocking().invoke(input, &Config::default()).unwrap_err();
    assert_eq!(error.to_string(), "the field 'messages': that is no message: 5");
}

fn message() -> impl Strategy<Value = Message> {
    (any::<bool>(), ".{0,9}", prop::option::of("[a-e]")).prop_map(|(is_ai, text, id)| {
        let message = if is_ai { Message::ai(text) } else { Message::human(text) };
        message.with_field("id", id)
    })
}

proptest! {
    /// What a delta field relies on.
    #[test]
    fn merging_one_after_the_other_is_merging_all(
        lists in prop::collection::vec(prop::collection::vec(message(), 0..8), 3),
    ) {
        let whole = |list: &Vec<Message>| -> Vec<Message> {
            list.iter().cloned().map(Message::identified).collect()
        };
        let [a, b, c] = [whole(&lists[0]), whole(&lists[1]), whole(&lists[2])];
        let stepwise = add_messages(add_messages(a.clone(), b.clone()).unwrap(), c.clone());
        let at_once = add_messages(a, [b, c].concat());
        prop_assert_eq!(stepwise.unwrap(), at_once.unwrap());
    }
}
