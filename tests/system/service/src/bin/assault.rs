// SPDX-License-Identifier: BSD-2-Clause
//! s91–s93: an intruder attacks the service and its neighbours: a hundred thousand random messages, lies as a provider and
//! in its batch page, and DMA to all of memory. After each round all that is not its own is as it was.
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use attacks::{Desk, Order, SECRET};
use guest_kit::edu::Transfer;
use guest_kit::script::signal;
use ioasid_microkit::{Client, Code, Error, Handle, Result, Share, Usage};
use sel4_microkit::{Channel, Handler, debug_println, protection_domain};
use service_scenarios::provider::register;
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, memory, page, refused};
use system_test::Checks;

const INTRUDER: Channel = Channel::new(12);
/// Sets by their places in `ioasid.toml`.
const VICTIM: u16 = 0;
const BYSTANDER: u16 = 1;
const INTRUDERS: u16 = 2;

const ROUNDS: u64 = 40;
/// Messages in each round.
const CALLS: u64 = 2_500;
/// Rounds with the intruder as provider, and messages in each.
const LIES: u64 = 40;
const LIES_CALLS: u64 = 200;
/// Interrupt vectors that are forged: all that domains can have.
const VECTORS: u64 = 108;
/// Words of a handle's data that nobody else may see.
const VICTIMS: [u64; 3] = [SECRET | 1, SECRET | 2, SECRET | 3];

const IOVA: u64 = 0x7_0000;
const PAGE: u64 = 0x1000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

/// The victims, and what they had before.
struct Victims {
    relay: Relay,
    admin: Client,
    victim: Client,
    bystander: Client,
    ids: [Handle; 3],
    theirs: Handle,
    usage: [Usage; 2],
    frames: u64,
}

async fn run(checks: &mut Checks) -> Result<()> {
    let desk = memory::desk();
    let ([relay, _], [victim, bystander], admin) = cast()?;
    let frames = admin.check()?.free_frames;
    as_provider(checks, desk, &admin, &victim, &bystander).await?;

    let ids = [
        victim.alloc(ALL_IDS, VICTIMS[0])?,
        victim.alloc(ALL_IDS, VICTIMS[1])?,
        victim.alloc(ALL_IDS, VICTIMS[2])?,
    ];
    victim.map(ids[0], IOVA, page(0), ONE_PAGE)?;
    victim.bind(ids[0], 0)?;
    victim.get(ids[1])?;
    victim.attach_spid(9, ids[2])?;
    let theirs = bystander.alloc(ALL_IDS, SECRET)?;
    bystander.free(bystander.alloc(ALL_IDS, 0)?)?;
    relay.fill(0..16 * PAGE, 0xa5);
    let usage = [admin.set_usage(VICTIM)?, admin.set_usage(BYSTANDER)?];
    let victims = Victims { relay, admin, victim, bystander, ids, theirs, usage, frames };

    by_dma(checks, desk, &victims).await?;
    by_calls(checks, desk, &victims).await?;
    by_interrupts(checks, desk, &victims).await?;

    while victims.admin.free_set(INTRUDERS)?.more == 1 {}
    // The victim has an address space with a page in it, and each device keeps its PASID table.
    let left = victims.frames - victims.admin.check()?.free_frames;
    checks.equal("once its set is ended all of its tables are back", left, 4 + 2);
    let impossible = desk.impossible.load(Ordering::Relaxed);
    let (message, answer) = (desk.message.load(Ordering::Relaxed), desk.answer.load(Ordering::Relaxed));
    checks.equal("s93: no answer was one that must not be", (impossible, message, answer), (0, 0, 0));
    let (seed, calls) = (desk.seed.load(Ordering::Relaxed), desk.calls.load(Ordering::Relaxed));
    let transfers = desk.transfers.load(Ordering::Relaxed);
    debug_println!("seed {seed}: {calls} messages, {transfers} transfers");
    checks.check("there were a hundred thousand attacks", calls + transfers >= 100_000);
    Ok(())
}

/// Orders an attack and waits until it is over.
async fn attack(desk: &Desk, order: Order, times: u64) {
    desk.put(order, times);
    INTRUDER.notify();
    signal(INTRUDER).await;
}

impl Victims {
    /// Whether all is as it was, for the victims and the server.
    async fn are_unharmed(&self) -> Result<bool> {
        let mut well = true;
        for (&id, data) in self.ids.iter().zip(VICTIMS) {
            let found = self.victim.find(id.pasid)?;
            well &= (found.handle, found.data) == (id, data) && self.relay.look(id) == Some(data);
        }
        well &= self.victim.find_spid(9)?.handle == self.ids[2];
        well &= self.victim.get(self.ids[1])? == 3 && self.victim.put(self.ids[1])? == 2;
        well &= self.bystander.find(self.theirs.pasid)?.data == SECRET;
        well &= [self.admin.set_usage(VICTIM)?, self.admin.set_usage(BYSTANDER)?] == self.usage;
        // Walks through the registry.
        let health = self.admin.check()?;
        well &= (health.quarantined, health.stray_faults) == (0, 0);
        // They go on working.
        let id = self.bystander.alloc(ALL_IDS, 0)?;
        self.bystander.free(id)?;
        well &= id.pasid == self.theirs.pasid + 1;
        self.relay.fill(0..PAGE, 0xa5);
        self.relay.transfer(Transfer::WriteMemory, IOVA + 64, 64).await;
        well &= self.relay.count(64..128, 0) == 64 && self.relay.count(0..16 * PAGE, 0xa5) == 16 * PAGE - 64;
        well &= self.relay.event().is_none();
        Ok(well)
    }
}

/// The intruder chooses the ids of all others: what they get is theirs alone and in the range, or they get nothing.
async fn as_provider(
    checks: &mut Checks,
    desk: &Desk,
    admin: &Client,
    victim: &Client,
    bystander: &Client,
) -> Result<()> {
    register(admin, 1, 0, 0)?;
    let (mut given, mut refusals, mut wrong) = (0, 0, 0);
    // Where each has numbers of its own.
    let clients = [(victim, (1, 40)), (bystander, (65, 104))];
    for _ in 0..LIES {
        for (client, range) in clients {
            wrong += u32::from(client.alloc(range.0..=range.1, SECRET) != refused(Code::Pending));
        }
        attack(desk, Order::Calls, LIES_CALLS).await;
        for (client, range) in clients {
            let mut outcome = client.alloc_result();
            for _ in 0..2000 {
                if outcome != refused(Code::Pending) {
                    break;
                }
                outcome = client.alloc_result();
            }
            match outcome {
                Ok(id) => {
                    given += 1;
                    wrong += u32::from(!(range.0..=range.1).contains(&id.pasid));
                    wrong += u32::from(
                        client.find(id.pasid).map(|found| (found.handle, found.data)) != Ok((id, SECRET)),
                    );
                    client.free(id)?;
                }
                Err(Error::Refused(Code::ProviderFault | Code::NoSpace)) => refusals += 1,
                Err(_) => wrong += 1,
            }
        }
    }
    debug_println!("as a provider it gave {given} ids, and {refusals} times none");
    checks.equal("s35, s36, s42: a provider that lies gives ids that are right, or none", wrong, 0);
    checks.check("of both there were some", given > 0 && refusals > 0);
    admin.unregister_allocator(1)?;
    while admin.reclaim_orphans()?.more == 1 {}
    while admin.free_set(INTRUDERS)?.more == 1 {}
    admin.open_set(INTRUDERS, Share { reservation: 0, limit: 64 })?;
    let used = [admin.set_usage(VICTIM)?.used, admin.set_usage(BYSTANDER)?.used];
    checks.equal("and once it is gone nothing is left of it", used, [0, 0]);
    Ok(())
}

async fn by_dma(checks: &mut Checks, desk: &Desk, victims: &Victims) -> Result<()> {
    let faults = victims.admin.set_counters(INTRUDERS)?.faults;
    attack(desk, Order::Sweep, 1).await;
    let transfers = desk.transfers.load(Ordering::Relaxed);
    let faults = victims.admin.set_counters(INTRUDERS)?.faults - faults;
    checks.equal("s91: each transfer to what is not its own is blocked and counted", faults, transfers);
    checks.check("there were hundreds", transfers > 300);
    checks.equal("and nothing was read by it", desk.leaked.load(Ordering::Relaxed), 0);
    checks.check("s91: DMA harmed nobody", victims.are_unharmed().await?);
    Ok(())
}

async fn by_calls(checks: &mut Checks, desk: &Desk, victims: &Victims) -> Result<()> {
    let mut unharmed = 0;
    for _ in 0..ROUNDS {
        attack(desk, Order::Calls, CALLS).await;
        unharmed += u64::from(victims.are_unharmed().await?);
    }
    checks.equal("s93: no message harmed anybody, in any round", unharmed, ROUNDS);
    checks.equal("and told it nothing of others", desk.leaked.load(Ordering::Relaxed), 0);
    let usage = victims.admin.set_usage(INTRUDERS)?;
    checks.check("s68: it never had more than its share", usage.peak <= usage.limit);
    // It may have all of its ids, and needs one for what comes.
    while victims.admin.free_set(INTRUDERS)?.more == 1 {}
    victims.admin.open_set(INTRUDERS, Share { reservation: 0, limit: 64 })?;
    Ok(())
}

/// These get through: VT-d's tables do not stop them (5.1). What they can do is wake domains for nothing.
async fn by_interrupts(checks: &mut Checks, desk: &Desk, victims: &Victims) -> Result<()> {
    let ended = victims.relay.ended(0);
    attack(desk, Order::Interrupts, VECTORS).await;
    checks.equal("a forged interrupt is no end of a transfer", victims.relay.ended(0), ended);
    checks.check("and harms nobody", victims.are_unharmed().await?);
    Ok(())
}
