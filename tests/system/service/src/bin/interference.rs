// SPDX-License-Identifier: BSD-2-Clause
//! s94: what one client is answered, and what its calls cost it, while another is idle, busy, floods the service, and
//! dies. Each time the service begins a new life, so that all begins alike; a life's number, which is in each handle, is
//! taken out before answers are compared.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_api::{self as api, Call, Field, Right};
use ioasid_microkit::{Client, Code, Extent, Handle, Result, Role, Share};
use sel4_microkit::{Handler, debug_println, protection_domain};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused, warden};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const RESTLESS: u16 = 0;
/// How often the steady one goes through its script in a life.
const ROUNDS: usize = 8;
/// Calls of the script.
const STEPS: usize = 26;
const IOVA: u64 = 0x7_0000;
/// An epoch is in a handle's bits from here on.
const EPOCH: u32 = 48;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

/// What the other one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    Idle,
    Busy,
    Floods,
    Dies,
}

/// What a step of the script was answered and cost, over all rounds.
#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    /// A hash of the answers, in order.
    answers: u64,
    least: u64,
    most: u64,
}

const NO_STEP: Step = Step { name: "", answers: 0xcbf2_9ce4_8422_2325, least: u64::MAX, most: 0 };

/// The steady client.
struct Steady {
    relay: Relay,
    steps: [Step; STEPS],
    next: usize,
    other: Restless,
}

/// The other one.
struct Restless {
    what: Other,
    relay: Relay,
    client: Client,
    admin: Client,
    turn: u64,
}

async fn run(checks: &mut Checks) -> Result<()> {
    let mut all = [[NO_STEP; STEPS]; 4];
    let others = [Other::Idle, Other::Busy, Other::Floods, Other::Dies];
    for (steps, other) in all.iter_mut().zip(others) {
        *steps = life(checks, other).await?;
    }
    let [idle, rest @ ..] = &all;
    debug_println!(
        "{:<14}{:>8}{:>8}{:>8}{:>8}{:>10}",
        "ticks, least",
        "idle",
        "busy",
        "floods",
        "dies",
        "most"
    );
    for step in 0..STEPS {
        let [one, two, three, four] = all.each_ref().map(|steps| steps[step].least);
        let most = all.iter().map(|steps| steps[step].most).max().unwrap_or(0);
        debug_println!("{:<14}{one:>8}{two:>8}{three:>8}{four:>8}{most:>10}", idle[step].name);
    }
    for (steps, other) in rest.iter().zip(&others[1..]) {
        debug_println!("while the other one {other:?}:");
        let answers = steps.iter().zip(idle).filter(|(step, alone)| step.answers != alone.answers).count();
        checks.equal("s94: every answer is the same", answers, 0);
        let dearer = steps.iter().zip(idle).filter(|(step, alone)| step.least != alone.least).count();
        checks.equal("s94: and costs the same", dearer, 0);
    }
    Ok(())
}

/// A life of the service: the script, with the other one at work between its calls.
async fn life(checks: &mut Checks, what: Other) -> Result<[Step; STEPS]> {
    warden::restart();
    let ([one, two], [client, _], admin) = cast()?;
    let other = Restless { what, relay: one, client, admin, turn: 0 };
    let mut steady = Steady { relay: two, steps: [NO_STEP; STEPS], next: 0, other };
    steady.other.prepare().await?;
    for _ in 0..ROUNDS {
        steady.script().await?;
    }
    let ends = steady.acknowledgement_is_not_waited_for().await?;
    checks.equal("time is its own: so many calls until an acknowledgement is not waited for", ends, 1000);
    checks.equal("the registry is consistent", steady.other.admin.check()?.quarantined, 0);
    Ok(steady.steps)
}

impl Steady {
    /// One call, after the other one's turn: its answer.
    async fn call<C: Call>(&mut self, name: &'static str, operation: &C) -> Result<[u64; 4]> {
        self.other.turn().await?;
        let message = operation.encode();
        let (label, words) = self.relay.send(message.label, message.words());
        let ticks = self.relay.ticks();
        let step = &mut self.steps[self.next % STEPS];
        self.next += 1;
        step.name = name;
        step.least = step.least.min(ticks);
        step.most = step.most.max(ticks);
        for (place, word) in [label].into_iter().chain(words).enumerate() {
            // Of these answers the first word is a handle.
            let handle = place == 1 && label == 0 && matches!(name, "Alloc" | "Find" | "FindSpid");
            let word = if handle { word & !(u64::MAX << EPOCH) } else { word };
            step.answers = (step.answers ^ word).wrapping_mul(0x100_0000_01b3);
        }
        Ok(words)
    }

    async fn alloc(&mut self) -> Result<Handle> {
        let (min, max) = ALL_IDS.into_inner();
        let [handle, ..] = self.call("Alloc", &api::Alloc { min, max, data: 7 }).await?;
        Handle::from_word(handle).map_or_else(|| refused(Code::BadField), Ok)
    }

    async fn script(&mut self) -> Result<()> {
        let handle = self.alloc().await?;
        let pasid = handle.pasid;
        let extent = Extent { pages: 4, ..ONE_PAGE };
        self.call("Find", &api::Find { pasid }).await?;
        self.call("SetData", &api::SetData { handle, data: 8 }).await?;
        self.call("Get", &api::Get { handle }).await?;
        self.call("Put", &api::Put { handle }).await?;
        self.call("AttachSpid", &api::AttachSpid { spid: 3, handle }).await?;
        self.call("FindSpid", &api::FindSpid { spid: 3 }).await?;
        self.call("DetachSpid", &api::DetachSpid { spid: 3 }).await?;
        self.call("Bind", &api::Bind { handle, device: 0 }).await?;
        self.call("Map", &api::Map { handle, iova: IOVA, source: page(0), extent }).await?;
        self.call("Unmap", &api::Unmap { handle, iova: IOVA, pages: 1 }).await?;
        self.call("Unmap", &api::Unmap { handle, iova: IOVA, pages: 1 }).await?;
        let second = self.alloc().await?;
        self.call("Replace", &api::Replace { handle: second, device: 0 }).await?;
        self.call("Unbind", &api::Unbind { handle: second, device: 0 }).await?;
        self.call("Free", &api::Free { handle: second }).await?;
        self.call("Free", &api::Free { handle: second }).await?;
        self.call("Free", &api::Free { handle }).await?;
        self.call("AllocBatch", &api::AllocBatch { min: 1, max: 0xffff, data: 0, count: 16 }).await?;
        self.call("List", &api::List { from: 0 }).await?;
        self.call("FreeBatch", &api::FreeBatch { count: 16 }).await?;
        self.call("OwnUsage", &api::OwnUsage {}).await?;
        self.call("Check", &api::Check {}).await?;
        self.call("AllocResult", &api::AllocResult {}).await?;
        self.call("Hello", &api::Hello { version: 9 }).await?;
        self.call("Fetch", &api::Fetch {}).await?;
        Ok(())
    }

    /// It frees an id that it never acknowledges: after how many of its own calls that is torn down.
    async fn acknowledgement_is_not_waited_for(&mut self) -> Result<u32> {
        let client = self.relay.connect()?;
        client.subscribe(Role::Cpu, true)?;
        let id = client.alloc(ALL_IDS, 0)?;
        client.free(id)?;
        let mut calls = 0;
        loop {
            calls += 1;
            if calls % 100 == 0 {
                self.other.turn().await?;
            }
            if client.own_usage()?.used == 0 || calls == 2000 {
                return Ok(calls);
            }
        }
    }
}

impl Restless {
    /// What it does before the script begins.
    async fn prepare(&mut self) -> Result<()> {
        if matches!(self.what, Other::Floods | Other::Dies) {
            // Everything that it may have, much of it mapped, and no word of acknowledgement ever.
            self.client.subscribe(Role::Cpu, true)?;
            while let Ok(id) = self.client.alloc(ALL_IDS, 1) {
                // Until its address spaces and its tables are used up, too.
                let _ = self.client.map(id, IOVA, page(1), ONE_PAGE);
                let _ = self.client.bind(id, 0);
            }
        }
        if self.what == Other::Dies {
            for pasid in 1..=20 {
                self.client.free(self.client.find(pasid)?.handle)?;
            }
            self.relay.start(Transfer::WriteMemory, IOVA, 100);
            self.relay.kill().await;
        }
        Ok(())
    }

    /// What it does between two calls of the other's.
    async fn turn(&mut self) -> Result<()> {
        self.turn += 1;
        let client = &self.client;
        match self.what {
            Other::Idle => {}
            Other::Busy => {
                let id = client.alloc(ALL_IDS, self.turn)?;
                client.map(id, IOVA, page(self.turn % 16), ONE_PAGE)?;
                client.bind(id, 0)?;
                if self.turn.is_multiple_of(64) {
                    self.relay.transfer(Transfer::WriteMemory, IOVA, 64).await;
                }
                client.free(id)?;
            }
            Other::Floods => {
                // Its subscription stays.
                for label in (0..16).map(|number| number * self.turn % 0x70).filter(|&label| label != 0x32) {
                    let _ = self.relay.send(label, &[self.turn; 4][..(label % 5) as usize]);
                }
                // Frees that wait for an acknowledgement that never comes, and new ids instead.
                let pasid = 1 + u32::try_from(self.turn % 128).unwrap_or(0);
                if let Ok(found) = client.find(pasid) {
                    let _ = client.free(found.handle);
                }
                let _ = client.alloc(ALL_IDS, 1);
                if self.turn.is_multiple_of(16) {
                    self.relay.start(Transfer::ReadMemory, self.turn * 0x1000, 64);
                }
            }
            Other::Dies => {
                // Its end, a slice each time; then it is opened and ended again and again.
                match self.admin.free_set(RESTLESS) {
                    Ok(progress) if progress.more == 0 => {
                        self.admin.open_set(RESTLESS, Share { reservation: 8, limit: 128 })?;
                    }
                    Ok(_) | Err(_) => {}
                }
            }
        }
        Ok(())
    }
}

const _: () =
    assert!(matches!(<api::Fetch as Call>::RIGHT, Right::Provider), "the script asks what it may not");
