//! What Python stored that msgpack has no type for, as types of one's own.
//!
//! The bytes are those of LangGraph's `JsonPlusSerializer`, for the value named beside them.

use std::collections::BTreeSet;

use langgraph_rust_checkpoint::wire::{decode, encode};
use langgraph_rust_runtime::{FieldValue, Value};
use serde::{Deserialize, Serialize};

fn stored(hex: &str) -> Value {
    let digit = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16);
    let bytes: Result<Vec<u8>, _> = (0..hex.len()).step_by(2).map(digit).collect();
    let bytes = bytes.expect("hexadecimal digits");
    let value: Value = decode("msgpack", &bytes).expect("what Python wrote");
    assert!(matches!(value, Value::Stored(_)));
    assert_eq!(encode(&value).expect("a value").bytes, bytes);
    value
}

fn read<T: FieldValue>(hex: &str) -> T {
    stored(hex).into_typed().expect("what Python wrote describes it")
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i64,
    y: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
}

#[test]
fn they_read_as_what_they_are_made_from() {
    // datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    let datetime = "c73b0394a86461746574696d65a86461746574696d65b9323032342d30352d30365430373a30383a30392b30303a3030ad66726f6d69736f666f726d6174";
    assert_eq!(read::<String>(datetime), "2024-05-06T07:08:09+00:00");
    // date(2024, 5, 6)
    let date = "c7150193a86461746574696d65a46461746593cd07e80506";
    assert_eq!(read::<(i32, u32, u32)>(date), (2024, 5, 6));
    // timedelta(days=1, seconds=2, microseconds=3)
    let timedelta = "c7180193a86461746574696d65a974696d6564656c746193010203";
    assert_eq!(read::<(i64, i64, i64)>(timedelta), (1, 2, 3));
    // UUID(int=7)
    let uuid = "c72d0093a475756964a455554944d9203030303030303030303030303030303030303030303030303030303030303037";
    assert_eq!(uuid::Uuid::parse_str(&read::<String>(uuid)).unwrap().as_u128(), 7);
    // Decimal("1.50")
    assert_eq!(read::<String>("c7160093a7646563696d616ca7446563696d616ca4312e3530"), "1.50");
    // {"a"}
    let set = "c7110093a86275696c74696e73a373657491a161";
    assert_eq!(read::<BTreeSet<String>>(set), BTreeSet::from(["a".to_owned()]));
    // deque([1, 2])
    let deque = "c7160093ab636f6c6c656374696f6e73a56465717565920102";
    assert_eq!(read::<Vec<i64>>(deque), [1, 2]);
    // Path("/a/b")
    let path = "c71a0193a7706174686c6962a9506f7369785061746893a12fa161a162";
    assert_eq!(read::<Vec<String>>(path), ["/", "a", "b"]);
    // Color.RED, where Color(Enum) has RED = "red"
    assert_eq!(read::<Color>("c7140093a85f5f6d61696e5f5fa5436f6c6f72a3726564"), Color::Red);
    // NT(1, 2), where NT = namedtuple("NT", "x y")
    let named = "c7140293a85f5f6d61696e5f5fa24e5482a17801a17902";
    assert_eq!(read::<Point>(named), Point { x: 1, y: 2 });
}

#[test]
fn their_content_is_a_value() {
    let set = stored("c7110093a86275696c74696e73a373657491a161");
    assert_eq!(set.content(), vec!["a"].into());
    assert_eq!(set.text().unwrap_err().to_string(), "set([\"a\"]) is no text");
    let decimal = stored("c7160093a7646563696d616ca7446563696d616ca4312e3530");
    assert_eq!(decimal.text().unwrap(), "1.50");
    assert_eq!(serde_json::to_string(&vec![set, decimal]).unwrap(), r#"[["a"],"1.50"]"#);
    assert_eq!(Value::from(3).content(), 3.into());
}

#[test]
fn json_is_json_after_encoding_went_wrong() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }
    let decimal = stored("c7160093a7646563696d616ca7446563696d616ca4312e3530");
    assert!(encode(&(&decimal, Broken)).is_err());
    assert_eq!(serde_json::to_string(&decimal).unwrap(), r#""1.50""#);
}
