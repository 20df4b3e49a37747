//! Messages: what is stored of them, and how lists of them are merged.
//!
//! `messages/stored.tsv` and `messages/merged.jsonl` are upstream's, made by `messages/generate.py`.

use std::collections::BTreeSet;

use langgraph_rust_checkpoint::wire::{decode, encode, StoredValue};
use langgraph_rust_runtime::message::{InvalidToolCall, Usage};
use langgraph_rust_runtime::{
    add_messages, Config, Dynamic, Field, Memory, Message, MessageKind, MessagesState, Reducer,
    StateGraph, ToolCall, Update, Value, REMOVE_ALL_MESSAGES, START,
};
use proptest::prelude::*;
use serde_json::{json, Value as Json};

const STORED: &str = include_str!("messages/stored.tsv");
const MERGED: &str = include_str!("messages/merged.jsonl");

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16);
    (0..hex.len()).step_by(2).map(|place| digit(place).expect("two hexadecimal digits")).collect()
}

/// Each message's bytes, and the JSON that it was made from.
fn stored() -> impl Iterator<Item = (Vec<u8>, Option<&'static str>)> {
    STORED.lines().map(|line| {
        let (hex, json) = line.split_once('\t').expect("bytes and JSON");
        (bytes(hex), Some(json).filter(|json| *json != "-"))
    })
}

fn encoded<T: serde::Serialize>(value: &T) -> Vec<u8> {
    encode(value).expect("a value that can be written").bytes
}

fn shown(bytes: &[u8]) -> String {
    decode::<Value>("msgpack", bytes).expect("a value").to_string()
}

#[test]
fn what_is_made_from_json_has_pythons_bytes() {
    let mut compared = 0;
    for (expected, json) in stored() {
        let Some(json) = json else { continue };
        let message: Message = serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}"));
        let written = encoded(&message);
        assert_eq!(shown(&written), shown(&expected), "from {json}");
        assert_eq!(written, expected, "from {json}");
        compared += 1;
    }
    assert!(compared >= 40, "only {compared} messages");
}

#[test]
fn what_python_stored_is_written_back_as_it_was() {
    let mut all = Vec::new();
    for (bytes, _) in stored() {
        let message: Message = decode("msgpack", &bytes).unwrap();
        assert_eq!(encoded(&message), bytes, "{message:?}");
        let value = Value::from_serde(&message).unwrap();
        assert_eq!(encoded(&value), bytes, "{message:?} as a value");
        assert_eq!(value.to_serde::<Message>().unwrap(), message);
        assert_eq!(encoded(&Value::typed(message.clone())), bytes);
        all.push(message);
    }
    let list = Value::typed(all.clone()).plain().unwrap();
    assert!(matches!(list.items().unwrap()[0], Value::Stored(_)));
    assert_eq!(encoded(&list), encoded(&all));
    assert_eq!(list.into_typed::<Vec<Message>>().unwrap(), all);
}

#[test]
fn json_has_all_fields_and_reads_back() {
    for (bytes, json) in stored() {
        let Some(json) = json else { continue };
        let message: Message = decode("msgpack", &bytes).unwrap();
        let written = serde_json::to_string(&message).unwrap();
        // What `model_dump` makes begins so, other forms begin otherwise.
        if json.starts_with("{\"content") {
            let as_json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
            assert_eq!(as_json(&written), as_json(json));
        }
        assert_eq!(serde_json::from_str::<Message>(&written).unwrap(), message);
    }
}

#[test]
fn classes_that_nobody_knows_here_are_kept() {
    let named = |name: &str| {
        let messages = stored().map(|(bytes, _)| decode::<Message>("msgpack", &bytes).unwrap());
        messages.into_iter().find(|message| message.class_name() == name).expect("such a message")
    };
    let shouted = named("Shouted");
    assert_eq!(shouted.kind(), MessageKind::Human);
    assert_eq!(shouted.field("volume"), &Value::Int(11));
    let noted = named("Noted");
    assert_eq!(noted.kind(), MessageKind::Other);
    assert_eq!(noted.fields().last(), Some(("pages", &vec![1, 2].into())));
    // They are not what JSON says of them, whose types do not say where they come from.
    assert!(serde_json::from_value::<Message>(serde_json::to_value(&noted).unwrap()).is_err());
    let changed = decode::<StoredValue>("msgpack", &encoded(&shouted.with_id("2"))).unwrap();
    let StoredValue::Record(record) = &changed else { panic!("a record") };
    assert_eq!((record.name(), record.method()), (Some("Shouted"), Some("model_validate_json")));
    assert_eq!(changed.get("id").and_then(StoredValue::as_str), Some("2"));
}

#[test]
fn chunks_are_read_as_chunks() {
    let chunk = json!({"type": "AIMessageChunk", "content": "h", "tool_call_chunks": [
        {"name": "f", "args": "{", "id": "1", "index": 0, "type": "tool_call_chunk"}]});
    let chunk: Message = serde_json::from_value(chunk).unwrap();
    assert_eq!((chunk.kind(), chunk.is_chunk()), (MessageKind::Ai, true));
    assert_eq!(chunk.class_name(), "AIMessageChunk");
    let whole = chunk.whole();
    assert_eq!((whole.class_name(), whole.is_chunk()), ("AIMessage", false));
    assert_eq!(whole, Message::ai("h"));
}

#[test]
fn what_is_no_message_is_refused() {
    for (given, expected) in [
        (json!(5), "that is no message: 5"),
        (json!(["a", "b", "c"]), "a message as a list is a role and its content"),
        (json!(["critic", "b"]), "'critic' is no role that messages have"),
        (json!({"content": "hi"}), "a message has a type or a role"),
        (json!({"role": "user"}), "a message has content"),
        (json!({"role": "user", "content": 5}), "the content of a message is a text, or a list"),
        (json!({"type": "human", "content": [5]}), "the content of a message is a text, or a"),
        (json!({"role": "tool", "content": ""}), "a tool message has a tool_call_id"),
        (json!({"role": "function", "content": ""}), "a function message has a name"),
        (json!({"type": "chat", "content": ""}), "a chat message has a role"),
        (json!({"type": "remove", "content": ""}), "what is to be removed has an id"),
        (json!({"type": "ai", "content": "", "additional_kwargs": 1}), "a message's additional_kw"),
        (json!({"type": "constructor", "lc": 1, "id": ["x"], "kwargs": {}}), "that constructs no"),
        (
            json!({"role": "ai", "content": "", "tool_calls": [{"function": {"arguments": "{"}}]}),
            "a call's arguments are JSON: {",
        ),
    ] {
        let error = serde_json::from_value::<Message>(given.clone()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{given}: {error}");
    }
    let record = langgraph_rust_checkpoint::wire::Record::named(
        5,
        "app",
        "Order",
        StoredValue::Map(vec![(StoredValue::Text("price".into()), StoredValue::Int(3))]),
    );
    let error = Message::try_from(Value::from(StoredValue::Record(Box::new(record)))).unwrap_err();
    assert_eq!(error.to_string(), "Order is no message: {\"price\": 3}");
}

#[test]
fn messages_say_what_they_are() {
    let call = ToolCall::new("add", [("a", 1.into()), ("b", 2.into())]).with_id("c1");
    let usage = Usage { input_tokens: 1, output_tokens: 2, total_tokens: 3 };
    let ai = Message::ai("").with_tool_calls([call.clone()]).with_usage(usage).with_name("bot");
    assert_eq!((ai.tool_calls(), ai.usage(), ai.name()), (vec![call], Some(usage), Some("bot")));
    assert_eq!(
        ai.tool_calls()[0].args_as::<std::collections::BTreeMap<String, i64>>().unwrap()["b"],
        2
    );
    let broken = InvalidToolCall {
        name: Some("add".into()),
        args: Some("{".into()),
        id: None,
        error: Some("no JSON".into()),
    };
    let broken_ai =
        Message::ai("").with_field("invalid_tool_calls", vec![Value::from(broken.clone())]);
    assert_eq!(broken_ai.invalid_tool_calls(), [broken]);
    let tool = Message::tool("c1", "3").with_artifact(vec![1, 2]);
    assert_eq!((tool.tool_call_id(), tool.is_failed()), (Some("c1"), false));
    assert_eq!(tool.artifact(), &vec![1, 2].into());
    assert!(tool.failed().is_failed());
    let blocks = vec![
        Value::from("a"),
        Value::from([("type", "image".into()), ("text", "no".into())]),
        Value::from([("type", "text".into()), ("text", "b".into())]),
    ];
    assert_eq!(Message::human(blocks).text(), "ab");
    assert_eq!(Message::chat("critic", "psst").role(), Some("critic"));
    assert_eq!(Message::remove_all().id(), Some(REMOVE_ALL_MESSAGES));
    assert_eq!(Message::human("hi").id(), None);
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
                assert_eq!(encoded(&merged), bytes(expected), "{line}");
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

fn value(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,6}", inner), 0..4).prop_map(|entries| {
                let entries = entries.into_iter().map(|(name, value)| (name.into(), value));
                Value::from(entries.collect::<langgraph_rust_runtime::Map>())
            }),
        ]
    })
}

fn map() -> impl Strategy<Value = Value> {
    prop::collection::vec(("[a-z]{1,6}", value(2)), 0..3).prop_map(|entries| {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value));
        Value::from(entries.collect::<langgraph_rust_runtime::Map>())
    })
}

fn message() -> impl Strategy<Value = Message> {
    let content = prop_oneof![
        ".{0,40}".prop_map(Value::from),
        prop::collection::vec(prop_oneof![".{0,9}".prop_map(Value::from), map()], 0..4)
            .prop_map(Value::from),
    ];
    let start = (content, ".{0,6}", 0..6usize).prop_map(|(content, text, kind)| match kind {
        0 => Message::human(content),
        1 => Message::ai(content).with_tool_calls([ToolCall::new(&*text, [])]),
        2 => Message::system(content),
        3 => Message::tool(text, content),
        4 => Message::function(text, content),
        _ => Message::chat(text, content),
    });
    let id = prop::option::of("[a-e]");
    (start, id, map(), prop::collection::vec(("x_[a-z]{1,4}", value(3)), 0..3)).prop_map(
        |(message, id, metadata, more)| {
            let message = message.with_field("response_metadata", metadata).with_field("id", id);
            let add =
                |message: Message, (name, value): (String, _)| message.with_field(&name, value);
            more.into_iter().fold(message, add)
        },
    )
}

proptest! {
    #[test]
    fn messages_come_back_from_bytes_values_and_json(message in message()) {
        let bytes = encoded(&message);
        let read: Message = decode("msgpack", &bytes).unwrap();
        prop_assert_eq!(&read, &message);
        prop_assert_eq!(encoded(&read), bytes.clone());
        let value = Value::from_serde(&message).unwrap();
        prop_assert_eq!(encoded(&value), bytes.clone());
        prop_assert_eq!(&value.to_serde::<Message>().unwrap(), &message);
        let json = serde_json::to_string(&message).unwrap();
        let read: Message = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(encoded(&read), bytes);
    }

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
