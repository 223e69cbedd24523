// SPDX-License-Identifier: BSD-2-Clause
//! The system calls.
//!
//! Convention of seL4 5.0.0 for `syscall`: RDX the number, RDI the capability (badge on return), RSI the tag,
//! R10, R8, R9, R15 the first four message registers. RCX and R11 are lost, and RSP is not kept by the kernel: the
//! caller saves it in RBX. LLVM reserves RBX, so it is itself kept in R12, which the kernel preserves.

use core::arch::asm;

use crate::{CPtr, MessageInfo, Word, label, with_ipc_buffer, with_ipc_buffer_mut};

/// The message registers that travel in CPU registers.
pub const FAST_REGISTERS: usize = 4;

/// Makes a system call with a message in both directions; returns badge, tag and the first registers.
#[inline(always)]
#[cfg_attr(debug_assertions, track_caller)]
fn syscall(
    number: i64,
    dest: Word,
    info: Word,
    regs: [Word; FAST_REGISTERS],
) -> (Word, MessageInfo, [Word; 4]) {
    // Two leave the IPC buffer alone; with any other the kernel may write there.
    #[cfg(debug_assertions)]
    let _loan = (!matches!(number, label::SYS_YIELD | label::SYS_DEBUG_PUT_CHAR))
        .then(|| crate::ipc::LENDING.write("a system call"));
    let [mut mr0, mut mr1, mut mr2, mut mr3] = regs;
    let (badge, tag);
    // SAFETY: the block follows the kernel's convention above: every register that the kernel changes is an
    // operand, RBX and RSP are restored before it ends, and memory is taken as changed (the IPC buffer is).
    unsafe {
        asm!(
            "mov r12, rbx",
            "mov rbx, rsp",
            "syscall",
            "mov rsp, rbx",
            "mov rbx, r12",
            in("rdx") number,
            inlateout("rdi") dest => badge,
            inlateout("rsi") info => tag,
            inlateout("r10") mr0,
            inlateout("r8") mr1,
            inlateout("r9") mr2,
            inlateout("r15") mr3,
            out("r12") _,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    (badge, MessageInfo::from_word(tag), [mr0, mr1, mr2, mr3])
}

/// The first registers of a message of `length` from the IPC buffer.
#[inline(always)]
fn load(length: usize) -> [Word; FAST_REGISTERS] {
    if length == 0 {
        return [0; FAST_REGISTERS];
    }
    with_ipc_buffer(|buffer| {
        let regs = buffer.msg_regs();
        [regs[0], regs[1], regs[2], regs[3]]
    })
}

/// Puts the first registers of a received message into the IPC buffer, where the others are.
#[inline(always)]
fn store(length: usize, regs: [Word; FAST_REGISTERS]) {
    if length != 0 {
        with_ipc_buffer_mut(|buffer| buffer.msg_regs_mut()[..FAST_REGISTERS].copy_from_slice(&regs));
    }
}

/// `seL4_Call`: sends the message in the IPC buffer and waits for the reply, which replaces it.
#[inline]
pub fn call(dest: CPtr, info: MessageInfo) -> MessageInfo {
    let (_, tag, regs) = syscall(label::SYS_CALL, dest, info.word(), load(info.length()));
    store(tag.length(), regs);
    tag
}

/// `seL4_Call` for an invocation of at most four words that needs nothing from the IPC buffer.
#[inline]
#[must_use]
pub fn raw_call(dest: CPtr, info: MessageInfo, regs: [Word; FAST_REGISTERS]) -> (MessageInfo, [Word; 4]) {
    let (_, tag, regs) = syscall(label::SYS_CALL, dest, info.word(), regs);
    (tag, regs)
}

/// `seL4_Send`: sends the message in the IPC buffer.
#[inline]
pub fn send(dest: CPtr, info: MessageInfo) {
    let _ = syscall(label::SYS_SEND, dest, info.word(), load(info.length()));
}

/// `seL4_Signal`.
#[inline]
pub fn signal(notification: CPtr) {
    let _ = syscall(label::SYS_SEND, notification, MessageInfo::default().word(), [0; FAST_REGISTERS]);
}

/// `seL4_Reply`: answers the last call received, with the message in the IPC buffer.
#[inline]
pub fn reply(info: MessageInfo) {
    let _ = syscall(label::SYS_REPLY, 0, info.word(), load(info.length()));
}

/// `seL4_Recv`: waits for a message or notification; returns its tag and badge.
#[inline]
#[must_use]
pub fn recv(src: CPtr) -> (MessageInfo, Word) {
    let (badge, tag, regs) = syscall(label::SYS_RECV, src, 0, [0; FAST_REGISTERS]);
    store(tag.length(), regs);
    (tag, badge)
}

/// `seL4_NBRecv`: a message that is there already; badge 0 and an empty tag when there is none.
#[inline]
#[must_use]
pub fn nb_recv(src: CPtr) -> (MessageInfo, Word) {
    let (badge, tag, regs) = syscall(label::SYS_NB_RECV, src, 0, [0; FAST_REGISTERS]);
    store(tag.length(), regs);
    (tag, badge)
}

/// `seL4_ReplyRecv`: answers the last call and waits for the next message.
#[inline]
#[must_use]
pub fn reply_recv(src: CPtr, info: MessageInfo) -> (MessageInfo, Word) {
    let (badge, tag, regs) = syscall(label::SYS_REPLY_RECV, src, info.word(), load(info.length()));
    store(tag.length(), regs);
    (tag, badge)
}

/// How a virtual machine is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VmEntry {
    /// The guest's instruction pointer.
    pub rip: Word,
    /// The primary processor-based controls (the kernel adds what it needs).
    pub controls: Word,
    /// The interruption-information field: the event to be injected, or 0.
    pub injection: Word,
}

/// Why a virtual machine was left. The first message registers are what [`VmEntry`] has, as they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VmReturn {
    /// An exit: reason, qualification and the rest follow in the message registers from 3 on.
    Exit,
    /// A notification with this badge.
    Notified(Word),
}

/// `seL4_VMEnter`: runs the thread's virtual machine until it exits or the thread's bound notification is signalled.
///
/// Without a virtual CPU this is an unknown system call, which faults the thread.
#[inline]
#[must_use]
pub fn vm_enter(entry: VmEntry) -> VmReturn {
    let VmEntry { rip, controls, injection } = entry;
    let (badge, exited, regs) = syscall(label::SYS_VM_ENTER, 0, 0, [rip, controls, injection, 0]);
    store(FAST_REGISTERS, regs);
    match exited.word() {
        0 => VmReturn::Notified(badge),
        _ => VmReturn::Exit,
    }
}

/// `seL4_Yield`.
#[inline]
pub fn yield_now() {
    let _ = syscall(label::SYS_YIELD, 0, 0, [0; FAST_REGISTERS]);
}

/// `seL4_DebugPutChar`: prints a byte through the kernel. Only a kernel that prints has it; another one takes it as
/// an unknown system call and faults the thread.
#[inline]
pub fn debug_put_char(byte: u8) {
    let _ = syscall(label::SYS_DEBUG_PUT_CHAR, byte.into(), 0, [0; FAST_REGISTERS]);
}
