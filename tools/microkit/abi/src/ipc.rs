// SPDX-License-Identifier: BSD-2-Clause
//! Messages: the tag that describes one and the buffer that holds its registers.

use core::sync::atomic::{AtomicPtr, Ordering};

use crate::Word;
#[cfg(debug_assertions)]
use crate::lending::Lending;

/// Message registers in the IPC buffer (`seL4_MsgMaxLength`).
pub const MAX_LENGTH: usize = 120;

/// A thread's IPC buffer (`seL4_IPCBuffer`).
#[repr(C, align(1024))]
#[derive(Debug)]
pub struct IpcBuffer {
    tag: Word,
    msg: [Word; MAX_LENGTH],
    user_data: Word,
    caps_or_badges: [Word; 3],
    receive_cnode: Word,
    receive_index: Word,
    receive_depth: Word,
}

const _: () = assert!(size_of::<IpcBuffer>() == 1024);

impl IpcBuffer {
    /// A buffer of zeroes, as the kernel makes one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tag: 0,
            msg: [0; MAX_LENGTH],
            user_data: 0,
            caps_or_badges: [0; 3],
            receive_cnode: 0,
            receive_index: 0,
            receive_depth: 0,
        }
    }

    /// The message registers, those that travel in CPU registers included.
    #[must_use]
    pub fn msg_regs(&self) -> &[Word] {
        &self.msg
    }

    /// The message registers, to be written.
    #[must_use]
    pub fn msg_regs_mut(&mut self) -> &mut [Word] {
        &mut self.msg
    }

    /// The message registers as bytes.
    #[must_use]
    pub fn msg_bytes(&self) -> &[u8] {
        // SAFETY: the array is initialised memory and every byte of a word is a valid u8.
        unsafe { core::slice::from_raw_parts(self.msg.as_ptr().cast(), size_of_val(&self.msg)) }
    }

    /// The message registers as bytes, to be written.
    #[must_use]
    pub fn msg_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `msg_bytes`; any bytes make a valid word, and the borrow is exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.msg.as_mut_ptr().cast(), size_of_val(&self.msg)) }
    }

    /// States the capabilities that the next invocation carries.
    pub(crate) fn set_caps(&mut self, caps: &[Word]) {
        for (slot, cap) in self.caps_or_badges.iter_mut().zip(caps) {
            *slot = *cap;
        }
    }
}

impl Default for IpcBuffer {
    fn default() -> Self {
        Self::new()
    }
}

/// What stands in for the buffer until its address is known: never null, so that nobody need look.
static mut NO_BUFFER: IpcBuffer = IpcBuffer::new();
static IPC_BUFFER: AtomicPtr<IpcBuffer> = AtomicPtr::new(&raw mut NO_BUFFER);
/// To whom it is lent.
#[cfg(debug_assertions)]
pub(crate) static LENDING: Lending = Lending::new();

/// States where this program's IPC buffer is mapped. What is written to the buffer before this, nobody receives.
///
/// # Safety
/// `buffer` is the address that the kernel holds for the only thread of this program, not null, mapped readable and
/// writable for as long as the program runs, and nothing else makes references to it.
pub unsafe fn set_ipc_buffer(buffer: *mut IpcBuffer) {
    IPC_BUFFER.store(buffer, Ordering::Relaxed);
    #[cfg(debug_assertions)]
    LENDING.reset();
}

/// Reads the IPC buffer. The closure must not write it, and a system call with a message does.
///
/// # Panics
/// Where debug assertions are on and the buffer is borrowed to be written.
#[inline(always)]
#[cfg_attr(debug_assertions, track_caller)]
pub fn with_ipc_buffer<T>(f: impl FnOnce(&IpcBuffer) -> T) -> T {
    #[cfg(debug_assertions)]
    let _loan = LENDING.read();
    // SAFETY: it is NO_BUFFER, which nothing else names, or what set_ipc_buffer's caller vouches for. The program has
    // one thread, and the kernel writes to the buffer only within that thread's system calls.
    f(unsafe { &*IPC_BUFFER.load(Ordering::Relaxed) })
}

/// Writes the IPC buffer. The closure must not make a system call, nor use the buffer by another way.
///
/// # Panics
/// Where debug assertions are on and the buffer is borrowed.
#[inline(always)]
#[cfg_attr(debug_assertions, track_caller)]
pub fn with_ipc_buffer_mut<T>(f: impl FnOnce(&mut IpcBuffer) -> T) -> T {
    #[cfg(debug_assertions)]
    let _loan = LENDING.write("a second borrow");
    // SAFETY: as in `with_ipc_buffer`; nested use, the one way to a second reference, is excluded by contract.
    f(unsafe { &mut *IPC_BUFFER.load(Ordering::Relaxed) })
}

/// The tag of a message (`seL4_MessageInfo_t`): label 20 bits, capabilities unwrapped 3, extra capabilities 2,
/// length 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageInfo(Word);

impl MessageInfo {
    /// The number of bits of a label.
    pub const LABEL_BITS: usize = 20;

    /// A tag; what does not fit its field is cut off.
    #[must_use]
    pub const fn new(label: Word, extra_caps: Word, length: Word) -> Self {
        Self((label & ((1 << Self::LABEL_BITS) - 1)) << 12 | (extra_caps & 3) << 7 | length & 0x7f)
    }

    /// The tag that a register holds.
    #[must_use]
    pub const fn from_word(word: Word) -> Self {
        Self(word)
    }

    /// The tag as the kernel takes it.
    #[must_use]
    pub const fn word(self) -> Word {
        self.0
    }

    /// The label.
    #[must_use]
    pub const fn label(self) -> Word {
        self.0 >> 12 & ((1 << Self::LABEL_BITS) - 1)
    }

    /// The number of message registers, at most [`MAX_LENGTH`].
    #[must_use]
    pub const fn length(self) -> usize {
        let length = (self.0 & 0x7f) as usize;
        if length > MAX_LENGTH { MAX_LENGTH } else { length }
    }
}
