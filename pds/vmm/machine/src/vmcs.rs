// SPDX-License-Identifier: BSD-2-Clause
//! The virtual machine control structure: the fields that are used (Intel SDM 3D, appendix B) and the state that a
//! guest begins in.

use vcpu_state::Refused;

use crate::Cpu;

pub const PIN_CONTROLS: u64 = 0x4000;
pub const PREEMPTION_TIMER: u64 = 0x482e;
pub const RSP: u64 = 0x681c;
pub const INTERRUPTIBILITY: u64 = 0x4824;
const EXIT_CONTROLS: u64 = 0x400c;
const CR0: u64 = 0x6800;
const CR3: u64 = 0x6802;
const CR4: u64 = 0x6804;
const CR4_MASK: u64 = 0x6002;
const CR4_SHADOW: u64 = 0x6006;
const RFLAGS: u64 = 0x6820;
const SECONDARY_CONTROLS: u64 = 0x401e;
const ACTIVITY: u64 = 0x4826;
const DR7: u64 = 0x681a;
const PENDING_DEBUG: u64 = 0x6822;

/// Segments in the order of their fields: ES, CS, SS, DS, FS, GS, LDTR, TR.
const SEGMENTS: u64 = 8;
const CS: u64 = 1;
const LDTR: u64 = 6;
const TR: u64 = 7;

/// Pin-based controls: the preemption timer is armed.
const ARM_TIMER: u64 = 1 << 6;
/// Exit controls: what is left of the timer is kept, so that it counts the guest's time alone, through whatever
/// interrupts the host meanwhile.
const KEEP_TIMER: u64 = 1 << 22;
/// Secondary controls: extended page tables, and a guest that may run unpaged.
const EPT_UNRESTRICTED: u64 = 1 << 1 | 1 << 7;
/// Protected mode without paging; numeric errors as exceptions.
const UNPAGED: u64 = 0x31;
/// CR4: VMXE, which the processor insists on and the guest is not to see.
const VMXE: u64 = 0x2000;

/// Puts the virtual CPU to the start of a life: 32-bit flat segments, no paging, interrupts off, and a timer that brings
/// the monitor back after `timer` of its ticks.
///
/// # Errors
/// The kernel's refusal, which names no field: all of these are fields that it lets be written.
pub fn reset(cpu: &mut impl Cpu, stack: u64, timer: u64) -> Result<(), Refused> {
    let mut write = |field, value| cpu.write_vmcs(field, value);
    write(EXIT_CONTROLS, KEEP_TIMER)?;
    write(PIN_CONTROLS, ARM_TIMER)?;
    write(PREEMPTION_TIMER, timer)?;
    write(SECONDARY_CONTROLS, EPT_UNRESTRICTED)?;
    write(CR0, UNPAGED)?;
    write(CR3, 0)?;
    write(CR4, VMXE)?;
    write(CR4_MASK, VMXE)?;
    write(CR4_SHADOW, 0)?;
    // A breakpoint of the last life is none of this one.
    write(DR7, 0x400)?;
    write(PENDING_DEBUG, 0)?;
    write(RFLAGS, 2)?;
    write(RSP, stack)?;
    write(ACTIVITY, 0)?;
    write(INTERRUPTIBILITY, 0)?;
    for segment in 0..SEGMENTS {
        let (selector, access, limit) = match segment {
            CS => (0x8, 0xc09b, 0xffff_ffff),
            LDTR => (0, 0x1_0000, 0),
            TR => (0x18, 0x8b, 0x67),
            _ => (0x10, 0xc093, 0xffff_ffff),
        };
        write(0x800 + 2 * segment, selector)?;
        write(0x4800 + 2 * segment, limit)?;
        write(0x4814 + 2 * segment, access)?;
        write(0x6806 + 2 * segment, 0)?;
    }
    // The guest brings descriptor tables of its own if it wants any.
    for (base, limit) in [(0x6816, 0x4810), (0x6818, 0x4812)] {
        write(base, 0)?;
        write(limit, 0)?;
    }
    Ok(())
}
