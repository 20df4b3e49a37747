//! Messages: what is stored of them, and how they are read.
//!
//! `messages/stored.tsv` is upstream's, made by `messages/generate.py`.

use langgraph_rust_checkpoint::wire::{decode, encode, StoredValue};
use langgraph_rust_runtime::message::{InvalidToolCall, Usage};
use langgraph_rust_runtime::{Message, MessageKind, ToolCall, Value, REMOVE_ALL_MESSAGES};
use proptest::prelude::*;
use serde_json::{json, Value as Json};

const STORED: &str = include_str!("messages/stored.tsv");

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
}
