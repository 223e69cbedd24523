// SPDX-License-Identifier: BSD-2-Clause
//! The model: what a system description says, with every name resolved and every value's place kept.
//!
//! Protection domains stand in one list, parents before their children; a reference to a domain or a memory region
//! is an index into the system's lists and is always valid. Numbers are bytes, addresses or microseconds as
//! Microkit's manual ("System Description File") defines the attribute. Names are Microkit's.

use crate::source::{At, Place, Source};

/// Index into [`System::protection_domains`].
pub type PdIndex = usize;

/// Index into [`System::memory_regions`].
pub type RegionIndex = usize;

/// A whole system description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// The text that all places lie in.
    pub source: Source,
    /// Memory regions, in the order of the text.
    pub memory_regions: Vec<MemoryRegion>,
    /// All protection domains, nested ones too, in the order of the text: a parent precedes its children.
    pub protection_domains: Vec<ProtectionDomain>,
    /// Channels, in the order of the text.
    pub channels: Vec<Channel>,
    /// The kernel's own IOMMU address spaces.
    pub io_address_spaces: Vec<IoAddressSpace>,
    /// The domain schedule, if there is one.
    pub domains: Option<Domains>,
}

/// `<memory_region>`: a stretch of physical memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRegion {
    /// Unique name.
    pub name: At<String>,
    /// Bytes, a multiple of the page size; `None` when it follows from a prefill whose length is not known.
    pub size: Option<At<u64>>,
    /// Bytes: 0x1000 or 0x20_0000. Where the attribute was left out this is the largest that the size, the physical
    /// address and every mapping allow, as Microkit chooses it.
    pub page_size: At<u64>,
    /// Physical address, when it is fixed.
    pub phys_addr: Option<At<u64>>,
    /// File whose bytes fill the region from its start.
    pub prefill_path: Option<At<String>>,
    /// Length of that file in bytes, where the reader was told ([`System::parse_with`]).
    pub prefill_size: Option<u64>,
    /// Name of the boot information that fills the region (Microkit 2.3.0).
    pub prefill_bootinfo: Option<At<String>>,
    /// Its element.
    pub place: Place,
}

/// `<protection_domain>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectionDomain {
    /// Unique name.
    pub name: At<String>,
    /// 0..=254.
    pub priority: At<u8>,
    /// Microseconds, when given; otherwise [`crate::BUDGET_DEFAULT`].
    pub budget: Option<At<u64>>,
    /// Microseconds, when given; otherwise the budget.
    pub period: Option<At<u64>>,
    /// Whether it runs on its caller's time only.
    pub passive: At<bool>,
    /// Bytes.
    pub stack_size: At<u64>,
    /// Whether it may make secure monitor calls (ARM only, so never true in a valid x86-64 system).
    pub smc: At<bool>,
    /// Core that it runs on.
    pub cpu: At<u8>,
    /// Whether it may use the FPU (Microkit 2.3.0).
    pub fpu: At<bool>,
    /// Scheduling domain by name (Microkit 2.3.0).
    pub domain: Option<At<String>>,
    /// For a nested domain, its parent and the number that the parent knows it by.
    pub parent: Option<Parent>,
    /// Path of the ELF file, as written.
    pub program_image: At<String>,
    /// Path of the ELF file whose symbols are patched, when it is another one (Microkit 2.3.0).
    pub program_image_for_symbols: Option<At<String>>,
    /// Mapped memory regions.
    pub maps: Vec<Map>,
    /// Interrupts.
    pub irqs: Vec<Irq>,
    /// I/O ports.
    pub ioports: Vec<IoPort>,
    /// Everything to be patched into the program image, of whatever element it was an attribute: maps, irqs,
    /// ioports, channel ends, children and virtual CPUs.
    pub setvars: Vec<SetVar>,
    /// Capabilities to other domains' objects (Microkit 2.3.0).
    pub cap_maps: Vec<CapMap>,
    /// The virtual machine that it runs.
    pub virtual_machine: Option<VirtualMachine>,
    /// Its element.
    pub place: Place,
}

/// What binds a nested protection domain to its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The parent, which receives its faults.
    pub pd: PdIndex,
    /// The number by which the parent knows it, 0..=61.
    pub id: At<u64>,
}

/// `<map>`: a memory region in an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// What is mapped; the place is that of the region's name.
    pub region: At<RegionIndex>,
    /// Virtual address, or guest-physical address in a virtual machine.
    pub vaddr: At<u64>,
    /// What the address space may do with it.
    pub perms: At<Perms>,
    /// Whether it is cached.
    pub cached: At<bool>,
    /// Its element.
    pub place: Place,
}

/// Permissions of a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Perms {
    /// `r`
    pub read: bool,
    /// `w`
    pub write: bool,
    /// `x`
    pub execute: bool,
}

/// `<irq>`: an interrupt that arrives as a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Irq {
    /// Number in the domain's channel space, 0..=61.
    pub id: At<u64>,
    /// Where it comes from.
    pub kind: IrqKind,
    /// Its element.
    pub place: Place,
}

/// Source of an interrupt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IrqKind {
    /// A pin of an I/O APIC.
    IoApic {
        /// Which I/O APIC, from zero.
        ioapic: At<u64>,
        /// Which of its pins.
        pin: At<u64>,
        /// Level or edge.
        trigger: At<Trigger>,
        /// High or low.
        polarity: At<Polarity>,
        /// CPU vector, 0..=107.
        vector: At<u64>,
    },
    /// A message-signalled interrupt of a PCI function.
    Msi {
        /// The function.
        pcidev: At<PciAddress>,
        /// Handle in the message's data.
        handle: At<u64>,
        /// CPU vector, 0..=107.
        vector: At<u64>,
    },
    /// A numbered interrupt of ARM or RISC-V (never in a valid x86-64 system).
    Conventional {
        /// Hardware interrupt number.
        irq: At<u64>,
        /// Level or edge.
        trigger: At<Trigger>,
    },
}

/// How an interrupt line is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `level`
    Level,
    /// `edge`
    Edge,
}

/// Which level of an interrupt line is the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// `high`
    High,
    /// `low`
    Low,
}

/// Address of a PCI function, printed as `bus:device.function` in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    /// 0..=255
    pub bus: u8,
    /// 0..=31
    pub device: u8,
    /// 0..=7
    pub function: u8,
}

/// `<ioport>`: a range of x86 I/O ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IoPort {
    /// Number in the domain's own space of I/O ports, 0..=61.
    pub id: At<u64>,
    /// First port.
    pub addr: At<u64>,
    /// Number of ports.
    pub size: At<u64>,
    /// Its element.
    pub place: Place,
}

/// A symbol of the program image and what is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetVar {
    /// Symbol, unique in its domain.
    pub symbol: At<String>,
    /// What is written.
    pub value: SetVarValue,
}

/// What is written at a symbol, a 64-bit word each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetVarValue {
    /// Virtual address of a mapping (`setvar_vaddr`).
    Vaddr(u64),
    /// Bytes of a memory region (`setvar_size`).
    Size(RegionIndex),
    /// Bytes of a memory region's prefill (`setvar_prefill_size`).
    PrefillSize(RegionIndex),
    /// Physical address of a memory region (`<setvar region_paddr>`).
    RegionPaddr(RegionIndex),
    /// Number of a channel, interrupt, I/O port, child or virtual CPU (`setvar_id`).
    Id(u64),
    /// First port of an I/O port range (`setvar_addr`).
    IoPortAddr(u64),
}

/// A capability to an object of another domain, from `<cspace>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapMap {
    /// Which object.
    pub kind: CapKind,
    /// Whose.
    pub pd: At<PdIndex>,
    /// Where it goes, 1..=127.
    pub slot: At<u64>,
    /// Its element.
    pub place: Place,
}

/// Object of a protection domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapKind {
    /// Its thread.
    Tcb,
    /// Its scheduling context.
    Sc,
    /// Its address space.
    VSpace,
}

/// `<virtual_machine>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualMachine {
    /// Unique name.
    pub name: At<String>,
    /// Its virtual CPUs, at least one.
    pub vcpus: Vec<Vcpu>,
    /// Its guest-physical memory.
    pub maps: Vec<Map>,
    /// Its element.
    pub place: Place,
}

/// `<vcpu>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vcpu {
    /// Number that its domain knows it by, 0..=61.
    pub id: At<u64>,
    /// Core that it runs on, when given; otherwise its domain's.
    pub cpu: Option<At<u8>>,
    /// Its element.
    pub place: Place,
}

/// `<channel>`: two domains that may notify or call each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// The two ends, in the order of the text.
    pub ends: [ChannelEnd; 2],
    /// Its element.
    pub place: Place,
}

/// `<end>` of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEnd {
    /// Whose end; the place is that of its name.
    pub pd: At<PdIndex>,
    /// Number in its domain's channel space, 0..=61.
    pub id: At<u64>,
    /// Whether it may call the other end (a protected procedure call).
    pub pp: At<bool>,
    /// Whether it may notify the other end.
    pub notify: At<bool>,
    /// Its element.
    pub place: Place,
}

/// `<io_address_space>`: memory that the kernel lets a device reach (Microkit 2.3.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IoAddressSpace {
    /// Unique name.
    pub name: At<String>,
    /// The device.
    pub device: At<PciAddress>,
    /// Number of its IOMMU domain.
    pub domain_id: At<u64>,
    /// What the device reaches: [`Map::vaddr`] is the I/O virtual address.
    pub maps: Vec<Map>,
    /// Its element.
    pub place: Place,
}

/// `<domains>`: the kernel's domain schedule (Microkit 2.3.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domains {
    /// Names of the domains, with the number where it was given.
    pub domains: Vec<(At<String>, Option<At<u64>>)>,
    /// The schedule.
    pub schedule: Vec<ScheduleEntry>,
    /// Entry that the schedule starts with.
    pub start_index: At<u64>,
    /// Offset of the schedule in the kernel's.
    pub index_shift: Option<At<u64>>,
    /// Its element.
    pub place: Place,
}

/// An entry of the domain schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleEntry {
    /// A domain's turn.
    Run {
        /// Index into [`Domains::domains`].
        domain: At<usize>,
        /// How long.
        duration: At<Duration>,
    },
    /// The end of the schedule.
    End(Place),
}

/// Length of a domain's turn; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// Microseconds.
    Us(u64),
    /// Ticks of the kernel's timer.
    Ticks(u64),
}

impl System {
    /// The protection domain called `name`.
    pub fn protection_domain(&self, name: &str) -> Option<(PdIndex, &ProtectionDomain)> {
        self.protection_domains.iter().enumerate().find(|(_, pd)| *pd.name == name)
    }

    /// The memory region called `name`.
    pub fn memory_region(&self, name: &str) -> Option<(RegionIndex, &MemoryRegion)> {
        self.memory_regions.iter().enumerate().find(|(_, region)| *region.name == name)
    }

    /// The direct children of a protection domain.
    pub fn children(&self, parent: PdIndex) -> impl Iterator<Item = (PdIndex, &ProtectionDomain)> {
        let is_child = move |pd: &ProtectionDomain| pd.parent.as_ref().is_some_and(|link| link.pd == parent);
        self.protection_domains.iter().enumerate().filter(move |(_, pd)| is_child(pd))
    }
}

impl Channel {
    /// Both ways through the channel: each end with the one opposite.
    pub fn directions(&self) -> [(&ChannelEnd, &ChannelEnd); 2] {
        let [a, b] = &self.ends;
        [(a, b), (b, a)]
    }
}

impl Irq {
    /// The number that must be unique in the system: the CPU vector, or ARM's and RISC-V's interrupt number.
    pub fn number(&self) -> At<u64> {
        match self.kind {
            IrqKind::IoApic { vector, .. } | IrqKind::Msi { vector, .. } => vector,
            IrqKind::Conventional { irq, .. } => irq,
        }
    }
}

impl std::fmt::Display for Perms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (letter, given) in [("r", self.read), ("w", self.write), ("x", self.execute)] {
            if given {
                f.write_str(letter)?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for PciAddress {
    type Err = NoPciAddress;

    fn from_str(text: &str) -> Result<Self, NoPciAddress> {
        let (bus, rest) = text.split_once(':').ok_or(NoPciAddress)?;
        let (device, function) = rest.split_once('.').ok_or(NoPciAddress)?;
        let part = |digits: &str, max: u8| {
            let digits = digits.trim();
            // Of itself the conversion takes a sign.
            let value = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
            value.filter(|value| *value <= max).ok_or(NoPciAddress)
        };
        Ok(Self { bus: part(bus, 255)?, device: part(device, 31)?, function: part(function, 7)? })
    }
}

/// A text that is not the address of a PCI function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPciAddress;

impl std::fmt::Display for NoPciAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a PCI address: write bus:device.function in hexadecimal, from 00:00.0 to ff:1f.7")
    }
}

impl std::error::Error for NoPciAddress {}

impl std::fmt::Display for PciAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02x}:{:02x}.{:x}", self.bus, self.device, self.function)
    }
}
