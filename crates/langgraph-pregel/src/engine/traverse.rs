//! What a run holds, shown to a collector of garbage.

use langgraph_rust_core::{Domain, Held};

use super::{Engine, Phase, Reports};
use crate::Effect;

impl<D: Domain> Engine<D> {
    /// Shows what the run and its state hold, for the garbage collector: each reference once,
    /// without allocating, up to the first error.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.state.traverse(visit)?;
        self.pending.iter().try_for_each(|pending| pending.write.traverse(visit))?;
        self.tasks.all().iter().try_for_each(|task| task.traverse(visit))?;
        self.out.iter().try_for_each(|effect: &Effect<D>| effect.traverse(visit))?;
        self.persistence.traverse(visit)?;
        self.deltas.as_ref().map_or(Ok(()), |deltas| deltas.traverse(visit))?;
        match &self.phase {
            Phase::Ready | Phase::Caching | Phase::Over | Phase::Stepping(None) => Ok(()),
            Phase::Stepping(Some(reports)) => reports.traverse(visit),
            Phase::Ending(outcome) | Phase::Closing(outcome) => outcome.traverse(visit),
        }
    }
}

impl<D: Domain> Reports<D> {
    fn traverse<E>(&self, visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>) -> Result<(), E> {
        if let Some(end) = &self.end {
            end.traverse(visit)?;
        }
        let errors = self.late_failure.iter().chain(&self.escaped);
        errors.map(Held::Error).try_for_each(&mut *visit)?;
        self.interrupts.iter().map(Held::Value).try_for_each(visit)
    }
}
