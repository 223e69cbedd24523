// SPDX-License-Identifier: BSD-2-Clause
//! The virtual command register: how a guest asks the hypervisor around it for PASIDs (VT-d 10.4.40 ff., revision 3.3).
//!
//! Two layouts exist in kernels that were shipped; [`Layout`] is the table of both. [`VcmdProvider`] is the guest's side.
//! It polls, and says how often at most; the field names and the codes serve the hypervisor's side too.
//!
//! ```
//! use ioasid_core::allocator::vcmd::{self, Layout, VcmdProvider};
//! use ioasid_core::allocator::{Allocator, AllocatorId, Helpers};
//! use ioasid_core::{Allocation, Config, Error, Memory, Registry, SetConfig};
//!
//! /// A unit whose hypervisor has the PASID 7 to give, and no other. A real one's accesses are volatile.
//! #[derive(Default)]
//! struct Unit {
//!     taken: bool,
//!     response: u64,
//! }
//!
//! const LAYOUT: Layout = Layout::REVISION_3_3;
//!
//! impl vcmd::Registers for Unit {
//!     fn read(&mut self, offset: u64) -> u64 {
//!         if offset == LAYOUT.vccap { vcmd::CAPABILITY_PASID } else { self.response }
//!     }
//!
//!     fn write(&mut self, _vcmd: u64, command: u64) {
//!         let alloc = command == LAYOUT.alloc();
//!         let (status, result) = if alloc && self.taken { (LAYOUT.status_no_pasid, 0) } else { (0, 7) };
//!         self.response = LAYOUT.response(status, result);
//!         self.taken = alloc;
//!     }
//! }
//!
//! let mut words = vec![0; Memory::words_for(4096)];
//! let memory = Memory { words: &mut words };
//! let provider = VcmdProvider::new(Unit::default(), LAYOUT, 1000).expect("it says that it allocates");
//! let mut providers = [provider];
//! let mut registry = Registry::with(memory, Config::default(), &mut providers, ())?;
//! let helpers = Helpers { alloc: 0, free: 0 };
//! registry.register_allocator(Allocator { id: AllocatorId(1), helpers, pdata: 0 })?;
//!
//! let set = registry.create_set(SetConfig { reservation: 0, limit: 8 })?;
//! let Allocation::Ready(handle) = registry.alloc(set, 1..=4095, 0)? else { unreachable!("it never says later") };
//! assert_eq!(handle.pasid.get(), 7);
//! assert_eq!(registry.alloc(set, 1..=4095, 0), Err(Error::NoSpace));
//! # Ok::<(), Error>(())
//! ```

use super::{Answer, Provider, ProviderBusy, Ticket};
use crate::PasidRange;

/// Where the registers are, in bytes from the unit's base, and how their fields lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Virtual command.
    pub vcmd: u64,
    /// Virtual command response.
    pub vcrsp: u64,
    /// Virtual command capability.
    pub vccap: u64,
    /// Where a command's operand and a response's result begin, in bits.
    pub operand_shift: u32,
    /// Which bits of the response, from bit 1 on, are the status.
    pub status_mask: u64,
    /// The status that says: no PASID is left, or not one of yours.
    pub status_no_pasid: u64,
}

impl Layout {
    /// Revision 3.3 of the specification; Linux 5.13 and later.
    pub const REVISION_3_3: Self = Self {
        vcmd: 0xe00,
        vcrsp: 0xe10,
        vccap: 0xe30,
        operand_shift: 16,
        status_mask: 0x7f,
        status_no_pasid: 16,
    };
    /// What kernels before that have.
    pub const OLDER: Self = Self {
        vcmd: 0xe10,
        vcrsp: 0xe20,
        vccap: 0xe00,
        operand_shift: 8,
        status_mask: 0x3,
        status_no_pasid: 2,
    };

    /// The command word of an allocation.
    #[must_use]
    pub const fn alloc(&self) -> u64 {
        COMMAND_ALLOC
    }

    /// The command word of a free.
    #[must_use]
    pub const fn free(&self, id: u32) -> u64 {
        COMMAND_FREE | (id as u64) << self.operand_shift
    }

    /// The status in a response.
    #[must_use]
    pub const fn status(&self, response: u64) -> u64 {
        response >> 1 & self.status_mask
    }

    /// The PASID in a response: 20 bits.
    #[must_use]
    pub const fn result(&self, response: u64) -> u32 {
        (response >> self.operand_shift & 0xf_ffff) as u32
    }

    /// The response of a command that is done.
    #[must_use]
    pub const fn response(&self, status: u64, result: u32) -> u64 {
        (status & self.status_mask) << 1 | (result as u64) << self.operand_shift
    }
}

/// Allocate a PASID.
pub const COMMAND_ALLOC: u64 = 1;
/// Free a PASID.
pub const COMMAND_FREE: u64 = 2;
/// VCRSP: a command is in progress.
pub const IN_PROGRESS: u64 = 1;
/// VCCAP: PASIDs are allocated through this register.
pub const CAPABILITY_PASID: u64 = 1;

/// A unit's registers.
pub trait Registers {
    /// Reads 64 bits at an offset in bytes.
    fn read(&mut self, offset: u64) -> u64;
    /// Writes 64 bits at an offset in bytes.
    fn write(&mut self, offset: u64, value: u64);
}

/// An allocator that asks the hypervisor. Its `pdata` is not used: each unit is a provider of its own.
#[derive(Debug)]
pub struct VcmdProvider<R> {
    registers: R,
    layout: Layout,
    polls: u32,
    /// An allocation was issued and its response not seen.
    unread: bool,
}

impl<R: Registers> VcmdProvider<R> {
    /// A provider on a unit's registers that reads the response `polls` times at most.
    ///
    /// `None` where the unit does not say that it allocates PASIDs.
    pub fn new(mut registers: R, layout: Layout, polls: u32) -> Option<Self> {
        let capable = registers.read(layout.vccap) & CAPABILITY_PASID != 0;
        capable.then_some(Self { registers, layout, polls, unread: false })
    }

    /// The response, once no command is in progress.
    fn settled(&mut self) -> Option<u64> {
        (0..self.polls)
            .map(|_| self.registers.read(self.layout.vcrsp))
            .find(|response| response & IN_PROGRESS == 0)
    }

    /// Makes sure that a command can be issued. What an earlier allocation gave too late goes back first.
    fn ready(&mut self) -> Option<()> {
        let response = self.settled()?;
        if core::mem::take(&mut self.unread) && self.layout.status(response) == 0 {
            self.registers.write(self.layout.vcmd, self.layout.free(self.layout.result(response)));
            self.settled()?;
        }
        Some(())
    }
}

impl<R: Registers> Provider for VcmdProvider<R> {
    /// The hypervisor chooses without being told the range. A number outside it is handed back by the registry.
    fn alloc(&mut self, _pdata: u64, _range: PasidRange, _ticket: Ticket) -> Answer {
        if self.ready().is_none() {
            return Answer::Failed;
        }
        self.registers.write(self.layout.vcmd, self.layout.alloc());
        let Some(response) = self.settled() else {
            self.unread = true;
            return Answer::Failed;
        };
        match self.layout.status(response) {
            0 => Answer::Given(self.layout.result(response)),
            status if status == self.layout.status_no_pasid => Answer::Nothing,
            _ => Answer::Failed,
        }
    }

    /// Once the command is issued it is not repeated, whatever the response: the hypervisor is told exactly once.
    fn free(&mut self, _pdata: u64, id: u32) -> Result<(), ProviderBusy> {
        self.ready().ok_or(ProviderBusy)?;
        self.registers.write(self.layout.vcmd, self.layout.free(id));
        Ok(())
    }
}
