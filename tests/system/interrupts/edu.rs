// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's `edu` device, as a source of messages (QEMU, docs/specs/edu.rst).

use system_test::Registers;

const IDENTIFICATION: usize = 0x00;
const INTERRUPT_STATUS: usize = 0x24;
const INTERRUPT_RAISE: usize = 0x60;
const INTERRUPT_ACKNOWLEDGE: usize = 0x64;

/// Where messages to the local APIC go.
const MESSAGE_ADDRESS: u32 = 0xfee0_0000;

/// The device.
pub struct Edu(Registers);

impl Edu {
    /// Puts BAR 0 at `bar`, where `registers` is mapped, and has interrupts sent as messages with `data`.
    pub fn new(config: Registers, registers: Registers, bar: u32, data: u32) -> Self {
        // Command: memory space and bus mastering, which messages take.
        const COMMAND: u32 = 0b110;
        config.write32(0x10, bar);
        config.write32(0x04, COMMAND);
        let mut capability = (config.read32(0x34) & 0xfc) as usize;
        // The list is at most as long as configuration space has words.
        for _ in 0..64 {
            let header = config.read32(capability);
            if header & 0xff == 5 {
                // A 64-bit capable MSI: address in two words, then data; enable is bit 0 of the control word.
                config.write32(capability + 4, MESSAGE_ADDRESS);
                config.write32(capability + 8, 0);
                config.write32(capability + 12, data);
                config.write32(capability, header | 1 << 16);
            }
            capability = (header >> 8 & 0xfc) as usize;
            if capability == 0 {
                break;
            }
        }
        Self(registers)
    }

    /// Whether the registers are there.
    pub fn is_there(&self) -> bool {
        self.0.read32(IDENTIFICATION) & 0xffff == 0x00ed
    }

    /// Raises an interrupt for a reason other than zero.
    pub fn raise(&self, reason: u32) {
        self.0.write32(INTERRUPT_RAISE, reason);
    }

    /// Takes every reason back.
    pub fn clear(&self) {
        self.0.write32(INTERRUPT_ACKNOWLEDGE, self.0.read32(INTERRUPT_STATUS));
    }
}
