// SPDX-License-Identifier: BSD-2-Clause
//! Where a known implementation differs from the specification: the one place. Each quirk is declared by the
//! owner of the unit, never guessed, and logged when it takes effect.

use crate::registers::ExtendedCapability;

/// Departures from the specification that the owner of a unit vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// The unit walks PASIDs of this many bits whatever ECAP.PSS says. QEMU 7.2 and 10.0 report PSS = 0 (one
    /// bit) and walk all 20.
    pub pasid_bits: Option<u8>,
    /// The unit honours the context entry's RID_PASID although ECAP.RPS = 0. QEMU 7.2 and 10.x do; QEMU from 11
    /// on, and hardware, do not: there the untagged entry is [`crate::Pasid::UNTAGGED`].
    pub rid_pasid_without_rps: bool,
    /// The unit decides whether a device passes through when its context is invalidated, not when its PASID is.
    /// QEMU 7.2 and 10.0 do: without that invalidation a device goes on passing through when it is unbound.
    pub pass_through_in_context: bool,
    /// Fault records hold only 16 bits of a PASID. QEMU 7.2 and 10.0 cut them.
    pub fault_pasids_cut: bool,
}

impl Quirks {
    /// QEMU 7.2 to 10.x.
    pub const QEMU: Self = Self {
        pasid_bits: Some(20),
        rid_pasid_without_rps: true,
        pass_through_in_context: true,
        fault_pasids_cut: true,
    };

    /// Logs what is taken to be otherwise than the unit or the specification says.
    pub(crate) fn log(&self, ecap: ExtendedCapability) {
        if let Some(bits) = self.pasid_bits {
            log::warn!("quirk: PASIDs of {bits} bits, the unit reports {}", ecap.pss() + 1);
        }
        if self.rid_pasid_without_rps && !ecap.rps() {
            log::warn!("quirk: RID_PASID is taken to be honoured, the unit reports that it is not");
        }
        if self.pass_through_in_context {
            log::warn!("quirk: contexts are invalidated with bindings that pass through");
        }
        if self.fault_pasids_cut {
            log::warn!("quirk: PASIDs of fault records are taken to be cut to 16 bits");
        }
    }
}
