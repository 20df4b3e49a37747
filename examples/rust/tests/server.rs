//! The server, driven over sockets: clients that go and come back, answers, a restart.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{json, Value as Json};

/// The server's process; it ends with this.
struct Server {
    process: Child,
    address: String,
    output: BufReader<std::process::ChildStdout>,
}

/// An event as it comes.
#[derive(Clone, Debug, Default, PartialEq)]
struct Event {
    id: String,
    kind: String,
    data: Json,
}

impl Event {
    fn is(&self, kind: &str, data: &str) -> bool {
        self.kind == kind && self.data == data
    }
}

/// The events of a connection, which is there as long as this.
struct Events(BufReader<TcpStream>);

impl Server {
    fn start(path: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        let mut process =
            command.arg(path).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { process, address, output }
    }

    /// Asks for something, and returns the answer's status and, unread, its body. By HTTP/1.0, so that
    /// the body is what comes until the connection ends.
    fn ask(&self, head: &str, body: &str) -> (u16, BufReader<TcpStream>) {
        let (method, rest) = head.split_once(' ').unwrap();
        let (path, headers) = rest.split_once('\n').unwrap_or((rest, ""));
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let status = line(&mut answer).split(' ').nth(1).unwrap().parse().unwrap();
        while !line(&mut answer).is_empty() {}
        (status, answer)
    }

    fn post(&self, path: &str, body: &Json) -> u16 {
        self.ask(&format!("POST {path}"), &body.to_string()).0
    }

    fn state(&self, thread: &str) -> Json {
        let (status, mut answer) = self.ask(&format!("GET /threads/{thread}"), "");
        assert_eq!(status, 200);
        let mut body = String::new();
        answer.read_to_string(&mut body).unwrap();
        serde_json::from_str(&body).unwrap()
    }

    /// Watches the thread, from behind the event that was seen last.
    fn watch(&self, thread: &str, seen: Option<&Event>) -> Events {
        let header = seen.map(|seen| format!("\nLast-Event-ID: {}\r\n", seen.id));
        let head = format!("GET /threads/{thread}/events{}", header.unwrap_or_default());
        let (status, answer) = self.ask(&head, "");
        assert_eq!(status, 200);
        Events(answer)
    }

    /// Tells the server to stop, and waits until it has.
    fn stop(mut self) -> String {
        let told = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(told.success());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.process.wait().unwrap().success());
        rest
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has stopped needs no killing.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let line = line(&mut self.0);
            match line.split_once(": ") {
                Some(("id", id)) => event.id = id.into(),
                Some(("event", kind)) => event.kind = kind.into(),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                _ if event.id.is_empty() => return None,
                _ => return Some(event),
            }
        }
    }
}

/// The next line; an empty one at the end.
fn line(from: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn words(events: &[Event]) -> String {
    events
        .iter()
        .filter(|event| event.kind == "word")
        .filter_map(|event| event.data.as_str())
        .collect()
}

#[test]
fn a_run_goes_on_without_those_who_watch() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("threads.db"));
    assert_eq!(server.post("/threads/1/runs", &json!({"topic": "crabs"})), 202);
    assert_eq!(server.post("/threads/1/runs", &json!({"topic": "crabs"})), 409);

    let mut seen: Vec<_> = server.watch("1", None).take(2).collect();
    assert_eq!(words(&seen), "Paragraph 1 ");
    // The client is gone. The run comes to its question all the same.
    while server.state("1")["next"] != json!(["approve"]) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Back again, it gets what it has missed, and nothing twice.
    seen.extend(server.watch("1", seen.last()));
    let all: Vec<_> = server.watch("1", None).collect();
    assert_eq!(seen, all);
    let text = "Paragraph 1 about crabs.Paragraph 2 about crabs.Paragraph 3 about crabs.";
    assert_eq!(words(&all), text);
    assert!(all[all.len() - 2].is("question", "publish?"), "{all:?}");
    assert!(all[all.len() - 1].is("end", "waiting"), "{all:?}");

    assert_eq!(server.post("/threads/1/resume", &json!(true)), 202);
    // The next run has ids of its own: one of the run before is none of its.
    let rest: Vec<_> = server.watch("1", seen.last()).collect();
    assert!(rest[0].is("finished", "approve") && rest[1].is("end", "done"), "{rest:?}");
    let state = server.state("1");
    assert_eq!((&state["values"]["published"], &state["next"]), (&json!(true), &json!([])));
}

#[test]
fn a_server_that_is_stopped_lets_runs_come_to_rest_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("threads.db");
    let server = Server::start(&path);
    assert_eq!(server.post("/threads/2/runs", &json!({"topic": "roses"})), 202);
    let mut events = server.watch("2", None);
    let first = events.next().unwrap();
    assert!(first.is("word", "Paragraph "), "{first:?}");
    assert_eq!(server.stop(), "stopped\n");
    let last = events.last().unwrap();
    assert!(last.is("end", "stopped"), "{last:?}");

    let server = Server::start(&path);
    let paragraph = |n: usize| format!("Paragraph {n} about roses.");
    let state = server.state("2");
    // What was begun when the server was told is there: one, or two if that took long.
    let found = state["values"]["paragraphs"].as_array().unwrap().len();
    assert!([1, 2].contains(&found), "{state}");
    let expected: Vec<_> = (1..=found).map(paragraph).collect();
    assert_eq!(state["values"]["paragraphs"], json!(expected));
    assert_eq!(state["next"], json!(["write"]));
    assert_eq!(server.post("/threads/2/runs", &json!({})), 202);
    let rest: Vec<_> = server.watch("2", Some(&last)).collect();
    assert_eq!(words(&rest), (found + 1..=3).map(paragraph).collect::<String>());
    assert_eq!(server.ask("GET /threads/3", "").0, 404);
}
