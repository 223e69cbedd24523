// SPDX-License-Identifier: BSD-2-Clause
//! The machine: enters the guest, does what its exits ask for, and ends a life that cannot go on.

use vcpu_state::{Entry, Exit, Left, Refused, Registers};
use virtual_vtd::{Page, Request, Width};

use crate::decoder::{self, LONGEST, Source};
use crate::exits::{
    CPUID, EPT_VIOLATION, HLT, INTERRUPT_WINDOW, INTERRUPTS_ON, IO, ON_HLT, PREEMPTION_TIMER, PortAccess,
    RDMSR, TRIPLE_FAULT, VMCALL, WRITE, WRMSR,
};
use crate::interrupts::Interrupts;
use crate::{GuestRam, Ids, Service, vmcs};

/// A virtual CPU.
pub trait Cpu {
    /// Runs the guest until it exits or the monitor is notified.
    fn enter(&mut self, entry: &mut Entry) -> Left;
    /// Waits until the monitor is notified: the guest has nothing to do.
    fn wait(&mut self);
    /// Reads a field of the VMCS.
    ///
    /// # Errors
    /// There is no such field.
    fn read_vmcs(&mut self, field: u64) -> Result<u64, Refused>;
    /// Writes a field of the VMCS.
    ///
    /// # Errors
    /// It is not for a monitor to write.
    fn write_vmcs(&mut self, field: u64, value: u64) -> Result<(), Refused>;
    /// Writes the general registers.
    ///
    /// # Errors
    /// There is no such CPU.
    fn write_registers(&mut self, registers: &Registers) -> Result<(), Refused>;
}

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
    /// Ticks of the preemption timer, which counts while the guest runs, between two looks at it.
    pub timer: u64,
    /// Looks in a row at a guest that asks for nothing, after which it is taken for hung.
    pub idle_looks: u32,
}

/// Why a life of the machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The guest said that it is done. The machine stays off.
    Done,
    /// The guest asked to be started anew.
    Reset,
    /// The guest faulted while it faulted.
    TripleFault,
    /// The guest asked for nothing for too long.
    Hung,
    /// The guest halted with interrupts off.
    Halted,
    /// The guest did what this monitor does not do for it.
    NotUnderstood,
    /// The processor or the kernel did not take the guest's state.
    BadState,
}

/// Who hears of the machine.
pub trait Listener {
    /// The guest calls (VMCALL), with its general registers; what is left in them goes back.
    ///
    /// # Errors
    /// The life ends.
    fn call(&mut self, call: &mut Call<'_>) -> Result<(), Reason>;
    /// A life ended; so many ids were given back.
    fn ended(&mut self, reason: Reason, freed: usize);
}

/// A call of the guest.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its general registers.
    pub registers: &'a mut Registers,
    /// Its memory.
    pub ram: GuestRam<'a>,
    /// Exits of this machine up to this one.
    pub exits: u64,
}

/// A machine: its guest's side, and who does what it cannot do itself.
#[derive(Debug)]
pub struct Machine<'m, C, S, L> {
    /// Its virtual CPU.
    pub cpu: C,
    /// The service behind its unit.
    pub service: S,
    /// Who hears of it.
    pub listener: L,
    /// Its memory.
    pub ram: GuestRam<'m>,
    /// Its unit.
    pub page: Page<'m>,
    /// What it runs.
    pub program: Program,
    /// What it may take.
    pub bounds: Bounds,
    /// The ids of this life.
    pub ids: Ids,
    /// How often the guest came out.
    pub exits: u64,
}

/// What an exit comes to.
type Outcome = Result<(), Reason>;

/// One life of the machine.
struct Life {
    entry: Entry,
    /// Looks since the guest last asked for something.
    idle: u32,
    interrupts: Interrupts,
}

/// Where the unit is in guest-physical memory.
pub const UNIT: u64 = 0xfed9_0000;
const PAGE: u64 = 0x1000;
/// VMCALL's length, which the processor does not always state with its exit.
const VMCALL_LEN: u64 = 3;
/// Events of the service that are taken at once: more than its ring holds.
const EVENTS: usize = 256;

impl From<Refused> for Reason {
    fn from(_: Refused) -> Self {
        Self::BadState
    }
}

impl<C: Cpu, S: Service, L: Listener> Machine<'_, C, S, L> {
    /// Runs the machine, life after life, until it is off.
    pub fn run(&mut self) {
        for number in 0..self.bounds.lives {
            let Err(reason) = self.live(number);
            let freed = self.ids.free_all(&mut self.service);
            self.listener.ended(reason, freed);
            if reason == Reason::Done {
                break;
            }
        }
    }

    /// Runs one life, until there is a reason to end it.
    fn live(&mut self, number: u32) -> Result<core::convert::Infallible, Reason> {
        self.page.reset();
        self.ram.load(self.program.base, self.program.image);
        vmcs::reset(&mut self.cpu, self.program.stack, self.bounds.timer)?;
        let (eax, ecx) = (self.program.argument, number.into());
        self.cpu.write_registers(&Registers { eax, ecx, ..Default::default() })?;
        let entry = Entry { rip: self.program.base as u64, controls: ON_HLT, injection: 0 };
        let mut life = Life { entry, idle: 0, interrupts: Interrupts::default() };
        loop {
            match self.cpu.enter(&mut life.entry) {
                Left::Notified(_) => {
                    self.events(&mut life);
                    life.interrupts.inject(&mut life.entry, None);
                }
                Left::Exit(mut exit) => {
                    self.exits += 1;
                    // What was to be injected has been.
                    life.entry.injection = 0;
                    self.exit(&mut life, &mut exit)?;
                    self.messages(&mut life);
                    life.interrupts.inject(&mut life.entry, Some(&exit));
                }
            }
        }
    }

    fn exit(&mut self, life: &mut Life, exit: &mut Exit) -> Outcome {
        if exit.reason == PREEMPTION_TIMER {
            life.idle += 1;
            self.cpu.write_vmcs(vmcs::PREEMPTION_TIMER, self.bounds.timer)?;
            return if life.idle > self.bounds.idle_looks { Err(Reason::Hung) } else { Ok(()) };
        }
        life.idle = 0;
        match exit.reason {
            EPT_VIOLATION => self.store(life, exit),
            VMCALL => {
                life.entry.rip += VMCALL_LEN;
                self.changing(exit.registers, |machine, registers| {
                    let (ram, exits) = (machine.ram, machine.exits);
                    machine.listener.call(&mut Call { registers, ram, exits })
                })
            }
            // What waits goes in before the guest goes on.
            INTERRUPT_WINDOW => Ok(()),
            HLT => {
                life.entry.rip += exit.instruction_len;
                self.halt(life, exit)
            }
            // A processor without features, ports that nothing is behind, registers that are not there.
            CPUID | IO | RDMSR | WRMSR => {
                life.entry.rip += exit.instruction_len;
                let port = PortAccess(exit.qualification);
                self.changing(exit.registers, |_, registers| {
                    match exit.reason {
                        IO if port.is_string() => return Err(Reason::NotUnderstood),
                        IO => registers.eax = port.absent(registers.eax).unwrap_or(registers.eax),
                        CPUID => {
                            (registers.eax, registers.ebx, registers.ecx, registers.edx) = (0, 0, 0, 0);
                        }
                        RDMSR => (registers.eax, registers.edx) = (0, 0),
                        _ => {}
                    }
                    Ok(())
                })
            }
            TRIPLE_FAULT => Err(Reason::TripleFault),
            Exit::FAILED_ENTRY => Err(Reason::BadState),
            reason => {
                let (rip, qualification) = (life.entry.rip, exit.qualification);
                log::warn!("exit {reason:#x} at {rip:#x}, qualification {qualification:#x}");
                Err(Reason::NotUnderstood)
            }
        }
    }

    /// Lets `change` change the guest's registers.
    fn changing(
        &mut self,
        before: Registers,
        change: impl FnOnce(&mut Self, &mut Registers) -> Outcome,
    ) -> Outcome {
        let mut registers = before;
        change(self, &mut registers)?;
        if registers != before {
            self.cpu.write_registers(&registers)?;
        }
        Ok(())
    }

    /// The guest waits for an interrupt: nothing but an event of the service brings one.
    fn halt(&mut self, life: &mut Life, exit: &mut Exit) -> Outcome {
        if exit.rflags & INTERRUPTS_ON == 0 {
            return Err(Reason::Halted);
        }
        // `sti` holds interrupts back for one instruction, and this was it.
        if exit.interruptibility != 0 {
            self.cpu.write_vmcs(vmcs::INTERRUPTIBILITY, 0)?;
            exit.interruptibility = 0;
        }
        while life.interrupts.is_empty() {
            self.cpu.wait();
            self.events(life);
        }
        Ok(())
    }

    /// Takes what the service has to say to the guest's unit.
    fn events(&mut self, life: &mut Life) {
        for _ in 0..EVENTS {
            let Some(event) = self.service.event() else { break };
            self.ids.event(&event, |fault| self.page.fault(fault));
        }
        self.messages(life);
    }

    /// Takes the messages that the unit sent.
    fn messages(&mut self, life: &mut Life) {
        while let Some(vector) = self.page.take_interrupt() {
            life.interrupts.add(vector);
        }
    }

    /// The guest wrote where it may only read, or reached for what it has not.
    fn store(&mut self, life: &mut Life, exit: &Exit) -> Outcome {
        let offset = exit.guest_physical.wrapping_sub(UNIT);
        if offset >= PAGE || exit.qualification & WRITE == 0 {
            log::warn!("the guest reached for {:#x}, which it has not", exit.guest_physical);
            return Err(Reason::NotUnderstood);
        }
        let mut code = [0; LONGEST];
        let Some(store) = decoder::store(self.ram.copy(life.entry.rip, &mut code)) else {
            log::warn!("the instruction at {:#x} is none that is emulated", life.entry.rip);
            return Err(Reason::NotUnderstood);
        };
        life.entry.rip += store.len;
        let value = match store.source {
            Source::Constant(value) => value.into(),
            Source::Register(number) => self.register(exit, number)?,
        };
        // Narrower writes to registers have no effect.
        let request = if store.width == 4 { self.page.write(offset, Width::Four, value) } else { None };
        match request {
            Some(Request::Alloc) => self.page.answer(self.ids.alloc(&mut self.service)),
            Some(Request::Free(pasid)) => self.page.answer(self.ids.free(&mut self.service, pasid)),
            Some(Request::Descriptors) => self.page.drain(&mut self.ram),
            None => {}
        }
        Ok(())
    }

    fn register(&mut self, exit: &Exit, number: u8) -> Result<u64, Reason> {
        let registers = &exit.registers;
        let value = match number {
            0 => registers.eax,
            1 => registers.ecx,
            2 => registers.edx,
            3 => registers.ebx,
            4 => self.cpu.read_vmcs(vmcs::RSP)?,
            5 => registers.ebp,
            6 => registers.esi,
            _ => registers.edi,
        };
        Ok(value & 0xffff_ffff)
    }
}
