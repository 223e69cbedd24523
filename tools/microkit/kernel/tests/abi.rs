// SPDX-License-Identifier: BSD-2-Clause
//! The numbers that `sel4-abi` writes down are those of the kernel that is built here: the compiler reads them out
//! of the kernel's headers, generated ones included.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use microkit_kernel::{Config, Kernel, Source, build};
use sel4_abi::object::ObjectType;
use sel4_abi::{BootInfo, Error, IpcBuffer, MessageInfo, PAGE_SIZE, label, object};

const INCLUDES: [&str; 7] = [
    "config.h",
    "types.h",
    "api/types.h",
    "api/syscall.h",
    "arch/api/invocation.h",
    "object.h",
    "kernel/boot.h",
];

/// What each of `expressions` is to the kernel, a compile-time constant.
fn values(kernel: &Kernel, expressions: &[&str]) -> Vec<i64> {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for include in INCLUDES {
        writeln!(text, "#include <{include}>").unwrap();
    }
    for (index, expression) in expressions.iter().enumerate() {
        // Assembly that is only a comment: the compiler fills in the constant.
        let comment = format!("asm volatile(\"#value {index} %0\" :: \"i\"((long)({expression})))");
        writeln!(text, "void f{index}(void);\nvoid f{index}(void) {{ {comment}; }}").unwrap();
    }
    let (source, assembly) = (folder.path().join("values.c"), folder.path().join("values.s"));
    std::fs::write(&source, text).unwrap();
    let output = Command::new("gcc")
        .args([
            "-std=gnu99",
            "-w",
            "-nostdinc",
            "-ffreestanding",
            "-m64",
            "-fno-pic",
            "-mcmodel=kernel",
            "-S",
        ])
        .args(&kernel.header_flags)
        .args(["-o".as_ref(), assembly.as_os_str(), source.as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let assembly = std::fs::read_to_string(assembly).unwrap();
    let values: Vec<i64> = assembly
        .lines()
        .filter_map(|line| line.trim().strip_prefix("#value "))
        .map(|line| line.split_once(" $").unwrap().1.parse().unwrap())
        .collect();
    assert_eq!(values.len(), expressions.len());
    values
}

/// Pairs of what the kernel calls a constant and what it is here.
type Pairs = Vec<(&'static str, i64)>;

/// `label::NAME` beside the kernel's name of it.
macro_rules! labels {
    ($($ours:ident = $theirs:literal),* $(,)?) => { vec![$(($theirs, i64::try_from(label::$ours).unwrap())),*] };
}

fn labels() -> Pairs {
    labels![
        SYS_CALL = "SysCall",
        SYS_REPLY_RECV = "SysReplyRecv",
        SYS_SEND = "SysSend",
        SYS_NB_SEND = "SysNBSend",
        SYS_RECV = "SysRecv",
        SYS_REPLY = "SysReply",
        SYS_YIELD = "SysYield",
        SYS_NB_RECV = "SysNBRecv",
        SYS_DEBUG_PUT_CHAR = "SysDebugPutChar",
        SYS_VM_ENTER = "SysVMEnter",
        UNTYPED_RETYPE = "UntypedRetype",
        TCB_READ_REGISTERS = "TCBReadRegisters",
        TCB_WRITE_REGISTERS = "TCBWriteRegisters",
        TCB_CONFIGURE = "TCBConfigure",
        TCB_SET_PRIORITY = "TCBSetPriority",
        TCB_SUSPEND = "TCBSuspend",
        TCB_RESUME = "TCBResume",
        TCB_BIND_NOTIFICATION = "TCBBindNotification",
        CNODE_DELETE = "CNodeDelete",
        CNODE_COPY = "CNodeCopy",
        CNODE_MINT = "CNodeMint",
        CNODE_MOVE = "CNodeMove",
        IRQ_ACK_IRQ = "IRQAckIRQ",
        IRQ_SET_IRQ_HANDLER = "IRQSetIRQHandler",
        X86_PDPT_MAP = "X86PDPTMap",
        X86_PAGE_DIRECTORY_MAP = "X86PageDirectoryMap",
        X86_PAGE_TABLE_MAP = "X86PageTableMap",
        X86_PAGE_MAP = "X86PageMap",
        X86_PAGE_UNMAP = "X86PageUnmap",
        X86_PAGE_GET_ADDRESS = "X86PageGetAddress",
        X86_PAGE_MAP_EPT = "X86PageMapEPT",
        X86_ASID_POOL_ASSIGN = "X86ASIDPoolAssign",
        X86_IO_PORT_IN8 = "X86IOPortIn8",
        X86_IO_PORT_IN16 = "X86IOPortIn16",
        X86_IO_PORT_IN32 = "X86IOPortIn32",
        X86_IO_PORT_OUT8 = "X86IOPortOut8",
        X86_IO_PORT_OUT16 = "X86IOPortOut16",
        X86_IO_PORT_OUT32 = "X86IOPortOut32",
        X86_IRQ_ISSUE_IRQ_HANDLER_IOAPIC = "X86IRQIssueIRQHandlerIOAPIC",
        X86_IRQ_ISSUE_IRQ_HANDLER_MSI = "X86IRQIssueIRQHandlerMSI",
        TCB_SET_EPT_ROOT = "TCBSetEPTRoot",
        X86_VCPU_SET_TCB = "X86VCPUSetTCB",
        X86_VCPU_READ_VMCS = "X86VCPUReadVMCS",
        X86_VCPU_WRITE_VMCS = "X86VCPUWriteVMCS",
        X86_VCPU_WRITE_REGISTERS = "X86VCPUWriteRegisters",
        X86_EPT_PDPT_MAP = "X86EPTPDPTMap",
        X86_EPT_PAGE_DIRECTORY_MAP = "X86EPTPDMap",
        X86_EPT_PAGE_TABLE_MAP = "X86EPTPTMap",
    ]
}

/// Types, and the log2 of their objects' bytes where that does not depend on the request.
fn objects() -> Pairs {
    let types = [
        (ObjectType::Untyped, "seL4_UntypedObject", ""),
        (ObjectType::Tcb, "seL4_TCBObject", "seL4_TCBBits"),
        (ObjectType::Endpoint, "seL4_EndpointObject", "seL4_EndpointBits"),
        (ObjectType::Notification, "seL4_NotificationObject", "seL4_NotificationBits"),
        (ObjectType::CNode, "seL4_CapTableObject", ""),
        (ObjectType::Pdpt, "seL4_X86_PDPTObject", "seL4_PDPTBits"),
        (ObjectType::Pml4, "seL4_X64_PML4Object", "seL4_PML4Bits"),
        (ObjectType::HugePage, "seL4_X64_HugePageObject", "seL4_HugePageBits"),
        (ObjectType::Page, "seL4_X86_4K", "seL4_PageBits"),
        (ObjectType::LargePage, "seL4_X86_LargePageObject", "seL4_LargePageBits"),
        (ObjectType::PageTable, "seL4_X86_PageTableObject", "seL4_PageTableBits"),
        (ObjectType::PageDirectory, "seL4_X86_PageDirectoryObject", "seL4_PageDirBits"),
        (ObjectType::Vcpu, "seL4_X86_VCPUObject", "seL4_X86_VCPUBits"),
        (ObjectType::EptPml4, "seL4_X86_EPTPML4Object", "seL4_X86_EPTPML4Bits"),
        (ObjectType::EptPdpt, "seL4_X86_EPTPDPTObject", "seL4_X86_EPTPDPTBits"),
        (ObjectType::EptPageDirectory, "seL4_X86_EPTPDObject", "seL4_X86_EPTPDBits"),
        (ObjectType::EptPageTable, "seL4_X86_EPTPTObject", "seL4_X86_EPTPTBits"),
    ];
    let mut pairs = vec![("seL4_SlotBits", i64::from(object::SLOT_BITS))];
    for (ours, number, bits) in types {
        pairs.push((number, i64::try_from(ours as u64).unwrap()));
        if !bits.is_empty() {
            pairs.push((bits, i64::from(ours.size_bits(0))));
        }
    }
    pairs
}

fn layouts() -> Pairs {
    let slot = |cap: u64| i64::try_from(cap).unwrap();
    let size = |bytes: usize| i64::try_from(bytes).unwrap();
    vec![
        ("seL4_CapInitThreadTCB", slot(BootInfo::INIT_TCB)),
        ("seL4_CapInitThreadCNode", slot(BootInfo::INIT_CNODE)),
        ("seL4_CapInitThreadVSpace", slot(BootInfo::INIT_VSPACE)),
        ("seL4_CapIRQControl", slot(BootInfo::IRQ_CONTROL)),
        ("seL4_CapInitThreadASIDPool", slot(BootInfo::INIT_ASID_POOL)),
        ("seL4_CapIOPort", slot(BootInfo::IO_PORTS)),
        ("sizeof(seL4_IPCBuffer)", size(size_of::<IpcBuffer>())),
        ("seL4_MsgMaxLength", size(sel4_abi::MAX_LENGTH)),
        ("n_msgRegisters", size(sel4_abi::FAST_REGISTERS)),
        ("BIT(BI_FRAME_SIZE_BITS)", size(PAGE_SIZE)),
    ]
}

/// The number of `pub const` items in a source file of `sel4-abi`.
fn constants_in(file: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../abi/src").join(file);
    std::fs::read_to_string(path).unwrap().lines().filter(|line| line.starts_with("pub const ")).count()
}

fn errors_are_numbered_alike(kernel: &Kernel) {
    let names = [
        ("seL4_InvalidArgument", Error::InvalidArgument),
        ("seL4_InvalidCapability", Error::InvalidCapability),
        ("seL4_IllegalOperation", Error::IllegalOperation),
        ("seL4_RangeError", Error::RangeError),
        ("seL4_AlignmentError", Error::AlignmentError),
        ("seL4_FailedLookup", Error::FailedLookup),
        ("seL4_TruncatedMessage", Error::TruncatedMessage),
        ("seL4_DeleteFirst", Error::DeleteFirst),
        ("seL4_RevokeFirst", Error::RevokeFirst),
        ("seL4_NotEnoughMemory", Error::NotEnoughMemory),
    ];
    let numbers = values(kernel, &names.map(|(name, _)| name));
    for ((name, error), number) in names.into_iter().zip(numbers) {
        assert_eq!(Error::check(number.unsigned_abs()), Err(error), "{name}");
    }
}

/// Boot information that is written where the kernel writes it is read back.
fn boot_information_is_read_where_the_kernel_writes_it(kernel: &Kernel) {
    let fields =
        ["ipcBuffer", "empty", "userImageFrames", "initThreadCNodeSizeBits", "untyped", "untypedList"];
    let offsets = fields.map(|field| format!("__builtin_offsetof(seL4_BootInfo, {field})"));
    let entry = ["paddr", "sizeBits", "isDevice"]
        .map(|field| format!("__builtin_offsetof(seL4_BootInfo, untypedList[1].{field})"));
    let expressions: Vec<&str> = offsets.iter().chain(&entry).map(String::as_str).collect();
    let mut page = [0; PAGE_SIZE];
    let mut put = |offset: i64, bytes: &[u8]| {
        let offset = usize::try_from(offset).unwrap();
        page[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    let at = values(kernel, &expressions);
    put(at[0], &0x1234_5000_u64.to_le_bytes());
    put(at[1], &[100_u64.to_le_bytes(), 200_u64.to_le_bytes()].concat());
    put(at[2], &[20_u64.to_le_bytes(), 30_u64.to_le_bytes()].concat());
    put(at[3], &[14]);
    put(at[4], &[50_u64.to_le_bytes(), 52_u64.to_le_bytes()].concat());
    put(at[6], &0xfed9_0000_u64.to_le_bytes());
    put(at[7], &[21]);
    put(at[8], &[1]);
    let info = BootInfo::new(&page);
    assert_eq!(info.ipc_buffer().addr(), 0x1234_5000);
    assert_eq!(info.empty(), 100..200);
    assert_eq!(info.user_image_frames(), 20..30);
    assert_eq!(info.cnode_size_bits(), 14);
    let untyped: Vec<_> = info.untyped().collect();
    assert_eq!(untyped.len(), 2);
    let second = untyped[1];
    assert_eq!((second.cap, second.paddr, second.size_bits, second.device), (51, 0xfed9_0000, 21, true));
}

/// A tag that is all ones in a field is all ones where the kernel has that field.
fn message_tags_are_laid_out_alike(kernel: &Kernel) {
    let tag = |label: u64, caps, length| MessageInfo::new(label, caps, length).word();
    let names = ["seL4_MsgLengthBits", "seL4_MsgExtraCapBits"];
    let [length_bits, cap_bits] = values(kernel, &names)[..] else { panic!("two values") };
    assert_eq!(tag(0, 0, u64::MAX), (1 << length_bits) - 1);
    assert_eq!(tag(0, u64::MAX, 0), ((1 << cap_bits) - 1) << length_bits);
    // Capabilities that were unwrapped, one bit for each that a message can carry, stand between caps and label.
    let unwrapped_bits = (1 << cap_bits) - 1;
    assert_eq!(tag(1, 0, 0), 1 << (length_bits + cap_bits + unwrapped_bits));
    assert_eq!(tag(u64::MAX, 0, 0) >> 32, 0, "a tag has 32 bits");
}

#[test]
fn the_abi_crate_agrees_with_the_kernels_headers() {
    let source = Source::locate(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    // Kept for the next run: which kernel it is stands in its name.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let kernel = build(&source, &Config::release(), folder, |_| {}).unwrap();
    let pairs: Pairs = [labels(), objects(), layouts()].concat();
    assert_eq!(labels().len(), constants_in("label.rs"), "every label is compared");
    let names: Vec<_> = pairs.iter().map(|(name, _)| *name).collect();
    let differing: Vec<_> =
        pairs.iter().zip(values(&kernel, &names)).filter(|((_, ours), theirs)| ours != theirs).collect();
    assert!(differing.is_empty(), "((name, here), in the kernel): {differing:?}");
    errors_are_numbered_alike(&kernel);
    boot_information_is_read_where_the_kernel_writes_it(&kernel);
    message_tags_are_laid_out_alike(&kernel);
}
