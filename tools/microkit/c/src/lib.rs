// SPDX-License-Identifier: BSD-2-Clause
//! Lets a protection domain be written in C: gives it libmicrokit's names on top of the crate `sel4-microkit`, and so
//! on both platforms.
//!
//! The domain's crate is a `main.rs` of three lines and a `build.rs` that compiles its C with
//! `microkit-c-build`:
//!
//! ```ignore
//! #[sel4_microkit::protection_domain]
//! fn init() -> impl sel4_microkit::Handler {
//!     microkit_c::start()
//! }
//! ```
//!
//! The C program has `init`, `notified` and, where it is called or has children, `protected` and `fault`, as
//! `include/microkit.h` declares them. The one difference from libmicrokit: a channel or port that the domain does not
//! have ends the domain, where libmicrokit prints a line and goes on.
#![no_std]

use core::ffi::{CStr, c_char, c_uint};

use microkit_ioport::{IoPort, Refused};
use sel4_microkit::{
    Channel, ChannelSet, Child, Handler, Infallible, MessageInfo, debug_print, with_msg_regs,
    with_msg_regs_mut,
};

/// A message's label and number of words: `microkit_msginfo`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CMessageInfo {
    label: u64,
    count: u64,
}

impl From<MessageInfo> for CMessageInfo {
    fn from(info: MessageInfo) -> Self {
        Self { label: info.label(), count: info.count() as u64 }
    }
}

impl From<CMessageInfo> for MessageInfo {
    fn from(info: CMessageInfo) -> Self {
        Self::new(info.label, index(info.count))
    }
}

unsafe extern "C" {
    fn init();
    fn notified(channel: c_uint);
    fn protected(channel: c_uint, info: CMessageInfo) -> CMessageInfo;
    fn fault(child: c_uint, info: CMessageInfo, reply: *mut CMessageInfo) -> bool;
}

/// A C number as an index. None is too large on a machine of 64 bits.
fn index(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or(usize::MAX)
}

/// A channel's or a child's number, which is below 62.
fn number(index: usize) -> c_uint {
    c_uint::try_from(index).unwrap_or(c_uint::MAX)
}

/// Runs the C program's `init`, and hands it everything that comes afterwards.
#[must_use]
pub fn start() -> impl Handler {
    // SAFETY: the C program's own; the runtime is set up and calls nothing else of it meanwhile.
    unsafe { init() };
    Program(())
}

/// The C program.
struct Program(());

impl Handler for Program {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            // SAFETY: as in `start`; a domain has one thread.
            unsafe { notified(number(channel.index())) };
        }
        Ok(())
    }

    fn protected(&mut self, channel: Channel, info: MessageInfo) -> Result<MessageInfo, Infallible> {
        // SAFETY: as above.
        Ok(unsafe { protected(number(channel.index()), info.into()) }.into())
    }

    fn fault(&mut self, child: Child, info: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let mut reply = CMessageInfo { label: 0, count: 0 };
        // SAFETY: as above; the program writes `reply` during the call alone.
        let runs_on = unsafe { fault(number(child.index()), info.into(), &raw mut reply) };
        Ok(runs_on.then(|| reply.into()))
    }
}

#[unsafe(no_mangle)]
extern "C" fn microkit_notify(channel: c_uint) {
    Channel::new(index(channel)).notify();
}

#[unsafe(no_mangle)]
extern "C" fn microkit_irq_ack(channel: c_uint) {
    if let Err(error) = Channel::new(index(channel)).irq_ack() {
        panic!("{error}");
    }
}

#[unsafe(no_mangle)]
extern "C" fn microkit_ppcall(channel: c_uint, info: CMessageInfo) -> CMessageInfo {
    Channel::new(index(channel)).pp_call(info.into()).into()
}

#[unsafe(no_mangle)]
extern "C" fn microkit_mr_set(mr: u8, value: u64) {
    with_msg_regs_mut(|registers| registers[usize::from(mr)] = value);
}

#[unsafe(no_mangle)]
extern "C" fn microkit_mr_get(mr: u8) -> u64 {
    with_msg_regs(|registers| registers[usize::from(mr)])
}

/// Generates a function that reads and one that writes a port, for each width.
macro_rules! ports {
    ($($width:ty: $read:ident $write:ident, $in:ident $out:ident;)*) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $read(ioport: c_uint, port: u64) -> $width {
                granted(narrow(port).and_then(|port| IoPort::new(index(ioport)).$in(port)))
            }

            #[unsafe(no_mangle)]
            extern "C" fn $write(ioport: c_uint, port: u64, data: u64) {
                let data = <$width>::try_from(data).map_err(|_| Refused);
                granted(narrow(port).and_then(|port| IoPort::new(index(ioport)).$out(port, data?)));
            }
        )*
    };
}

ports! {
    u8: microkit_x86_ioport_read_8 microkit_x86_ioport_write_8, in8 out8;
    u16: microkit_x86_ioport_read_16 microkit_x86_ioport_write_16, in16 out16;
    u32: microkit_x86_ioport_read_32 microkit_x86_ioport_write_32, in32 out32;
}

fn narrow(port: u64) -> Result<u16, Refused> {
    u16::try_from(port).map_err(|_| Refused)
}

/// What a port gave; a port that is not the domain's ends it.
fn granted<T>(result: Result<T, Refused>) -> T {
    result.unwrap_or_else(|refused| panic!("{refused}"))
}

#[unsafe(no_mangle)]
extern "C" fn microkit_dbg_putc(character: i32) {
    if let Ok(character) = u8::try_from(character) {
        debug_print!("{}", char::from(character));
    }
}

/// # Safety
/// `text` ends with a zero byte.
#[unsafe(no_mangle)]
unsafe extern "C" fn microkit_dbg_puts(text: *const c_char) {
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_bytes().utf8_chunks().for_each(|chunk| debug_print!("{}", chunk.valid()));
}
