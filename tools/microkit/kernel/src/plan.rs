// SPDX-License-Identifier: BSD-2-Clause
//! The commands that make a kernel out of the staged source, as data.
//!
//! Every path is relative to the build's folder, so the list is the same wherever it runs: it is part of the name
//! of what comes out. The order of things is upstream's: generate headers, compile all C as one file, assemble,
//! link.
//!
//! ```text
//! source/        the patched source tree        autoconf.h, api/, arch/, mode/, plat_mode/   generated headers
//! kernel_all.c   every C file, one after another             kernel64.elf  kernel32.elf      the kernel
//! ```

/// The C files, concatenated; written when the source is staged.
pub(crate) const ALL_C: &str = "kernel_all.c";
/// The kernel as it is linked: 64-bit ELF with symbols.
pub(crate) const ELF64: &str = "kernel64.elf";
/// The kernel as multiboot loaders take it: the same bytes in a 32-bit ELF.
pub(crate) const ELF32: &str = "kernel32.elf";

/// Folders for generated headers.
pub(crate) const GENERATED_DIRS: &[&str] =
    &["api", "arch/api", "arch/object", "mode/api", "plat_mode/machine"];

/// Folders of `source/src` that hold the C files of this machine, without their subfolders.
pub(crate) const C_DIRS: &[&str] = &[
    "",
    "api/",
    "arch/x86/",
    "arch/x86/64/",
    "arch/x86/64/kernel/",
    "arch/x86/64/machine/",
    "arch/x86/64/model/",
    "arch/x86/64/object/",
    "arch/x86/api/",
    "arch/x86/benchmark/",
    "arch/x86/kernel/",
    "arch/x86/machine/",
    "arch/x86/model/",
    "arch/x86/object/",
    "benchmark/",
    "fastpath/",
    "kernel/",
    "machine/",
    "model/",
    "object/",
    "plat/pc99/machine/",
    "smp/",
];
/// A C file in those folders that is for other machines.
pub(crate) const NOT_COMPILED: &str = "machine/profiler.c";
/// The C file that comes last: upstream lets a system replace it.
pub(crate) const DOMAIN_C: &str = "config/default_domain.c";

/// Include folders in the order of their precedence. The first holds the generated headers: its `autoconf.h` hides
/// the one that the source brings.
pub(crate) const INCLUDE_DIRS: &[&str] = &[
    ".",
    "source/include",
    "source/include/arch/x86",
    "source/include/plat/pc99",
    "source/include/arch/x86/arch/64",
    "source/include/plat/pc99/plat/64",
    "source/include/64",
];

/// Macros that upstream's build defines for this machine.
pub(crate) const DEFINES: &[&str] =
    &["HAVE_AUTOCONF", "ARCH_X86", "X86_64", "__KERNEL_64__", "KERNEL_64=y", "__X86_64__=y"];

/// Upstream's flags for C, then those that this source needs with a newer compiler: addresses near zero are
/// memory like any other, no loop becomes a call to a memory function that the kernel writes itself, and an
/// interrupt may use the stack below the stack pointer. Warnings are upstream's business: the source is pinned.
const C_FLAGS: &str = "-std=c99 -O2 -m64 -mcmodel=kernel -nostdlib -nostdinc -ffreestanding -fno-pic \
    -fno-asynchronous-unwind-tables -mno-mmx -mno-sse -mno-sse2 -mno-3dnow \
    --param=min-pagesize=0 -fno-delete-null-pointer-checks -fno-tree-loop-distribute-patterns -mno-red-zone \
    -fno-stack-protector -fcf-protection=none -w";

const LINK_FLAGS: &str =
    "-m64 -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-n -Wl,-z,noexecstack -Wl,-T,linker.lds";

/// A program of the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Gcc,
    Objcopy,
    Python,
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// For people.
    pub(crate) what: &'static str,
    pub(crate) tool: Tool,
    pub(crate) args: Vec<String>,
}

impl Step {
    fn new<S: Into<String>>(what: &'static str, tool: Tool, args: impl IntoIterator<Item = S>) -> Self {
        Self { what, tool, args: args.into_iter().map(Into::into).collect() }
    }
}

/// The commands for a kernel with (`debug`) or without assertions.
pub(crate) fn steps(debug: bool) -> Vec<Step> {
    let mut steps = invocation_headers();
    steps.push(Step::new(
        "generate system call numbers",
        Tool::Python,
        words(
            "source/tools/syscall_header_gen.py --xml source/include/api/syscall.xml \
               --kernel_header arch/api/syscall.h",
        ),
    ));
    for (input, output) in [
        ("source/include/arch/x86/arch/object/structures.bf", "arch/object/structures"),
        ("source/include/64/mode/api/shared_types.bf", "mode/api/shared_types"),
        ("source/include/plat/pc99/plat/64/plat_mode/machine/hardware.bf", "plat_mode/machine/hardware"),
    ] {
        let preprocessed = format!("{output}.pbf");
        steps.push(preprocess("preprocess bit fields", debug, input, &preprocessed));
        let args = ["source/tools/bitfield_gen.py".to_owned(), preprocessed, format!("{output}_gen.h")];
        steps.push(Step::new("generate bit fields", Tool::Python, args));
    }
    let mut compile = words(C_FLAGS);
    compile.extend(preprocessor_flags(debug));
    compile.extend(words("-c -o kernel.o"));
    compile.push(ALL_C.to_owned());
    steps.push(Step::new("compile the kernel", Tool::Gcc, compile));
    let mut objects = Vec::new();
    for name in ["multiboot", "64/machine_asm", "64/traps", "64/head"] {
        let object = format!("{}.o", name.trim_start_matches("64/"));
        let mut assemble = words("-m64 -nostdinc");
        assemble.extend(preprocessor_flags(debug));
        assemble.extend(["-c".to_owned(), "-o".to_owned(), object.clone()]);
        assemble.push(format!("source/src/arch/x86/{name}.S"));
        steps.push(Step::new("assemble", Tool::Gcc, assemble));
        objects.push(object);
    }
    steps.push(preprocess(
        "preprocess the linker script",
        debug,
        "source/src/plat/pc99/linker.lds",
        "linker.lds",
    ));
    let mut link = words(LINK_FLAGS);
    link.extend(["-o".to_owned(), ELF64.to_owned()]);
    link.extend(objects);
    link.push("kernel.o".to_owned());
    steps.push(Step::new("link", Tool::Gcc, link));
    steps.push(Step::new("convert for multiboot", Tool::Objcopy, ["-O", "elf32-i386", ELF64, ELF32]));
    steps
}

/// The three headers of invocation labels: common, 64-bit x86, x86.
fn invocation_headers() -> Vec<Step> {
    [
        ("include/interfaces/sel4.xml --dest api/invocation.h", None),
        (
            "sel4_arch_include/x86_64/interfaces/sel4arch.xml --dest arch/api/sel4_invocation.h",
            Some("--sel4_arch"),
        ),
        ("arch_include/x86/interfaces/sel4arch.xml --dest arch/api/invocation.h", Some("--arch")),
    ]
    .into_iter()
    .map(|(files, layer)| {
        let mut args = vec!["source/tools/invocation_header_gen.py".to_owned()];
        args.extend(layer.map(str::to_owned));
        args.extend(words(&format!("--xml source/libsel4/{files}")));
        Step::new("generate invocation labels", Tool::Python, args)
    })
    .collect()
}

/// Runs the C preprocessor over a file that is not C.
fn preprocess(what: &'static str, debug: bool, input: &str, output: &str) -> Step {
    let mut args = words("-E -P -x c -nostdinc");
    args.extend(preprocessor_flags(debug));
    args.extend([input, "-o", output].map(str::to_owned));
    Step::new(what, Tool::Gcc, args)
}

fn preprocessor_flags(debug: bool) -> impl Iterator<Item = String> {
    DEFINES
        .iter()
        .chain(debug.then_some(&"DEBUG"))
        .map(|define| format!("-D{define}"))
        .chain(INCLUDE_DIRS.iter().map(|dir| format!("-I{dir}")))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
