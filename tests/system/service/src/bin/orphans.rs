// SPDX-License-Identifier: BSD-2-Clause
//! s19–s23: what becomes of the ids that a provider chose once it is gone: unregistered by an administrator's hand, or
//! because its domain faulted.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use heapless::Vec;
use ioasid_microkit::{Client, Code, EventKind, Handle, Result, Role, Share, Task};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::provider::{asks, chosen, register};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const ALICE: u16 = 0;
const FIRST_SET: u16 = 2;
/// Providers by their places among the clients with that right.
const FIRST: u16 = 0;
const SECOND: u16 = 1;
const A: u32 = 1;
const B: u32 = 2;

/// Ids that are left behind: more than one slice of their end.
const IDS: usize = 70;
const IOVA: u64 = 0x7_0000;
const PAGE: u64 = 0x1000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, _, provider, _], [alice, _, first, second], admin) = cast()?;
    alice.subscribe(Role::Observer, false)?;

    let ids = left_behind(checks, &relay, &admin, &alice, &first).await?;
    not_handed_out_again(checks, &admin, &alice, &second, ids[0])?;
    reclaimed(checks, &relay, &admin, &alice, &ids).await?;
    the_provider_faults(checks, &provider, &admin, &alice).await
}

/// Alice has ids of the first provider's, one of them at work, when it is unregistered.
async fn left_behind(
    checks: &mut Checks,
    relay: &Relay,
    admin: &Client,
    alice: &Client,
    first: &Client,
) -> Result<Vec<Handle, IDS>> {
    register(admin, A, FIRST, FIRST)?;
    let mut ids = Vec::new();
    for number in 1..=70 {
        // There is room for each.
        let _ = ids.push(chosen(alice, first, number)?);
    }
    alice.bind(ids[0], 0)?;
    alice.map(ids[0], IOVA, page(0), ONE_PAGE)?;
    checks.equal("an id is in the find page", relay.look(ids[0]), Some(0));

    checks.equal("s19: it goes, and says how many it leaves", admin.unregister_allocator(A), Ok(70));
    let found = ids.iter().filter(|id| alice.find(id.pasid).is_ok()).count();
    checks.equal("s21: none is found", found, 0);
    let freed = ids.iter().filter(|&&id| alice.free(id) != refused(Code::NotFound)).count();
    checks.equal("s21: none can be freed", freed, 0);
    let seen = ids.iter().filter(|&&id| relay.look(id).is_some()).count();
    checks.equal("s21: none is in the find page", seen, 0);
    checks.equal("they are still charged", admin.set_usage(ALICE)?.used, 70);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(ids)
}

fn not_handed_out_again(
    checks: &mut Checks,
    admin: &Client,
    alice: &Client,
    second: &Client,
    orphan: Handle,
) -> Result<()> {
    let id = alice.alloc(ALL_IDS, 0)?;
    checks.equal("s22: the default space begins without them", id.pasid, 71);
    alice.free(id)?;
    let only = alice.alloc(orphan.pasid..=orphan.pasid, 0);
    checks.equal("s20: an orphan is not handed out", only, refused(Code::NoSpace));
    register(admin, B, SECOND, SECOND)?;
    let again = chosen(alice, second, orphan.pasid);
    checks.equal("s20: nor where another provider chooses it", again, refused(Code::ProviderFault));
    checks.equal("who is not told to take it back", second.next_task()?, None);
    admin.unregister_allocator(B)?;
    Ok(())
}

/// An administrator has the orphans torn down.
async fn reclaimed(
    checks: &mut Checks,
    relay: &Relay,
    admin: &Client,
    alice: &Client,
    ids: &[Handle],
) -> Result<()> {
    relay.fill(0..PAGE, 0xa5);
    relay.transfer(Transfer::WriteMemory, IOVA, 100).await;
    checks.equal("until then what is bound stays bound", relay.count(0..PAGE, 0), 100);
    while relay.event().is_some() {}

    let (mut done, mut slices, mut revoked) = (0, 0, 0);
    loop {
        let progress = admin.reclaim_orphans()?;
        (done, slices) = (done + progress.done, slices + 1);
        while let Some(event) = relay.event() {
            let expected = event.kind == EventKind::Revoke && event.handle == ids.get(revoked).copied();
            revoked += usize::from(expected);
        }
        if progress.more == 0 || slices == 100 {
            break;
        }
    }
    checks.equal("s20: all are torn down", done, 70);
    checks.check("in bounded slices", (2..100).contains(&slices));
    checks.equal("and not charged any more", admin.set_usage(ALICE)?.used, 0);
    checks.equal("s77: their owner is told of each", revoked, 70);
    relay.fill(0..PAGE, 0xa5);
    relay.transfer(Transfer::WriteMemory, IOVA, 100).await;
    let event = relay.next(EventKind::Fault).await;
    checks.equal("its device is blocked", (event.handle, event.address), (None, IOVA));
    checks.equal("and writes nothing", relay.count(0..PAGE, 0), 0);
    let id = alice.alloc(ALL_IDS, 0)?;
    checks.equal("the number is handed out again, in another life", id.pasid, 1);
    checks.check("which is not the old one", id != ids[0]);
    checks.equal("the old handle is stale", alice.free(ids[0]), refused(Code::Stale));
    alice.free(id)
}

/// The first provider's domain faults while it is asked; its parent ends its set.
async fn the_provider_faults(
    checks: &mut Checks,
    provider: &Relay,
    admin: &Client,
    alice: &Client,
) -> Result<()> {
    register(admin, A, FIRST, FIRST)?;
    let first = provider.connect()?;
    let id = chosen(alice, &first, 9)?;
    checks.check("it is asked", matches!(asks(alice, &first)?, Some(Task::Choose { .. })));
    provider.kill().await;
    admin.free_set(FIRST_SET)?;
    checks.equal("s23: its question has failed", alice.alloc_result(), refused(Code::ProviderFault));
    checks.equal("s23: its ids are orphans", alice.find(id.pasid), refused(Code::NotFound));
    let next = alice.alloc(ALL_IDS, 0)?;
    checks.equal("s23: and the default allocator goes on", next.pasid, 1);
    alice.free(next)?;
    while admin.reclaim_orphans()?.more == 1 {}
    checks.equal("nothing is left", admin.set_usage(ALICE)?.used, 0);

    admin.open_set(FIRST_SET, Share { reservation: 0, limit: 4 })?;
    checks.check("it is started again", provider.restart().await);
    let first = provider.connect()?;
    register(admin, A, FIRST, FIRST)?;
    checks.equal("and chooses again", chosen(alice, &first, 9)?.pasid, 9);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}
