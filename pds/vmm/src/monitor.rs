// SPDX-License-Identifier: BSD-2-Clause
//! The machine: enters the guest, does what its exits ask for, and ends a life that cannot go on.

use microkit_vcpu::{Entry, Exit, Left, Refused, Vcpu};
use sel4_microkit::{Handler, Infallible, Never, NullHandler};
use virtual_vtd::{Page, Request, Width};
use vmm_decoder::{LONGEST, Source, Store};

use crate::exits::{
    CPUID, EPT_VIOLATION, HLT, IN, INJECT_INTERRUPT, INTERRUPT_WINDOW, INTERRUPTS_ON, IO, ON_HLT,
    ON_INTERRUPT_WINDOW, PREEMPTION_TIMER, RDMSR, TRIPLE_FAULT, VMCALL, WRITE, WRMSR,
};
use crate::{GuestRam, Ids, vmcs};

/// What the guest runs at the start of each life.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its bytes.
    pub image: &'static [u8],
    /// Where they lie in guest-physical memory; the first is the first instruction.
    pub base: usize,
    /// Where its stack begins to grow down.
    pub stack: u64,
    /// What it finds in EAX. ECX is the number of the life, from 0.
    pub argument: u64,
}

/// What a machine may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Lives after which the machine stays off.
    pub lives: u32,
    /// Ticks of the preemption timer between two looks at the guest.
    pub timer: u64,
    /// Looks in a row at a guest that asks for nothing, after which it is taken for hung.
    pub idle_looks: u32,
}

/// Why a life of the machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The guest said that it is done.
    Done,
    /// The guest faulted while it faulted.
    TripleFault,
    /// The guest asked for nothing for too long.
    Hung,
    /// The guest halted with nothing to wait for.
    Halted,
    /// The guest did what this monitor does not do for it.
    NotUnderstood,
    /// The processor or the kernel did not take the guest's state.
    BadState,
}

/// Who hears of the machine.
pub trait Listener {
    /// The guest says something; the text is its own.
    fn said(&mut self, text: &str, value: u64);
    /// The guest states whether something holds.
    fn checked(&mut self, text: &str, holds: bool);
    /// A life ended; so many ids were given back.
    fn ended(&mut self, reason: Reason, freed: usize);
    /// The machine is off for good.
    fn off(&mut self);
}

/// Calls of the guest (VMCALL), by EAX.
mod hypercall {
    /// EBX: address of a text; ECX: a number.
    pub const SAY: u64 = 0;
    /// EBX: address of a text; ECX: whether it holds.
    pub const CHECK: u64 = 1;
    /// The machine may be switched off.
    pub const DONE: u64 = 2;
    /// Injects interrupt vector EBX when the guest can take it.
    pub const INTERRUPT_ME: u64 = 3;
}

/// Where the unit is in guest-physical memory.
const UNIT: u64 = 0xfed9_0000;
const PAGE: u64 = 0x1000;
/// The longest text that a guest may say, in bytes.
const TEXT: usize = 96;
/// The lengths of instructions that the processor does not state with their exit.
const VMCALL_LEN: u64 = 3;

/// A machine and its monitor.
#[derive(Debug)]
pub struct Monitor<L> {
    /// Its virtual CPU.
    pub vcpu: Vcpu,
    /// Its memory.
    pub ram: GuestRam,
    /// Its unit.
    pub page: Page<'static>,
    /// Its ids.
    pub ids: Ids,
    /// What it runs.
    pub program: Program,
    /// What it may take.
    pub bounds: Bounds,
    /// Who hears of it.
    pub listener: L,
}

/// What an exit comes to.
type Outcome = Result<(), Reason>;

/// One life of the machine.
struct Life {
    entry: Entry,
    /// Looks since the guest last asked for something.
    idle: u32,
    /// An interrupt vector that waits until the guest can take it.
    pending: Option<u64>,
}

impl<L: Listener> Monitor<L> {
    /// Runs one life; gives why it ended.
    fn live(&mut self, life: u32) -> Reason {
        self.page.reset();
        self.ram.load(self.program.base, self.program.image);
        if self.reset(life).is_err() {
            return Reason::BadState;
        }
        let entry = Entry { rip: self.program.base as u64, controls: ON_HLT, injection: 0 };
        let mut life = Life { entry, idle: 0, pending: None };
        loop {
            let outcome = match microkit_vcpu::enter(&mut life.entry) {
                Left::Notified(_) => Ok(()),
                Left::Exit(exit) => {
                    // What was to be injected has been.
                    life.entry.injection = 0;
                    self.exit(&mut life, &exit)
                }
            };
            if let Err(reason) = outcome {
                return reason;
            }
        }
    }

    fn reset(&mut self, life: u32) -> Result<(), Refused> {
        vmcs::reset(self.vcpu, self.program.stack, self.bounds.timer)?;
        self.vcpu.write_registers(&microkit_vcpu::Registers {
            eax: self.program.argument,
            ecx: life.into(),
            ..Default::default()
        })
    }

    fn exit(&mut self, life: &mut Life, exit: &Exit) -> Outcome {
        if exit.reason == PREEMPTION_TIMER {
            life.idle += 1;
            return if life.idle > self.bounds.idle_looks { Err(Reason::Hung) } else { Ok(()) };
        }
        life.idle = 0;
        match exit.reason {
            VMCALL => {
                life.entry.rip += VMCALL_LEN;
                self.hypercall(life, exit)
            }
            EPT_VIOLATION => self.store(life, exit),
            INTERRUPT_WINDOW => {
                self.inject(life, exit);
                Ok(())
            }
            // Nothing can come but what has been asked for.
            HLT if exit.rflags & INTERRUPTS_ON != 0 && life.pending.is_some() => {
                life.entry.rip += exit.instruction_len;
                self.inject(life, exit);
                Ok(())
            }
            HLT => Err(Reason::Halted),
            // A processor without features, ports that nothing is behind, registers that are not there.
            CPUID | IO | RDMSR => {
                life.entry.rip += exit.instruction_len;
                let mut registers = exit.registers;
                match exit.reason {
                    IO if exit.qualification & IN == 0 => return Ok(()),
                    IO => registers.eax = 0xffff_ffff,
                    CPUID => (registers.eax, registers.ebx, registers.ecx, registers.edx) = (0, 0, 0, 0),
                    _ => (registers.eax, registers.edx) = (0, 0),
                }
                self.vcpu.write_registers(&registers).map_err(|_| Reason::BadState)
            }
            WRMSR => {
                life.entry.rip += exit.instruction_len;
                Ok(())
            }
            TRIPLE_FAULT => Err(Reason::TripleFault),
            Exit::FAILED_ENTRY => Err(Reason::BadState),
            reason => {
                log::warn!(
                    "exit {reason:#x} at {:#x}, qualification {:#x}",
                    life.entry.rip,
                    exit.qualification
                );
                Err(Reason::NotUnderstood)
            }
        }
    }

    fn inject(&mut self, life: &mut Life, exit: &Exit) {
        let ready = exit.rflags & INTERRUPTS_ON != 0 && exit.interruptibility & 3 == 0;
        match life.pending {
            Some(vector) if ready => {
                life.pending = None;
                life.entry.controls = ON_HLT;
                life.entry.injection = INJECT_INTERRUPT | vector & 0xff;
            }
            Some(_) => life.entry.controls = ON_HLT | ON_INTERRUPT_WINDOW,
            None => life.entry.controls = ON_HLT,
        }
    }

    fn hypercall(&mut self, life: &mut Life, exit: &Exit) -> Outcome {
        let registers = &exit.registers;
        let mut bytes = [0; TEXT];
        self.ram.copy(registers.ebx & 0xffff_ffff, &mut bytes);
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = core::str::from_utf8(text).unwrap_or("?");
        match registers.eax & 0xffff_ffff {
            hypercall::SAY => self.listener.said(text, registers.ecx & 0xffff_ffff),
            hypercall::CHECK => self.listener.checked(text, registers.ecx & 0xffff_ffff != 0),
            hypercall::DONE => return Err(Reason::Done),
            hypercall::INTERRUPT_ME => {
                life.pending = Some(registers.ebx);
                self.inject(life, exit);
            }
            _ => {}
        }
        Ok(())
    }

    /// The guest wrote where it may only read, or reached for what it has not.
    fn store(&mut self, life: &mut Life, exit: &Exit) -> Outcome {
        let offset = exit.guest_physical.wrapping_sub(UNIT);
        if offset >= PAGE || exit.qualification & WRITE == 0 {
            log::warn!("the guest reached for {:#x}, which it has not", exit.guest_physical);
            return Err(Reason::NotUnderstood);
        }
        let mut code = [0; LONGEST];
        let len = self.ram.copy(life.entry.rip, &mut code);
        let Some(Store { len, width, source }) = vmm_decoder::store(&code[..len]) else {
            log::warn!("the instruction at {:#x} is none that is emulated", life.entry.rip);
            return Err(Reason::NotUnderstood);
        };
        life.entry.rip += len;
        let value = match source {
            Source::Constant(value) => value.into(),
            Source::Register(number) => self.register(exit, number)?,
        };
        // Narrower writes to registers have no effect.
        let request = if width == 4 { self.page.write(offset, Width::Four, value) } else { None };
        match request {
            Some(Request::Alloc) => self.page.answer(self.ids.alloc()),
            Some(Request::Free(pasid)) => self.page.answer(self.ids.free(pasid)),
            Some(Request::Descriptors) => self.page.drain(&mut self.ram),
            None => {}
        }
        Ok(())
    }

    fn register(&self, exit: &Exit, number: u8) -> Result<u64, Reason> {
        let registers = &exit.registers;
        let value = match number {
            0 => registers.eax,
            1 => registers.ecx,
            2 => registers.edx,
            3 => registers.ebx,
            4 => self.vcpu.read_vmcs(vmcs::RSP).map_err(|_| Reason::BadState)?,
            5 => registers.ebp,
            6 => registers.esi,
            _ => registers.edi,
        };
        Ok(value & 0xffff_ffff)
    }
}

impl<L: Listener> Handler for Monitor<L> {
    type Error = Infallible;

    /// Runs the machine, life after life, until it is off.
    fn run(&mut self) -> Result<Never, Infallible> {
        for life in 0..self.bounds.lives {
            let reason = self.live(life);
            let freed = self.ids.free_all();
            self.listener.ended(reason, freed);
            if reason == Reason::Done {
                break;
            }
        }
        self.listener.off();
        NullHandler::new().run()
    }
}
