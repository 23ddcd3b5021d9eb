//! SIGPIPE. A write to a connection that the server has closed raises it in the thread that
//! writes, and its default ends the program; Rust programs ignore it from the start, a C
//! program need not. Changing the disposition would be seen by the whole process, so the
//! signal is held back in the calling thread and taken away before the thread goes on.

use std::mem::MaybeUninit;
use std::ptr::null_mut;

/// While it lives, this thread gets no SIGPIPE. Threads started meanwhile never will.
pub(crate) struct NoSigpipe {
    /// The mask to go back to.
    before: libc::sigset_t,
    /// One was waiting already: the program's own business.
    was_pending: bool,
}

impl NoSigpipe {
    pub(crate) fn begin() -> Self {
        let was_pending = is_pending();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both sets are valid; SIG_BLOCK with a valid set cannot fail, so `before` is
        // filled in.
        let before = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, &sigpipe(), before.as_mut_ptr());
            before.assume_init()
        };
        Self {
            before,
            was_pending,
        }
    }
}

impl Drop for NoSigpipe {
    fn drop(&mut self) {
        if !self.was_pending && is_pending() {
            let now = libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            // SAFETY: set and time are valid, no information is asked for. It does not wait.
            unsafe { libc::sigtimedwait(&sigpipe(), null_mut(), &now) };
        }
        // SAFETY: the mask is the one that `begin` was given.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, null_mut()) };
    }
}

fn sigpipe() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset fills the set in, SIGPIPE is a signal.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE);
        set.assume_init()
    }
}

fn is_pending() -> bool {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigpending fills the set in unless it fails, and then it is not read.
    unsafe {
        libc::sigpending(set.as_mut_ptr()) == 0
            && libc::sigismember(set.as_ptr(), libc::SIGPIPE) == 1
    }
}

/// The program runs with rights that its caller does not have (set-user-id, capabilities): the
/// caller's environment must not decide who it is.
pub(crate) fn is_privileged() -> bool {
    // SAFETY: reads a number that the kernel gave this process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(test)]
mod tests {
    use std::ptr::null;

    use super::*;

    #[test]
    fn a_broken_pipe_is_not_felt() {
        // SAFETY: the disposition is that of C programs; the descriptors are this test's own.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let mut mask = MaybeUninit::uninit();
        {
            let _guard = NoSigpipe::begin();
            let mut ends = [0; 2];
            // SAFETY: as above.
            let written = unsafe {
                assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
                libc::close(ends[0]);
                let written = libc::write(ends[1], c"x".as_ptr().cast(), 1);
                libc::close(ends[1]);
                written
            };
            assert_eq!(written, -1);
            assert!(is_pending());
        }
        // Still alive, nothing left over, and the mask is as before.
        assert!(!is_pending());
        // SAFETY: asks for the mask, which is filled in.
        let blocked = unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, null(), mask.as_mut_ptr());
            libc::sigismember(mask.as_ptr(), libc::SIGPIPE)
        };
        assert_eq!(blocked, 0);
    }
}
