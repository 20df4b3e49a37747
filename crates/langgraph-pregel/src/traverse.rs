//! What runs and states hold, shown to a collector of garbage. See [`Held`].

use langgraph_rust_core::{Domain, Held, Write};

use crate::{Effect, Outcome, Task, TaskOutcome, ThreadState};

impl<D: Domain> ThreadState<D> {
    /// Shows what is held, for the garbage collector.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.channels.iter().try_for_each(|channel| channel.traverse(visit))?;
        self.groups.traverse(visit)
    }
}

impl<D: Domain> Task<D> {
    /// Shows what is held, for the garbage collector.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        let values = self.packet.iter().chain(&self.interrupt);
        values.map(Held::Value).try_for_each(&mut *visit)?;
        writes(&self.writes, visit)
    }
}

impl<D: Domain> Effect<D> {
    /// Shows what is held, for the garbage collector of a driver that keeps the effect.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Effect::PersistWrites(to_store) => writes(&to_store.writes, visit),
            Effect::PersistCheckpoint(put) => {
                put.writes.iter().try_for_each(|to_store| writes(&to_store.writes, visit))?;
                put.checkpoint.traverse(visit)
            }
            Effect::Finish(outcome) => outcome.traverse(visit),
            Effect::RunTask { .. }
            | Effect::CancelTask(_)
            | Effect::LookUpCache(_)
            | Effect::Emit(_)
            | Effect::Wait(_) => Ok(()),
        }
    }
}

impl<D: Domain> Outcome<D> {
    /// Shows what is held, for the garbage collector.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Outcome::Interrupted(interrupts) => {
                interrupts.iter().map(Held::Value).try_for_each(visit)
            }
            Outcome::Escaped(error)
            | Outcome::Failed(langgraph_rust_core::Fault::Domain(error)) => {
                visit(Held::Error(error))
            }
            Outcome::Done
            | Outcome::OutOfSteps
            | Outcome::Drained
            | Outcome::Cancelled
            | Outcome::Failed(_) => Ok(()),
        }
    }
}

impl<D: Domain> TaskOutcome<D> {
    /// Shows what is held, for the garbage collector of a driver that has not reported it yet.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            TaskOutcome::Finished(written) => writes(written, visit),
            TaskOutcome::Interrupted { value, resume_values } => {
                value.iter().map(Held::Value).try_for_each(&mut *visit)?;
                writes(resume_values, visit)
            }
            TaskOutcome::Failed(failure) => {
                visit(Held::Error(&failure.error))?;
                visit(Held::Value(&failure.value))?;
                writes(&failure.writes, visit)
            }
            TaskOutcome::Escaped(error) => visit(Held::Error(error)),
            TaskOutcome::Cancelled(error) => error.iter().map(Held::Value).try_for_each(visit),
        }
    }
}

pub(crate) fn writes<D: Domain, E>(
    writes: &[Write<D>],
    visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
) -> Result<(), E> {
    writes.iter().try_for_each(|write| write.traverse(visit))
}
