// SPDX-License-Identifier: BSD-2-Clause
//! s67–s76: what is reserved is there whatever a greedy neighbour takes; an administrator changes shares and ends sets;
//! each client sees its own share alone.
#![no_std]
#![no_main]

use core::ops::RangeInclusive;

use ioasid_api as api;
use ioasid_microkit::{Client, Code, Error, Handle, Result, Share, Usage};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::{cast, director, refused};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const MODEST: u16 = 0;
const GREEDY: u16 = 1;

/// Every id there is.
type Ids = RangeInclusive<u32>;
#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let (_, [modest, greedy, idle], admin) = cast()?;

    let usage = Usage { reservation: 16, limit: 32, used: 0, peak: 0 };
    checks.equal("s75: each reads its own share", modest.own_usage(), Ok(usage));
    checks.equal("s75: and nobody else's", modest.set_usage(GREEDY), refused(Code::NotPermitted));

    let all = 1..=highest(&idle)?;
    greedy_takes_all(checks, &greedy, *all.end())?;
    let own = reserved_is_there(checks, &modest, &idle, &all)?;
    names(checks, &modest, &idle, own)?;
    adjusted(checks, &admin, &modest, &greedy, own[0], &all)?;
    ended(checks, &admin, &modest, &greedy, &all)?;
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}

/// The highest id that there is: the limits together are more than that, so no client has numbers of its own.
fn highest(client: &Client) -> Result<u32> {
    let (mut there, mut beyond) = (1u32, 0x10_0000);
    while beyond - there > 1 {
        let middle = there.midpoint(beyond);
        match client.alloc(1..=middle, 0) {
            Ok(id) => {
                client.free(id)?;
                there = middle;
            }
            Err(Error::Refused(Code::InvalidRange)) => beyond = middle,
            Err(error) => return Err(error),
        }
    }
    Ok(there)
}

/// It allocates until it is refused, many at a time.
fn greedy_takes_all(checks: &mut Checks, greedy: &Client, max: u32) -> Result<()> {
    let all = api::AllocBatch { min: 1, max, data: 0, count: 64 };
    let beyond = greedy.call(&api::AllocBatch { max: max + 1, ..all });
    checks.equal("s31: ids beyond what there is", beyond, refused(Code::InvalidRange));
    let mut taken = 0;
    let refusal = loop {
        match greedy.call(&all) {
            Ok(some) => taken += some.count,
            Err(error) => break Err(error),
        }
    };
    checks.equal("s28: it takes until there is no more", refusal, refused::<()>(Code::NoSpace));
    // Modest's sixteen and idle's eight stay out of its reach.
    checks.equal("s67, s68: all that nobody was guaranteed", taken, max - 16 - 8);
    Ok(())
}

/// Gives an id of each.
fn reserved_is_there(checks: &mut Checks, modest: &Client, idle: &Client, all: &Ids) -> Result<[Handle; 2]> {
    let own = [modest.alloc(all.clone(), 0)?, idle.alloc(all.clone(), 0)?];
    let got = (1..100).take_while(|_| modest.alloc(all.clone(), 0).is_ok()).count();
    checks.equal("s68: what was reserved is there, and no more", 1 + got, 16);
    checks.equal("s28: beyond it there is no space", modest.alloc(all.clone(), 0), refused(Code::NoSpace));
    checks.equal("s71: which costs nothing", modest.own_usage()?.used, 16);
    let got = (1..100).take_while(|_| idle.alloc(all.clone(), 0).is_ok()).count();
    checks.equal("s68: nor is the next one's touched", 1 + got, 8);
    checks.equal("s28: its limit: QuotaExceeded", idle.alloc(all.clone(), 0), refused(Code::QuotaExceeded));
    Ok(own)
}

/// The same name in two sets is two ids.
fn names(checks: &mut Checks, modest: &Client, idle: &Client, own: [Handle; 2]) -> Result<()> {
    let [one, two] = own;
    modest.attach_spid(7, one)?;
    idle.attach_spid(7, two)?;
    let found = [modest.find_spid(7)?.handle, idle.find_spid(7)?.handle];
    checks.equal("s73: one name, two sets, two ids", found, own);
    checks.equal("s73: taken", modest.attach_spid(7, one), refused(Code::SpidTaken));
    checks.equal("s45: another's id is none to name", modest.attach_spid(8, two), refused(Code::NotOwner));
    modest.detach_spid(7)?;
    checks.equal("s73: detached", modest.find_spid(7), refused(Code::NotFound));
    checks.equal("s73: it was not there", modest.detach_spid(7), refused(Code::NotFound));
    checks.equal("s73: the other's stays", idle.find_spid(7)?.handle, two);
    Ok(())
}

fn adjusted(
    checks: &mut Checks,
    admin: &Client,
    modest: &Client,
    greedy: &Client,
    id: Handle,
    all: &Ids,
) -> Result<()> {
    let adjust = |set, reservation, limit| admin.adjust_set(set, Share { reservation, limit });
    checks.equal("s72: below what is in use", adjust(MODEST, 0, 15), refused(Code::InUse));
    checks.equal("s72: beyond what is free", adjust(MODEST, 64, 64), refused(Code::NoSpace));
    checks.equal("s67: a limit below the reservation", adjust(MODEST, 33, 32), refused(Code::InvalidRange));
    checks.equal(
        "s72: nothing changed",
        modest.own_usage()?,
        Usage { reservation: 16, limit: 32, used: 16, peak: 16 },
    );
    checks.equal("no such set", adjust(77, 0, 1), refused(Code::NoSuchSet));
    checks.equal("s72: it may be cut to what it has", adjust(MODEST, 0, 16), Ok(()));
    checks.equal("s28: then that is its limit", modest.alloc(all.clone(), 0), refused(Code::QuotaExceeded));
    // What was guaranteed is in use, so nothing has become free for the greedy.
    checks.equal(
        "s68: and the greedy gets nothing by it",
        greedy.alloc(all.clone(), 0),
        refused(Code::NoSpace),
    );
    modest.free(id)?;
    checks.check("s70: what is free and not guaranteed is anybody's", greedy.alloc(all.clone(), 0).is_ok());
    checks.equal("s72: so it cannot be guaranteed again", adjust(MODEST, 16, 32), refused(Code::NoSpace));
    Ok(())
}

/// The greedy one's set is ended: all is there again, for a guarantee, too.
fn ended(checks: &mut Checks, admin: &Client, modest: &Client, greedy: &Client, all: &Ids) -> Result<()> {
    let used = admin.set_usage(GREEDY)?.used;
    let (mut done, mut slices) = (0, 0);
    loop {
        let progress = admin.free_set(GREEDY)?;
        (done, slices) = (done + progress.done, slices + 1);
        if progress.more == 0 || slices == 10_000 {
            break;
        }
    }
    checks.equal("s74, s76: all of its ids go, in slices", done, used);
    checks.check("s74: of 64 at the most", slices >= used / 64);
    checks.equal("it is refused everything", greedy.own_usage(), refused(Code::ServerRestarted));
    let open = || admin.open_set(GREEDY, Share { reservation: used, limit: used });
    checks.equal("s70: what it had can be guaranteed", open(), Ok(()));
    checks.equal("it is there already", open(), refused(Code::InUse));
    checks.equal("s68: and is out of others' reach", modest.alloc(all.clone(), 0), refused(Code::NoSpace));
    Ok(())
}
