//! The rows of a graph, byte for byte those of LangGraph: `rows/generate.py` wrote down what it stores.

use langgraph_rust_runtime::{
    Command, Config, Dynamic, Field, Goto, Graph, Node, Reducer, Runtime, StateGraph, Update,
    Value, START,
};
use langgraph_rust_sqlite::Sqlite;
use rusqlite::Connection;

/// Python's list of what LangGraph stores.
const UPSTREAM: &str = include_str!("rows/upstream.txt");

fn graph(saver: Sqlite) -> Graph<Dynamic> {
    let send = || Goto::send("n4", [("k", Value::from("x")), ("n", 1.5.into())]);
    StateGraph::<Dynamic>::new()
        .field("a", Field::append())
        .field("b", Field::Last)
        .field("d", Field::Delta(Reducer::append(), 2))
        .node("n1", |_: &()| {
            Ok(Update::new().set("a", vec![1, -200]).set("b", "ü").set("d", vec![1]))
        })
        .node("n2", |_: &()| {
            let d = Value::list([Value::from([("k", Value::Null)])]);
            Ok(Update::new().set("a", vec![2.5]).set("d", d))
        })
        .node("n3", move |_: &()| {
            Ok(Command::new().set("a", Value::overwrite(vec![9])).goto(send()))
        })
        .node("n4", |_: &(), runtime: &Runtime| {
            let answer = runtime.interrupt([("q", Value::from("?"))])?;
            Ok(Update::new().set("b", answer))
        })
        .add_node(
            Node::new("late", |_: &()| Ok(Update::new().set("a", vec![7]).set("d", vec!["late"])))
                .deferred(),
        )
        .edge(START, "n1")
        .edge(START, "n2")
        .join(&["n1", "n2"], "n3")
        .edge("n3", "late")
        .compile()
        .unwrap()
        .with_saver(saver)
}

/// Bytes without ids, times and the fractions of versions, as `generate.py` shows them.
fn shown(bytes: &[u8]) -> String {
    let text: String = bytes
        .iter()
        .map(|byte| match byte {
            32..127 => char::from(*byte).to_string(),
            other => format!("\\x{other:02x}"),
        })
        .collect();
    let mut out = String::new();
    let mut rest = &*text;
    while let Some(next) = rest.chars().next() {
        let found = version(rest).or_else(|| of_shape(rest, "<id>", ID)).or_else(|| time(rest));
        let found = found.or_else(|| of_shape(rest, "<interrupt>", INTERRUPT));
        let (shown, length) = found.unwrap_or_else(|| (next.to_string(), 1));
        out += &shown;
        rest = &rest[length..];
    }
    out
}

/// Hexadecimal digits are `x`.
const ID: &str = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const INTERRUPT: &str = " xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

fn of_shape(text: &str, name: &str, shape: &str) -> Option<(String, usize)> {
    let found = text.get(..shape.len())?;
    let fits = |(c, of): (char, char)| match of {
        'x' => c.is_ascii_hexdigit(),
        other => c == other,
    };
    found.chars().zip(shape.chars()).all(fits).then(|| (name.to_owned(), shape.len()))
}

fn version(text: &str) -> Option<(String, usize)> {
    let digits = text.strip_prefix("\\xd9")?.get(1..)?;
    let number = digits.get(..32).filter(|number| number.starts_with("0000000000000000000000"))?;
    let fraction = digits[32..].find('\\').unwrap_or(digits.len() - 32);
    let number: u32 = number.parse().ok()?;
    Some((format!("<version {number}>"), text.len() - digits.len() + 32 + fraction))
}

fn time(text: &str) -> Option<(String, usize)> {
    let length = text.find("+00:00")? + "+00:00".len();
    let is_time = text.starts_with("20") && length <= "2026-01-01T00:00:00.000000+00:00".len();
    (is_time && text.get(10..11) == Some("T")).then(|| ("<ts>".to_owned(), length))
}

fn rows(connection: &Connection, select: &str, show: fn(&rusqlite::Row<'_>) -> String) -> String {
    let mut select = connection.prepare(select).unwrap();
    let rows = select.query_map([], |row| Ok(show(row))).unwrap();
    rows.map(|row| row.unwrap() + "\n").collect()
}

#[test]
fn rows_are_those_of_langgraph() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let graph = graph(Sqlite::open(&path).unwrap());
    let config = Config::thread("1").metadata("user", "é").metadata("score", 1e-5);
    let input = Update::new().set("a", Value::list::<Value>([])).set("b", "i");
    graph.blocking().invoke(input, &config).unwrap();
    graph.blocking().invoke(Command::resume("fine"), &config).unwrap();
    let connection = Connection::open(&path).unwrap();
    let checkpoints = rows(
        &connection,
        "SELECT type, checkpoint, metadata FROM checkpoints ORDER BY checkpoint_id",
        |row| {
            let bytes = |at: usize| shown(&row.get::<_, Vec<u8>>(at).unwrap());
            format!("{} {}\n  {}", row.get::<_, String>(0).unwrap(), bytes(1), bytes(2))
        },
    );
    let writes = rows(
        &connection,
        "SELECT task_path, idx, channel, type, value FROM writes \
         ORDER BY checkpoint_id, task_path, idx",
        |row| {
            let text = |at: usize| row.get::<_, String>(at).unwrap();
            let (place, value) = (row.get::<_, i64>(1).unwrap(), row.get::<_, Vec<u8>>(4).unwrap());
            format!("{} {place} {} {} {}", text(0), text(2), text(3), shown(&value))
        },
    );
    let found = checkpoints + &writes;
    for (ours, upstream) in found.lines().zip(UPSTREAM.lines()) {
        assert_eq!(ours, upstream);
    }
    assert_eq!(found.lines().count(), UPSTREAM.lines().count());
}
