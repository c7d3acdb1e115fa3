//! What is needed to hurt a gate and to see what is left: a world, a gate that is watched or killed, hubs that
//! misbehave, and a ledger that is compared.
//!
//! Nothing here imitates a part of the product. The world is files in a folder that goes away; the gate is the
//! real program, in this process ([`watched::Watched`]) or in one that can be killed ([`process::Program`]); the
//! hub is the real one, or a [`nonsense::Nonsense`] on the line before it. Everything random comes from a printed
//! seed. Who waits polls a condition with a deadline ([`until`]).

pub mod ledger;
pub mod lens;
pub mod nonsense;
pub mod ports;
pub mod process;
pub mod random;
pub mod sticks;
pub mod watched;
pub mod world;

use std::thread;
use std::time::{Duration, Instant};

/// The stack of a program's main thread.
const MAIN_STACK_BYTES: usize = 8 << 20;
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `look` gives something and gives it on.
///
/// # Panics
/// Where nothing came within `limit`; the message names `what` was waited for.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain for {what}");
        thread::sleep(LOOK_EVERY);
    }
}

/// Does what a program does in its main thread, with the stack that such a thread has; a test has a quarter of that, and
/// publishing and verifying trust need most of it.
pub fn as_main<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(MAIN_STACK_BYTES).spawn(work).expect("the system has a thread");
    thread.join().expect("the thread's own message is above")
}
