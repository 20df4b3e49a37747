use langgraph_rust_core::{Control, Domain, TaskId, Write};

/// A write stored on a checkpoint, not yet applied to it.
pub struct PendingWrite<D: Domain> {
    /// The task that wrote it, or [`TaskId::NULL`].
    pub task: TaskId,
    /// What it wrote.
    pub write: Write<D>,
}

/// The output that `task` stored; empty unless the task finished.
pub fn task_output<'p, D: Domain>(
    pending: &'p [PendingWrite<D>],
    task: &'p TaskId,
) -> impl Iterator<Item = &'p Write<D>> {
    pending.iter().filter(move |p| p.task == *task && p.write.is_output()).map(|p| &p.write)
}

/// The interrupt writes of tasks that have not finished: those that nobody has resumed.
pub fn pending_interrupts<D: Domain>(
    pending: &[PendingWrite<D>],
) -> impl Iterator<Item = &D::Value> {
    pending
        .iter()
        .filter(|p| !p.task.is_null() && p.write.is_control(Control::Interrupt))
        .filter(|p| task_output(pending, &p.task).next().is_none())
        .map(|p| &p.write.value)
}
