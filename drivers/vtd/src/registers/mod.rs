// SPDX-License-Identifier: BSD-2-Clause
//! The registers (VT-d 11.4): each offset carries the type of its value and the accesses that it allows.
//!
//! Some offsets are only known at run time (the fault records, CAP.FRO), so a register is a value rather than
//! a place in a linked structure.
mod capability;
mod command;
mod fault;
mod invalidation;

use core::marker::PhantomData;

pub use capability::{Capability, ExtendedCapability, Version};
pub use command::{
    GlobalCommand, GlobalStatus, ProtectedMemoryEnable, RootTableAddress, TranslationTableMode,
};
pub use fault::{FaultEventControl, FaultRecordHigh, FaultRecordLow, FaultStatus};
pub use invalidation::{QueueAddress, QueueHead, QueueTail};

use crate::access::Registers;

/// May be read.
#[derive(Debug)]
pub struct ReadOnly;
/// May be written.
#[derive(Debug)]
pub struct WriteOnly;
/// May be both.
#[derive(Debug)]
pub struct ReadWrite;

/// Marks accesses that include reading.
pub trait Readable {}
/// Marks accesses that include writing.
pub trait Writable {}
impl Readable for ReadOnly {}
impl Readable for ReadWrite {}
impl Writable for WriteOnly {}
impl Writable for ReadWrite {}

/// A value that a register holds, and the width of the access that it takes.
pub trait Value: Sized {
    /// Reads the value at `offset`.
    fn read_at<R: Registers>(registers: &mut R, offset: u32) -> Self;
    /// Writes the value at `offset`.
    fn write_at<R: Registers>(self, registers: &mut R, offset: u32);
}

impl Value for u32 {
    fn read_at<R: Registers>(registers: &mut R, offset: u32) -> Self {
        registers.read32(offset)
    }
    fn write_at<R: Registers>(self, registers: &mut R, offset: u32) {
        registers.write32(offset, self);
    }
}

impl Value for u64 {
    fn read_at<R: Registers>(registers: &mut R, offset: u32) -> Self {
        registers.read64(offset)
    }
    fn write_at<R: Registers>(self, registers: &mut R, offset: u32) {
        registers.write64(offset, self);
    }
}

/// Makes a bitfield type the value of registers as wide as its words.
macro_rules! value {
    ($type:ty, $bits:ty) => {
        impl $crate::registers::Value for $type {
            fn read_at<R: $crate::access::Registers>(registers: &mut R, offset: u32) -> Self {
                Self::from_bits(<$bits as $crate::registers::Value>::read_at(registers, offset))
            }
            fn write_at<R: $crate::access::Registers>(self, registers: &mut R, offset: u32) {
                $crate::registers::Value::write_at(self.into_bits(), registers, offset);
            }
        }
        const _: () = assert!(size_of::<$type>() == size_of::<$bits>());
    };
}
use value;

/// A register: where it is, what it holds (`T`) and what may be done to it (`A`).
#[derive(Debug)]
pub struct Reg<T, A> {
    offset: u32,
    kind: PhantomData<(T, A)>,
}

impl<T, A> Clone for Reg<T, A> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, A> Copy for Reg<T, A> {}

impl<T, A> Reg<T, A> {
    /// The register at `offset` bytes.
    #[must_use]
    pub const fn at(offset: u32) -> Self {
        Self { offset, kind: PhantomData }
    }
    /// Bytes from the start of the register page.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.offset
    }
}

impl<T: Value, A: Readable> Reg<T, A> {
    /// Reads it.
    pub fn read<R: Registers>(self, registers: &mut R) -> T {
        T::read_at(registers, self.offset)
    }
}

impl<T: Value, A: Writable> Reg<T, A> {
    /// Writes it.
    pub fn write<R: Registers>(self, registers: &mut R, value: T) {
        value.write_at(registers, self.offset);
    }
}

/// Version (VT-d 11.4.1).
pub const VER: Reg<Version, ReadOnly> = Reg::at(0x00);
/// Capability (VT-d 11.4.2).
pub const CAP: Reg<Capability, ReadOnly> = Reg::at(0x08);
/// Extended capability (VT-d 11.4.3).
pub const ECAP: Reg<ExtendedCapability, ReadOnly> = Reg::at(0x10);
/// Global command (VT-d 11.4.4.1).
pub const GCMD: Reg<GlobalCommand, WriteOnly> = Reg::at(0x18);
/// Global status (VT-d 11.4.4.2).
pub const GSTS: Reg<GlobalStatus, ReadOnly> = Reg::at(0x1c);
/// Root table address (VT-d 11.4.5).
pub const RTADDR: Reg<RootTableAddress, ReadWrite> = Reg::at(0x20);
/// Fault status (VT-d 11.4.7.1).
pub const FSTS: Reg<FaultStatus, ReadWrite> = Reg::at(0x34);
/// Fault event control (VT-d 11.4.7.2).
pub const FECTL: Reg<FaultEventControl, ReadWrite> = Reg::at(0x38);
/// Fault event data: the message's data (VT-d 11.4.7.3).
pub const FEDATA: Reg<u32, ReadWrite> = Reg::at(0x3c);
/// Fault event address: the message's lower address (VT-d 11.4.7.4).
pub const FEADDR: Reg<u32, ReadWrite> = Reg::at(0x40);
/// Fault event upper address (VT-d 11.4.7.5).
pub const FEUADDR: Reg<u32, ReadWrite> = Reg::at(0x44);
/// Protected memory enable (VT-d 11.4.8.1).
pub const PMEN: Reg<ProtectedMemoryEnable, ReadWrite> = Reg::at(0x64);
/// Invalidation queue head (VT-d 11.4.9.1).
pub const IQH: Reg<QueueHead, ReadOnly> = Reg::at(0x80);
/// Invalidation queue tail (VT-d 11.4.9.2).
pub const IQT: Reg<QueueTail, ReadWrite> = Reg::at(0x88);
/// Invalidation queue address (VT-d 11.4.9.3).
pub const IQA: Reg<QueueAddress, ReadWrite> = Reg::at(0x90);
