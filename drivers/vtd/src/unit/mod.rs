// SPDX-License-Identifier: BSD-2-Clause
//! One remapping unit: switching it on and off, and the devices, domains and bindings in its tables.
mod bindings;
mod devices;
mod domains;
mod events;
mod filling;

pub use filling::Filling;

use heapless::Vec;

use crate::access::{Registers, TableMemory};
use crate::capabilities::Capabilities;
use crate::domain::Domains;
use crate::error::{Error, Feature};
use crate::frames::{Frames, frame};
use crate::ids::{Share, SourceId};
use crate::paging::Stock;
use crate::queue::Queue;
use crate::quirks::Quirks;
use crate::registers::{
    ECAP, GCMD, GSTS, GlobalCommand, GlobalStatus, PMEN, ProtectedMemoryEnable, RTADDR, RootTableAddress,
    TranslationTableMode,
};
use crate::tables::Descriptor;

/// Devices with a device TLB that a unit keeps track of.
const ATS_DEVICES: usize = 16;
/// Shares of the table memory, besides the pool.
pub const SHARES: usize = 32;

/// What the owner of a unit decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Departures from the specification that the owner vouches for.
    pub quirks: Quirks,
    /// The most live domains, at most 8191 and what CAP.ND allows.
    pub domains: u16,
    /// The width of guest addresses that is wanted: up to 39 gives tables of 3 levels where the unit has them,
    /// more gives 4.
    pub address_bits: u8,
    /// The width of physical addresses (the DMAR table's host address width). Wider ones are refused.
    pub host_address_bits: u8,
    /// Descriptors of 128 bits instead of 256: all that the driver uses fit. Revision 4.1 has only wide ones in
    /// scalable mode; QEMU takes both, but 10.0 takes no PASID-based IOTLB invalidation in a narrow queue.
    pub narrow_queue: bool,
    /// How often a completion word or a status register is looked at before the driver gives up.
    pub poll_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            quirks: Quirks::default(),
            domains: 1023,
            address_bits: 48,
            host_address_bits: 46,
            narrow_queue: false,
            poll_limit: 1_000_000,
        }
    }
}

pub use devices::Device;
pub use events::Faults;

/// One remapping unit and its tables.
#[derive(Debug)]
pub struct Unit<R, M> {
    registers: R,
    frames: Frames<M>,
    capabilities: Capabilities,
    queue: Queue,
    domains: Domains,
    /// Physical address of the root table.
    root: u64,
    /// Depth of the tables of this unit's domains.
    levels: u8,
    /// Devices whose translations are cached in themselves.
    ats: Vec<SourceId, ATS_DEVICES>,
    /// Frames for domains' tables, by share.
    stocks: Vec<Stock, { SHARES + 1 }>,
    config: Config,
}

impl<R: Registers, M: TableMemory> Unit<R, M> {
    /// Reads what the unit can do and lays out empty tables. Nothing is switched on or off.
    ///
    /// # Errors
    /// [`Error::Missing`] where the unit lacks what the driver stands on, [`Error::BadMemory`] and
    /// [`Error::NoMemory`] where the table memory cannot be used.
    pub fn probe(mut registers: R, memory: M, config: Config) -> Result<Self, Error> {
        let capabilities = Capabilities::read(&mut registers, config.quirks)?;
        let levels = capabilities.levels(config.address_bits).ok_or(Error::Missing(Feature::AddressWidth))?;
        let mut frames = Frames::new(memory, ECAP.read(&mut registers).c())?;
        let root = frames.allocate(0)?;
        let queue = Queue::new(&mut frames, config.narrow_queue, config.poll_limit)?;
        let most = u16::try_from(capabilities.domains() - 1).unwrap_or(u16::MAX);
        let domains = Domains::new(&mut frames, config.domains.min(most))?;
        let (ats, stocks) = (Vec::new(), Vec::from_iter([Stock::pool()]));
        Ok(Self { registers, frames, capabilities, queue, domains, root, levels, ats, stocks, config })
    }

    /// What the unit can do.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Width of the guest addresses that domains translate.
    #[must_use]
    pub fn iova_bits(&self) -> u8 {
        self.capabilities.address_bits(self.levels)
    }

    /// Frames of the table memory that are not in use, those of all shares among them.
    #[must_use]
    pub fn free_frames(&self) -> usize {
        self.frames.free_frames() + self.stocks.iter().map(Stock::free).sum::<usize>()
    }

    /// Sets frames aside, so that the tables of the domains that are created in this share are made of them alone. Taking
    /// one and giving it back takes the same few steps then, whatever others do.
    ///
    /// # Errors
    /// [`Error::NoMemory`] where there are fewer; [`Error::NoShare`] beyond [`SHARES`].
    pub fn create_share(&mut self, frames: usize) -> Result<Share, Error> {
        let share = u8::try_from(self.stocks.len()).map_err(|_| Error::NoShare)?;
        if self.stocks.is_full() {
            return Err(Error::NoShare);
        }
        let stock = Stock::of(&mut self.frames, frames)?;
        self.stocks.push(stock).map_err(|_| Error::NoShare)?;
        Ok(Share(share))
    }

    /// The memory and a stock of it.
    fn stock(&mut self, share: Share) -> Result<(&mut Frames<M>, &mut Stock), Error> {
        let stock = self.stocks.get_mut(usize::from(share.0)).ok_or(Error::NoShare)?;
        Ok((&mut self.frames, stock))
    }

    /// The registers, for a caller that simulates or inspects the unit.
    pub fn registers(&mut self) -> &mut R {
        &mut self.registers
    }

    /// Switches translation on. From here on a request passes only where it was bound. Before the call nothing is
    /// remapped, so the owner keeps bus mastering off until it returns; but where an earlier life of the owner left
    /// translation on in scalable mode, it stays on, and the empty tables take the place of the old ones.
    ///
    /// # Errors
    /// [`Error::CommandTimeout`] or [`Error::Unconfirmed`]: translation is off, or its state is unknown.
    pub fn enable(&mut self) -> Result<(), Error> {
        let status = GSTS.read(&mut self.registers);
        let mode = RTADDR.read(&mut self.registers).mode();
        if status.tes() && mode != TranslationTableMode::Scalable {
            // The mode must not change while translation is on (VT-d 11.4.5).
            log::warn!("translation was left on, and is switched off to change the tables");
            self.command(|command| command.with_te(false), |status| !status.tes())?;
        }
        if status.qies() {
            self.command(|command| command.with_qie(false), |status| !status.qies())?;
        }
        self.queue.place(&mut self.registers);
        self.command(|command| command.with_qie(true), GlobalStatus::qies)?;
        self.queue.set_on(true);

        let root = RootTableAddress::new().with_mode(TranslationTableMode::Scalable);
        RTADDR.write(&mut self.registers, root.with_frame(frame(self.root)));
        self.command(|command| command.with_srtp(true), GlobalStatus::rtps)?;
        self.settle()?;
        self.command(|command| command.with_te(true), GlobalStatus::tes)?;
        self.release_protected_memory()
    }

    /// Switches translation off. Every device may reach all of memory from here on: the owner has switched bus
    /// mastering off.
    ///
    /// # Errors
    /// [`Error::CommandTimeout`].
    pub fn disable(&mut self) -> Result<(), Error> {
        self.command(|command| command.with_te(false), |status| !status.tes())?;
        self.command(|command| command.with_qie(false), |status| !status.qies())?;
        self.queue.set_on(false);
        Ok(())
    }

    /// Forgets everything that is cached. Once this is confirmed, so is everything that was left unconfirmed
    /// before, but for entries in quarantine, which are unbound once more.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`].
    pub fn settle(&mut self) -> Result<(), Error> {
        self.push(Descriptor::context_all())?;
        self.fence()?;
        self.push(Descriptor::pasid_cache_all())?;
        self.fence()?;
        self.push(Descriptor::iotlb_all())?;
        self.push_device_tlbs()?;
        self.submit()?;
        self.stocks.iter_mut().for_each(|stock| stock.confirm(&mut self.frames));
        Ok(())
    }

    /// Carries out invalidations for what software beside the driver changed: a guest its first-stage tables, a
    /// test an entry. Each descriptor starts when the one before it is done.
    ///
    /// # Errors
    /// [`Error::Unconfirmed`].
    pub fn invalidate(&mut self, descriptors: &[Descriptor]) -> Result<(), Error> {
        for &descriptor in descriptors {
            self.push(descriptor)?;
            self.fence()?;
        }
        self.submit()
    }

    /// Changes one thing in the global command register and waits until the status shows it (VT-d 11.4.4).
    fn command(
        &mut self,
        change: impl Fn(GlobalCommand) -> GlobalCommand,
        done: impl Fn(&GlobalStatus) -> bool,
    ) -> Result<(), Error> {
        let command = change(GSTS.read(&mut self.registers).command());
        GCMD.write(&mut self.registers, command);
        self.poll(|registers| done(&GSTS.read(registers)))
    }

    /// Looks until something holds, within the bound.
    fn poll(&mut self, mut done: impl FnMut(&mut R) -> bool) -> Result<(), Error> {
        for _ in 0..self.config.poll_limit {
            if done(&mut self.registers) {
                return Ok(());
            }
            self.registers.relax();
        }
        Err(Error::CommandTimeout)
    }

    /// Takes back what firmware protected before the tables did (VT-d 11.4.8).
    fn release_protected_memory(&mut self) -> Result<(), Error> {
        let cap = self.capabilities.cap();
        if !(cap.plmr() || cap.phmr()) || !PMEN.read(&mut self.registers).prs() {
            return Ok(());
        }
        PMEN.write(&mut self.registers, ProtectedMemoryEnable::new());
        self.poll(|registers| !PMEN.read(registers).prs())
    }

    /// Makes entries that became present visible to hardware that keeps them in a write buffer (CAP.RWBF); an
    /// invalidation through the queue does the same (VT-d 6.8).
    fn flush_write_buffer(&mut self) -> Result<(), Error> {
        if !self.capabilities.cap().rwbf() {
            return Ok(());
        }
        self.command(|command| command.with_wbf(true), |status| !status.wbfs())
    }

    fn push(&mut self, descriptor: Descriptor) -> Result<(), Error> {
        self.queue.push(&mut self.registers, &mut self.frames, descriptor)
    }

    fn fence(&mut self) -> Result<(), Error> {
        self.queue.fence(&mut self.registers, &mut self.frames)
    }

    fn submit(&mut self) -> Result<(), Error> {
        self.queue.submit(&mut self.registers, &mut self.frames)
    }

    /// Asks every device that has a TLB to forget all of it. A device's TLB is asked behind the unit's own, which
    /// it could otherwise fill itself from (VT-d 6.5.2.5).
    fn push_device_tlbs(&mut self) -> Result<(), Error> {
        if self.ats.is_empty() {
            return Ok(());
        }
        self.fence()?;
        for index in 0..self.ats.len() {
            let device = self.ats[index];
            self.push(Descriptor::device_tlb(device))?;
            self.push(Descriptor::pasid_device_tlb_all(device))?;
        }
        Ok(())
    }
}
