// SPDX-License-Identifier: BSD-2-Clause
//! The words that the kernel takes and gives, put together and taken apart.

use sel4_abi::{
    BootInfo, CNode, Error, Fault, IoPort, IpcBuffer, MAX_LENGTH, MessageInfo, PAGE_SIZE, Untyped,
    object::ObjectType,
};

#[test]
fn a_tag_holds_label_capabilities_and_length() {
    let tag = MessageInfo::new(0xabcde, 3, 120);
    assert_eq!(tag.word(), 0xabcde << 12 | 3 << 7 | 120);
    assert_eq!((tag.label(), tag.length()), (0xabcde, 120));
    assert_eq!(MessageInfo::from_word(tag.word()), tag);
    // Capabilities that the kernel unwrapped are no part of the label.
    assert_eq!(MessageInfo::from_word(7 << 9).label(), 0);
}

#[test]
fn a_tag_cuts_off_what_does_not_fit() {
    assert_eq!(MessageInfo::new(1 << 20 | 5, 4, 128).word(), 5 << 12);
    assert_eq!(MessageInfo::from_word(0x7f).length(), MAX_LENGTH);
}

#[test]
fn the_kernels_answers() {
    assert_eq!(Error::check(0), Ok(()));
    assert_eq!(Error::check(6), Err(Error::FailedLookup));
    assert_eq!(Error::check(10).unwrap_err().to_string(), "seL4_NotEnoughMemory");
    assert_eq!(Error::check(77).unwrap_err().to_string(), "seL4 error 77");
}

#[test]
fn data_words_of_minted_capabilities() {
    assert_eq!(CNode::guard(55), 55 << 2);
    assert_eq!(IoPort::range(0x3f8, 0x3ff), 0x03f8_03ff);
}

#[test]
fn sizes_of_objects() {
    assert_eq!(ObjectType::CNode.size_bits(9), 14);
    assert_eq!(ObjectType::Untyped.size_bits(21), 21);
    assert_eq!(ObjectType::Tcb.size_bits(0), 11);
    assert_eq!(ObjectType::LargePage.size_bits(0), 21);
}

/// A buffer with these words, and the tag of a message that has them all.
fn message(label: u64, words: &[u64]) -> (IpcBuffer, MessageInfo) {
    let mut buffer = IpcBuffer::new();
    buffer.msg_regs_mut()[..words.len()].copy_from_slice(words);
    (buffer, MessageInfo::new(label, 0, words.len() as u64))
}

#[test]
fn a_page_fault() {
    let (buffer, info) = message(5, &[0x20_1000, 0x7fff_ffff_bff8, 0, 6]);
    let fault = Fault::new(&buffer, info);
    let Fault::VmFault(page) = fault else { panic!("{fault:?}") };
    assert_eq!(
        (page.ip(), page.addr(), page.is_prefetch(), page.fsr()),
        (0x20_1000, 0x7fff_ffff_bff8, false, 6)
    );
    assert_eq!(fault.to_string(), "page fault, write of 0x7fffffffbff8, ip 0x201000, code 0x6");
    let (buffer, info) = message(5, &[0x4560, 0x4560, 1, 0x14]);
    assert!(Fault::new(&buffer, info).to_string().starts_with("page fault, fetch of 0x4560"));
}

#[test]
fn an_exception() {
    let (buffer, info) = message(3, &[0x20_1000, 0x7000, 0x202, 6, 0]);
    let fault = Fault::new(&buffer, info);
    assert_eq!(fault.ip(), 0x20_1000);
    assert_eq!(fault.to_string(), "exception 6 (invalid opcode), code 0x0, ip 0x201000, sp 0x7000");
}

#[test]
fn an_unknown_system_call() {
    let mut words = [0; 19];
    words[15] = 0x20_1000;
    words[18] = (-100_i64).cast_unsigned();
    let (buffer, info) = message(2, &words);
    assert_eq!(Fault::new(&buffer, info).to_string(), "unknown system call -100, ip 0x201000");
}

#[test]
fn what_is_no_fault_or_too_short_is_none() {
    for (label, len) in [(0, 10), (4, 10), (9, 10), (1, 2), (2, 18), (3, 4), (5, 3)] {
        let (buffer, info) = message(label, &vec![1; len]);
        assert_eq!(Fault::new(&buffer, info), Fault::NullFault, "label {label}, {len} words");
    }
}

#[test]
fn boot_information() {
    let mut page = [0; PAGE_SIZE];
    let mut put = |at: usize, word: u64| page[at..at + 8].copy_from_slice(&word.to_le_bytes());
    put(32, 0x50_0000);
    put(40, 300);
    put(48, 1 << 14);
    put(153, 100);
    put(161, 102);
    put(169, 0x10_0000);
    put(181, 0xfed9_0000);
    page[136] = 14;
    (page[179], page[191], page[192]) = (20, 12, 1);
    let info = BootInfo::new(&page);
    assert_eq!(info.ipc_buffer().addr(), 0x50_0000);
    assert_eq!(info.empty(), 300..1 << 14);
    assert_eq!(info.cnode_size_bits(), 14);
    let ram = Untyped { cap: 100, paddr: 0x10_0000, size_bits: 20, device: false };
    let device = Untyped { cap: 101, paddr: 0xfed9_0000, size_bits: 12, device: true };
    assert!(info.untyped().eq([ram, device]));
}

#[test]
fn boot_information_that_claims_more_than_its_page_holds() {
    let mut page = [0; PAGE_SIZE];
    page[161..169].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(BootInfo::new(&page).untyped().count(), (PAGE_SIZE - 169) / 12);
}
