// SPDX-License-Identifier: BSD-2-Clause
//! The machine, as Bochs's configuration.

use crate::cd;
use crate::tools::Bochs;

/// The serial line's file in a run's folder.
pub(crate) const SERIAL_LOG: &str = "serial.log";
/// The file in which Bochs says what happens to the machine.
pub(crate) const BOCHS_LOG: &str = "bochs.log";

/// The file of the battery-backed memory, in which the firmware finds how to start.
pub(crate) const CMOS: &str = "cmos";

/// What of the machine can be chosen. The rest: one processor with VT-x, EPT and unrestricted guests, a CD drive, one
/// serial line; no VT-d.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// RAM in MiB.
    pub memory_mib: u32,
}

impl Default for Machine {
    fn default() -> Self {
        Self { memory_mib: 512 }
    }
}

impl Machine {
    /// The text of `bochsrc`. Bochs calls every exit of a guest to what it may not write an error of the processor's: a
    /// million lines that say nothing. The processor model has 1 GiB pages, which the kernel's own window needs. Time in the
    /// machine is instructions: 38 million make a second, whatever the host does.
    pub(crate) fn configuration(&self, bochs: &Bochs) -> String {
        format!(
            "cpu: model=corei7_skylake_x, count=1, ips=38000000, reset_on_triple_fault=0\n\
             clock: sync=none, time0=946684800\n\
             megs: {memory}\n\
             romimage: file=\"{firmware}\"\n\
             vgaromimage: file=\"{vga_firmware}\"\n\
             ata0-master: type=cdrom, path={cd}, status=inserted\n\
             ata1: enabled=0\n\
             cmosimage: file={CMOS}, rtc_init=time0\n\
             com1: enabled=1, mode=file, dev={SERIAL_LOG}\n\
             display_library: term\n\
             magic_break: enabled=1\n\
             log: {BOCHS_LOG}\n\
             panic: action=fatal\n\
             error: action=report, cpu0=ignore\n\
             info: action=ignore\n\
             debug: action=ignore\n",
            memory = self.memory_mib,
            firmware = bochs.firmware.display(),
            vga_firmware = bochs.vga_firmware.display(),
            cd = cd::IMAGE,
        )
    }

    /// The battery-backed memory. Bochs would fill it in by itself, but then the firmware waits three seconds of
    /// the machine's time for a key, more than half of a boot.
    pub(crate) fn cmos(&self) -> [u8; 128] {
        const FAST_BOOT: u8 = 1;
        const CD: u8 = 3;
        let mut cmos = [0; 128];
        let mut word = |register: usize, value: u16| {
            [cmos[register], cmos[register + 1]] = value.to_le_bytes();
        };
        // RAM: KiB below 640 KiB, KiB above 1 MiB (twice, as far as it counts), units of 64 KiB above 16 MiB.
        let above_1_mib = self.memory_mib.saturating_sub(1).min(63) * 1024;
        let above_16_mib = self.memory_mib.saturating_sub(16) * 16;
        word(0x15, 640);
        word(0x17, u16::try_from(above_1_mib).unwrap_or(u16::MAX));
        word(0x30, u16::try_from(above_1_mib).unwrap_or(u16::MAX));
        word(0x34, u16::try_from(above_16_mib).unwrap_or(u16::MAX));
        // The clock: running, 24 hours, binary-coded decimal, valid.
        (cmos[0x0a], cmos[0x0b], cmos[0x0d]) = (0x26, 0x02, 0x80);
        cmos[0x3d] = CD;
        cmos[0x3f] = FAST_BOOT;
        cmos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_firmware_is_told_how_much_memory_there_is() {
        let words = |machine: Machine| {
            let cmos = machine.cmos();
            [0x15, 0x17, 0x30, 0x34].map(|register| u16::from_le_bytes([cmos[register], cmos[register + 1]]))
        };
        assert_eq!(words(Machine { memory_mib: 512 }), [640, 63 * 1024, 63 * 1024, 0x1f00]);
        assert_eq!(words(Machine { memory_mib: 8 }), [640, 7 * 1024, 7 * 1024, 0]);
    }
}
