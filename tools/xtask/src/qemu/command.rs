// SPDX-License-Identifier: BSD-2-Clause
//! QEMU's command line for a system: one pure function.

use super::{Qemu, Version};
use crate::machine::Machine;
use std::ffi::OsString;
use std::path::PathBuf;

/// What is booted.
#[derive(Clone, Debug)]
pub struct Image {
    /// The folder that QEMU runs in.
    pub folder: PathBuf,
    /// The kernel, a 32-bit ELF file. Relative to that folder.
    pub kernel: PathBuf,
    /// Everything else: the kernel's one module. Relative to that folder.
    pub module: PathBuf,
    /// QEMU's arguments that belong to the image: processor, kernel, module, the kernel's command line.
    pub arguments: Vec<OsString>,
}

/// The arguments that boot `image` on `machine`.
///
/// With `icount` (instructions as the clock: each takes 2^0 ns) and the real-time clock on guest time, two runs
/// of one image are the same to the last instruction.
pub fn command_line(qemu: &Qemu, machine: &Machine, image: &Image, icount: bool) -> Vec<OsString> {
    let mut line: Vec<OsString> = Vec::new();
    let mut add = |arguments: &[&str]| line.extend(arguments.iter().map(OsString::from));
    add(&["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"]);
    add(&["-machine", "q35,kernel-irqchip=split", "-m", &machine.memory]);
    if let Some(file) = &machine.memory_file {
        let file = file.display().to_string().replace(',', ",,");
        let object =
            format!("memory-backend-file,id=memory,size={},share=on,mem-path={file}", machine.memory);
        add(&["-object", &object, "-machine", "memory-backend=memory"]);
    }
    add(&["-rtc", "base=2000-01-01T00:00:00,clock=vm"]);
    if icount {
        add(&["-icount", "shift=0,sleep=off"]);
    }
    if machine.vtd {
        add(&["-device", vtd(qemu.version)]);
    }
    add(&["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
    for device in &machine.devices {
        add(&["-device", device]);
    }
    if let Some(firmware) = &qemu.firmware {
        line.extend(["-L".into(), firmware.into()]);
    }
    line.extend(image.arguments.iter().cloned());
    line
}

/// The VT-d unit in scalable mode with PASIDs; the properties were renamed in QEMU 11.
fn vtd(version: Version) -> &'static str {
    if version.major >= 11 {
        "intel-iommu,scalable-mode=on,pasid-bits=20,aw-bits=48"
    } else {
        "intel-iommu,x-scalable-mode=on,x-pasid-mode=on,aw-bits=48"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(version: &str, machine: &Machine, icount: bool) -> String {
        let version = Version::parse(version).unwrap();
        let qemu = Qemu { program: "qemu".into(), version, firmware: None };
        let image = Image {
            folder: "/x".into(),
            kernel: "k.elf".into(),
            module: "m.elf".into(),
            arguments: vec!["-kernel".into(), "k.elf".into()],
        };
        command_line(&qemu, machine, &image, icount).join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn the_unit_is_named_as_each_version_wants_it() {
        let machine = Machine::default();
        for old in ["7.2", "10.0"] {
            assert!(line(old, &machine, true).contains("intel-iommu,x-scalable-mode=on,x-pasid-mode=on"));
        }
        assert!(line("11.1", &machine, true).contains("intel-iommu,scalable-mode=on,pasid-bits=20"));
    }

    #[test]
    fn the_unit_can_be_taken_away() {
        let machine = Machine { vtd: false, ..Machine::default() };
        assert!(!line("10.0", &machine, true).contains("intel-iommu"));
    }

    #[test]
    fn devices_and_memory_come_from_the_machine() {
        let devices = vec!["edu,addr=3.0".to_owned(), "edu,addr=3.1".to_owned()];
        let line = line("10.0", &Machine { devices, memory: "512M".into(), ..Machine::default() }, false);
        assert!(line.contains("-m 512M "));
        assert!(line.contains("-device edu,addr=3.0 -device edu,addr=3.1"));
        assert!(!line.contains("-icount"));
        assert!(line.ends_with("-kernel k.elf"));
    }

    #[test]
    fn memory_may_be_a_file_that_others_read() {
        let machine = Machine { memory_file: Some("/x/a,b".into()), ..Machine::default() };
        let line = line("10.0", &machine, true);
        assert!(line.contains(
            "-object memory-backend-file,id=memory,size=1G,share=on,mem-path=/x/a,,b -machine memory-backend=memory "
        ));
    }

    #[test]
    fn firmware_of_an_unpacked_qemu_is_named() {
        let version = Version::OLDEST;
        let qemu = Qemu { program: "qemu".into(), version, firmware: Some("/x/share".into()) };
        let image = Image {
            folder: "/x".into(),
            kernel: "k.elf".into(),
            module: "m.elf".into(),
            arguments: vec!["-kernel".into(), "k.elf".into()],
        };
        let line = command_line(&qemu, &Machine::default(), &image, true);
        assert!(line.windows(2).any(|pair| pair == ["-L", "/x/share"]));
    }
}
