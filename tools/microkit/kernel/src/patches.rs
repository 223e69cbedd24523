// SPDX-License-Identifier: BSD-2-Clause
//! What the kernel of 2017 needs to run here, one entry for each defect.
//!
//! The source is GPL-2.0: each entry quotes no more of it than marks the place. What newer kernels do was looked up in
//! seL4's history as of August 2026.

use crate::patch::{Edit, Patch};

const VCPU_C: &str = "src/arch/x86/object/vcpu.c";
const MULTIBOOT_H: &str = "include/arch/x86/arch/kernel/multiboot.h";
const BOOT_SYS_C: &str = "src/arch/x86/kernel/boot_sys.c";
const STRUCTURES_H: &str = "include/arch/x86/arch/object/structures.h";

/// Every patch, in the order in which they are applied.
pub const PATCHES: &[Patch] = &[
    Patch {
        name: "stack-alignment",
        reason: "the return to user mode masks the stack pointer with the stack's size; a stack that is not aligned \
                 to its size runs over into the interrupt table when a second interrupt is pending",
        upstream: "fixed in January 2018, by naming the top of the stack instead",
        edits: &[Edit {
            file: "include/arch/x86/arch/64/mode/kernel/stack.h",
            before: "KERNEL_STACK_ALIGNMENT 16",
            after: "KERNEL_STACK_ALIGNMENT 4096",
        }],
    },
    Patch {
        name: "frame-unmap",
        reason: "a frame cap that is deleted while another cap to the frame exists stays mapped, and its memory readable",
        upstream: "fixed in August 2017",
        edits: &[Edit {
            file: "src/arch/x86/64/object/objecttype.c",
            before: "final && cap_frame_cap_get_capFMappedASID",
            after: "cap_frame_cap_get_capFMappedASID",
        }],
    },
    Patch {
        name: "pdpt-same-region",
        reason: "two caps to one page-directory-pointer table are taken for caps to different objects, so deleting \
                 one tears down the table that the other still names",
        upstream: "fixed in January 2018",
        edits: &[Edit {
            file: "src/arch/x86/64/object/objecttype.c",
            before: "        return false;\n    default:\n        return false;",
            after: "        return false;\n    case cap_pdpt_cap:\n        return cap_get_capType(cap_b) == cap_pdpt_cap &&\n            \
                    cap_pdpt_cap_get_capPDPTBasePtr(cap_a) == cap_pdpt_cap_get_capPDPTBasePtr(cap_b);\n    \
                    default:\n        return false;",
        }],
    },
    Patch {
        name: "fault-address",
        reason: "a page fault's address is cut to 32 bits, so a stack overflow near the top of user space is reported \
                 as an address that nobody knows",
        upstream: "fixed in October 2017",
        edits: &[Edit {
            file: "src/arch/x86/kernel/vspace.c",
            before: "uint32_t addr;",
            after: "word_t addr;",
        }],
    },
    Patch {
        name: "multiboot-pointers",
        reason: "the boot loader's structure has 32-bit addresses where this kernel reads 64-bit pointers; a boot by \
                 GRUB ends in a triple fault",
        upstream: "fixed in April 2017, days after this release",
        edits: &[
            Edit { file: MULTIBOOT_H, before: "void *drives_addr", after: "uint32_t drives_addr" },
            Edit { file: MULTIBOOT_H, before: "void *config_table", after: "uint32_t config_table" },
            Edit { file: MULTIBOOT_H, before: "void *boot_loader_name", after: "uint32_t boot_loader_name" },
            Edit { file: MULTIBOOT_H, before: "void *apm_table", after: "uint32_t apm_table" },
            Edit { file: MULTIBOOT_H, before: "seL4_VBEInfoBlock_t *vbe", after: "uint32_t vbe" },
            Edit { file: MULTIBOOT_H, before: "seL4_VBEModeInfoBlock_t *vbe", after: "uint32_t vbe" },
            Edit {
                file: BOOT_SYS_C,
                before: "*mbi->vbe_control_info",
                after: "*(seL4_VBEInfoBlock_t *)(word_t)mbi->vbe_control_info",
            },
            Edit {
                file: BOOT_SYS_C,
                before: "*mbi->vbe_mode_info",
                after: "*(seL4_VBEModeInfoBlock_t *)(word_t)mbi->vbe_mode_info",
            },
        ],
    },
    Patch {
        name: "release-putchar",
        reason: "without DEBUG_BUILD no program can print through the kernel, although the kernel itself can",
        upstream: "tied to PRINTING since May 2017, as here",
        edits: &[
            Edit {
                file: "src/api/syscall.c",
                before: "#ifdef CONFIG_DEBUG_BUILD\n    if (w == SysDebugPutChar) {",
                after: "    if (w == SysDebugPutChar) {",
            },
            Edit {
                file: "src/api/syscall.c",
                before: "    if (w == SysDebugHalt",
                after: "#ifdef CONFIG_DEBUG_BUILD\n    if (w == SysDebugHalt",
            },
            Edit {
                file: "include/api/syscall.xml",
                before: "        <config condition=\"defined CONFIG_DEBUG_BUILD\">\n            \
                         <syscall name=\"DebugPutChar\"  />\n",
                after: "        <config condition=\"defined CONFIG_PRINTING\">\n            \
                        <syscall name=\"DebugPutChar\"  />\n        </config>\n        \
                        <config condition=\"defined CONFIG_DEBUG_BUILD\">\n",
            },
        ],
    },
    Patch {
        name: "calibration-time",
        reason: "the timers are calibrated by polling a port for 200 ms, which is two thirds of what a boot costs under \
                 -icount; a tenth of it serves an emulator as well",
        upstream: "as here",
        edits: &[Edit {
            file: "include/plat/pc99/plat/machine/pit.h",
            before: "PIT_WRAPAROUND_MS 50",
            after: "PIT_WRAPAROUND_MS 5",
        }],
    },
    Patch {
        name: "vtx-optional",
        reason: "a kernel with virtual machines does not boot on a machine without VT-x; with this it does, and \
                 only making a VCPU fails, so that one kernel serves every machine",
        upstream: "not wanted there: it is chosen when the kernel is configured",
        edits: &[
            Edit {
                file: "src/arch/x86/kernel/boot.c",
                before: "if (!vtx_init()) {\n        return false;\n    }",
                after: "vtx_usable = vtx_init();",
            },
            Edit {
                file: "include/arch/x86/arch/object/vcpu.h",
                before: "bool_t vtx_init(void);",
                after: "extern bool_t vtx_usable;\nbool_t vtx_init(void);",
            },
            Edit {
                file: VCPU_C,
                before: "static uint32_t vmcs_revision;",
                after: "static uint32_t vmcs_revision;\nbool_t vtx_usable;",
            },
            Edit {
                file: "src/object/untyped.c",
                before: "newType >= seL4_ObjectTypeCount",
                after: "newType >= seL4_ObjectTypeCount || (newType == seL4_X86_VCPUObject && !vtx_usable)",
            },
        ],
    },
    Patch {
        name: "vmenter-needs-vcpu",
        reason: "VMEnter by a thread that has no VCPU makes the kernel follow a null pointer: any thread can stop the machine",
        upstream: "fixed in February 2019",
        edits: &[Edit {
            file: "src/arch/x86/c_traps.c",
            before: "syscall == SysVMEnter",
            after: "syscall == SysVMEnter && NODE_STATE(ksCurThread)->tcbArch.vcpu",
        }],
    },
    Patch {
        name: "vcpu-cap-memory",
        reason: "the kernel does not know that a VCPU cap stands for memory, and halts when it compares one with the \
                 untyped cap that it came from, as the next retype of that untyped does",
        upstream: "fixed in December 2024",
        edits: &[
            Edit {
                file: STRUCTURES_H,
                before: "    case cap_ept_pt_cap:\n        return true;",
                after: "    case cap_vcpu_cap:\n    case cap_ept_pt_cap:\n        return true;",
            },
            Edit {
                file: STRUCTURES_H,
                before: "    case cap_ept_pt_cap:\n        return EPT_PT_PTR",
                after: "    case cap_vcpu_cap:\n        return (void *)cap_vcpu_cap_get_capVCPUPtr(cap);\n    \
                        case cap_ept_pt_cap:\n        return EPT_PT_PTR",
            },
        ],
    },
    Patch {
        name: "vm-time-slice",
        reason: "a thread whose guest is running uses up no time slice, so threads of its priority never run",
        upstream: "fixed in November 2018",
        edits: &[Edit {
            file: "src/kernel/thread.c",
            before: "ksCurThread)->tcbState) ==\n               ThreadState_Running)",
            after: "ksCurThread)->tcbState) ==\n               ThreadState_Running ||\n               \
                    thread_state_get_tsType(NODE_STATE(ksCurThread)->tcbState) == ThreadState_RunningVM)",
        }],
    },
    Patch {
        name: "invept-operand",
        reason: "INVEPT takes an EPT pointer with its depth and memory type, not a bare address: with the address \
                 alone it fails and stale translations of an unmapped page stay in use",
        upstream: "as it was in August 2026",
        edits: &[Edit {
            file: VCPU_C,
            before: "= pptr_to_paddr((void*)ept_pml4)",
            after: "= vmx_eptp_new(pptr_to_paddr((void*)ept_pml4), 0, 3, 6).words[0]",
        }],
    },
    Patch {
        name: "exit-cr0",
        reason: "a VM exit loads the CR0 of the moment when the VCPU was made; without TS in it, floating-point state of \
                 one protection domain shows in another",
        upstream: "solved in September 2024 by switching the state at once instead of lazily",
        edits: &[Edit {
            file: VCPU_C,
            before: "VMX_HOST_CR0, read_cr0()",
            after: "VMX_HOST_CR0, read_cr0() | CR0_TASK_SWITCH",
        }],
    },
    Patch {
        name: "null-ept-page",
        reason: "the empty EPT of a VCPU that has none is 12 bytes, and the hardware walks a whole page: what follows \
                 it in the kernel's memory is read as page-table entries",
        upstream: "as it was in August 2026",
        edits: &[Edit {
            file: VCPU_C,
            before: "null_ept_space[seL4_PageBits]",
            after: "null_ept_space[BIT(seL4_PageBits)]",
        }],
    },
    Patch {
        name: "vcpu-fpu-state",
        reason: "a new VCPU's floating-point state is all zeros, with every exception unmasked: no processor starts so",
        upstream: "fixed in September 2024",
        edits: &[Edit {
            file: VCPU_C,
            before: "    vcpu->tcb = NULL;\n    vcpu->launched = false;\n",
            after: "    vcpu->tcb = NULL;\n    vcpu->launched = false;\n    vcpu->fpuState = x86KSnullFpuState;\n",
        }],
    },
    Patch {
        name: "vcpu-finalise",
        reason: "a deleted VCPU still owns the floating-point unit and its VPID: the kernel later saves registers into, \
                 and follows pointers out of, memory that is something else by then",
        upstream: "the floating-point part was fixed in September 2024; the VPID is as it was in August 2026",
        edits: &[Edit {
            file: VCPU_C,
            before: "void\nvcpu_finalise(vcpu_t *vcpu)\n{\n",
            after: "static void invalidateVPID(vpid_t vpid);\n\nvoid\nvcpu_finalise(vcpu_t *vcpu)\n{\n    \
                    if (&vcpu->fpuState == NODE_STATE(ksActiveFPUState)) {\n        \
                    switchLocalFpuOwner(NULL);\n    }\n    \
                    if (vcpu->vpid != VPID_INVALID) {\n        \
                    invalidateVPID(vcpu->vpid);\n        \
                    x86KSVPIDTable[vcpu->vpid] = NULL;\n        \
                    vcpu->vpid = VPID_INVALID;\n    }\n",
        }],
    },
    Patch {
        name: "unrestricted-guest",
        reason: "PE and PG are forced on in a guest's CR0 even where the processor lets a guest run without paging or \
                 in real mode",
        upstream: "fixed in March 2026",
        edits: &[
            Edit {
                file: VCPU_C,
                before: "\n    cr0_high = x86_rdmsr_low(IA32_VMX_CR0_FIXED0_MSR);",
                after: "\n    cr0_high = x86_rdmsr_low(IA32_VMX_CR0_FIXED0_MSR) &\n        \
                        ~(secondary_control_low & BIT(7) ? (uint32_t)(BIT(31) | BIT(0)) : 0);",
            },
            Edit {
                file: VCPU_C,
                before: "local_cr0_high = x86_rdmsr_low(IA32_VMX_CR0_FIXED0_MSR);",
                after: "local_cr0_high = x86_rdmsr_low(IA32_VMX_CR0_FIXED0_MSR) &\n        \
                        ~(local_secondary_control_low & BIT(7) ? (uint32_t)(BIT(31) | BIT(0)) : 0);",
            },
        ],
    },
];
