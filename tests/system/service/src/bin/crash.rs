// SPDX-License-Identifier: BSD-2-Clause
//! s95 where it is hardest: the service is restarted in the middle of batches, and of questions to a provider. Each life
//! begins whole, and whoever was in a call is begun anew by its parent.
#![no_std]
#![no_main]

use guest_kit::script::was_signalled;
use ioasid_api as api;
use ioasid_microkit::{Code, Result, Task};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::provider::{asks, chosen, register};
use service_scenarios::relay::{Flood, Relay};
use service_scenarios::{ALL_IDS, IOASID, ONE_PAGE, director, page, refused, warden};
use system_test::Checks;

/// How often the service is restarted in the middle of something, of each kind.
const TIMES: u64 = 12;
const IOVA: u64 = 0x7_0000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let relay = Relay::new(0);
    let frames = ioasid_microkit::connect(IOASID)?.check()?.free_frames;
    between_question_and_answer(checks, &relay)?;
    for (flood, name) in [(Flood::Batch, "in batches"), (Flood::Provider, "in questions to a provider")] {
        let (whole, serves, in_a_call) = interrupted(&relay, flood, frames).await?;
        checks.equal(name, (whole, serves), (TIMES, TIMES));
        checks.check("some of them in the middle of a call", in_a_call >= TIMES / 4);
    }
    Ok(())
}

/// A question was asked in one life; the answer comes in the next.
fn between_question_and_answer(checks: &mut Checks, relay: &Relay) -> Result<()> {
    let (admin, client) = (ioasid_microkit::connect(IOASID)?, relay.connect()?);
    register(&admin, 1, 0, 0)?;
    let asked = asks(&client, &client)?;
    let Some(Task::Choose { ticket, .. }) = asked else { return refused(Code::NotFound) };
    warden::restart();
    checks.equal("s95: an answer to an old life", client.give(ticket, 5), refused(Code::ServerRestarted));
    checks.equal("as is a question for its outcome", client.alloc_result(), refused(Code::ServerRestarted));
    let client = relay.connect()?;
    checks.equal("after HELLO it is an answer to nothing", client.give(ticket, 5), refused(Code::Stale));
    checks.equal("and nothing was asked", client.alloc_result(), refused(Code::NotFound));
    let id = client.alloc(ALL_IDS, 0)?;
    checks.equal("allocators are registered anew", id.pasid, 1);
    client.free(id)
}

/// Restarts in the middle of a relay's calls, at another place each time: how many lives began whole, how many served, and
/// how many restarts came in a call.
async fn interrupted(relay: &Relay, flood: Flood, frames: u64) -> Result<(u64, u64, u64)> {
    let (mut whole, mut serves, mut in_a_call) = (0, 0, 0);
    for number in 0..TIMES {
        let (admin, client) = (ioasid_microkit::connect(IOASID)?, relay.connect()?);
        let id = client.alloc(ALL_IDS, 0)?;
        client.free(id)?;
        if flood == Flood::Provider {
            register(&admin, 1, 0, 0)?;
        }
        // What it was told of before does not count.
        warden::answer().await;
        was_signalled(relay.channel());
        warden::restart_in(20 + 7 * number + number % 5);
        relay.flood(flood, id);
        warden::restarted().await;
        // It was between two calls and has been refused the next, or it waits for good and its parent ends that.
        if !was_signalled(relay.channel()) {
            in_a_call += u64::from(relay.restart().await);
        }
        let (admin, client) = (ioasid_microkit::connect(IOASID)?, relay.connect()?);
        let health = admin.check()?;
        whole += u64::from(health.free_frames == frames && health.quarantined == 0);
        let batch = api::AllocBatch { min: 1, max: 0xffff, data: 0, count: 64 };
        let works =
            client.call(&batch)?.count == 64 && client.call(&api::FreeBatch { count: 64 })?.count == 64;
        register(&admin, 1, 0, 0)?;
        let id = chosen(&client, &client, 9)?;
        client.map(id, IOVA, page(0), ONE_PAGE)?;
        client.bind(id, 0)?;
        client.free(id)?;
        let takes_back = matches!(client.next_task()?, Some(Task::TakeBack { id: 9, .. }));
        admin.unregister_allocator(1)?;
        serves += u64::from(works && takes_back);
    }
    Ok((whole, serves, in_a_call))
}
