// SPDX-License-Identifier: BSD-2-Clause
//! What a client with `provider = true` does: it chooses numbers behind a custom allocator.

use core::ops::RangeInclusive;

use ioasid_api as api;

#[cfg(doc)]
use crate::Code;
use crate::{Client, Peer, Result};

/// What a provider is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Choose a number of the range, and [give](Client::give) it or [decline](Client::decline).
    Choose {
        /// Goes back with the answer.
        ticket: u64,
        /// The allocator's own word.
        pdata: u64,
        /// From where to choose.
        range: RangeInclusive<u32>,
    },
    /// A number that it gave is free again.
    TakeBack {
        /// The allocator's own word.
        pdata: u64,
        /// The number.
        id: u32,
    },
}

/// For a channel with `provider = true`; anybody else has [`Code::NotPermitted`]. The server
/// notifies the channel when there is something to do, and never waits: whoever asked for an id is refused with
/// [`Code::Pending`] and comes back for it.
///
/// ```
/// # use service_rig::{Grant, Machine};
/// # let mut machine = Machine::new(&[Grant::new("driver"), Grant::new("chooser").provider(), Grant::new("admin").admin()]);
/// # let service = machine.start();
/// # let [driver, chooser, admin] = ["driver", "chooser", "admin"].map(|name| service.client(name));
/// use ioasid_client::{Code, Error, Task};
///
/// admin.register_allocator(1, 0, 0, 77)?;
/// assert_eq!(driver.alloc(1..=1000, 0), Err(Error::Refused(Code::Pending)));
///
/// let Some(Task::Choose { ticket, pdata: 77, range }) = chooser.next_task()? else { unreachable!() };
/// chooser.give(ticket, *range.end())?;
/// let id = driver.alloc_result()?;
/// assert_eq!(id.pasid, 1000);
///
/// driver.free(id)?;
/// assert_eq!(chooser.next_task()?, Some(Task::TakeBack { pdata: 77, id: 1000 }));
/// assert_eq!(chooser.next_task()?, None);
/// # Ok::<(), Error>(())
/// ```
impl<P: Peer> Client<P> {
    /// What there is to do next, if anything.
    ///
    /// # Errors
    /// None but [`Code::ServerRestarted`].
    pub fn next_task(&self) -> Result<Option<Task>> {
        let api::Question { operation, ticket, pdata, range } = self.call(&api::Fetch {})?;
        let [lowest, highest] = [range & 0xffff_ffff, range >> 32].map(saturate);
        Ok(match operation {
            1 => Some(Task::Choose { ticket, pdata, range: lowest..=highest }),
            2 => Some(Task::TakeBack { pdata, id: saturate(ticket) }),
            _ => None,
        })
    }

    /// Answers with a number of the range.
    ///
    /// # Errors
    /// [`Code::Stale`]: nobody waits for this ticket any more; the number comes [back](Task::TakeBack).
    pub fn give(&self, ticket: u64, id: u32) -> Result<()> {
        self.call(&api::Answer { ticket, outcome: 0, id }).map(drop)
    }

    /// Answers that there is none: no number of the range is left, or, where it has `failed`, it cannot say.
    ///
    /// # Errors
    /// As [`Client::give`].
    pub fn decline(&self, ticket: u64, failed: bool) -> Result<()> {
        self.call(&api::Answer { ticket, outcome: 1 + u16::from(failed), id: 0 }).map(drop)
    }
}

/// The server sends numbers of 32 bits.
fn saturate(word: u64) -> u32 {
    u32::try_from(word).unwrap_or(u32::MAX)
}
