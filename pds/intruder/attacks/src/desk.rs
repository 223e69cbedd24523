// SPDX-License-Identifier: BSD-2-Clause
//! The page between the intruder and whoever orders its attacks.

use core::sync::atomic::{AtomicU64, Ordering};

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Order {
    /// That many random messages.
    Calls = 1,
    /// DMA to all of memory, under an id that maps one page of the intruder's own: each page that is sampled is read and
    /// written.
    Sweep,
    /// Writes that are interrupt messages, of that many vectors.
    Interrupts,
}

impl Order {
    fn from_word(word: u64) -> Option<Self> {
        [Self::Calls, Self::Sweep, Self::Interrupts].into_iter().find(|&order| order as u64 == word)
    }
}

/// The page. Everything but the order is the intruder's to write.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Desk {
    order: AtomicU64,
    times: AtomicU64,
    /// The seed.
    pub seed: AtomicU64,
    /// Messages that were sent.
    pub calls: AtomicU64,
    /// Transfers of its device's that were started and are not allowed.
    pub transfers: AtomicU64,
    /// Answers that the service must not give.
    pub impossible: AtomicU64,
    /// The label of the first message that was answered so.
    pub message: AtomicU64,
    /// And the label of the answer.
    pub answer: AtomicU64,
    /// Words of others' that its device read, or that stood on its pages.
    pub leaked: AtomicU64,
}

impl Desk {
    /// Gives an order: what, and how often.
    pub fn put(&self, order: Order, times: u64) {
        self.times.store(times, Ordering::Relaxed);
        self.order.store(order as u64, Ordering::Relaxed);
    }

    /// Takes the order, if there is one.
    pub fn take(&self) -> Option<(Order, u64)> {
        let order = Order::from_word(self.order.swap(0, Ordering::Relaxed))?;
        Some((order, self.times.load(Ordering::Relaxed)))
    }

    /// Counts one more.
    pub fn count(&self, what: &AtomicU64) {
        what.fetch_add(1, Ordering::Relaxed);
    }
}
