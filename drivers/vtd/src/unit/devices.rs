// SPDX-License-Identifier: BSD-2-Clause
//! Devices: their context entries and their own PASID directories.
use super::Unit;
use crate::access::{Registers, TableMemory};
use crate::domain::{Stage, Target};
use crate::error::{Error, Feature};
use crate::frames::{FRAME, address, frame};
use crate::ids::{DomainId, Pasid, SourceId};
use crate::paging::{Access, Mapping, PageSize};
use crate::tables::{
    ContextWord0, ContextWord1, Descriptor, PasidDirectoryEntry, PasidEntry, RootEntry, RootHalf,
    ScalableContextEntry,
};

/// How a device is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Width of the PASIDs that its directory covers: rounded up to 13, at most what the unit has. Up to 15 bits
    /// take one frame, 20 take 32.
    pub pasid_bits: u8,
    /// Whether it may ask for translations and cache them (ATS).
    pub ats: bool,
}

impl Default for Device {
    fn default() -> Self {
        Self { pasid_bits: Pasid::BITS, ats: false }
    }
}

/// A device's context entry: what it says, and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) address: u64,
    pub(super) entry: ScalableContextEntry,
}

impl<R: Registers, M: TableMemory> Unit<R, M> {
    /// Gives a device a directory of its own, with nothing bound in it: all that it asks for is still denied.
    ///
    /// # Errors
    /// [`Error::AlreadyAttached`], [`Error::Quarantined`] (detach it again first), [`Error::Missing`],
    /// [`Error::PasidTooWide`], [`Error::TooManyAtsDevices`], [`Error::NoMemory`]. After [`Error::Unconfirmed`]
    /// the device is attached; hardware may deny it until [`Unit::settle`] succeeds.
    pub fn attach(&mut self, device: SourceId, options: Device) -> Result<(), Error> {
        if options.ats && !self.capabilities.ecap().dt() {
            return Err(Error::Missing(Feature::DeviceTlb));
        }
        if options.pasid_bits > self.capabilities.pasid_bits() {
            return Err(Error::PasidTooWide);
        }
        if options.ats && self.ats.is_full() {
            return Err(Error::TooManyAtsDevices);
        }
        let table = self.context_table(device)?;
        let address = context_address(table, device);
        let old: ScalableContextEntry = self.frames.read(address);
        match old {
            ScalableContextEntry::DENY => {}
            entry if entry.word0.present() => return Err(Error::AlreadyAttached),
            _ => return Err(Error::Quarantined),
        }
        let size = options.pasid_bits.max(ScalableContextEntry::SMALLEST_PASID_BITS)
            - ScalableContextEntry::SMALLEST_PASID_BITS;
        let directory = self.frames.allocate(directory_order(size))?;
        let word0 = ContextWord0::new().with_present(true).with_pasid_enable(true).with_directory_size(size);
        let word0 = word0.with_device_tlb(options.ats).with_directory(frame(directory));
        self.frames.write(address, ScalableContextEntry { word0, word1: ContextWord1::new() });
        if options.ats {
            // The room was checked above.
            let _ = self.ats.push(device);
        }
        self.forget_device(device)
    }

    /// Denies all that a device asks for, whatever it is bound to: one invalidation, however many bindings there are.
    /// These stay, and can be taken away meanwhile.
    ///
    /// # Errors
    /// [`Error::NotAttached`]. After [`Error::Unconfirmed`] it is denied in the tables, and perhaps still allowed by
    /// what is cached; the same call may be made again.
    pub fn suspend(&mut self, device: SourceId) -> Result<(), Error> {
        let Context { address, mut entry } = self.context(device)?;
        entry.word0.set_present(false);
        self.frames.write(address, entry.word0);
        self.forget_device(device)
    }

    /// Lets a suspended device have what it is bound to again. Nothing changes for one that is not suspended.
    ///
    /// # Errors
    /// [`Error::NotAttached`]. After [`Error::Unconfirmed`] hardware may deny it until [`Unit::settle`] succeeds.
    pub fn resume(&mut self, device: SourceId) -> Result<(), Error> {
        let Context { address, mut entry } = self.context(device)?;
        entry.word0.set_present(true);
        self.frames.write(address, entry.word0);
        self.forget_device(device)
    }

    /// Takes a device's directory away. All that it asks for is denied.
    ///
    /// # Errors
    /// [`Error::NotAttached`], [`Error::DeviceBound`]. After [`Error::Unconfirmed`] the device is denied, but its
    /// directory is kept until another call of this function succeeds.
    pub fn detach(&mut self, device: SourceId) -> Result<(), Error> {
        let Context { address, entry } = self.context(device)?;
        let directory = crate::frames::address(entry.word0.directory());
        let slots = 1 << (entry.pasid_bits() - 6);
        if (0..slots).any(|slot| self.table_in_use(directory, slot)) {
            return Err(Error::DeviceBound);
        }
        self.suspend(device)?;
        self.ats.retain(|&other| other != device);
        self.frames.write(address, ScalableContextEntry::DENY);
        for slot in 0..slots {
            let entry: PasidDirectoryEntry = self.frames.read(directory + slot * PasidDirectoryEntry::BYTES);
            if entry.present() {
                self.frames.release(crate::frames::address(entry.frame()), 0);
            }
        }
        self.frames.release(directory, directory_order(entry.word0.directory_size()));
        Ok(())
    }

    /// Lets a device's untagged requests run under `pasid` (RID_PASID). [`Pasid::UNTAGGED`] is where they run
    /// after [`Unit::attach`].
    ///
    /// # Errors
    /// [`Error::Missing`] where the unit has no such field: there, bind [`Pasid::UNTAGGED`] itself.
    /// [`Error::NotAttached`], [`Error::PasidTooWide`]. After [`Error::Unconfirmed`] it is not known which of the
    /// two PASIDs is used.
    pub fn set_untagged(&mut self, device: SourceId, pasid: Pasid) -> Result<(), Error> {
        if pasid != Pasid::UNTAGGED && !self.capabilities.rid_pasid() {
            return Err(Error::Missing(Feature::RidPasid));
        }
        let Context { address, mut entry } = self.attached(device)?;
        if pasid.get() >> entry.pasid_bits() != 0 {
            return Err(Error::PasidTooWide);
        }
        entry.word1.set_rid_pasid(pasid.get());
        self.frames.write(address, entry);
        self.forget_device(device)
    }

    /// Lets the unit record no more faults of a device, or record them again (FPD). Its requests are denied or
    /// allowed as before.
    ///
    /// # Errors
    /// [`Error::NotAttached`], [`Error::Quarantined`]. After [`Error::Unconfirmed`] it may not be in force yet.
    pub fn set_quiet(&mut self, device: SourceId, quiet: bool) -> Result<(), Error> {
        let Context { address, mut entry } = self.attached(device)?;
        entry.word0.set_fault_disable(quiet);
        self.frames.write(address, entry.word0);
        self.push(Descriptor::context(device))?;
        // What a PASID entry was cached with comes from here, too.
        self.fence()?;
        self.push(Descriptor::pasid_cache_all())?;
        self.submit()
    }

    /// Lets a device reach memory that firmware reserved for it (an RMRR of the DMAR table), at its own addresses
    /// and for requests without PASID. The device is attached where it was not. To be called before
    /// [`Unit::enable`], so that the device never loses it.
    ///
    /// # Errors
    /// Those of [`Unit::attach`], [`Unit::create_domain`], [`Unit::bind`] and [`Unit::map`]. A device whose
    /// untagged requests are bound to anything but a second-stage domain has [`Error::AlreadyBound`].
    pub fn allow_reserved(&mut self, device: SourceId, base: u64, bytes: u64) -> Result<DomainId, Error> {
        match self.attached(device) {
            Err(Error::NotAttached) => self.attach(device, Device::default())?,
            attached => drop(attached?),
        }
        let domain = match self.binding(device, Pasid::UNTAGGED) {
            Some(Target::Domain(domain)) => domain,
            Some(Target::Nested { .. }) => return Err(Error::AlreadyBound),
            None => {
                let domain = self.create_domain(Stage::Second)?;
                self.bind(device, Pasid::UNTAGGED, domain)?;
                domain
            }
        };
        let (access, largest) = (Access::ReadWrite, PageSize::Huge);
        self.map(domain, Mapping { iova: base, phys: base, bytes, access, largest })?;
        Ok(domain)
    }

    /// Forgets what is cached of a device's context entry, and all that came from it (VT-d 6.5.3.3).
    fn forget_device(&mut self, device: SourceId) -> Result<(), Error> {
        self.push(Descriptor::context(device))?;
        self.fence()?;
        self.push(Descriptor::pasid_cache_all())?;
        self.fence()?;
        self.push(Descriptor::iotlb_all())?;
        self.push_device_tlbs()?;
        self.submit()
    }

    /// Whether any entry of a PASID table binds or is in quarantine.
    fn table_in_use(&self, directory: u64, slot: u64) -> bool {
        let entry: PasidDirectoryEntry = self.frames.read(directory + slot * PasidDirectoryEntry::BYTES);
        entry.present()
            && (0..64).any(|index| {
                let entry: PasidEntry = self.frames.read(address(entry.frame()) + index * PasidEntry::BYTES);
                entry != PasidEntry::DENY
            })
    }

    /// The root half that serves a device: where it is, and what it says.
    fn root_half(&self, device: SourceId) -> (u64, RootHalf) {
        let entry = self.root + u64::from(device.bus()) * RootEntry::BYTES;
        let address = if device.devfn() < 128 { entry } else { entry + RootEntry::BYTES / 2 };
        (address, self.frames.read(address))
    }

    /// The context table that serves a device; an empty one is made where there is none.
    fn context_table(&mut self, device: SourceId) -> Result<u64, Error> {
        let (entry, half) = self.root_half(device);
        if half.present() {
            return Ok(address(half.frame()));
        }
        let table = self.frames.allocate(0)?;
        self.frames.write(entry, RootHalf::new().with_present(true).with_frame(frame(table)));
        Ok(table)
    }

    /// The context entry of a device that is attached, suspended or not, or whose detaching was not confirmed.
    pub(super) fn context(&self, device: SourceId) -> Result<Context, Error> {
        let (_, half) = self.root_half(device);
        if !half.present() {
            return Err(Error::NotAttached);
        }
        let address = context_address(address(half.frame()), device);
        let entry: ScalableContextEntry = self.frames.read(address);
        if entry == ScalableContextEntry::DENY {
            return Err(Error::NotAttached);
        }
        Ok(Context { address, entry })
    }

    /// The context entry of a device that is attached.
    pub(super) fn attached(&self, device: SourceId) -> Result<Context, Error> {
        let context = self.context(device)?;
        if context.entry.word0.present() { Ok(context) } else { Err(Error::Quarantined) }
    }
}

fn context_address(table: u64, device: SourceId) -> u64 {
    table + u64::from(device.devfn() % 128) * ScalableContextEntry::BYTES
}

/// Order of the run of frames that a directory of this PDTS takes: 2^(PDTS + 7) entries of 8 bytes.
fn directory_order(size: u8) -> u8 {
    const _: () = assert!(PasidDirectoryEntry::BYTES << 9 == FRAME as u64);
    size.saturating_sub(2)
}
