// SPDX-License-Identifier: BSD-2-Clause
//! s32–s36, s42, s51: a provider that gives nothing, lies, repeats itself, is late, or hangs. What it does is nobody's
//! harm but of those whose ids it is trusted to choose, and theirs is bounded.
#![no_std]
#![no_main]

use ioasid_api::{self as api, Field};
use ioasid_microkit::{Client, Code, Error, Handle, Result, Share, Task};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::provider::{asks, asks_in, chosen, register, word_of};
use service_scenarios::relay::Relay;
use service_scenarios::{ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const ALICE: u16 = 0;
const A: u32 = 1;
/// Calls after which a provider that has not answered is given up, at the most.
const BOUND: usize = 1000;
const IOVA: u64 = 0x7_0000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, _, _], [alice, bob, liar], admin) = cast()?;
    register(&admin, A, 0, 0)?;
    let kept = chosen(&alice, &liar, 5)?;
    alice.set_data(kept, 55)?;
    let theirs = chosen(&bob, &liar, 70)?;
    bob.set_data(theirs, 77)?;

    it_gives_nothing(checks, &admin, &alice, &liar)?;
    it_lies(checks, &admin, &alice, &liar)?;
    checks.equal("s36: alice's id is as it was", alice.find(5)?.data, 55);
    checks.equal("s36: bob's id is as it was", bob.find(70)?.data, 77);
    it_repeats_itself(checks, &alice, &bob, &liar)?;
    it_hangs(checks, &alice, &bob, &liar, theirs)?;
    it_takes_nothing_back(checks, &relay, &admin, &alice, &liar)?;
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}

/// The ticket of alice's next question.
fn ticket(alice: &Client, liar: &Client) -> Result<u64> {
    match asks(alice, liar)? {
        Some(Task::Choose { ticket, .. }) => Ok(ticket),
        _ => refused(Code::NotFound),
    }
}

fn it_gives_nothing(checks: &mut Checks, admin: &Client, alice: &Client, liar: &Client) -> Result<()> {
    // What was asked for counted as used until it was declined, and so may have been the most.
    let quota = || admin.set_usage(ALICE).map(|usage| (usage.reservation, usage.limit, usage.used));
    let before = quota();
    for (failed, code) in [(false, Code::NoSpace), (true, Code::ProviderFault)] {
        liar.decline(ticket(alice, liar)?, failed)?;
        checks.equal("s32: it gives nothing", alice.alloc_result(), refused(code));
        checks.equal("s32, s71: the quota is as it was", quota(), before);
    }
    let odd = ticket(alice, liar)?;
    checks.equal(
        "an outcome that there is not",
        liar.call(&api::Answer { ticket: odd, outcome: 3, id: 0 }).map(drop),
        refused(Code::BadField),
    );
    liar.decline(odd, false)?;
    let _ = alice.alloc_result();
    Ok(())
}

/// Numbers outside the range, and numbers that somebody has.
fn it_lies(checks: &mut Checks, admin: &Client, alice: &Client, liar: &Client) -> Result<()> {
    let before = admin.set_usage(ALICE)?;
    for outside in [0, 21, 1 << 20, u32::MAX] {
        if let Some(Task::Choose { ticket, .. }) = asks_in(alice, liar, 10..=20)? {
            liar.give(ticket, outside)?;
        }
        checks.equal("s35: a number outside the range", alice.alloc_result(), refused(Code::ProviderFault));
        let back = Some(Task::TakeBack { pdata: word_of(A), id: outside });
        checks.equal("s35: goes back with the allocator's word", liar.next_task()?, back);
    }
    for tracked in [5, 70] {
        if let Some(Task::Choose { ticket, .. }) = asks_in(alice, liar, 1..=64)? {
            // Of bob's it is outside alice's range as well, which must not take it from him.
            liar.give(ticket, tracked)?;
        }
        checks.equal("s36: a number that is taken", alice.alloc_result(), refused(Code::ProviderFault));
    }
    while liar.next_task()?.is_some() {}
    checks.equal("s37, s38: the quota is as it was", admin.set_usage(ALICE)?, before);
    Ok(())
}

fn it_repeats_itself(checks: &mut Checks, alice: &Client, bob: &Client, liar: &Client) -> Result<()> {
    let first = ticket(alice, liar)?;
    liar.give(first, 30)?;
    checks.equal("an answer twice", liar.give(first, 31), refused(Code::Stale));
    let back = Some(Task::TakeBack { pdata: word_of(A), id: 31 });
    checks.equal("what it gave the second time goes back", liar.next_task()?, back);
    let id = alice.alloc_result()?;
    checks.equal("the first counts", id.pasid, 30);
    checks.equal("once", alice.alloc_result(), refused(Code::NotFound));
    alice.free(id)?;
    checks.equal("an answer to nothing", liar.give(u64::MAX, 32), refused(Code::Stale));
    checks.equal("by another", bob.give(first, 33), refused(Code::NotPermitted));
    while liar.next_task()?.is_some() {}
    Ok(())
}

/// It never answers: alice's allocation fails after a bound, and bob is served meanwhile.
fn it_hangs(checks: &mut Checks, alice: &Client, bob: &Client, liar: &Client, theirs: Handle) -> Result<()> {
    let late = ticket(alice, liar)?;
    let mut served = true;
    let asked = (0..=BOUND).find(|_| {
        served &= bob.find(theirs.pasid).is_ok_and(|found| found.data == 77);
        alice.alloc_result() != refused(Code::Pending)
    });
    checks.check(
        "s42: an allocation that it hangs on fails, in bounded time",
        asked.is_some_and(|calls| calls > 10),
    );
    checks.check("s42: bob is served meanwhile", served);
    checks.equal("too late", liar.give(late, 40), refused(Code::Stale));
    let back = Some(Task::TakeBack { pdata: word_of(A), id: 40 });
    checks.equal("and goes back", liar.next_task()?, back);
    Ok(())
}

/// It does not fetch what it is to take back, and there is more of that than it is asked at a time.
fn it_takes_nothing_back(
    checks: &mut Checks,
    relay: &Relay,
    admin: &Client,
    alice: &Client,
    liar: &Client,
) -> Result<()> {
    let mut ids = heapless::Vec::<Handle, 66>::new();
    admin.adjust_set(ALICE, Share { reservation: 8, limit: 68 })?;
    for number in 200..266 {
        // Numbers beyond alice's own window: there is room for each.
        let question = asks_in(alice, liar, number..=number)?;
        let Some(Task::Choose { ticket, .. }) = question else { break };
        liar.give(ticket, number)?;
        let _ = ids.push(alice.alloc_result()?);
    }
    checks.equal("it chose many", ids.len(), 66);
    alice.map(ids[65], IOVA, page(0), ONE_PAGE)?;
    for (place, id) in (0..).zip(&ids) {
        relay.store(place, id.to_word());
    }
    let batches = [64, 0].map(|count| alice.call(&api::FreeBatch { count }).map(|freed| freed.count));
    checks.equal("s51: a batch is freed whether it fetches or not", batches, [Ok(64), Ok(0)]);
    let rest = [alice.free(ids[64]), alice.free(ids[65])];
    checks.equal("s51: and more than it can be asked", rest, [Ok(()), Ok(())]);
    checks.equal("these stay charged until it knows", admin.set_usage(ALICE)?.used, 3);
    let once = (0..)
        .map_while(|_| liar.next_task().ok().flatten())
        .filter(|ask| matches!(ask, Task::TakeBack { .. }));
    checks.equal("s51: it hears of each exactly once", once.take(100).count(), 66);
    checks.equal("and then they are free", admin.set_usage(ALICE)?.used, 1);
    checks.equal("nobody else was asked", alice.alloc_result().err(), Some(Error::Refused(Code::NotFound)));
    Ok(())
}
