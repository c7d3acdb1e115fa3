//! The threads of a gate: how one begins, what a panic in one is worth, and one flag that ends them all and interrupts
//! their sleeps.

use crate::ports::PortError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// As a program's main thread has it: whoever verifies trust holds whole lists on the stack, which is most of what a
/// thread has by default. Only what is used takes memory.
const STACK_BYTES: usize = 8 << 20;

/// Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// A flag that is not set.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Ends everything that looks at this flag.
    pub fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether to end.
    pub fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, unless and until the flag is set.
    pub fn sleep(&self, duration: Duration) {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Poisoning or a timeout both mean: look at the flag again.
        let _ = self.0.1.wait_timeout_while(guard, duration, |set| !*set);
    }
}

/// Lets a part of the gate do something; a panic in it is a failure of that part and of nothing else.
///
/// # Errors
/// What the part says, or that its program failed.
pub fn guarded<T>(part: &str, body: impl FnOnce() -> Result<T, PortError>) -> Result<T, PortError> {
    // What bodies share with others is queues, the health board, flags and locks: each is whole after any panic.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        Err(PortError::Failed(format!("the program of the {part} failed; it is started again, please report the log")))
    })
}

/// Lets this thread give way to those that see, decide and move, wherever the system can arrange that.
pub(crate) fn yield_to_others() {
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!("the system does not lower the priority of a thread: {error}");
    }
}

/// Starts a thread with a name, which its log lines carry.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    try_spawn(name, body).unwrap_or_else(|error| panic!("the system refuses a thread at start-up: {error}"))
}

/// The same for a thread that a running gate can do without.
///
/// # Errors
/// What the system says.
pub(crate) fn try_spawn(name: &str, body: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(body)
}
