// SPDX-License-Identifier: BSD-2-Clause
//! s76, s78: a client dies with everything pending at once: ids that wait for its own acknowledgement, an allocation that a
//! provider was asked for, ids with references, and a transfer under way.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_microkit::{Client, Code, EventKind, Handle, Result, Role, Share, Task};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::provider::{asks, chosen, register};
use service_scenarios::relay::Relay;
use service_scenarios::{ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const VICTIM: u16 = 0;
const NEIGHBOUR: u16 = 1;
const IOVA: u64 = 0x7_0000;
const PAGE: u64 = 0x1000;
/// Calls of an administrator within which a set ends, whatever its client left behind.
const BOUND: u32 = 1100;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([victim, neighbour], [client, other], admin) = cast()?;
    register(&admin, 1, 0, 0)?;
    let theirs = chosen(&other, &other, 80)?;
    other.map(theirs, IOVA, page(0), ONE_PAGE)?;
    other.bind(theirs, 0)?;

    let ticket = everything_pending(checks, &victim, &client, &other)?;
    checks.equal("five are charged, and what it has asked for", admin.set_usage(VICTIM)?.used, 6);
    victim.start(Transfer::WriteMemory, IOVA, PAGE);
    victim.kill().await;

    let ended = end(&admin)?;
    checks.check("s76: its set ends in bounded time", ended.is_some_and(|calls| calls > 1));
    checks.equal("the provider's answer comes too late", other.give(ticket, 9), refused(Code::Stale));
    let mut told = 0;
    while let Some(ask) = other.next_task()? {
        told += u32::from(matches!(ask, Task::TakeBack { id: 1..=5 | 9, .. }));
    }
    checks.equal("it hears of each id once, and of its late answer", told, 6);
    neighbour.fill(0..PAGE, 0xa5);
    neighbour.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    checks.equal("the neighbour's device works", neighbour.count(0..PAGE, 0), PAGE - 1);
    checks.equal("the dead one's was blocked", admin.set_counters(VICTIM)?.faults, 1);
    checks.equal("the neighbour has what it had", admin.set_usage(NEIGHBOUR)?.used, 1);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);

    admin.open_set(VICTIM, Share { reservation: 8, limit: 64 })?;
    checks.check("it is started again", victim.restart().await);
    checks.equal("its transfer wrote nothing", victim.count(0..PAGE, 0xa5), PAGE);
    let client = victim.connect()?;
    let id = chosen(&client, &other, 1)?;
    checks.equal("nobody waits for its old words", client.free(id), Ok(()));
    checks.equal("its new life has nothing of the old", client.own_usage()?.used, 0);
    checks.equal("not even an answer", client.alloc_result(), refused(Code::NotFound));
    Ok(())
}

/// Of five ids two are bound and mapped, two have references, and two wait for an acknowledgement; a sixth was asked for.
fn everything_pending(
    checks: &mut Checks,
    victim: &Relay,
    client: &Client,
    provider: &Client,
) -> Result<u64> {
    client.subscribe(Role::Device, true)?;
    let mut ids = [Handle { pasid: 0, generation: 0, epoch: 0 }; 5];
    for (id, number) in ids.iter_mut().zip(1..) {
        *id = chosen(client, provider, number)?;
    }
    client.map(ids[0], IOVA, page(0), ONE_PAGE)?;
    client.bind(ids[0], 0)?;
    client.map(ids[1], IOVA, page(1), ONE_PAGE)?;
    client.get(ids[0])?;
    client.get(ids[2])?;
    client.free(ids[1])?;
    client.free(ids[2])?;
    client.free(ids[3])?;
    let waits = (0..).map_while(|_| victim.event()).filter(|event| event.kind == EventKind::Free).count();
    checks.equal("two wait for an acknowledgement, one for a reference", waits, 2);
    victim.fill(0..PAGE, 0xa5);
    match asks(client, provider)? {
        Some(Task::Choose { ticket, .. }) => Ok(ticket),
        _ => refused(Code::NotFound),
    }
}

/// Ends the set; gives how many calls that took.
fn end(admin: &Client) -> Result<Option<u32>> {
    for calls in 1..=BOUND {
        if admin.free_set(VICTIM)?.more == 0 {
            return Ok(Some(calls));
        }
    }
    Ok(None)
}
