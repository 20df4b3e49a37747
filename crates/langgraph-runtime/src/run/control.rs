use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;

use tokio::sync::futures::Notified;
use tokio::sync::Notify;

/// A handle on a run, to stop it from elsewhere. Give it to the run by
/// [`Config::control`](crate::Config::control). Copies are handles on the same run.
#[derive(Clone, Debug, Default)]
pub struct RunControl(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    what: AtomicU8,
    news: Notify,
}

pub(crate) const DRAIN: u8 = 1;
pub(crate) const CANCEL: u8 = 2;

impl RunControl {
    /// A handle on the run that will be given it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stop before the next superstep. The run ends with [`Status::Drained`](crate::Status::Drained)
    /// and can be resumed.
    pub fn drain(&self) {
        self.tell(DRAIN);
    }

    /// Stop now. Running nodes are dropped, what is finished is stored, and the run ends with
    /// [`Error::Cancelled`](crate::Error::Cancelled). It can be resumed.
    pub fn cancel(&self) {
        self.tell(CANCEL);
    }

    /// Whether the run was told to stop, whichever way. For nodes that take long.
    pub fn is_told(&self) -> bool {
        self.0.what.load(Ordering::Acquire) > 0
    }

    fn tell(&self, what: u8) {
        self.0.what.fetch_max(what, Ordering::AcqRel);
        self.0.news.notify_waiters();
    }

    /// What the run was told last; more when it is told more.
    pub(crate) fn told(&self) -> u8 {
        self.0.what.load(Ordering::Acquire)
    }

    /// Waits until the run is told something after this call.
    pub(crate) fn news(&self) -> Notified<'_> {
        self.0.news.notified()
    }
}
