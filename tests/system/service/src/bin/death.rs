// SPDX-License-Identifier: BSD-2-Clause
//! s76: a client's death frees all of its ids, with teardown, and nobody else's. Its device is cut off whatever it was
//! doing, others work on between the slices of the set's end, and the client can begin anew.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use heapless::Vec;
use ioasid_microkit::{Client, Code, EventKind, Handle, Result, Role, Share};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, print_set, refused};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const VICTIM: u16 = 0;
const NEIGHBOUR: u16 = 1;

/// Ids that the victim dies with: more than one slice of a set's end.
const IDS: usize = 100;
const IOVA: u64 = 0x7_0000;
/// Where the victim's other ids map something.
const OTHER_IOVA: u64 = 0x4000_0000;
const PAGE: u64 = 0x1000;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([victim, neighbour], [client, other], admin) = cast()?;
    let before = admin.check()?.free_frames;

    let theirs = other.alloc(ALL_IDS, 1)?;
    other.bind(theirs, 0)?;
    other.map(theirs, IOVA, page(0), ONE_PAGE)?;
    let both = admin.check()?.free_frames;

    let ids = live(checks, &victim, &client).await?;
    // The device is at work while its driver dies.
    victim.start(Transfer::WriteMemory, IOVA, PAGE);
    victim.kill().await;

    end_of_set(checks, &admin, &other)?;
    checks.equal("no id is counted any more", admin.set_usage(VICTIM), refused(Code::NoSuchSet));
    // The PASID table that the device was given for its first binding stays the device's.
    checks.equal("all table memory of the dead is back", admin.check()?.free_frames, both - 1);
    checks.check("the registry is consistent", admin.check()?.quarantined == 0);

    // Takes longer than what is left of the victim's transfer.
    neighbour.fill(0..PAGE, 0xa5);
    neighbour.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    checks.equal("the neighbour's device still works", neighbour.count(0..PAGE - 1, 0), PAGE - 1);
    checks.equal("the dead one's was blocked", admin.set_counters(VICTIM)?.faults, 1);
    checks.equal("nobody else was told", neighbour.event(), None);

    admin.open_set(VICTIM, Share { reservation: 32, limit: 128 })?;
    checks.check("the dead one is started again", victim.restart().await);
    checks.equal("what its device would have written is as it was", victim.count(0..PAGE, 0xa5), PAGE);
    born_again(checks, &victim, ids[0]).await?;

    other.free(theirs)?;
    checks.equal("the neighbour has given its id back", admin.set_usage(NEIGHBOUR)?.used, 0);
    admin.free_set(VICTIM)?;
    checks.equal("all tables but the devices' own are free", admin.check()?.free_frames, before - 2);
    print_set(&admin, VICTIM, "victim")?;
    print_set(&admin, NEIGHBOUR, "neighbour")
}

/// The victim has ids, references, names, mappings, a subscription, and a device that works.
async fn live(checks: &mut Checks, victim: &Relay, client: &Client) -> Result<Vec<Handle, IDS>> {
    let mut ids = Vec::new();
    for number in 0..IDS {
        let id = client.alloc(ALL_IDS, 2)?;
        if number % 10 == 0 {
            client.map(id, OTHER_IOVA, page(2), ONE_PAGE)?;
            client.get(id)?;
        }
        // There is room for each.
        let _ = ids.push(id);
    }
    client.attach_spid(7, ids[7])?;
    client.bind(ids[0], 0)?;
    client.map(ids[0], IOVA, page(0), ONE_PAGE)?;
    victim.fill(0..PAGE, 0x11);
    victim.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    checks.equal("its device writes", victim.count(0..PAGE - 1, 0), PAGE - 1);
    client.subscribe(Role::Device, true)?;
    victim.fill(0..PAGE, 0xa5);
    Ok(ids)
}

/// The director ends the set, slice by slice, and the neighbour works on between them.
fn end_of_set(checks: &mut Checks, admin: &Client, other: &Client) -> Result<()> {
    let (mut slices, mut done) = (0, 0);
    loop {
        let progress = admin.free_set(VICTIM)?;
        done += progress.done;
        slices += 1;
        let beside = other.alloc(ALL_IDS, 3)?;
        other.map(beside, IOVA, page(1), ONE_PAGE)?;
        other.free(beside)?;
        if progress.more == 0 || slices == 10 {
            break;
        }
    }
    // 64, 36, and the slice that finds nothing left.
    checks.equal("s76: its ids are torn down in slices", (slices, done), (3, 100));
    let again = admin.free_set(VICTIM);
    checks.equal("an ended set cannot be ended again", again, refused(Code::NoSuchSet));
    Ok(())
}

/// The victim begins anew, with nothing of its old life.
async fn born_again(checks: &mut Checks, victim: &Relay, old: Handle) -> Result<()> {
    let (label, _) = victim.send(0x10, &[1, 0xffff, 0]);
    checks.equal("before HELLO it is refused", label, Code::ServerRestarted.to_label());
    let client = victim.connect()?;
    checks.equal("s76: it has no ids", client.own_usage()?.used, 0);
    checks.equal("an old handle finds nothing", client.set_data(old, 0), refused(Code::NotFound));
    checks.equal("nor does the find page", victim.look(old), None);
    checks.equal("its names are gone", client.find_spid(7), refused(Code::NotFound));

    let id = client.alloc(ALL_IDS, 4)?;
    checks.check("its first id is the same number in another life", id.pasid == old.pasid && id != old);
    checks.equal("the old handle is stale now", client.bind(old, 0), refused(Code::Stale));
    client.bind(id, 0)?;
    victim.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    let event = victim.next(EventKind::Fault).await;
    let seen = (event.handle, event.device, event.address);
    checks.equal("nothing is mapped, and it is told", seen, (Some(id), 0, IOVA));
    client.map(id, IOVA, page(0), ONE_PAGE)?;
    victim.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    checks.equal("once mapped its device writes again", victim.count(0..PAGE - 1, 0), PAGE - 1);
    Ok(())
}
