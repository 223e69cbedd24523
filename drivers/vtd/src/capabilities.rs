// SPDX-License-Identifier: BSD-2-Clause
//! What a unit can do, decoded once and checked for what the driver needs.
use crate::access::Registers;
use crate::error::{Error, Feature};
use crate::ids::Pasid;
use crate::quirks::Quirks;
use crate::registers::{CAP, Capability, ECAP, ExtendedCapability, FaultRecordLow, Reg, VER};

/// A unit's capabilities, as the driver uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    cap: Capability,
    ecap: ExtendedCapability,
    quirks: Quirks,
}

impl Capabilities {
    /// Reads the capabilities and refuses a unit that lacks what the driver cannot do without.
    pub(crate) fn read<R: Registers>(registers: &mut R, quirks: Quirks) -> Result<Self, Error> {
        let capabilities = Self { cap: CAP.read(registers), ecap: ECAP.read(registers), quirks };
        let Self { cap, ecap, .. } = capabilities;
        let version = VER.read(registers);
        log::debug!("VT-d {}.{} {cap:?} {ecap:?}", version.major(), version.minor());
        // Scalable mode stands on the queue: there is no register to invalidate the PASID cache with.
        for (present, feature) in [
            (ecap.smts(), Feature::ScalableMode),
            (ecap.qi(), Feature::QueuedInvalidation),
            (ecap.pasid(), Feature::Pasid),
            (ecap.ssts() || ecap.fsts(), Feature::SecondStage),
            (capabilities.levels(48).is_some(), Feature::AddressWidth),
        ] {
            if !present {
                return Err(Error::Missing(feature));
            }
        }
        quirks.log(ecap);
        Ok(capabilities)
    }

    /// The capability register.
    #[must_use]
    pub fn cap(&self) -> Capability {
        self.cap
    }

    /// The extended capability register.
    #[must_use]
    pub fn ecap(&self) -> ExtendedCapability {
        self.ecap
    }

    /// Width of a PASID (ECAP.PSS, or as a quirk declares it).
    #[must_use]
    pub fn pasid_bits(&self) -> u8 {
        self.quirks.pasid_bits.unwrap_or(self.ecap.pss() + 1).min(Pasid::BITS)
    }

    /// Whether the context entry's RID_PASID is honoured (ECAP.RPS, or as a quirk declares it).
    #[must_use]
    pub fn rid_pasid(&self) -> bool {
        self.ecap.rps() || self.quirks.rid_pasid_without_rps
    }

    /// Number of domain ids, 0 included (CAP.ND); a domain id has at most 16 bits.
    #[must_use]
    pub fn domains(&self) -> u32 {
        1 << (4 + 2 * self.cap.nd()).min(16)
    }

    /// Depth of the second-stage tables: the deepest of 3 and 4 levels that the unit has, 3 where
    /// `address_bits` needs no more.
    pub(crate) fn levels(&self, address_bits: u8) -> Option<u8> {
        let has = |levels: u8| self.cap.sagaw() & 1 << (levels - 2) != 0;
        match (has(3), has(4)) {
            (true, _) if address_bits <= 39 => Some(3),
            (_, true) => Some(4),
            (true, false) => Some(3),
            (false, false) => None,
        }
    }

    /// Width of the addresses that a second-stage table of `levels` levels translates: bounded by CAP.MGAW.
    pub(crate) fn address_bits(&self, levels: u8) -> u8 {
        (12 + 9 * levels).min(self.cap.mgaw() + 1)
    }

    /// Number of fault records (CAP.NFR).
    #[must_use]
    pub fn fault_records(&self) -> u16 {
        u16::from(self.cap.nfr()) + 1
    }

    /// Where fault record `index` is (CAP.FRO).
    pub(crate) fn fault_record<A>(&self, index: u16) -> Reg<FaultRecordLow, A> {
        Reg::at(u32::from(self.cap.fro()) * 16 + u32::from(index) * 16)
    }

    /// Whether not-present entries may be cached too (CAP.CM).
    #[must_use]
    pub fn caching_mode(&self) -> bool {
        self.cap.cm()
    }
}
