// SPDX-License-Identifier: BSD-2-Clause
//! What can go wrong while the system is built, each in one line with its remedy.

use core::{fmt, panic::PanicInfo};

use microkit_image::ReadError;
use sel4_abi::{BootInfo, Error, Tcb};

use crate::console::{debug_exit, println};

/// Why an object could not be had.
#[derive(Debug, Clone, Copy)]
pub enum Cause {
    /// The kernel refused.
    Kernel(Error),
    /// No untyped memory of 2^bits bytes is left.
    OutOfMemory(u32),
    /// The physical address is not free: nothing there, or the kernel's or another object's.
    Taken(u64),
    /// The root task's CNode is full.
    OutOfSlots,
    /// More of them than there is room for.
    TooMany(usize),
    /// A record refers to something that is not there.
    Dangling,
    /// The bytes are no packed system.
    Image(ReadError),
    /// The processor has no VT-x, or the kernel could not switch it on.
    NoVirtualMachines,
    /// The packer did not put a packed system in.
    NotPacked,
}

/// What could not be built, for whom and why.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    object: &'static str,
    pd: Option<&'a str>,
    region: Option<&'a str>,
    address: Option<u64>,
    number: Option<u32>,
    cause: Cause,
}

/// The result of building something.
pub type Result<'a, T> = core::result::Result<T, Failure<'a>>;

impl<'a> Failure<'a> {
    /// `object` failed.
    pub const fn new(object: &'static str, cause: Cause) -> Self {
        Self { object, pd: None, region: None, address: None, number: None, cause }
    }

    /// Why.
    pub const fn cause(self) -> Cause {
        self.cause
    }

    /// It was for this protection domain.
    pub const fn of_pd(self, pd: &'a str) -> Self {
        Self { pd: Some(pd), ..self }
    }

    /// It was for this region.
    pub const fn of_region(self, region: &'a str) -> Self {
        Self { region: Some(region), ..self }
    }

    /// It was at this address.
    pub const fn at(self, address: u64) -> Self {
        Self { address: Some(address), ..self }
    }

    /// It is the one with this number.
    pub const fn number(self, number: u32) -> Self {
        Self { number: Some(number), ..self }
    }
}

/// For results of the kernel: names the object.
pub trait Of<T> {
    /// The failure of making or using `object`.
    fn of(self, object: &'static str) -> core::result::Result<T, Failure<'static>>;
}

impl<T> Of<T> for core::result::Result<T, Error> {
    fn of(self, object: &'static str) -> core::result::Result<T, Failure<'static>> {
        self.map_err(|error| Failure::new(object, Cause::Kernel(error)))
    }
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.object)?;
        if let Some(number) = self.number {
            write!(f, " {number}")?;
        }
        if let Some(pd) = self.pd {
            write!(f, " of protection domain '{pd}'")?;
        }
        if let Some(region) = self.region {
            write!(f, " of memory region '{region}'")?;
        }
        if let Some(address) = self.address {
            write!(f, " at {address:#x}")?;
        }
        match self.cause {
            Cause::Kernel(error) => write!(f, ": {error}; {}", remedy(error)),
            Cause::OutOfMemory(bits) => write!(
                f,
                ": no {} KiB of free memory left; make memory regions smaller or give the machine more memory",
                (1u64 << bits) >> 10
            ),
            Cause::Taken(paddr) => write!(
                f,
                ": physical address {paddr:#x} is not free; choose a phys_addr in memory or a device of this machine \
                 that nothing else has"
            ),
            Cause::OutOfSlots => f.write_str(
                ": the root task's CNode is full; give large memory regions page_size=\"0x200000\"",
            ),
            Cause::TooMany(limit) => write!(f, ": more than {limit}; make the system smaller"),
            Cause::Dangling => {
                f.write_str(": the packed system refers to a record that it has not; pack it again")
            }
            Cause::Image(error) => write!(f, ": {error}; pack the system again with this project's packer"),
            Cause::NoVirtualMachines => f.write_str(
                ": this machine has no VT-x; boot on one that has, or take the virtual_machine out of system.xml",
            ),
            Cause::NotPacked => {
                f.write_str(": there is none; boot the packer's root.elf, not the initialiser")
            }
        }
    }
}

/// What to do about a kernel's refusal.
const fn remedy(error: Error) -> &'static str {
    match error {
        Error::DeleteFirst => {
            "something is mapped or stored there already: look for an overlap in system.xml"
        }
        Error::RevokeFirst => "it is in use already: look for the same vector in another irq of system.xml",
        Error::RangeError => "a number is out of the kernel's range: compare it with this machine's hardware",
        Error::NotEnoughMemory => "make memory regions smaller or give the machine more memory",
        Error::AlignmentError => "align it to its page size",
        _ => "this kernel does not offer it: boot the kernel that this project builds",
    }
}

/// Prints the failure, ends QEMU where that can be done, and stops.
pub fn stop(failure: &Failure<'_>) -> ! {
    println!("initialiser: error: {failure}");
    halt()
}

fn halt() -> ! {
    debug_exit(1);
    loop {
        // A suspended thread does not come back.
        let _ = Tcb(BootInfo::INIT_TCB).suspend();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("initialiser: error: {info}; this is a fault in the initialiser itself");
    halt()
}
