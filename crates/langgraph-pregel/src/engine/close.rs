//! How a run ends, and what must still be stored then.

use langgraph_rust_core::{Domain, Fault};

use super::{Engine, Phase};
use crate::{Env, Outcome, RunEvent};

impl<D: Domain> Engine<D> {
    pub(super) fn close(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>, outcome: Outcome<D>) {
        if let Err(fault) = self.store_at_exit(cx, env, &outcome) {
            // What could not be stored matters less than why the run ends.
            let fails = !outcome.has_reason();
            self.phase = Phase::Closing(if fails { Outcome::Failed(fault) } else { outcome });
            return;
        }
        if let (Outcome::Interrupted(interrupts), false) = (&outcome, self.options.nested) {
            let is_static = interrupts.is_empty();
            if let Err(fault) = self.show_finished_tasks(cx, env) {
                self.phase = Phase::Closing(Outcome::Failed(fault));
                return;
            }
            if is_static {
                self.emit(RunEvent::StaticInterrupt);
            }
        }
        self.phase = Phase::Closing(outcome);
    }

    /// The values at an interrupt include what the finished tasks wrote.
    pub(super) fn show_finished_tasks(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
    ) -> Result<(), Fault<D>> {
        let any_wrote = self.tasks.all().iter().any(|task| !task.writes.is_empty());
        if any_wrote && !self.pending.is_empty() {
            let wrote_output = self.apply_tasks(cx, env)?;
            if wrote_output && self.output_changed() {
                self.emit_values();
            }
        }
        Ok(())
    }

    /// With [`Durability::Exit`]: the last checkpoint, and what the tasks on it wrote. A nested
    /// run that succeeds leaves this to the run around it.
    pub(super) fn store_at_exit(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        outcome: &Outcome<D>,
    ) -> Result<(), Fault<D>> {
        let options = &self.options;
        let is_wanted = !options.nested
            || options.stores_success
            || !matches!(outcome, Outcome::Done | Outcome::OutOfSteps | Outcome::Drained);
        if !self.persistence.waits_for_exit() || !is_wanted {
            return Ok(());
        }
        self.persistence.open();
        self.store_kept_deltas(cx, env)?;
        if self.last_saved.as_ref() != Some(&self.state.id) {
            self.store_checkpoint(cx, env)?;
        }
        for task in std::mem::take(&mut self.wrote) {
            let known = self.tasks.all().iter().find(|known| *self.id_of(known) == task);
            let path = known.map(|known| known.path.clone());
            let of_task = self.pending.iter().filter(|p| p.task == task);
            let writes: Vec<_> = of_task.map(|p| p.write.copy(cx)).collect();
            if !writes.is_empty() {
                self.store_writes(task, path, writes);
            }
        }
        Ok(())
    }
}
