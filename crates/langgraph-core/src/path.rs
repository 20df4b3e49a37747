use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use crate::names::{PULL, PUSH};

/// Where a task stands in its superstep. The order of paths is the order in which writes apply,
/// whatever order the tasks finished in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskPath {
    /// Writes that come from no task: the graph's input.
    Input,
    /// A node whose triggers fired.
    Pull(Arc<str>),
    /// The node a packet was sent to; `index` is the packet's position in the tasks channel.
    Push(usize),
    /// A task called by another task during the superstep.
    Call {
        /// The caller's path.
        parent: Arc<TaskPath>,
        /// How many calls the caller had made before.
        index: usize,
    },
    /// The error handler of the task at the path.
    Handler(Arc<TaskPath>),
    /// A task of a superstep after that of the checkpoint which keeps its writes: with durability
    /// `exit` that is the one that the run started from.
    AtExit {
        /// The superstep.
        step: i64,
        /// Where the task stood, if that is still known.
        path: Option<Arc<TaskPath>>,
    },
}

impl TaskPath {
    /// The path's text form, which storage keeps beside a task's writes: integers padded to ten
    /// digits, tuples opened by `~` and separated by `, `.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            TaskPath::Input => Cow::Borrowed("~"),
            TaskPath::Pull(name) => Cow::Owned(format!("~{PULL}, {name}")),
            TaskPath::Push(index) => Cow::Owned(format!("~{PUSH}, {index:010}, {:010}", 0)),
            TaskPath::Call { parent, index } => {
                Cow::Owned(format!("~{PUSH}, {}, {index:010}, {:010}", parent.text(), 1))
            }
            TaskPath::Handler(failed) => {
                Cow::Owned(format!("{}, node_error_handler, {:010}", failed.head(), 0))
            }
            TaskPath::AtExit { step, path } => {
                let text = path.as_ref().map(|path| path.text()).unwrap_or_default();
                Cow::Owned(format!("~~{step:010}{text}"))
            }
        }
    }

    /// The text of the path's first three parts.
    fn head(&self) -> String {
        match self {
            TaskPath::Call { parent, index } => format!("~{PUSH}, {}, {index:010}", parent.text()),
            other => other.text().into_owned(),
        }
    }
}

impl Ord for TaskPath {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (TaskPath::Pull(a), TaskPath::Pull(b)) => a.cmp(b),
            (TaskPath::Push(a), TaskPath::Push(b)) => a.cmp(b),
            (TaskPath::Pull(_), TaskPath::Push(_)) => Ordering::Less,
            (TaskPath::Push(_), TaskPath::Pull(_)) => Ordering::Greater,
            _ => self.text().cmp(&other.text()),
        }
    }
}

impl PartialOrd for TaskPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Vec<TaskPath> {
        let pull = |name: &str| TaskPath::Pull(name.into());
        vec![
            TaskPath::Input,
            pull("a"),
            pull("a, b"),
            pull("b"),
            TaskPath::Push(0),
            TaskPath::Push(12),
            TaskPath::Call { parent: Arc::new(pull("a")), index: 3 },
            TaskPath::Call { parent: Arc::new(TaskPath::Push(1)), index: 0 },
            TaskPath::Handler(Arc::new(pull("a"))),
            TaskPath::Handler(Arc::new(TaskPath::Push(2))),
        ]
    }

    #[test]
    fn the_quick_order_is_the_order_of_the_texts() {
        for a in paths() {
            for b in paths() {
                assert_eq!(a.cmp(&b), a.text().cmp(&b.text()), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn texts_are_the_stored_form() {
        let call = TaskPath::Call { parent: Arc::new(TaskPath::Pull("n".into())), index: 2 };
        assert_eq!(call.text(), "~__pregel_push, ~__pregel_pull, n, 0000000002, 0000000001");
        assert_eq!(TaskPath::Push(7).text(), "~__pregel_push, 0000000007, 0000000000");
    }
}
