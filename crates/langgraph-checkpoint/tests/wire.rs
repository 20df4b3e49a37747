//! What Python stores, read and written.
//!
//! The bytes are those of LangGraph's `JsonPlusSerializer`, for the value named beside them.

use std::collections::BTreeMap;

use langgraph_rust_checkpoint::wire::{decode, encode, Encoded, Record, StoredValue, WireError};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

const MESSAGES: &str = "92c7870594bd6c616e67636861696e5f636f72652e6d657373616765732e68756d616eac48756d616e4d65737361676586a7636f6e74656e74a171b16164646974696f6e616c5f6b776172677380b1726573706f6e73655f6d6574616461746180a474797065a568756d616ea46e616d65c0a26964a131b36d6f64656c5f76616c69646174655f6a736f6ec7af0594ba6c616e67636861696e5f636f72652e6d657373616765732e6169a941494d65737361676589a7636f6e74656e74a26869b16164646974696f6e616c5f6b776172677380b1726573706f6e73655f6d6574616461746180a474797065a26169a46e616d65c0a26964a132aa746f6f6c5f63616c6c7390b2696e76616c69645f746f6f6c5f63616c6c7390ae75736167655f6d65746164617461c0b36d6f64656c5f76616c69646174655f6a736f6e";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16);
    (0..hex.len()).step_by(2).map(|place| digit(place).expect("two hexadecimal digits")).collect()
}

fn read<T: serde::de::DeserializeOwned>(hex: &str) -> T {
    decode("msgpack", &bytes(hex)).expect("what Python wrote")
}

fn text(text: &str) -> StoredValue {
    StoredValue::Text(text.to_owned())
}

#[test]
fn plain_values_have_pythons_bytes() {
    // {"a": [1, -1, 2**40, 1.5, True, None, "x", b"y"]}
    let python = "81a1619801ffcf0000010000000000cb3ff8000000000000c3c0a178c40179";
    let items = vec![
        StoredValue::Int(1),
        StoredValue::Int(-1),
        StoredValue::Int(1 << 40),
        StoredValue::Float(1.5),
        StoredValue::Bool(true),
        StoredValue::Nil,
        text("x"),
        StoredValue::Bytes(b"y".to_vec()),
    ];
    let value = StoredValue::Map(vec![(text("a"), StoredValue::List(items))]);
    assert_eq!(read::<StoredValue>(python), value);
    assert_eq!(encode(&value).unwrap(), Encoded { kind: "msgpack".into(), bytes: bytes(python) });
}

#[test]
fn nothing_and_bytes_are_kinds_of_their_own() {
    let stored = |kind: &str, bytes: &[u8]| Encoded { kind: kind.into(), bytes: bytes.to_vec() };
    assert_eq!(encode(&()).unwrap(), stored("null", b""));
    assert_eq!(encode(&None::<u8>).unwrap(), stored("null", b""));
    assert_eq!(encode(serde_bytes::Bytes::new(b"ab")).unwrap(), stored("bytes", b"ab"));
    for length in [0, 255, 256, 70_000] {
        let long = vec![7; length];
        assert_eq!(encode(serde_bytes::Bytes::new(&long)).unwrap(), stored("bytes", &long));
    }
    assert_eq!(decode::<Option<u8>>("null", b"").unwrap(), None);
    assert_eq!(
        decode::<StoredValue>("bytearray", b"ab").unwrap(),
        StoredValue::Bytes(b"ab".to_vec())
    );
}

#[test]
fn messages_read_as_ones_own_type() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Message {
        Human { content: String, id: Option<String> },
        Ai { content: String, id: Option<String>, tool_calls: Vec<BTreeMap<String, StoredValue>> },
    }
    let human = Message::Human { content: "q".into(), id: Some("1".into()) };
    let ai = Message::Ai { content: "hi".into(), id: Some("2".into()), tool_calls: vec![] };
    assert_eq!(read::<Vec<Message>>(MESSAGES), [human, ai]);
}

#[test]
fn records_say_what_they_are_and_keep_their_bytes() {
    let StoredValue::List(messages) = read::<StoredValue>(MESSAGES) else {
        panic!("a list of messages")
    };
    let StoredValue::Record(ai) = &messages[1] else { panic!("a record") };
    assert_eq!((ai.code(), ai.name()), (5, Some("AIMessage")));
    assert_eq!(ai.module(), Some("langchain_core.messages.ai"));
    assert_eq!(messages[1].get("content").and_then(StoredValue::as_str), Some("hi"));
    assert_eq!(encode(&messages).unwrap().bytes, bytes(MESSAGES));
}

#[test]
fn every_record_of_python_comes_back_as_it_was() {
    let uuid = "c72d0093a475756964a455554944d9203030303030303030303030303030303030303030303030303030303030303031";
    let datetime = "c73b0394a86461746574696d65a86461746574696d65b9323032342d30312d30325430303a30303a30302b30303a3030ad66726f6d69736f666f726d6174";
    let set = "d80093a86275696c74696e73a37365749103";
    let send = "c71d0193af6c616e6767726170682e7479706573a453656e6492a16e81a17801";
    let snapshot = "c70307920102";
    let array = "c70f0694a33c69329102a143c40401000200";
    let large = "cf8000000000000005";
    for python in [uuid, datetime, set, send, snapshot, array, large] {
        assert_eq!(encode(&read::<StoredValue>(python)).unwrap().bytes, bytes(python));
    }
    assert_eq!(read::<String>(uuid), "00000000000000000000000000000001");
    assert_eq!(read::<String>(datetime), "2024-01-02T00:00:00+00:00");
    assert_eq!(read::<Vec<u8>>(set), [3]);
    assert_eq!(read::<(String, BTreeMap<String, u8>)>(send).0, "n");
    assert_eq!(read::<Vec<u8>>(snapshot), [1, 2]);
    assert_eq!(read::<u64>(large), (1 << 63) + 5);
}

#[test]
fn a_record_can_be_made() {
    let fields = ["value", "id", "response_schema"].map(text);
    let content = fields.into_iter().zip([text("q"), text("i"), StoredValue::Nil]).collect();
    let record = Record::named(2, "langgraph.types", "Interrupt", StoredValue::Map(content));
    let python = "c73a0293af6c616e6767726170682e7479706573a9496e7465727275707483a576616c7565a171a26964a169af726573706f6e73655f736368656d61c0";
    assert_eq!(encode(&StoredValue::Record(Box::new(record))).unwrap().bytes, bytes(python));
}

#[test]
fn ones_own_types_are_pythons_dicts() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Status {
        Open,
        Closed { why: String },
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ticket {
        status: Status,
        tags: Vec<String>,
        note: Option<String>,
    }
    let closed = Status::Closed { why: "done".into() };
    for status in [Status::Open, closed] {
        let ticket = Ticket { status, tags: vec!["a".into()], note: None };
        let stored = encode(&ticket).unwrap();
        assert_eq!(decode::<Ticket>(&stored.kind, &stored.bytes).unwrap(), ticket);
    }
    let open = encode(&Status::Open).unwrap();
    assert_eq!(decode::<String>(&open.kind, &open.bytes).unwrap(), "Open");
}

#[test]
fn broken_bytes_and_other_types_are_errors_that_say_so() {
    let error = |kind: &str, bytes: &[u8]| decode::<String>(kind, bytes).unwrap_err();
    assert!(matches!(error("msgpack", b""), WireError::Broken(_)));
    assert!(matches!(error("msgpack", b"\xa1"), WireError::Broken(_)));
    assert!(error("msgpack", b"\xa1xx").to_string().ends_with("1 bytes too many"));
    assert!(error("pickle", b"").to_string().contains("kind 'pickle'"));
    assert!(error("msgpack", b"\x01").to_string().contains("expected a string"));
    // A list said to have four billion items, of which there is none.
    assert!(matches!(error("msgpack", b"\xdd\xff\xff\xff\xff"), WireError::Broken(_)));
}

#[test]
fn values_nest_so_deep_and_no_deeper() {
    let nested = |levels: usize| [vec![0x91; levels], vec![0xc0]].concat();
    assert!(decode::<StoredValue>("msgpack", &nested(500)).is_ok());
    assert!(decode::<StoredValue>("msgpack", &nested(501))
        .unwrap_err()
        .to_string()
        .contains("deeper"));
    assert!(decode::<StoredValue>("msgpack", &nested(1_000_000)).is_err());
    // Snapshots within snapshots, each of which holds the rest of the bytes.
    let records = (0..10_000).fold(vec![0xc0], |inner: Vec<u8>, _| {
        let length = u32::try_from(inner.len()).expect("a short record");
        [&[0xc9][..], &length.to_be_bytes(), &[7], &inner].concat()
    });
    assert!(decode::<StoredValue>("msgpack", &records).is_err());
}

fn any_value() -> impl Strategy<Value = StoredValue> {
    let leaf = prop_oneof![
        Just(StoredValue::Nil),
        any::<bool>().prop_map(StoredValue::Bool),
        any::<i64>().prop_map(StoredValue::Int),
        ((1 << 63)..=u64::MAX).prop_map(StoredValue::Unsigned),
        (-1e300..1e300).prop_map(StoredValue::Float),
        ".*".prop_map(StoredValue::Text),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(StoredValue::Bytes),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let record =
            (0..6_u8, ".*", ".*", inner.clone()).prop_map(|(code, module, name, content)| {
                StoredValue::Record(Box::new(Record::named(code, &module, &name, content)))
            });
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(StoredValue::List),
            prop::collection::vec((inner.clone(), inner), 0..5).prop_map(StoredValue::Map),
            record,
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in any_value()) {
        let stored = encode(&value).unwrap();
        prop_assert_eq!(decode::<StoredValue>(&stored.kind, &stored.bytes).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(value) = decode::<StoredValue>("msgpack", &bytes) {
            // It may have been longer than need be; read again it is the same.
            let again = encode(&value).unwrap();
            let read = decode::<StoredValue>(&again.kind, &again.bytes).unwrap();
            prop_assert_eq!(format!("{read:?}"), format!("{value:?}"));
        }
    }
}
