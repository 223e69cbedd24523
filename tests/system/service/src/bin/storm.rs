// SPDX-License-Identifier: BSD-2-Clause
//! Four devices of one client fault all the time. Another's device and calls go on meanwhile, nobody is told of what is
//! not theirs, and the server's work for each fault is bounded.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_microkit::{EventKind, Result};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const STORMY: u16 = 0;
const CALM: u16 = 1;
const DEVICES: u16 = 4;
const ROUNDS: u64 = 50;
/// Where nothing is mapped. Each transfer goes to a page of its own from here on.
const NOWHERE: u64 = 0x5000_0000;
const IOVA: u64 = 0x7_0000;
const PAGE: u64 = 0x1000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([stormy, calm], [client, other], admin) = cast()?;
    // Two of its devices are bound to an id that maps nothing there, two to none at all.
    let id = client.alloc(ALL_IDS, 0)?;
    client.bind(id, 0)?;
    client.bind(id, 1)?;
    let theirs = other.alloc(ALL_IDS, 5)?;
    other.map(theirs, IOVA, page(0), ONE_PAGE)?;
    other.bind(theirs, 0)?;

    let (mut written, mut served, mut told, mut right) = (0, 0, 0, 0);
    for round in 0..ROUNDS {
        for device in 0..DEVICES {
            let transfer = if round % 2 == 0 { Transfer::WriteMemory } else { Transfer::ReadMemory };
            stormy.start_on(device, transfer, NOWHERE + (4 * round + u64::from(device)) * PAGE, 64);
        }
        calm.fill(0..PAGE, 0xa5);
        calm.start(Transfer::WriteMemory, IOVA, 100);
        let beside = other.alloc(ALL_IDS, 0).and_then(|id| other.free(id));
        served += u64::from(beside.is_ok());
        calm.have_ended(0, round + 1).await;
        for device in 0..DEVICES {
            stormy.have_ended(device, round + 1).await;
        }
        written += u64::from(calm.count(0..PAGE, 0) == 100);
        while let Some(event) = stormy.event() {
            let bound = event.handle == if event.device < 2 { Some(id) } else { None };
            told += 1;
            right +=
                u64::from(event.kind == EventKind::Fault && bound && event.address / PAGE >= NOWHERE / PAGE);
        }
    }
    checks.equal("the calm one's device writes in every round", written, ROUNDS);
    checks.equal("and its calls are answered", served, ROUNDS);
    checks.equal("it is told nothing", calm.event(), None);
    checks.equal("and nothing is counted for it", admin.set_counters(CALM)?.faults, 0);
    // The unit has one record, and drops what comes while it is full.
    checks.check("the stormy one is told of most of it", (ROUNDS..=4 * ROUNDS).contains(&told));
    checks.equal("each with the right id and address", right, told);
    checks.equal("and it is counted for it", admin.set_counters(STORMY)?.faults, told);
    checks.equal("nobody's faults are nobody's", admin.check()?.stray_faults, 0);
    client.map(id, IOVA, page(1), ONE_PAGE)?;
    stormy.fill(PAGE..2 * PAGE, 0xa5);
    stormy.transfer(Transfer::WriteMemory, IOVA, 100).await;
    checks.equal("after the storm its device works, too", stormy.count(PAGE..2 * PAGE, 0), 100);
    Ok(())
}
