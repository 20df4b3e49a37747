use langgraph_rust_core::{Domain, TaskId};

use crate::prepare::Origin;
use crate::{Task, TaskKey, TaskState, ThreadState};

/// The tasks of the current superstep, and how far they are.
pub(crate) struct Superstep<D: Domain> {
    /// Counts supersteps, so that a key of an earlier one names nothing.
    generation: u32,
    tasks: Vec<Task<D>>,
    /// Where it stood, once the thread has moved on.
    origin: Option<Origin>,
    /// How many tasks have been looked at for giving out.
    issued: usize,
    /// How many tasks, from the first on, are known to be over.
    settled: usize,
    /// Tasks that wait for something to be stored.
    held_back: Vec<TaskKey>,
}

impl<D: Domain> Superstep<D> {
    pub(crate) fn new() -> Self {
        Self {
            generation: 0,
            tasks: Vec::new(),
            origin: None,
            issued: 0,
            settled: 0,
            held_back: Vec::new(),
        }
    }

    /// Another superstep begins; its tasks go where the returned ones were.
    pub(crate) fn restart(&mut self) -> &mut Vec<Task<D>> {
        self.origin = None;
        self.generation = self.generation.wrapping_add(1);
        (self.issued, self.settled) = (0, 0);
        self.held_back.clear();
        &mut self.tasks
    }

    /// The thread moves on from where the superstep stood.
    pub(crate) fn leave(&mut self, origin: Origin) {
        self.origin = Some(origin);
    }

    /// The id of one of the superstep's tasks, which is superstep `step` unless the thread has moved on.
    pub(crate) fn id_of<'t>(
        &self,
        state: &ThreadState<D>,
        namespace: &str,
        step: i64,
        task: &'t Task<D>,
    ) -> &'t TaskId {
        match &self.origin {
            None => state.task_id(namespace, step, task),
            Some(origin) => task.id.get_or_init(|| origin.id_of(&state.plan, namespace, task)),
        }
    }

    pub(crate) fn all(&self) -> &[Task<D>] {
        &self.tasks
    }

    pub(crate) fn all_mut(&mut self) -> &mut [Task<D>] {
        &mut self.tasks
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(crate) fn key(&self, position: usize) -> TaskKey {
        // No superstep has 2^32 tasks: each takes more than a byte.
        TaskKey { generation: self.generation, position: position as u32 }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = TaskKey> + '_ {
        (0..self.tasks.len()).map(|position| self.key(position))
    }

    /// The task with the key, unless it was one of an earlier superstep.
    pub(crate) fn get(&self, key: TaskKey) -> Option<&Task<D>> {
        self.tasks.get(key.position()).filter(|_| key.generation == self.generation)
    }

    pub(crate) fn get_mut(&mut self, key: TaskKey) -> Option<&mut Task<D>> {
        self.tasks.get_mut(key.position()).filter(|_| key.generation == self.generation)
    }

    /// Adds a task to the superstep.
    pub(crate) fn push(&mut self, task: Task<D>) -> TaskKey {
        self.tasks.push(task);
        self.key(self.tasks.len() - 1)
    }

    pub(crate) fn settle(&mut self, key: TaskKey) {
        if let Some(task) = self.get_mut(key) {
            task.state = TaskState::Settled;
        }
    }

    /// Whether there are tasks that may be ready to be given out.
    pub(crate) fn has_candidates(&self) -> bool {
        self.issued < self.tasks.len() || self.holds_back()
    }

    /// The tasks that are new since the last time.
    pub(crate) fn take_new(&mut self) -> impl Iterator<Item = TaskKey> {
        let (generation, first) = (self.generation, self.issued as u32);
        self.issued = self.tasks.len();
        (first..self.issued as u32).map(move |position| TaskKey { generation, position })
    }

    /// The only task that is new since the last time, if nothing is held back.
    pub(crate) fn take_last_new(&mut self) -> Option<TaskKey> {
        if self.issued + 1 != self.tasks.len() || self.holds_back() {
            return None;
        }
        self.issued += 1;
        Some(self.key(self.issued - 1))
    }

    /// The tasks that were held back.
    pub(crate) fn take_held_back(&mut self) -> Vec<TaskKey> {
        std::mem::take(&mut self.held_back)
    }

    /// Tasks that wait for something to be stored.
    pub(crate) fn hold_back(&mut self, waiting: impl IntoIterator<Item = TaskKey>) {
        self.held_back.extend(waiting);
    }

    pub(crate) fn holds_back(&self) -> bool {
        !self.held_back.is_empty()
    }

    /// Whether every task is over. Tasks are looked at once: none becomes unsettled again.
    pub(crate) fn all_settled(&mut self) -> bool {
        let open = self.tasks[self.settled..].iter();
        self.settled += open.take_while(|task| task.state == TaskState::Settled).count();
        self.settled == self.tasks.len()
    }

    /// The tasks that are not over.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Task<D>> {
        self.tasks[self.settled..].iter().filter(|task| task.state != TaskState::Settled)
    }

    /// The tasks as a note to an error that happened when their writes were applied.
    pub(crate) fn listed(&self) -> String {
        const MOST: usize = 8;
        let names: Vec<String> =
            self.tasks.iter().take(MOST).map(|task| format!("'{}'", task.name)).collect();
        let more = if self.tasks.len() > MOST { ", ..." } else { "" };
        match self.tasks.len() {
            1 => format!("It was written by {}", names.concat()),
            _ => format!("It was written by one of {}{more}", names.join(", ")),
        }
    }
}
