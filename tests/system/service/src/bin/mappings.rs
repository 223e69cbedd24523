// SPDX-License-Identifier: BSD-2-Clause
//! Large spans through the service: pages of 2 MiB where address and memory allow, split where a part goes; a gibibyte of
//! addresses, 16 MiB a call; and what a span may not be.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_microkit::{Access, Client, Code, EventKind, Extent, Handle, RegionOffset, Result};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
const PAGE: u64 = 0x1000;
/// The most that one call maps: 16 MiB, as long as alice's region.
const CALL: u32 = 4096;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

fn all(pages: u32) -> Extent {
    Extent { pages, access: Access::ReadWrite }
}

/// Frames that something takes of the unit's table memory.
fn taken<T>(admin: &Client, what: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
    let before = admin.check()?.free_frames;
    let done = what()?;
    Ok((done, before.saturating_sub(admin.check()?.free_frames)))
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, other], [alice, bob], admin) = cast()?;
    let id = alice.alloc(ALL_IDS, 0)?;
    alice.bind(id, 0)?;
    large(checks, &relay, &admin, &alice, id).await?;
    split(checks, &relay, &admin, &alice, id).await?;
    a_gibibyte(checks, &relay, &admin, &alice, id).await?;
    spans(checks, &alice, id)?;
    rights(checks, &other, &bob).await?;
    let (_, back) = taken(&admin, || alice.free(id))?;
    checks.equal("freeing takes no frames", back, 0);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}

/// 16 MiB at an address that suits large pages.
async fn large(checks: &mut Checks, relay: &Relay, admin: &Client, alice: &Client, id: Handle) -> Result<()> {
    let ((), frames) = taken(admin, || alice.map(id, GIB, page(0), all(CALL)))?;
    checks.equal("16 MiB of large pages: two tables, where small ones would take ten", frames, 2);
    relay.fill(0..2 * PAGE, 0xa5);
    relay.transfer(Transfer::WriteMemory, GIB + PAGE - 8, 16).await;
    checks.equal("its device writes in it", relay.count(PAGE - 8..PAGE + 8, 0), 16);
    relay.transfer(Transfer::ReadMemory, GIB + 16 * MIB - 64, 64).await;
    relay.transfer(Transfer::WriteMemory, GIB + 16 * MIB - 16, 32).await;
    let event = relay.next(EventKind::Fault).await;
    checks.equal("and is blocked behind its end", event.address, GIB + 16 * MIB);
    Ok(())
}

/// A page out of the middle of a large one.
async fn split(checks: &mut Checks, relay: &Relay, admin: &Client, alice: &Client, id: Handle) -> Result<()> {
    let hole = GIB + 5 * PAGE;
    let ((), frames) = taken(admin, || alice.unmap(id, hole, 1))?;
    checks.equal("taking a page out splits a large one: a table more", frames, 1);
    relay.fill(4 * PAGE..7 * PAGE, 0xa5);
    for (at, written) in [(GIB + 4 * PAGE, 64), (hole, 0), (GIB + 6 * PAGE, 64)] {
        relay.transfer(Transfer::WriteMemory, at, 64).await;
        let from = at - GIB;
        checks.equal("the page is gone, its neighbours are not", relay.count(from..from + PAGE, 0), written);
    }
    checks.equal("its owner is told", relay.next(EventKind::Fault).await.address, hole);
    checks.equal("what is gone cannot go again", alice.unmap(id, hole, 1), refused(Code::NotMapped));
    checks.equal("nor as part of more", alice.unmap(id, GIB, 16), refused(Code::NotMapped));
    checks.equal(
        "which changed nothing",
        alice.map(id, GIB, page(0), ONE_PAGE),
        refused(Code::AlreadyMapped),
    );
    alice.map(id, hole, page(5), ONE_PAGE)?;
    relay.transfer(Transfer::WriteMemory, hole, 64).await;
    checks.equal("once mapped it is reached again", relay.count(5 * PAGE..6 * PAGE, 0), 64);
    let ((), frames) = taken(admin, || alice.unmap(id, GIB, CALL))?;
    checks.equal("all of it goes", frames, 0);
    relay.fill(0..PAGE, 0xa5);
    relay.transfer(Transfer::WriteMemory, GIB, 64).await;
    checks.equal("and nothing is written", relay.count(0..PAGE, 0xa5), PAGE);
    while relay.event().is_some() {}
    Ok(())
}

/// The same memory over and over, for a gibibyte of addresses.
async fn a_gibibyte(
    checks: &mut Checks,
    relay: &Relay,
    admin: &Client,
    alice: &Client,
    id: Handle,
) -> Result<()> {
    let ((), frames) = taken(admin, || {
        (0..64).try_for_each(|part| alice.map(id, 4 * GIB + part * 16 * MIB, page(0), all(CALL)))
    })?;
    checks.equal("a gibibyte in 64 calls: two tables", frames, 2);
    relay.fill(0..PAGE, 0xa5);
    relay.transfer(Transfer::WriteMemory, 4 * GIB + 37 * 16 * MIB, 100).await;
    checks.equal("reached in its middle", relay.count(0..PAGE, 0), 100);
    let unmap = (0..64).try_for_each(|part| alice.unmap(id, 4 * GIB + part * 16 * MIB, CALL));
    checks.equal("and unmapped again", unmap, Ok(()));
    Ok(())
}

fn spans(checks: &mut Checks, alice: &Client, id: Handle) -> Result<()> {
    let map = |iova, offset, pages| alice.map(id, iova, RegionOffset { region: 0, offset }, all(pages));
    for (what, answer, code) in [
        ("none", map(GIB, 0, 0), Code::OutOfRegion),
        ("longer than one call may", map(GIB, 0, CALL + 1), Code::SpanTooLong),
        ("beyond the region", map(GIB, PAGE, CALL), Code::OutOfRegion),
        ("far beyond it", map(GIB, 1 << 39, 1), Code::OutOfRegion),
        ("not aligned in memory", map(GIB, 8, 1), Code::BadAddress),
        ("not aligned in addresses", map(GIB + 8, 0, 1), Code::BadAddress),
        ("beyond the width of addresses", map(1 << 48, 0, 1), Code::BadAddress),
        ("across it", map((1 << 48) - PAGE, 0, 2), Code::BadAddress),
        ("at the very end of a word", map(0u64.wrapping_sub(PAGE), 0, 1), Code::BadAddress),
        ("where interrupts are", map(0xfee0_0000, 0, 1), Code::BadAddress),
        ("across that", map(0xfedf_f000, 0, 2), Code::BadAddress),
        ("unmapped, and none", alice.unmap(id, GIB, 0), Code::OutOfRegion),
        ("unmapped, and too long", alice.unmap(id, GIB, u32::MAX), Code::SpanTooLong),
        ("unmapped beyond the width", alice.unmap(id, 1 << 60, 1), Code::BadAddress),
    ] {
        checks.equal(what, answer, refused(code));
    }
    let other = alice.map(id, GIB, RegionOffset { region: 1, offset: 0 }, ONE_PAGE);
    checks.equal("a region that is not one's own", other, refused(Code::NoSuchRegion));
    Ok(())
}

/// A region that was granted for reading.
async fn rights(checks: &mut Checks, relay: &Relay, bob: &Client) -> Result<()> {
    let id = bob.alloc(ALL_IDS, 0)?;
    let read = Extent { pages: 1, access: Access::Read };
    let more = [Access::Write, Access::ReadWrite]
        .map(|access| bob.map(id, 0x1000, page(0), Extent { access, ..read }));
    checks.equal("granted for reading: no more than that", more, [refused(Code::AccessDenied); 2]);
    bob.map(id, 0x1000, page(0), read)?;
    bob.bind(id, 0)?;
    relay.fill(0..PAGE, 0xa5);
    // The write comes first: QEMU drops one in silence where a read has filled its cache.
    relay.transfer(Transfer::WriteMemory, 0x1000, 64).await;
    let event = relay.next(EventKind::Fault).await;
    checks.equal(
        "its device's write is blocked",
        (event.address, relay.count(0..PAGE, 0xa5)),
        (0x1000, PAGE),
    );
    relay.transfer(Transfer::ReadMemory, 0x1000, 64).await;
    checks.equal("and it reads", relay.event(), None);
    Ok(())
}
