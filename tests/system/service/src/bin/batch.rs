// SPDX-License-Identifier: BSD-2-Clause
//! Many ids or mappings for one call, by way of a page that the client may write at any time; and the page in which a
//! client finds its own ids without a call (s54–s66).
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use heapless::Vec;
use ioasid_api::{self as api, Field};
use ioasid_microkit::{Access, Client, Code, Extent, Handle, Result};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, cast, director, page, refused};
use system_test::Checks;

const BATCH: usize = 64;
const IOVA: u64 = 0x7_0000;
const PAGE: u64 = 0x1000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, other, _], [alice, bob, plain], admin) = cast()?;
    let theirs = bob.alloc(ALL_IDS, 9)?;

    let ids = allocated(checks, &relay, &alice)?;
    lists(checks, &relay, &alice, &ids)?;
    mapped(checks, &relay, &alice, ids[0]).await?;
    pages(checks, &relay, &other, &alice, &ids, theirs)?;
    freed(checks, &relay, &alice, &ids, theirs)?;
    refusals(checks, &relay, &plain, &alice)?;
    checks.equal("bob's id is as it was", bob.find(theirs.pasid)?.data, 9);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}

/// The handles in a relay's batch page, from its start on.
fn handles(relay: &Relay, count: u32) -> Vec<Handle, BATCH> {
    (0..count).filter_map(|place| Handle::from_word(relay.load(place.into()))).collect()
}

fn allocated(checks: &mut Checks, relay: &Relay, alice: &Client) -> Result<Vec<Handle, BATCH>> {
    let batch = api::AllocBatch { min: 1, max: 0xffff, data: 3, count: 64 };
    let count = alice.call(&batch)?.count;
    let ids = handles(relay, count);
    let right = ids
        .iter()
        .filter(|id| alice.find(id.pasid).is_ok_and(|found| found.handle == **id && found.data == 3));
    checks.equal("64 ids for one call", (count, right.count()), (64, BATCH));
    for _ in 0..3 {
        alice.call(&batch)?;
    }
    checks.equal("near the limit: as many as there are", alice.call(&batch)?.count, 300 - 4 * 64);
    checks.equal("at the limit: none", alice.call(&batch), refused(Code::QuotaExceeded));
    checks.equal(
        "s27: min above max",
        alice.call(&api::AllocBatch { min: 2, max: 1, ..batch }),
        refused(Code::InvalidRange),
    );
    Ok(ids)
}

/// All of a client's ids, in slices.
fn lists(checks: &mut Checks, relay: &Relay, alice: &Client, ids: &[Handle]) -> Result<()> {
    let (mut from, mut listed, mut ascending, mut known) = (0, 0, true, 0);
    for _ in 0..100 {
        let slice = alice.call(&api::List { from })?;
        for id in handles(relay, slice.count) {
            ascending &= id.pasid >= from;
            from = id.pasid;
            known += usize::from(ids.contains(&id));
        }
        listed += slice.count;
        from = slice.next;
        if from == 0 {
            break;
        }
    }
    checks.equal("s74: all are listed, in ascending order", (listed, ascending, known), (300, true, BATCH));
    Ok(())
}

async fn mapped(checks: &mut Checks, relay: &Relay, alice: &Client, id: Handle) -> Result<()> {
    // 16 pages of the buffer, in reverse order.
    for place in 0..16 {
        let extent = Extent { pages: 1, access: Access::ReadWrite };
        let words = [IOVA + place * PAGE, page(15 - place).to_word(), extent.to_word()];
        (3 * place..).zip(words).for_each(|(place, word)| relay.store(place, word));
    }
    checks.equal("16 mappings for one call", alice.call(&api::MapBatch { handle: id, count: 16 })?.count, 16);
    alice.bind(id, 0)?;
    relay.fill(0..16 * PAGE, 0xa5);
    relay.transfer(Transfer::WriteMemory, IOVA + 3 * PAGE + 0xf00, 0x200).await;
    let touched = relay.count(12 * PAGE + 0xf00..13 * PAGE, 0) + relay.count(11 * PAGE..11 * PAGE + 0x100, 0);
    checks.equal("its device crosses from one to the next", touched, 0x200);
    checks.equal("and touches nothing else", relay.count(0..16 * PAGE, 0xa5), 16 * PAGE - 0x200);

    // The second is refused: it is mapped already. So the third is not looked at.
    for (place, iova) in (0..).zip([IOVA + 16 * PAGE, IOVA, IOVA + 18 * PAGE]) {
        relay.store(3 * place, iova);
    }
    let count = alice.call(&api::MapBatch { handle: id, count: 3 })?.count;
    checks.equal("up to the first that is refused", count, 1);
    checks.equal("the first was done", alice.unmap(id, IOVA + 16 * PAGE, 1), Ok(()));
    checks.equal("the third was not", alice.unmap(id, IOVA + 18 * PAGE, 1), refused(Code::NotMapped));
    // A word with bits that its field does not have.
    relay.store(2, u64::MAX);
    relay.store(0, IOVA + 20 * PAGE);
    checks.equal(
        "a word that spells nothing",
        alice.call(&api::MapBatch { handle: id, count: 1 }),
        refused(Code::BadField),
    );
    Ok(())
}

/// The find page says what the server says.
fn pages(
    checks: &mut Checks,
    relay: &Relay,
    other: &Relay,
    alice: &Client,
    ids: &[Handle],
    theirs: Handle,
) -> Result<()> {
    let seen = ids.iter().filter(|&&id| relay.look(id) == Some(3)).count();
    checks.equal("the page shows each of them", seen, ids.len());
    checks.equal("s55: and nobody else's", relay.look(theirs), None);
    checks.equal("whose own page does", other.look(theirs), Some(9));
    alice.set_data(ids[1], 33)?;
    checks.equal("s64: new data is seen at once", relay.look(ids[1]), Some(33));
    let stale = Handle { generation: ids[1].generation.wrapping_add(1), ..ids[1] };
    checks.equal("s66: another generation is not", relay.look(stale), None);
    checks.equal("s53: nor taken", alice.set_data(stale, 1), refused(Code::Stale));
    alice.get(ids[2])?;
    checks.equal("s46: with a reference left", alice.put(ids[2]), Ok(1));
    checks.equal("s46: it is still found", relay.look(ids[2]), Some(3));
    Ok(())
}

/// One call frees many; each that is refused says why, in its place.
fn freed(checks: &mut Checks, relay: &Relay, alice: &Client, ids: &[Handle], theirs: Handle) -> Result<()> {
    let words =
        [ids[0], theirs, ids[1], ids[0], Handle { generation: 9, ..ids[2] }, ids[3]].map(Field::to_word);
    (0..).zip(words).for_each(|(place, word)| relay.store(place, word));
    relay.store(6, u64::MAX);
    checks.equal("three of seven are freed", alice.call(&api::FreeBatch { count: 7 })?.count, 3);
    let said = [0, 1, 2, 3, 4, 5, 6].map(|place| relay.load(place));
    let [bad, done] = [Code::BadField.to_label(), 0];
    let [other, twice, stale] = [Code::NotOwner, Code::NotFound, Code::Stale].map(Code::to_label);
    checks.equal("the others say why", said, [done, other, done, twice, stale, done, bad]);
    checks.equal(
        "s65: what is freed is not in the page",
        [ids[0], ids[1], ids[3]].map(|id| relay.look(id)),
        [None; 3],
    );
    checks.equal("s43: nor found", alice.find(ids[0].pasid), refused(Code::NotFound));
    checks.equal("what was refused is there", relay.look(ids[2]), Some(3));
    checks.equal("and counted", alice.own_usage()?.used, 297);
    Ok(())
}

fn refusals(checks: &mut Checks, relay: &Relay, plain: &Client, alice: &Client) -> Result<()> {
    let batch = api::AllocBatch { min: 1, max: 0xffff, data: 0, count: 1 };
    let none = plain.call(&batch).map(|count| count.count);
    checks.equal("without a page: NoSharedPage", none, refused(Code::NoSharedPage));
    checks.equal("nor can it be listed", plain.call(&api::List { from: 0 }), refused(Code::NoSharedPage));
    checks.equal(
        "nor subscribe",
        plain.subscribe(ioasid_microkit::Role::Observer, false),
        refused(Code::NoSharedPage),
    );
    let own = plain.alloc(ALL_IDS, 4)?;
    checks.equal("but all else it can", plain.find(own.pasid)?.data, 4);
    for count in [65, u32::MAX] {
        let all = [
            alice.call(&api::AllocBatch { count, ..batch }).map(|count| count.count),
            alice.call(&api::FreeBatch { count }).map(|count| count.count),
        ];
        checks.equal("more than 64", all, [refused(Code::SpanTooLong); 2]);
    }
    relay.store(0, u64::MAX);
    checks.equal("none: nothing is read", alice.call(&api::FreeBatch { count: 0 })?.count, 0);
    checks.equal("and nothing written", relay.load(0), u64::MAX);
    Ok(())
}
