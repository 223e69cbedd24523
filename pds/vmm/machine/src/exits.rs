// SPDX-License-Identifier: BSD-2-Clause
//! Exit reasons and what goes with them (Intel SDM 3D, appendix C; 3C, 24.6 and 27.2).

pub const TRIPLE_FAULT: u64 = 2;
pub const INTERRUPT_WINDOW: u64 = 7;
pub const CPUID: u64 = 10;
pub const HLT: u64 = 12;
pub const VMCALL: u64 = 18;
pub const IO: u64 = 30;
pub const RDMSR: u64 = 31;
pub const WRMSR: u64 = 32;
pub const EPT_VIOLATION: u64 = 48;
pub const PREEMPTION_TIMER: u64 = 52;

/// Primary controls: HLT exits.
pub const ON_HLT: u64 = 1 << 7;
/// Primary controls: exit when the guest can take an interrupt.
pub const ON_INTERRUPT_WINDOW: u64 = 1 << 2;
/// Qualification of an EPT violation: it was a write.
pub const WRITE: u64 = 1 << 1;
/// Interruption information: an external interrupt, valid; the vector is in the low byte.
pub const INJECT_INTERRUPT: u64 = 1 << 31;
/// RFLAGS: interrupts are on.
pub const INTERRUPTS_ON: u64 = 1 << 9;
/// Interruptibility: the instruction before was STI or MOV SS.
pub const BLOCKED_BY_STI_OR_MOV_SS: u64 = 3;

/// The qualification of an I/O exit.
#[derive(Clone, Copy, Debug)]
pub struct PortAccess(pub u64);

impl PortAccess {
    /// It moves strings between ports and memory.
    pub fn is_string(self) -> bool {
        self.0 & 1 << 4 != 0
    }

    /// What an IN leaves in EAX where nothing is behind the port: ones, as wide as the access. `None` for an OUT.
    pub fn absent(self, eax: u64) -> Option<u64> {
        let ones = u64::MAX >> (64 - 8 * ((self.0 & 7) + 1));
        // The upper bits stay, but a 32-bit access clears what a 64-bit register has beyond.
        (self.0 & 1 << 3 != 0).then_some((eax | ones) & 0xffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_without_a_device_reads_as_ones_of_its_width() {
        let read = |size: u64| PortAccess(0x3f8 << 16 | 1 << 3 | (size - 1)).absent(0x1234_5678);
        assert_eq!([1, 2, 4].map(read), [Some(0x1234_56ff), Some(0x1234_ffff), Some(0xffff_ffff)]);
        assert_eq!(PortAccess(0x3f8 << 16).absent(1), None);
    }
}
