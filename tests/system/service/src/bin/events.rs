// SPDX-License-Identifier: BSD-2-Clause
//! s77–s80: events reach whose affair they are, through a ring and a notification; a freed id waits for those who use it,
//! within a bound; and who comes late or reads too slowly knows what was missed.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use guest_kit::script::{signal, was_signalled};
use ioasid_api::{self as api, Field};
use ioasid_microkit::{Client, Code, EventKind, Handle, Result, Role};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const ALICE: u16 = 0;
/// Calls of the client's own after which an acknowledgement is not waited for any more.
const BOUND: usize = 1000;
/// Events that a ring of one page holds.
const RING: u64 = 64;
const IOVA: u64 = 0x7_0000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, other], [alice, bob], admin) = cast()?;
    unsubscribed(checks, &relay, &alice)?;
    every_kind(checks, &relay, &other, &alice, &bob).await?;
    acknowledged(checks, &relay, &admin, &alice)?;
    silent(checks, &relay, &admin, &alice, &bob)?;
    late(checks, &relay, &alice)?;
    slow(checks, &relay, &alice)?;
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}

/// Whoever has not subscribed is not told of what it does itself.
fn unsubscribed(checks: &mut Checks, relay: &Relay, alice: &Client) -> Result<()> {
    alice.free(alice.alloc(ALL_IDS, 0)?)?;
    checks.equal("without a subscription: nothing", relay.event(), None);
    checks.equal("there is none to end", alice.unsubscribe(), refused(Code::NoSuchPeer));
    let id = alice.alloc(ALL_IDS, 0)?;
    let nobody = alice.acknowledge(id);
    checks.equal("nor to acknowledge for", nobody, refused(Code::NoSuchPeer));
    alice.free(id)
}

async fn every_kind(
    checks: &mut Checks,
    relay: &Relay,
    other: &Relay,
    alice: &Client,
    bob: &Client,
) -> Result<()> {
    bob.subscribe(Role::Observer, false)?;
    alice.subscribe(Role::Observer, false)?;
    checks.equal("one subscription each", alice.subscribe(Role::Cpu, true), refused(Code::InUse));
    was_signalled(relay.channel());
    let id = alice.alloc(ALL_IDS, 0)?;
    signal(relay.channel()).await;
    checks.check("s77: with a notification", true);
    alice.bind(id, 0)?;
    relay.transfer(Transfer::WriteMemory, IOVA, 8).await;
    let fault = relay.next(EventKind::Fault).await;
    checks.equal(
        "s77: FAULT says which id, device, address",
        (fault.handle, fault.device, fault.address),
        (Some(id), 0, IOVA),
    );
    alice.unbind(id, 0)?;
    alice.free(id)?;
    // ALLOC and BIND came before the fault and were passed over.
    let kinds = [(); 3].map(|()| relay.event().map(|event| (event.kind, event.handle)));
    let expected = [Some((EventKind::Unbind, Some(id))), Some((EventKind::Free, Some(id))), None];
    checks.equal("s77, s79: UNBIND, then one FREE", kinds, expected);
    checks.equal("s79: a second free", alice.free(id), refused(Code::NotFound));
    checks.equal("s79: is no event", relay.event(), None);
    checks.equal("s77: nobody else was told anything", other.event(), None);
    bob.unsubscribe()?;
    alice.unsubscribe()
}

/// A freed id goes when whoever uses it has let go.
fn acknowledged(checks: &mut Checks, relay: &Relay, admin: &Client, alice: &Client) -> Result<()> {
    alice.subscribe(Role::Cpu, true)?;
    let id = alice.alloc(ALL_IDS, 0)?;
    alice.bind(id, 0)?;
    while relay.event().is_some() {}
    alice.free(id)?;
    let told = relay.event().map(|event| (event.kind, event.handle));
    checks.equal("s78: it is told", told, Some((EventKind::Free, Some(id))));
    checks.equal("s65: and finds it no more", alice.find(id.pasid), refused(Code::NotFound));
    checks.equal("nor by the page", relay.look(id), None);
    checks.equal("s78: until it answers it is charged", admin.set_usage(ALICE)?.used, 1);
    let next = alice.alloc(ALL_IDS, 0)?;
    checks.check("s40: and not handed out", next.pasid != id.pasid);
    alice.acknowledge(id)?;
    checks.equal("s78: then it is torn down", admin.set_usage(ALICE)?.used, 1);
    let again = alice.acknowledge(id);
    checks.equal("answering twice", again, refused(Code::NotFound));
    alice.free(next)?;
    alice.acknowledge(next)?;
    checks.equal("nothing is left", admin.set_usage(ALICE)?.used, 0);
    Ok(())
}

/// It never answers: the teardown comes all the same, and nobody else waits.
fn silent(checks: &mut Checks, relay: &Relay, admin: &Client, alice: &Client, bob: &Client) -> Result<()> {
    let id = alice.alloc(ALL_IDS, 0)?;
    alice.map(id, IOVA, page(0), ONE_PAGE)?;
    alice.bind(id, 0)?;
    alice.free(id)?;
    let mut served = true;
    let calls = (1..=2 * BOUND).find(|_| {
        let beside = bob.alloc(ALL_IDS, 0).and_then(|id| bob.free(id));
        served &= beside.is_ok();
        admin.set_usage(ALICE).is_ok_and(|usage| usage.used == 0) || alice.own_usage().is_err()
    });
    checks.check(
        "s78: unanswered it is torn down in bounded time",
        calls.is_some_and(|calls| (10..=BOUND + 1).contains(&calls)),
    );
    checks.check("s41: bob's ids come and go meanwhile", served);
    let late = alice.acknowledge(id);
    checks.equal("an answer that is too late", late, refused(Code::NotFound));
    while relay.event().is_some() {}
    alice.unsubscribe()
}

/// Who subscribes late takes a snapshot with `List`; what comes after is in the events.
fn late(checks: &mut Checks, relay: &Relay, alice: &Client) -> Result<()> {
    let mut before = [alice.alloc(ALL_IDS, 0)?; 3];
    before[1] = alice.alloc(ALL_IDS, 0)?;
    before[2] = alice.alloc(ALL_IDS, 0)?;
    alice.subscribe(Role::Observer, false)?;
    let slice = alice.call(&api::List { from: 0 })?;
    let listed = [0, 1, 2].map(|place| Handle::from_word(relay.load(place)));
    checks.equal(
        "s80: the snapshot has what there is",
        (slice.count, slice.next, listed),
        (3, 0, before.map(Some)),
    );
    let after = alice.alloc(ALL_IDS, 0)?;
    let told = relay.event().map(|event| (event.kind, event.handle));
    checks.equal("s80: the events what comes", told, Some((EventKind::Alloc, Some(after))));
    checks.equal("s80: and nothing twice", relay.event(), None);
    for id in before.into_iter().chain([after]) {
        alice.free(id)?;
    }
    while relay.event().is_some() {}
    Ok(())
}

/// Who reads too slowly learns how many events were lost, and reads the latest.
fn slow(checks: &mut Checks, relay: &Relay, alice: &Client) -> Result<()> {
    let lost = relay.lost();
    let mut last = alice.alloc(ALL_IDS, 0)?;
    for _ in 0..RING {
        alice.free(last)?;
        last = alice.alloc(ALL_IDS, 0)?;
    }
    // One ALLOC, and two events each round.
    let mut read = 0;
    let mut newest = None;
    while let Some(event) = relay.event() {
        (read, newest) = (read + 1, event.handle);
    }
    checks.equal("s80: the latest are there", (read, newest), (RING, Some(last)));
    checks.equal("s80: and how many are not is counted", relay.lost() - lost, RING + 1);
    alice.free(last)
}
