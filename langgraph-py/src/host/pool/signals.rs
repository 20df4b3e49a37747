//! Signals of the process are not for threads that only wait for work.
//!
//! A program that blocks a signal on its main thread, for as long as it must not be interrupted,
//! counts on having no other thread that the signal could go to. While a worker runs code, signals
//! are as the program has them: processes that the code starts inherit that.

/// Until this is dropped, the thread that made it hears no signals. To be dropped there.
pub struct Unheard {
    #[cfg(unix)]
    before: libc::sigset_t,
}

/// Has the thread hear no signals for a while.
#[cfg(unix)]
pub fn unheard() -> Unheard {
    let mut all = std::mem::MaybeUninit::uninit();
    let mut before = std::mem::MaybeUninit::uninit();
    // SAFETY: `sigfillset` initialises the set that it is given, and `pthread_sigmask`, which cannot
    // fail with this request, the one for the mask before.
    let before = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::sigemptyset(before.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    };
    Unheard { before }
}

/// Has the thread hear no signals for a while.
#[cfg(not(unix))]
pub fn unheard() -> Unheard {
    Unheard {}
}

#[cfg(unix)]
impl Drop for Unheard {
    fn drop(&mut self) {
        // SAFETY: the set was initialised by `pthread_sigmask`; the mask before is not asked for.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}
