// SPDX-License-Identifier: BSD-2-Clause
//! A provider that remembers its calls and answers what a test wants.

use ioasid_core::PasidRange;
use ioasid_core::allocator::{Allocator, AllocatorId, Answer, Helpers, Provider, ProviderBusy, Ticket};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// A call of a helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// alloc, with its pdata and its range's ends.
    Alloc(u64, u32, u32),
    /// free, with its pdata and the number.
    Free(u64, u32),
}

#[derive(Debug, Default)]
struct Inner {
    calls: Vec<Call>,
    answers: VecDeque<Answer>,
    taken: BTreeSet<u32>,
    busy: bool,
}

/// A provider. Where a test has not said what it answers, it gives the lowest number that it has not given yet.
/// A clone is the same provider.
#[derive(Clone, Debug, Default)]
pub struct Script(Rc<RefCell<Inner>>);

impl Script {
    /// What to answer to the next allocation that nothing was said about yet.
    pub fn answer(&self, answer: Answer) {
        self.0.borrow_mut().answers.push_back(answer);
    }

    /// Whether to refuse frees.
    pub fn set_busy(&self, busy: bool) {
        self.0.borrow_mut().busy = busy;
    }

    /// The calls since the last time.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.borrow_mut().calls)
    }

    /// An allocator of this name and pdata, made of the provider with this number alone.
    #[must_use]
    pub fn allocator(id: u32, provider: u8, pdata: u64) -> Allocator {
        Allocator { id: AllocatorId(id), helpers: Helpers { alloc: provider, free: provider }, pdata }
    }
}

impl Provider for Script {
    fn alloc(&mut self, pdata: u64, range: PasidRange, _ticket: Ticket) -> Answer {
        let (min, max) = (range.min().get(), range.max().get());
        let mut inner = self.0.borrow_mut();
        inner.calls.push(Call::Alloc(pdata, min, max));
        if let Some(answer) = inner.answers.pop_front() {
            return answer;
        }
        match (min..=max).find(|id| !inner.taken.contains(id)) {
            Some(id) => {
                inner.taken.insert(id);
                Answer::Given(id)
            }
            None => Answer::Nothing,
        }
    }

    fn free(&mut self, pdata: u64, id: u32) -> Result<(), ProviderBusy> {
        let mut inner = self.0.borrow_mut();
        if inner.busy {
            return Err(ProviderBusy);
        }
        inner.calls.push(Call::Free(pdata, id));
        inner.taken.remove(&id);
        Ok(())
    }
}
