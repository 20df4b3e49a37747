//! What must be stored before what.

use std::collections::VecDeque;

use langgraph_rust_core::{Domain, Durability, Held};

use crate::traverse::writes;
use crate::{CheckpointToStore, Effect, Options, WritesToStore};

/// Names a storing that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The storing under way and held back. A checkpoint is issued once the checkpoint before it and
/// the writes it depends on are stored; at most one is held back, and what comes after it waits
/// behind it.
pub(crate) struct Persistence<D: Domain> {
    durability: Durability,
    intake: Intake,
    next: u64,
    writes: Vec<Ticket>,
    checkpoint: Option<Ticket>,
    held: Option<(Vec<Ticket>, Box<CheckpointToStore<D>>)>,
    behind: Vec<WritesToStore<D>>,
    joins: bool,
    /// Whether no task may begin, nor anything wait for a checkpoint, before all is stored.
    claims: bool,
    /// Writes that go with the next checkpoint, unless there is something to wait for before.
    kept: Vec<WritesToStore<D>>,
    /// What is stored with the checkpoint that is under way.
    joined: Vec<Ticket>,
}

/// What becomes of what is to be stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intake {
    /// It is given out as it comes.
    Open,
    /// It is kept until the run ends.
    UntilExit,
    /// Nothing is stored: the run has no storage.
    None,
    /// Nothing is stored any more: it would build on a gap.
    Failed,
}

impl<D: Domain> Persistence<D> {
    pub(crate) fn new(options: &Options) -> Self {
        let intake = match (options.persists, options.durability) {
            (false, _) => Intake::None,
            (true, Durability::Exit) => Intake::UntilExit,
            (true, Durability::Sync | Durability::Async) => Intake::Open,
        };
        Self {
            durability: options.durability,
            intake,
            next: 1,
            writes: Vec::new(),
            checkpoint: None,
            held: None,
            behind: Vec::new(),
            joins: options.joins,
            claims: options.claims && intake == Intake::Open,
            kept: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// Whether what is to be stored is given out now.
    pub(crate) fn is_open(&self) -> bool {
        self.intake == Intake::Open
    }

    /// Whether what is to be stored is kept until the run ends.
    pub(crate) fn waits_for_exit(&self) -> bool {
        self.intake == Intake::UntilExit
    }

    /// Whether tasks' writes will be stored, now or at the end.
    pub(crate) fn takes_writes(&self) -> bool {
        self.is_open() || self.waits_for_exit()
    }

    /// The run ends: from here on, what is to be stored is given out as it comes.
    pub(crate) fn open(&mut self) {
        self.intake = Intake::Open;
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next - 1)
    }

    pub(crate) fn store_writes(&mut self, out: &mut VecDeque<Effect<D>>, writes: WritesToStore<D>) {
        self.writes.push(writes.ticket);
        match self.held {
            Some(_) => self.behind.push(writes),
            None if self.joins && !self.claims => self.kept.push(writes),
            None => out.push_back(Effect::PersistWrites(writes)),
        }
    }

    /// Takes writes that can be stored now, ahead of other effects.
    pub(crate) fn take_writes(
        &mut self,
        out: &mut VecDeque<Effect<D>>,
    ) -> Option<WritesToStore<D>> {
        if !self.kept.is_empty() {
            return Some(self.kept.remove(0));
        }
        let place = out.iter().position(|effect| matches!(effect, Effect::PersistWrites(_)))?;
        match out.remove(place)? {
            Effect::PersistWrites(writes) => Some(writes),
            other => {
                out.insert(place, other);
                None
            }
        }
    }

    /// Gives out what was kept for the next checkpoint, which is not there yet; tells whether there
    /// was anything.
    pub(crate) fn give_out(&mut self, out: &mut VecDeque<Effect<D>>) -> bool {
        let is_any = !self.kept.is_empty();
        out.extend(self.kept.drain(..).map(Effect::PersistWrites));
        is_any
    }

    pub(crate) fn store_checkpoint(
        &mut self,
        out: &mut VecDeque<Effect<D>>,
        mut put: Box<CheckpointToStore<D>>,
    ) {
        debug_assert!(self.held.is_none(), "a superstep starts only when nothing is held back");
        put.writes = std::mem::take(&mut self.kept);
        let mut needs = self.writes.clone();
        let goes_along = |ticket: &Ticket| put.writes.iter().any(|it| it.ticket == *ticket);
        needs.retain(|ticket| !goes_along(ticket) && !self.joined.contains(ticket));
        needs.extend(self.checkpoint);
        if needs.is_empty() {
            self.issue(out, put);
        } else {
            self.held = Some((needs, put));
        }
    }

    fn issue(&mut self, out: &mut VecDeque<Effect<D>>, put: Box<CheckpointToStore<D>>) {
        self.checkpoint = Some(put.ticket);
        self.joined.extend(put.writes.iter().map(|writes| writes.ticket));
        out.push_back(Effect::PersistCheckpoint(put));
        out.extend(self.behind.drain(..).map(Effect::PersistWrites));
    }

    pub(crate) fn persisted(&mut self, out: &mut VecDeque<Effect<D>>, ticket: Ticket) {
        self.writes.retain(|other| *other != ticket);
        if self.checkpoint == Some(ticket) {
            self.checkpoint = None;
            let joined = std::mem::take(&mut self.joined);
            self.writes.retain(|other| !joined.contains(other));
        }
        if let Some((mut needs, put)) = self.held.take() {
            needs.retain(|other| *other != ticket);
            if needs.is_empty() {
                self.issue(out, put);
            } else {
                self.held = Some((needs, put));
            }
        }
    }

    /// A storing failed: nothing further is stored.
    pub(crate) fn fail(&mut self, out: &mut VecDeque<Effect<D>>, ticket: Ticket) {
        self.stop(out);
        self.persisted(out, ticket);
    }

    /// Nothing further is stored. What is under way is still waited for.
    pub(crate) fn stop(&mut self, out: &mut VecDeque<Effect<D>>) {
        if self.intake != Intake::None {
            self.intake = Intake::Failed;
        }
        let held = self.held.take().into_iter().flat_map(|(_, put)| put.writes);
        let kept = held.chain(self.kept.drain(..)).map(|writes| writes.ticket);
        let mut void: Vec<Ticket> = kept.collect();
        void.extend(self.behind.drain(..).map(|writes| writes.ticket));
        out.retain(|effect| match effect {
            Effect::PersistWrites(writes) => {
                void.push(writes.ticket);
                false
            }
            Effect::PersistCheckpoint(put) => {
                void.push(put.ticket);
                void.extend(put.writes.iter().map(|writes| writes.ticket));
                false
            }
            _ => true,
        });
        self.writes.retain(|other| !void.contains(other));
        self.checkpoint = self.checkpoint.filter(|other| !void.contains(other));
    }

    pub(crate) fn is_stored(&self, ticket: Ticket) -> bool {
        !self.writes.contains(&ticket)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.writes.is_empty() && self.checkpoint.is_none() && self.held.is_none()
    }

    /// Shows what is held, for the garbage collector.
    pub(crate) fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        let held = self.held.iter().map(|(_, put)| &**put);
        let mut with_checkpoint = held.flat_map(|put| &put.writes);
        with_checkpoint.try_for_each(|to_store| writes(&to_store.writes, visit))?;
        if let Some((_, put)) = &self.held {
            put.checkpoint.traverse(visit)?;
        }
        let mut waiting = self.behind.iter().chain(&self.kept);
        waiting.try_for_each(|to_store| writes(&to_store.writes, visit))
    }

    /// Whether events must wait: they might show what a crash would undo.
    pub(crate) fn hides_events(&self) -> bool {
        self.durability == Durability::Sync && !self.is_idle()
    }

    /// Whether events are not shown at all any more: what they show will not be stored.
    pub(crate) fn never_shows(&self) -> bool {
        self.durability == Durability::Sync && self.intake == Intake::Failed
    }

    /// Whether the next superstep may start.
    pub(crate) fn allows_step(&self) -> bool {
        match self.durability {
            Durability::Sync => self.is_idle(),
            _ if self.claims => self.is_idle(),
            Durability::Async | Durability::Exit => self.held.is_none(),
        }
    }

    /// A superstep starts: whatever claims the thread has been stored.
    pub(crate) fn step_begins(&mut self) {
        self.claims = false;
    }
}
