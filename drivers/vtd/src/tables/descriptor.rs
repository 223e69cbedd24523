// SPDX-License-Identifier: BSD-2-Clause
//! Descriptors of the invalidation queue (VT-d 6.5.2). Those used here have 128 bits; in a queue of 256-bit
//! descriptors the upper half is reserved and stays 0, as it is in fresh memory.
use bitfield_struct::{bitenum, bitfield};

use crate::ids::{DomainId, Pasid, SourceId};

/// TYPE: the kinds of descriptors.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    #[fallback]
    Reserved = 0,
    ContextCache = 1,
    Iotlb = 2,
    DeviceTlb = 3,
    Wait = 5,
    PasidIotlb = 6,
    PasidCache = 7,
    PasidDeviceTlb = 8,
}

/// G of a context-cache invalidation.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ContextGranularity {
    /// A reserved encoding.
    #[fallback]
    Reserved = 0,
    /// Everything.
    Global = 1,
    /// One domain (legacy mode).
    Domain = 2,
    /// One function.
    Device = 3,
}

/// G of an IOTLB or PASID-based IOTLB invalidation; the latter has no global form.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum IotlbGranularity {
    /// A reserved encoding.
    #[fallback]
    Reserved = 0,
    /// Everything.
    Global = 1,
    /// One domain (of a PASID-based one: one PASID in it).
    Selective = 2,
    /// Pages of it.
    Pages = 3,
}

/// G of a PASID-cache invalidation.
#[bitenum]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PasidCacheGranularity {
    /// Every PASID of one domain.
    Domain = 0,
    /// One PASID of one domain.
    Pasid = 1,
    /// A reserved encoding.
    #[fallback]
    Reserved = 2,
    /// Everything.
    Global = 3,
}

/// Context-cache invalidation (VT-d 6.5.2.1).
#[bitfield(u64)]
struct ContextCache {
    #[bits(4)]
    kind: Kind,
    #[bits(2)]
    granularity: ContextGranularity,
    #[bits(10)]
    __: u16,
    domain: u16,
    source: u16,
    #[bits(2)]
    function_mask: u8,
    #[bits(14)]
    __: u16,
}

/// First word of an IOTLB invalidation (VT-d 6.5.2.3).
#[bitfield(u64)]
struct Iotlb {
    #[bits(4)]
    kind: Kind,
    #[bits(2)]
    granularity: IotlbGranularity,
    drain_writes: bool,
    drain_reads: bool,
    __: u8,
    domain: u16,
    __: u32,
}

/// First word of a PASID-based IOTLB (VT-d 6.5.2.4) or, with its own granularity, a PASID-cache invalidation
/// (VT-d 6.5.2.2).
#[bitfield(u64)]
struct PasidSelective {
    #[bits(4)]
    kind: Kind,
    #[bits(2)]
    granularity: u8,
    #[bits(10)]
    __: u16,
    domain: u16,
    #[bits(20)]
    pasid: u32,
    #[bits(12)]
    __: u16,
}

/// Second word of an IOTLB or PASID-based IOTLB invalidation: which pages.
#[bitfield(u64)]
struct Pages {
    /// AM: 2^AM pages.
    #[bits(6)]
    mask: u8,
    /// IH: no table entry above the pages changed.
    leaf_only: bool,
    #[bits(5)]
    __: u8,
    #[bits(52)]
    page: u64,
}

/// First word of a device-TLB invalidation (VT-d 6.5.2.5).
#[bitfield(u64)]
struct DeviceTlb {
    #[bits(4)]
    kind: Kind,
    #[bits(8)]
    __: u8,
    #[bits(4)]
    physical_function_low: u8,
    #[bits(5)]
    most_pending: u8,
    #[bits(11)]
    __: u16,
    source: u16,
    #[bits(4)]
    __: u8,
    #[bits(12)]
    physical_function_high: u16,
}

/// First word of a PASID-based device-TLB invalidation (VT-d 6.5.2.6).
#[bitfield(u64)]
struct PasidDeviceTlb {
    #[bits(4)]
    kind: Kind,
    #[bits(5)]
    most_pending: u8,
    #[bits(3)]
    __: u8,
    #[bits(4)]
    physical_function_low: u8,
    source: u16,
    #[bits(20)]
    pasid: u32,
    #[bits(12)]
    physical_function_high: u16,
}

/// Second word of both device-TLB invalidations: which addresses, and for a PASID-based one whether of every
/// PASID.
#[bitfield(u64)]
struct DeviceRange {
    /// G of a PASID-based invalidation, S of the other.
    flag: bool,
    #[bits(10)]
    __: u16,
    /// S of a PASID-based invalidation.
    pasid_size: bool,
    #[bits(52)]
    page: u64,
}

/// The page field that, with S set, means every address: ones up to a 0 in the top bit (VT-d 6.5.2.5).
const EVERY_ADDRESS: u64 = (1 << 51) - 1;

/// First word of an invalidation wait (VT-d 6.5.2.8).
#[bitfield(u64)]
struct Wait {
    #[bits(4)]
    kind: Kind,
    interrupt: bool,
    write_status: bool,
    fence: bool,
    page_request_drain: bool,
    #[bits(24)]
    __: u32,
    data: u32,
}

/// A descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor([u64; 2]);
const _: () = assert!(size_of::<Descriptor>() == 16);

impl From<[u64; 2]> for Descriptor {
    fn from(words: [u64; 2]) -> Self {
        Self(words)
    }
}

impl Descriptor {
    const fn of(first: u64, second: u64) -> Self {
        Self([first, second])
    }

    /// The words, in the order of memory.
    #[must_use]
    pub const fn words(self) -> [u64; 2] {
        self.0
    }

    /// Forgets the context entry of every function.
    #[must_use]
    pub fn context_all() -> Self {
        let word = ContextCache::new().with_kind(Kind::ContextCache);
        Self::of(word.with_granularity(ContextGranularity::Global).into_bits(), 0)
    }

    /// Forgets the context entry of one function.
    #[must_use]
    pub fn context(device: SourceId) -> Self {
        let word = ContextCache::new().with_kind(Kind::ContextCache);
        Self::of(word.with_granularity(ContextGranularity::Device).with_source(device.get()).into_bits(), 0)
    }

    /// Forgets every PASID entry.
    #[must_use]
    pub fn pasid_cache_all() -> Self {
        let word = PasidSelective::new().with_kind(Kind::PasidCache);
        Self::of(word.with_granularity(PasidCacheGranularity::Global.into_bits()).into_bits(), 0)
    }

    /// Forgets the entries of one PASID in one domain.
    #[must_use]
    pub fn pasid_cache(domain: DomainId, pasid: Pasid) -> Self {
        let word = PasidSelective::new().with_kind(Kind::PasidCache).with_domain(domain.get());
        let word = word.with_granularity(PasidCacheGranularity::Pasid.into_bits()).with_pasid(pasid.get());
        Self::of(word.into_bits(), 0)
    }

    fn iotlb(granularity: IotlbGranularity, domain: u16) -> Iotlb {
        let word = Iotlb::new().with_kind(Kind::Iotlb).with_granularity(granularity).with_domain(domain);
        word.with_drain_reads(true).with_drain_writes(true)
    }

    /// Forgets every translation.
    #[must_use]
    pub fn iotlb_all() -> Self {
        Self::of(Self::iotlb(IotlbGranularity::Global, 0).into_bits(), 0)
    }

    /// Forgets every second-stage and nested translation of one domain, and its tables.
    #[must_use]
    pub fn iotlb_domain(domain: DomainId) -> Self {
        Self::of(Self::iotlb(IotlbGranularity::Selective, domain.get()).into_bits(), 0)
    }

    /// Forgets the second-stage translations of 2^`mask` pages from `iova`, which is aligned to them, and the
    /// tables on the way to them.
    #[must_use]
    pub fn iotlb_pages(domain: DomainId, iova: u64, mask: u8) -> Self {
        let pages = Pages::new().with_mask(mask).with_page(iova >> 12);
        Self::of(Self::iotlb(IotlbGranularity::Pages, domain.get()).into_bits(), pages.into_bits())
    }

    fn pasid_iotlb_word(granularity: IotlbGranularity, domain: DomainId, pasid: Pasid) -> u64 {
        let word = PasidSelective::new().with_kind(Kind::PasidIotlb).with_domain(domain.get());
        word.with_granularity(granularity.into_bits()).with_pasid(pasid.get()).into_bits()
    }

    /// Forgets every first-stage, nested and pass-through translation of one PASID.
    #[must_use]
    pub fn pasid_iotlb(domain: DomainId, pasid: Pasid) -> Self {
        Self::of(Self::pasid_iotlb_word(IotlbGranularity::Selective, domain, pasid), 0)
    }

    /// As [`Self::iotlb_pages`], of the first stage.
    #[must_use]
    pub fn pasid_iotlb_pages(domain: DomainId, pasid: Pasid, iova: u64, mask: u8) -> Self {
        let pages = Pages::new().with_mask(mask).with_page(iova >> 12);
        Self::of(Self::pasid_iotlb_word(IotlbGranularity::Pages, domain, pasid), pages.into_bits())
    }

    /// Asks a device to forget every translation of requests without PASID.
    #[must_use]
    pub fn device_tlb(device: SourceId) -> Self {
        let word = DeviceTlb::new().with_kind(Kind::DeviceTlb).with_source(device.get());
        let range = DeviceRange::new().with_flag(true).with_page(EVERY_ADDRESS);
        Self::of(word.into_bits(), range.into_bits())
    }

    fn pasid_device_tlb_word(device: SourceId, pasid: Pasid) -> u64 {
        let word = PasidDeviceTlb::new().with_kind(Kind::PasidDeviceTlb);
        word.with_source(device.get()).with_pasid(pasid.get()).into_bits()
    }

    /// Asks a device to forget every translation of one PASID.
    #[must_use]
    pub fn pasid_device_tlb(device: SourceId, pasid: Pasid) -> Self {
        let range = DeviceRange::new().with_pasid_size(true).with_page(EVERY_ADDRESS);
        Self::of(Self::pasid_device_tlb_word(device, pasid), range.into_bits())
    }

    /// Asks a device to forget every translation of every PASID.
    #[must_use]
    pub fn pasid_device_tlb_all(device: SourceId) -> Self {
        let range = DeviceRange::new().with_flag(true).with_pasid_size(true).with_page(EVERY_ADDRESS);
        Self::of(Self::pasid_device_tlb_word(device, Pasid::UNTAGGED), range.into_bits())
    }

    /// Writes `data` to the 32-bit word at `status` when everything before it is done; with `fence`, nothing
    /// behind it starts before. It never asks for an interrupt as well: QEMU up to 10.0 aborts on both at once.
    #[must_use]
    pub fn wait(status: u64, data: u32, fence: bool) -> Self {
        let word = Wait::new().with_kind(Kind::Wait).with_write_status(true).with_fence(fence);
        Self::of(word.with_data(data).into_bits(), status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_have_the_bits_of_the_specification() {
        let device = SourceId::from(0x12f8);
        let pasid = Pasid::new(0xabcde).unwrap();
        let domain = DomainId(0x7654);
        let words = |descriptor: Descriptor| {
            let [first, second] = descriptor.words();
            (first, second)
        };
        assert_eq!(words(Descriptor::context(device)), (0x0000_12f8_0000_0031, 0));
        assert_eq!(words(Descriptor::context_all()), (0x11, 0));
        assert_eq!(words(Descriptor::iotlb_all()), (0xd2, 0));
        assert_eq!(words(Descriptor::iotlb_domain(domain)), (0x7654_00e2, 0));
        assert_eq!(words(Descriptor::iotlb_pages(domain, 0x12_3456_0000, 4)), (0x7654_00f2, 0x12_3456_0004));
        assert_eq!(words(Descriptor::pasid_iotlb(domain, pasid)), (0x000a_bcde_7654_0026, 0));
        assert_eq!(
            words(Descriptor::pasid_iotlb_pages(domain, pasid, 0x5000, 0)),
            (0x000a_bcde_7654_0036, 0x5000)
        );
        assert_eq!(words(Descriptor::pasid_cache(domain, pasid)), (0x000a_bcde_7654_0017, 0));
        assert_eq!(words(Descriptor::pasid_cache_all()), (0x37, 0));
        assert_eq!(words(Descriptor::device_tlb(device)), (0x0000_12f8_0000_0003, 0x7fff_ffff_ffff_f001));
        assert_eq!(
            words(Descriptor::pasid_device_tlb(device, pasid)),
            (0x000a_bcde_12f8_0008, 0x7fff_ffff_ffff_f800)
        );
        assert_eq!(words(Descriptor::pasid_device_tlb_all(device)), (0x12f8_0008, 0x7fff_ffff_ffff_f801));
        assert_eq!(words(Descriptor::wait(0x1000, 0xdead_beef, false)), (0xdead_beef_0000_0025, 0x1000));
        assert_eq!(words(Descriptor::wait(0x1000, 7, true)), (0x7_0000_0065, 0x1000));
    }
}
