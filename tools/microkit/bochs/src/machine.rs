// SPDX-License-Identifier: BSD-2-Clause
//! The machine, as Bochs's configuration.

use crate::cd;
use crate::tools::Bochs;

/// The serial line's file in a run's folder.
pub(crate) const SERIAL_LOG: &str = "serial.log";
/// The file in which Bochs says what happens to the machine.
pub(crate) const BOCHS_LOG: &str = "bochs.log";

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
    /// The text of `bochsrc`. The processor model has 1 GiB pages, which the kernel's own window needs. Time in the
    /// machine is instructions: 38 million make a second, whatever the host does.
    pub(crate) fn configuration(&self, bochs: &Bochs) -> String {
        format!(
            "cpu: model=corei7_skylake_x, count=1, ips=38000000, reset_on_triple_fault=0\n\
             clock: sync=none, time0=946684800\n\
             megs: {memory}\n\
             romimage: file=\"{firmware}\"\n\
             vgaromimage: file=\"{vga_firmware}\"\n\
             ata0-master: type=cdrom, path={cd}, status=inserted\n\
             boot: cdrom\n\
             com1: enabled=1, mode=file, dev={SERIAL_LOG}\n\
             display_library: term\n\
             magic_break: enabled=1\n\
             log: {BOCHS_LOG}\n\
             panic: action=fatal\n\
             error: action=report\n\
             info: action=ignore\n\
             debug: action=ignore\n",
            memory = self.memory_mib,
            firmware = bochs.firmware.display(),
            vga_firmware = bochs.vga_firmware.display(),
            cd = cd::IMAGE,
        )
    }
}
