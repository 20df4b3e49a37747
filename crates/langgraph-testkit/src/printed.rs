//! What a transcript prints.

use langgraph_rust_runtime::{Error, Event, Map, Output, Snapshot, Status, Update, Value};

pub(crate) fn shown(event: &Event) -> String {
    match event {
        Event::Started { nodes: names } => format!("start {}", names.join(", ")),
        Event::Update { node, update, cached } => {
            let cached = if *cached { " (cached)" } else { "" };
            format!("update {node} {}{cached}", update_text(update))
        }
        Event::Interrupted { node, interrupts } => {
            let questions: Vec<_> = interrupts.iter().map(|i| i.value.to_string()).collect();
            format!("ask {node} {}", questions.join(", "))
        }
        Event::Values { values } => format!("values {}", sorted(values)),
        Event::Stopped => "stop".into(),
        other => format!("{other:?}"),
    }
}

/// One object, or several if a field was written more than once.
fn update_text(update: &Update) -> String {
    let writes: Vec<(&str, &Value)> = update.writes().collect();
    let object = |writes: &[(&str, &Value)]| {
        let entry = |(name, value): &(&str, &Value)| ((*name).into(), (*value).clone());
        sorted(&writes.iter().map(entry).collect())
    };
    let repeats = |(position, (name, _)): (usize, &(&str, &Value))| {
        writes[..position].iter().any(|(earlier, _)| earlier == name)
    };
    if writes.is_empty() {
        "null".into()
    } else if writes.iter().enumerate().any(repeats) {
        Value::list(writes.iter().map(|write| object(std::slice::from_ref(write)))).to_string()
    } else {
        object(&writes).to_string()
    }
}

/// The map by name: each language has fields in an order of its own.
pub(crate) fn sorted(map: &Map) -> Value {
    let mut sorted = map.clone();
    sorted.sort_keys();
    sorted.into()
}

pub(crate) fn ended(output: &Result<Output<Map>, Error>) -> String {
    match output {
        Ok(output) => {
            let how = match &output.status {
                Status::Done => "done".into(),
                Status::Drained => "drained".into(),
                Status::Interrupted(interrupts) if interrupts.is_empty() => "stopped".into(),
                Status::Interrupted(interrupts) => {
                    let mut questions: Vec<_> =
                        interrupts.iter().map(|i| i.value.to_string()).collect();
                    // Tasks ask in any order.
                    questions.sort();
                    format!("waits for {}", questions.join(", "))
                }
                other => format!("{other:?}"),
            };
            format!("=> {how}")
        }
        Err(error) => failure(error),
    }
}

/// The kinds of errors that the engine makes go by kind, for each language words them its own way.
pub(crate) fn failure(error: &Error) -> String {
    match error {
        Error::Node { source, .. } => match source.downcast_ref::<Error>() {
            Some(error) => failure(error),
            None => format!("=> error {source}"),
        },
        Error::RecursionLimit(_) => "=> error recursion limit".into(),
        Error::InvalidUpdate(_) => "=> error invalid update".into(),
        Error::EmptyInput { .. } => "=> error empty input".into(),
        Error::AmbiguousResume => "=> error ambiguous answer".into(),
        error => format!("=> error {error}"),
    }
}

pub(crate) fn print_snapshot(snapshot: &Snapshot, out: &mut Vec<String>) {
    out.push(headline(snapshot));
    out.push(format!("values {}", sorted(&snapshot.values)));
    for task in &snapshot.tasks {
        if task.error.is_some() {
            out.push(format!("failed {}", task.name));
        }
        for interrupt in &task.interrupts {
            out.push(format!("waits {} {}", task.name, interrupt.value));
        }
    }
}

pub(crate) fn headline(snapshot: &Snapshot) -> String {
    let next = match snapshot.next.is_empty() {
        true => "nothing".into(),
        false => snapshot.next.join(", "),
    };
    let metadata = &snapshot.metadata;
    let source = metadata.source.map_or("stub", |source| source.name());
    format!("step {} {source} next {next}", metadata.step)
}
