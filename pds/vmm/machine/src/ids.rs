// SPDX-License-Identifier: BSD-2-Clause
//! A machine's ids: what the service gave it in this life, by number.

use heapless::index_map::FnvIndexMap;
use ioasid_api::{Event, EventKind, FaultDirection, Handle};
use virtual_vtd::{Fault, REASON_PASID_NOT_PRESENT, Refusal};

/// The most ids that a machine may have, whatever its set's limit. A power of two.
const MOST: usize = 256;

/// The ioasid service, as a machine needs it.
pub trait Service {
    /// An id of the machine's set; `None` where there is none to be had. One call.
    fn alloc(&mut self) -> Option<Handle>;
    /// Gives an id back. One call; from here on the id is the service's, whatever becomes of its teardown.
    fn free(&mut self, handle: Handle);
    /// What the service has to say that was not yet asked for. No call: it stands in memory.
    fn event(&mut self) -> Option<Event>;
}

/// The ids of a machine's life.
#[derive(Debug, Default)]
pub struct Ids {
    live: FnvIndexMap<u32, Handle, MOST>,
}

impl Ids {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { live: FnvIndexMap::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.live.len()
    }

    /// One more: one call.
    ///
    /// # Errors
    /// The set is at its limit, or the service gives none.
    pub fn alloc(&mut self, service: &mut impl Service) -> Result<u32, Refusal> {
        if self.live.len() == MOST {
            return Err(Refusal);
        }
        let handle = service.alloc().ok_or(Refusal)?;
        // There is room; and the service gives no number twice.
        let _ = self.live.insert(handle.pasid, handle);
        Ok(handle.pasid)
    }

    /// One less: one call, and none where the number is not this machine's.
    ///
    /// # Errors
    /// It is not this machine's.
    pub fn free(&mut self, service: &mut impl Service, pasid: u32) -> Result<u32, Refusal> {
        service.free(self.live.remove(&pasid).ok_or(Refusal)?);
        Ok(0)
    }

    /// Gives all of them back; gives how many there were.
    pub fn free_all(&mut self, service: &mut impl Service) -> usize {
        let count = self.live.len();
        self.live.values().for_each(|&handle| service.free(handle));
        self.live.clear();
        count
    }

    /// What an event of the service is to the guest, as faults of its unit: a device that the unit stopped, or ids that
    /// no device can use any more, because they were taken away.
    pub(crate) fn event(&mut self, event: &Event, mut fault: impl FnMut(Fault)) {
        let gone = |pasid| Fault {
            source: 0,
            pasid: Some(pasid),
            address: 0,
            read: false,
            reason: REASON_PASID_NOT_PRESENT,
        };
        match event.kind {
            EventKind::Fault => fault(Fault {
                // The devices that its set has are the functions that the guest sees on bus 0, in their order.
                source: event.device << 3,
                pasid: event.handle.map(|handle| handle.pasid),
                address: event.address,
                read: event.direction == FaultDirection::Read,
                // The unit's reasons have 8 bits.
                reason: u8::try_from(event.reason).unwrap_or(0),
            }),
            EventKind::Revoke => {
                let Some(handle) = event.handle else { return };
                if self.live.get(&handle.pasid) == Some(&handle) {
                    self.live.remove(&handle.pasid);
                    fault(gone(handle.pasid));
                }
            }
            EventKind::SetGone => {
                self.live.keys().for_each(|&pasid| fault(gone(pasid)));
                self.live.clear();
            }
            // The machine's own doing.
            EventKind::Alloc | EventKind::Free | EventKind::Bind | EventKind::Unbind => {}
        }
    }
}
