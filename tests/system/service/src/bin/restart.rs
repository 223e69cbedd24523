// SPDX-License-Identifier: BSD-2-Clause
//! s95: after a restart of the service stale clients get `ServerRestarted`, and hardware is default-deny until rebuilt:
//! after a restart while nothing happens, and after many in the middle of a call.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use guest_kit::script::{signal, was_signalled};
use ioasid_microkit::{Client, Code, Error, EventKind, Handle, Result, Role};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::relay::{FLOOD_IOVA, Flood, Relay};
use service_scenarios::{ALL_IDS, IOASID, ONE_PAGE, cast, director, page, print_set, refused, warden};
use system_test::Checks;

/// The set of the relay, by its place in `ioasid.toml`.
const RELAY: u16 = 0;

const IOVA: u64 = FLOOD_IOVA;
const PAGE: u64 = 0x1000;
/// How often the service is restarted in the middle of something.
const INTERRUPTED: u64 = 16;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay], [client], admin) = cast()?;
    let (epoch, frames) = (client.welcome().epoch, admin.check()?.free_frames);
    let id = at_work(checks, &relay, &client).await?;

    // The device is at work while the service is restarted.
    relay.fill(0..PAGE, 0xa5);
    relay.start(Transfer::WriteMemory, IOVA, PAGE - 1);
    warden::restart();
    signal(relay.channel()).await;
    checks.equal("its device writes nothing any more", relay.count(0..PAGE, 0xa5), PAGE);
    stale(checks, &relay, &client, &admin, id);

    let admin = ioasid_microkit::connect(IOASID)?;
    checks.equal("all tables are new", admin.check()?.free_frames, frames);
    let client = relay.connect()?;
    checks.equal("the epoch has grown", client.welcome().epoch, epoch + 1);
    checks.equal("an old handle is of an old life", client.free(id), refused(Code::ServerRestarted));
    checks.equal("nothing is counted", client.own_usage()?.used, 0);
    relay.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    let event = relay.next(EventKind::Fault).await;
    checks.equal(
        "s95: until it is bound anew its device is blocked",
        (event.handle, event.address),
        (None, IOVA),
    );
    checks.equal("and writes nothing", relay.count(0..PAGE, 0xa5), PAGE);
    let new = at_work(checks, &relay, &client).await?;
    checks.check("the same number in another life of the service", new.pasid == id.pasid && new != id);

    interrupted(checks, &relay, frames).await?;
    let epoch_now = relay.connect()?.welcome().epoch;
    checks.equal("each restart was a life", u64::from(epoch_now - epoch), 1 + INTERRUPTED);
    at_work(checks, &relay, &relay.connect()?).await?;
    print_set(&ioasid_microkit::connect(IOASID)?, RELAY, "relay")
}

/// An id is allocated, found, bound and mapped, and the device works.
async fn at_work(checks: &mut Checks, relay: &Relay, client: &Client) -> Result<Handle> {
    let id = client.alloc(ALL_IDS, 5)?;
    checks.equal("an id is in the find page", relay.look(id), Some(5));
    client.bind(id, 0)?;
    client.map(id, IOVA, page(0), ONE_PAGE)?;
    client.subscribe(Role::Observer, false)?;
    relay.fill(0..PAGE, 0x11);
    relay.transfer(Transfer::WriteMemory, IOVA, PAGE - 1).await;
    checks.equal("the device writes", relay.count(0..PAGE - 1, 0), PAGE - 1);
    Ok(id)
}

/// Whoever has not said HELLO in this life of the service is refused everything.
fn stale(checks: &mut Checks, relay: &Relay, client: &Client, admin: &Client, id: Handle) {
    let restarted = Error::Refused(Code::ServerRestarted);
    let answers = [
        client.alloc(ALL_IDS, 0).err(),
        client.free(id).err(),
        client.find(id.pasid).err(),
        client.set_data(id, 1).err(),
        client.bind(id, 0).err(),
        client.unbind(id, 0).err(),
        client.map(id, IOVA, page(1), ONE_PAGE).err(),
        client.unmap(id, IOVA, 1).err(),
        client.own_usage().err(),
        client.subscribe(Role::Observer, false).err(),
        admin.check().err(),
        admin.set_usage(0).err(),
    ];
    checks.equal("s95: every stale call: ServerRestarted", answers, [Some(restarted); 12]);
    checks.equal("the find page is empty", relay.look(id), None);
}

/// The service is restarted in the middle of a client's calls, at another place each time.
async fn interrupted(checks: &mut Checks, relay: &Relay, frames: u64) -> Result<()> {
    let (mut healthy, mut whole, mut in_a_call, mut works) = (0, 0, 0, 0);
    for number in 0..INTERRUPTED {
        let client = relay.connect()?;
        // Left from before, or new after a restart.
        let id = client.alloc(ALL_IDS, 0)?;
        client.bind(id, 0).or_else(|_| client.replace(id, 0))?;
        // What it was told of before does not count.
        warden::answer().await;
        was_signalled(relay.channel());
        warden::restart_in(20 + 6 * number + number % 7);
        relay.flood(Flood::Map, id);
        warden::restarted().await;
        // Either the relay was between two calls and has been refused the next, or it waits for good for the answer
        // of a server that is no more, and its parent ends that.
        if !was_signalled(relay.channel()) {
            in_a_call += u64::from(relay.restart().await);
        }
        let admin = ioasid_microkit::connect(IOASID)?;
        let health = admin.check()?;
        healthy += u64::from(health.quarantined == 0);
        whole += u64::from(health.free_frames == frames);
        let client = relay.connect()?;
        let id = client.alloc(ALL_IDS, 0)?;
        client.map(id, IOVA, page(0), ONE_PAGE)?;
        client.bind(id, 0)?;
        works += u64::from(client.free(id).is_ok());
    }
    checks.equal("each life begins healthy", healthy, INTERRUPTED);
    checks.equal("with all of its tables", whole, INTERRUPTED);
    checks.equal("and serves", works, INTERRUPTED);
    // The rest came while the relay itself ran: how many do depends on how long a call takes.
    checks.check("some of them in the middle of a call", in_a_call >= INTERRUPTED / 4);
    Ok(())
}
