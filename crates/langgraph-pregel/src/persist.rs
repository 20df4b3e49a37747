//! What must be stored before what.

use std::collections::VecDeque;

use langgraph_core::{Domain, Durability};

use crate::{CheckpointToStore, Effect, WritesToStore};

/// Names a storing that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The storing under way and held back. A checkpoint is issued once the checkpoint before it and
/// the writes it depends on are stored; at most one is held back, and what comes after it waits
/// behind it.
pub(crate) struct Persistence<D: Domain> {
    next: u64,
    writes: Vec<Ticket>,
    checkpoint: Option<Ticket>,
    held: Option<(Vec<Ticket>, Box<CheckpointToStore<D>>)>,
    behind: Vec<WritesToStore<D>>,
}

impl<D: Domain> Persistence<D> {
    pub(crate) fn new() -> Self {
        Self { next: 1, writes: Vec::new(), checkpoint: None, held: None, behind: Vec::new() }
    }

    pub(crate) fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next - 1)
    }

    pub(crate) fn store_writes(&mut self, out: &mut VecDeque<Effect<D>>, writes: WritesToStore<D>) {
        self.writes.push(writes.ticket);
        match self.held {
            Some(_) => self.behind.push(writes),
            None => out.push_back(Effect::PersistWrites(writes)),
        }
    }

    pub(crate) fn store_checkpoint(
        &mut self,
        out: &mut VecDeque<Effect<D>>,
        put: Box<CheckpointToStore<D>>,
    ) {
        debug_assert!(self.held.is_none(), "a superstep starts only when nothing is held back");
        let mut needs = self.writes.clone();
        needs.extend(self.checkpoint);
        if needs.is_empty() {
            self.issue(out, put);
        } else {
            self.held = Some((needs, put));
        }
    }

    fn issue(&mut self, out: &mut VecDeque<Effect<D>>, put: Box<CheckpointToStore<D>>) {
        self.checkpoint = Some(put.ticket);
        out.push_back(Effect::PersistCheckpoint(put));
        out.extend(self.behind.drain(..).map(Effect::PersistWrites));
    }

    pub(crate) fn persisted(&mut self, out: &mut VecDeque<Effect<D>>, ticket: Ticket) {
        self.writes.retain(|other| *other != ticket);
        if self.checkpoint == Some(ticket) {
            self.checkpoint = None;
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

    /// After a failure nothing further is stored: it would build on a gap.
    pub(crate) fn abandon(&mut self, ticket: Ticket) {
        self.writes.retain(|other| *other != ticket);
        if self.checkpoint == Some(ticket) {
            self.checkpoint = None;
        }
        self.held = None;
        for writes in self.behind.drain(..) {
            self.writes.retain(|other| *other != writes.ticket);
        }
    }

    pub(crate) fn is_stored(&self, ticket: Ticket) -> bool {
        !self.writes.contains(&ticket)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.writes.is_empty() && self.checkpoint.is_none() && self.held.is_none()
    }

    /// Whether the next superstep may start.
    pub(crate) fn allows_step(&self, durability: Durability) -> bool {
        match durability {
            Durability::Sync => self.is_idle(),
            Durability::Async | Durability::Exit => self.held.is_none(),
        }
    }
}
