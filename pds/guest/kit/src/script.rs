// SPDX-License-Identifier: BSD-2-Clause
//! A protection domain's work as one straight piece of code that waits where it must, though Microkit's loop
//! calls it anew for each notification.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};

use sel4_microkit::{Channel, ChannelSet, Child, Handler, Infallible, MessageInfo};

/// Channels that were signalled and not yet waited for, a bit each.
static SIGNALLED: AtomicU64 = AtomicU64::new(0);
/// Children that have faulted and were not yet waited for, a bit each.
static FAULTED: AtomicU64 = AtomicU64::new(0);

/// Waits until `channel` is signalled; a signal that came before counts.
pub async fn signal(channel: Channel) {
    taken(&SIGNALLED, channel.index()).await;
}

/// Whether `channel` was signalled and not yet waited for.
pub fn was_signalled(channel: Channel) -> bool {
    take(&SIGNALLED, 1 << channel.index())
}

/// Waits until `child` faults; a fault that came before counts. The child stays stopped.
pub async fn fault(child: Child) {
    taken(&FAULTED, child.index()).await;
}

/// Waits until a bit is set, and takes it.
async fn taken(bits: &AtomicU64, index: usize) {
    poll_fn(|_| if take(bits, 1 << index) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// Takes a bit, and says whether it was set.
fn take(bits: &AtomicU64, bit: u64) -> bool {
    bits.fetch_and(!bit, Ordering::Relaxed) & bit != 0
}

/// Runs a future, a step at each notification and each fault of a child.
#[derive(Debug)]
pub struct Script<F> {
    future: F,
    done: bool,
}

impl<F: Future<Output = ()>> Script<F> {
    /// Nothing runs before the first notification: somebody else sends it.
    pub fn new(future: F) -> Self {
        Self { future, done: false }
    }

    fn step(&mut self) {
        if self.done {
            return;
        }
        // SAFETY: the future is polled from here alone, which only the runtime's calls of the handler lead to, and the
        // runtime never moves the handler again; nothing else takes the future out.
        let future = unsafe { Pin::new_unchecked(&mut self.future) };
        // Nobody wakes: each message is a step.
        self.done = future.poll(&mut Context::from_waker(Waker::noop())).is_ready();
    }
}

impl<F: Future<Output = ()>> Handler for Script<F> {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        let bits = channels.iter().fold(0, |bits, channel| bits | 1 << channel.index());
        SIGNALLED.fetch_or(bits, Ordering::Relaxed);
        self.step();
        Ok(())
    }

    fn fault(&mut self, child: Child, _: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        FAULTED.fetch_or(1 << child.index(), Ordering::Relaxed);
        self.step();
        Ok(None)
    }
}
