// SPDX-License-Identifier: BSD-2-Clause
//! s01–s18 and s24 with providers in domains of their own: whose turn it is to choose ids, who takes over, and which word
//! each is handed.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_microkit::{Client, Code, Handle, Result, Task};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::provider::{asks, chosen, register, takes_back, word_of};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

/// Providers by their places among the clients with that right.
const FIRST: u16 = 0;
const SECOND: u16 = 1;
const NOBODY: u16 = 2;
/// Allocators by their names. The second of the first group has the same two helpers as the first.
const A: u32 = 1;
const A_TOO: u32 = 2;
const B: u32 = 3;
const MIXED: u32 = 4;
const NEVER: u32 = 9;

const IOVA: u64 = 0x7_0000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

/// Everybody, connected.
struct Everybody {
    admin: Client,
    alice: Client,
    bob: Client,
    first: Client,
    second: Client,
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, _, _, _], [alice, bob, first, second], admin) = cast()?;
    let all = Everybody { admin, alice, bob, first, second };
    the_default_space_is_in_the_way(checks, &all)?;
    let id = the_first_is_asked(checks, &all)?;
    a_device_runs_under_it(checks, &relay, &all.alice, id).await?;
    groups(checks, &all, id)?;
    turns(checks, &all)?;
    full(checks, &all)?;
    let id = all.alice.alloc(ALL_IDS, 0)?;
    checks.equal("s02: the default allocator is still there", id.pasid, 1);
    all.alice.free(id)?;
    checks.equal("the registry is consistent", all.admin.check()?.quarantined, 0);
    Ok(())
}

fn the_default_space_is_in_the_way(checks: &mut Checks, all: &Everybody) -> Result<()> {
    let id = all.bob.alloc(ALL_IDS, 0)?;
    checks.check("s01: nothing registered, and an id is allocated", id.pasid > 0);
    let busy = register(&all.admin, A, FIRST, FIRST);
    checks.equal("s04: an id of the default space is in the way", busy, refused(Code::AllocatorBusy));
    checks.equal("and nothing changed", all.bob.find(id.pasid)?.handle, id);
    all.bob.free(id)?;
    let nobody = register(&all.admin, A, NOBODY, FIRST);
    checks.equal("a provider that is not there: NoSuchPeer", nobody, refused(Code::NoSuchPeer));
    checks.equal(
        "s17: unregistering nothing",
        all.admin.unregister_allocator(NEVER),
        refused(Code::NotRegistered),
    );
    checks.equal("s03, s05: it registers once all are back", register(&all.admin, A, FIRST, FIRST), Ok(()));
    Ok(())
}

/// The first provider chooses for alice; nobody else is asked.
fn the_first_is_asked(checks: &mut Checks, all: &Everybody) -> Result<Handle> {
    checks.equal("s07: another registers behind it", register(&all.admin, B, SECOND, SECOND), Ok(()));
    let asked = asks(&all.alice, &all.first)?;
    let Some(Task::Choose { ticket, pdata, range }) = asked else {
        checks.equal("s06: it is asked", asked, None);
        return refused(Code::NotFound);
    };
    checks.equal("s06: it is handed its word", pdata, word_of(A));
    let once = (all.first.next_task()?, all.second.next_task()?);
    checks.equal("s06, s07: exactly once, and the other never", once, (None, None));
    checks.equal("until it answers: Pending", all.alice.alloc_result(), refused(Code::Pending));
    let again = all.alice.alloc(ALL_IDS, 0);
    checks.equal("a second at the same time: ProviderBusy", again, refused(Code::ProviderBusy));
    all.first.give(ticket, *range.end())?;
    let id = all.alice.alloc_result()?;
    checks.equal("s34: its choice is what alice gets, though lower ones are free", id.pasid, *range.end());
    checks.equal("once", all.alice.alloc_result(), refused(Code::NotFound));
    Ok(id)
}

async fn a_device_runs_under_it(
    checks: &mut Checks,
    relay: &Relay,
    client: &Client,
    id: Handle,
) -> Result<()> {
    client.bind(id, 0)?;
    client.map(id, IOVA, page(0), ONE_PAGE)?;
    relay.fill(0..0x1000, 0xa5);
    relay.transfer(Transfer::WriteMemory, IOVA, 100).await;
    checks.equal("a device runs under what the provider chose", relay.count(0..0x1000, 0), 100);
    Ok(())
}

/// Two allocators with the same helpers share a space; one goes and comes back.
fn groups(checks: &mut Checks, all: &Everybody, id: Handle) -> Result<()> {
    let twice = register(&all.admin, A, FIRST, FIRST);
    checks.equal("s13: registering twice", twice, refused(Code::AlreadyRegistered));
    checks.equal("s11: a second of the group registers", register(&all.admin, A_TOO, FIRST, FIRST), Ok(()));
    let twice = register(&all.admin, A_TOO, FIRST, FIRST);
    checks.equal("s14: the second registering twice", twice, refused(Code::AlreadyRegistered));
    checks.equal(
        "s16: a stranger unregisters",
        all.admin.unregister_allocator(NEVER),
        refused(Code::NotRegistered),
    );
    checks.equal("s11: the first of the group goes: no orphans", all.admin.unregister_allocator(A), Ok(0));
    checks.equal("s11: the id is still found", all.alice.find(id.pasid)?.handle, id);
    let pdata = match asks(&all.bob, &all.first)? {
        Some(Task::Choose { ticket, pdata, range }) => {
            all.first.give(ticket, *range.start())?;
            pdata
        }
        _ => 0,
    };
    checks.equal("s12: the next alloc has the other's word", pdata, word_of(A_TOO));
    all.bob.free(all.bob.alloc_result()?)?;
    checks.check(
        "so has a free",
        matches!(all.first.next_task()?, Some(Task::TakeBack { pdata, .. }) if pdata == word_of(A_TOO)),
    );
    all.alice.free(id)?;
    checks.check("s12, s52: so has the free of an old id", takes_back(&all.first, word_of(A_TOO), id)?);
    checks.equal("s15: the one that went registers again", register(&all.admin, A, FIRST, FIRST), Ok(()));
    checks.equal("and goes for good", all.admin.unregister_allocator(A), Ok(0));
    Ok(())
}

/// {A_TOO}, B and one of mixed helpers, in this order: each has its turn.
fn turns(checks: &mut Checks, all: &Everybody) -> Result<()> {
    register(&all.admin, MIXED, FIRST, SECOND)?;
    let id = chosen(&all.alice, &all.first, 5)?;
    checks.equal("s18: one helper alone makes no group: A's word", all.first.next_task()?, None);
    checks.equal("s10: one that has no turn goes", all.admin.unregister_allocator(MIXED), Ok(0));
    checks.equal("s10: what is there stays", all.alice.find(id.pasid)?.handle, id);
    register(&all.admin, MIXED, FIRST, SECOND)?;
    all.alice.free(id)?;
    checks.check("it goes back where it came from", takes_back(&all.first, word_of(A_TOO), id)?);
    all.admin.unregister_allocator(A_TOO)?;

    let id = chosen(&all.alice, &all.second, 6)?;
    checks.equal("s08: the next in order chooses", id.pasid, 6);
    all.alice.free(id)?;
    checks.check("and takes back", takes_back(&all.second, word_of(B), id)?);
    all.admin.unregister_allocator(B)?;

    let id = chosen(&all.alice, &all.first, 7)?;
    all.alice.free(id)?;
    checks.check(
        "s18: of mixed helpers one chooses, the other takes back",
        takes_back(&all.second, word_of(MIXED), id)?,
    );
    all.admin.unregister_allocator(MIXED)?;
    let id = all.alice.alloc(ALL_IDS, 0)?;
    checks.equal("s09: after the last the default one", id.pasid, 1);
    all.alice.free(id)?;
    Ok(())
}

/// As many allocators as there is room for, and one more.
fn full(checks: &mut Checks, all: &Everybody) -> Result<()> {
    let room = (0..100).take_while(|&name| register(&all.admin, name, FIRST, FIRST).is_ok()).count();
    checks.equal("there is room for eight", room, 8);
    let more = register(&all.admin, 100, FIRST, FIRST);
    checks.equal("s24: one more", more, refused(Code::RegistryFull));
    let gone = (0..8).filter(|&name| all.admin.unregister_allocator(name) == Ok(0)).count();
    checks.equal("s24: and nothing changed", gone, 8);
    Ok(())
}
