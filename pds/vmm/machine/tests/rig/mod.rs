// SPDX-License-Identifier: BSD-2-Clause
//! A machine whose guest is a list of steps.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use ioasid_api::{Event, Handle};
use virtual_vtd::{Layout, Page, WORDS};
use vmm_machine::{
    Bounds, Call, Cpu, Entry, Exit, GuestRam, Ids, Left, Listener, Machine, Program, Reason, Refused,
    Registers, Service, UNIT,
};

/// What the guest does next.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Comes out with a reason, a qualification and eax, ebx, ecx, edx. Interrupts are off.
    Exit(u64, u64, [u64; 4]),
    /// Writes 32 bits to a register of the unit.
    Store(u64, u64),
    /// Writes 16 bits.
    Narrow(u64, u64),
    /// Writes by an instruction that is no MOV.
    StrangeStore,
    /// Reaches for an address, with a qualification.
    Touch(u64, u64),
    /// Reads a register of the unit, which is no exit.
    Read(u64),
    /// Reads eight bytes of its memory.
    Look(usize),
    /// Writes a byte of its memory.
    Scribble(usize),
    /// Does nothing while the monitor is notified.
    Notified,
    /// Can take an interrupt.
    Window,
    /// Halts with interrupts on.
    Halt { after_sti: bool },
}

pub const fn exit(reason: u64) -> Step {
    Step::Exit(reason, 0, [0; 4])
}

pub const fn store(offset: u64, value: u64) -> Step {
    Step::Store(offset, value)
}

pub const fn read(offset: u64) -> Step {
    Step::Read(offset)
}

pub const fn allocate() -> Step {
    store(0xe00, 1)
}

pub const fn free(pasid: u64) -> Step {
    store(0xe00, 2 | pasid << 16)
}

pub const fn hypercall(eax: u64) -> Step {
    Step::Exit(18, 0, [eax, 0, 0, 0])
}

/// The call by which the guest says that it is done.
pub const fn last_words() -> Step {
    hypercall(DONE)
}

const DONE: u64 = 0xd0;
/// The guest's code: a store of 32 bits, one of 16, and one that is no MOV.
const IMAGE: &[u8] = &[0xa3, 0, 0, 0, 0, 0x66, 0xa3, 0, 0, 0, 0, 0x87, 0x03];
const BASE: usize = 0x1000;
const NARROW_STORE: usize = 5;
const STRANGE_STORE: usize = 11;

/// What became of a life.
#[derive(Clone, Debug, Default)]
pub struct Came {
    pub reason: Option<Reason>,
    pub freed: usize,
    pub exits: u64,
    pub waits: u32,
    pub injected: Vec<u64>,
}

#[derive(Default)]
struct Script {
    steps: VecDeque<Step>,
    vmcs: HashMap<u64, u64>,
    registers: Registers,
    reads: Vec<u64>,
    came: Came,
}

/// The service: who has which number, and what it was asked for.
#[derive(Default)]
struct Desk {
    taken: BTreeMap<u32, u32>,
    calls: Vec<String>,
}

pub struct Rig {
    script: Rc<RefCell<Script>>,
    desk: Rc<RefCell<Desk>>,
    events: Rc<RefCell<VecDeque<Event>>>,
    limit: usize,
    set: u32,
}

struct Thread<'m> {
    script: Rc<RefCell<Script>>,
    ram: &'m [AtomicU8],
    words: &'m [AtomicU64; WORDS],
}

struct Behind {
    desk: Rc<RefCell<Desk>>,
    events: Rc<RefCell<VecDeque<Event>>>,
    limit: usize,
    set: u32,
}

struct Ear(Rc<RefCell<Script>>);

pub fn handle(pasid: u32) -> Handle {
    Handle { pasid, generation: 7, epoch: 1 }
}

/// The handle of an earlier life of the number.
pub fn stale(pasid: u32) -> Handle {
    Handle { generation: 6, ..handle(pasid) }
}

impl Rig {
    /// A machine whose set may have `limit` ids, the lowest free ones from 1 on.
    pub fn new(limit: usize) -> Self {
        Self { script: Rc::default(), desk: Rc::default(), events: Rc::default(), limit, set: 0 }
    }

    /// Another machine at the same service.
    pub fn beside(&self) -> Self {
        Self { desk: Rc::clone(&self.desk), set: self.set + 1, ..Self::new(self.limit) }
    }

    /// Has the service say something, which the machine sees when it is notified.
    pub fn tell(&mut self, event: Event) {
        self.events.borrow_mut().push_back(event);
    }

    /// Runs one life. Where the steps run out before it ends, it is as if the world ended, and nothing is given back.
    pub fn live(&mut self, steps: Vec<Step>) -> Came {
        *self.script.borrow_mut() = Script { steps: steps.into(), ..Script::default() };
        let words = [const { AtomicU64::new(0) }; WORDS];
        let ram = [const { AtomicU8::new(0xaa) }; 0x8000];
        let mut machine = Machine {
            cpu: Thread { script: Rc::clone(&self.script), ram: &ram, words: &words },
            service: Behind {
                desk: Rc::clone(&self.desk),
                events: Rc::clone(&self.events),
                limit: self.limit,
                set: self.set,
            },
            listener: Ear(Rc::clone(&self.script)),
            ram: GuestRam::new(&ram),
            page: Page::new(&words, Layout::REVISION_3_3),
            program: Program { image: IMAGE, base: BASE, stack: 0x8000, argument: 0 },
            bounds: Bounds { lives: 1, timer: 1000, idle_looks: 10 },
            ids: Ids::new(),
            exits: 0,
        };
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| machine.run()));
        if let Err(cause) = ended
            && !cause.is::<EndOfWorld>()
        {
            std::panic::resume_unwind(cause);
        }
        self.script.borrow_mut().came.exits = machine.exits;
        self.script.borrow().came.clone()
    }

    pub fn reads(&self) -> Vec<u64> {
        self.script.borrow().reads.clone()
    }

    pub fn registers(&self) -> Registers {
        self.script.borrow().registers
    }

    pub fn vmcs(&self, field: u64) -> Option<u64> {
        self.script.borrow().vmcs.get(&field).copied()
    }

    pub fn calls(&self) -> Vec<String> {
        self.desk.borrow().calls.clone()
    }

    /// The ids that anybody has.
    pub fn taken(&self) -> Vec<u32> {
        self.desk.borrow().taken.keys().copied().collect()
    }
}

/// The steps have run out.
struct EndOfWorld;

/// How a step comes out of the guest.
fn left_of(step: &Step) -> Left {
    let mut out = Exit {
        reason: 48,
        qualification: 2,
        instruction_len: 2,
        guest_physical: 0,
        rflags: 0,
        interruptibility: 0,
        cr3: 0,
        registers: Registers::default(),
    };
    match *step {
        Step::Exit(reason, qualification, [eax, ebx, ecx, edx]) => {
            out.registers = Registers { eax, ebx, ecx, edx, ..Registers::default() };
            (out.reason, out.qualification) = (reason, qualification);
        }
        Step::Store(offset, value) | Step::Narrow(offset, value) => {
            (out.guest_physical, out.registers.eax) = (UNIT + offset, value);
        }
        Step::StrangeStore => out.guest_physical = UNIT,
        Step::Touch(address, qualification) => {
            (out.guest_physical, out.qualification) = (address, qualification);
        }
        Step::Window => (out.reason, out.rflags) = (7, 1 << 9),
        Step::Halt { after_sti } => {
            (out.reason, out.rflags, out.interruptibility) = (12, 1 << 9, after_sti.into());
        }
        Step::Notified | Step::Read(_) | Step::Look(_) | Step::Scribble(_) => return Left::Notified(1 << 1),
    }
    Left::Exit(out)
}

impl Cpu for Thread<'_> {
    fn enter(&mut self, entry: &mut Entry) -> Left {
        let mut script = self.script.borrow_mut();
        if entry.injection != 0 {
            script.came.injected.push(entry.injection & 0xff);
        }
        loop {
            let Some(step) = script.steps.pop_front() else {
                drop(script);
                std::panic::resume_unwind(Box::new(EndOfWorld));
            };
            let word = |offset: u64| self.words[usize::try_from(offset / 8).expect("small")].load(Relaxed);
            match step {
                Step::Read(offset) => script.reads.push(word(offset)),
                Step::Look(at) => {
                    let bytes = std::array::from_fn(|i| self.ram[at + i].load(Relaxed));
                    script.reads.push(u64::from_le_bytes(bytes));
                }
                Step::Scribble(at) => self.ram[at].store(0x55, Relaxed),
                step => {
                    let place = match step {
                        Step::Narrow(..) => NARROW_STORE,
                        Step::StrangeStore => STRANGE_STORE,
                        _ => 0,
                    };
                    entry.rip = (BASE + place) as u64;
                    return left_of(&step);
                }
            }
        }
    }

    fn wait(&mut self) {
        self.script.borrow_mut().came.waits += 1;
    }

    fn read_vmcs(&mut self, field: u64) -> Result<u64, Refused> {
        self.script.borrow().vmcs.get(&field).copied().ok_or(Refused)
    }

    fn write_vmcs(&mut self, field: u64, value: u64) -> Result<(), Refused> {
        self.script.borrow_mut().vmcs.insert(field, value);
        Ok(())
    }

    fn write_registers(&mut self, registers: &Registers) -> Result<(), Refused> {
        self.script.borrow_mut().registers = *registers;
        Ok(())
    }
}

impl Service for Behind {
    fn alloc(&mut self) -> Option<Handle> {
        let mut desk = self.desk.borrow_mut();
        let free = (1..).find(|pasid| !desk.taken.contains_key(pasid)).expect("many numbers");
        let full = desk.taken.values().filter(|set| **set == self.set).count() == self.limit;
        desk.calls.push(if full { "alloc".into() } else { format!("alloc {free}") });
        if full {
            return None;
        }
        desk.taken.insert(free, self.set);
        Some(handle(free))
    }

    fn free(&mut self, handle: Handle) {
        let mut desk = self.desk.borrow_mut();
        desk.calls.push(format!("free {}", handle.pasid));
        assert_eq!(desk.taken.remove(&handle.pasid), Some(self.set), "its own");
    }

    fn event(&mut self) -> Option<Event> {
        self.events.borrow_mut().pop_front()
    }
}

impl Listener for Ear {
    fn call(&mut self, call: &mut Call<'_>) -> Result<(), Reason> {
        if call.registers.eax == DONE {
            return Err(Reason::Done);
        }
        call.registers.eax += 1;
        Ok(())
    }

    fn ended(&mut self, reason: Reason, freed: usize) {
        let came = &mut self.0.borrow_mut().came;
        (came.reason, came.freed) = (Some(reason), freed);
    }
}
