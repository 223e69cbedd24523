// SPDX-License-Identifier: BSD-2-Clause
//! As many clients as a configuration has room for, 32 with the administrator. All work at the same time, each with what
//! is its own.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_microkit::{Code, Handle, Result};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

/// Clients beside the administrator.
const CLIENTS: usize = 31;
/// Those of them that have a device, memory and pages.
const WITH_DEVICES: usize = 8;
const LIMIT: u32 = 64;
const IOVA: u64 = 0x7_0000;
const BYTES: u64 = 100;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let (relays, clients, admin) = cast::<CLIENTS>()?;
    let (mut full, mut over) = (0, 0);
    let mut last = heapless::Vec::<Handle, CLIENTS>::new();
    // In turn, so that everybody's come between everybody else's.
    for round in 1..=LIMIT {
        for (number, client) in (0..).zip(&clients) {
            let id = client.alloc(ALL_IDS, number)?;
            if round == LIMIT {
                let _ = last.push(id);
                full += u32::from(client.own_usage()?.used == LIMIT);
                over += u32::from(client.alloc(ALL_IDS, 0) == refused(Code::QuotaExceeded));
            }
        }
    }
    checks.equal("all have all that they may have", (full, over), (31, 31));
    let theirs = (0..).zip(&clients).zip(&last);
    let own = theirs
        .clone()
        .filter(|((number, client), id)| client.find(id.pasid).is_ok_and(|found| found.data == *number));
    checks.equal("each finds its own", own.count(), CLIENTS);
    let neighbours = clients.iter().zip(last.iter().cycle().skip(1));
    let others = neighbours.filter(|(client, id)| client.free(**id) == refused(Code::NotOwner)).count();
    checks.equal("and none frees its neighbour's", others, CLIENTS);

    for ((relay, client), id) in relays.iter().zip(&clients).zip(&last).take(WITH_DEVICES) {
        client.map(*id, IOVA, page(0), ONE_PAGE)?;
        client.bind(*id, 0)?;
        relay.fill(0..0x1000, 0xa5);
    }
    for relay in &relays[..WITH_DEVICES] {
        relay.start(Transfer::WriteMemory, IOVA, BYTES);
    }
    let mut written = 0;
    for relay in &relays[..WITH_DEVICES] {
        relay.have_ended(0, 1).await;
        written += u32::from(relay.count(0..0x1000, 0) == BYTES);
    }
    checks.equal("eight devices at the same address write where each may", written, 8);
    let blocked = clients[WITH_DEVICES..].iter().filter(|client| client.welcome().devices == 0).count();
    checks.equal("the others have none", blocked, CLIENTS - WITH_DEVICES);

    let set = u16::try_from(CLIENTS - 1).unwrap_or(0);
    let mut done = 0;
    while let Ok(progress) = admin.free_set(set) {
        done += progress.done;
    }
    checks.equal("the last one's set ends", done, LIMIT);
    let left = (0..set).filter(|&set| admin.set_usage(set).is_ok_and(|usage| usage.used == LIMIT)).count();
    checks.equal("and nobody else's", left, CLIENTS - 1);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}
