// SPDX-License-Identifier: BSD-2-Clause
//! s89–s91: each device has bindings of its own. One id on two devices, one device under another id, what is refused and
//! what stays then; and no client binds another's device.
#![no_std]
#![no_main]

use guest_kit::edu::Transfer;
use ioasid_microkit::{Client, Code, EventKind, Handle, Result};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::{ALL_IDS, ONE_PAGE, cast, director, page, refused};
use system_test::Checks;

const LEFT: u16 = 0;
const RIGHT: u16 = 1;
const IOVA: u64 = 0x7_0000;
const PAGE: u64 = 0x1000;
const BYTES: u64 = 64;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let ([relay, other], [alice, bob], admin) = cast()?;
    checks.equal(
        "s91: each is told of its own devices",
        (alice.welcome().devices, bob.welcome().devices),
        (2, 1),
    );
    let (one, two) = (alice.alloc(ALL_IDS, 0)?, alice.alloc(ALL_IDS, 0)?);
    // The same address is page 0 under the one, and page 1 under the other.
    alice.map(one, IOVA, page(0), ONE_PAGE)?;
    alice.map(two, IOVA, page(1), ONE_PAGE)?;

    let writes = async |device| {
        relay.fill(0..2 * PAGE, 0xa5);
        relay.transfer_on(device, Transfer::WriteMemory, IOVA, BYTES).await;
        (relay.count(0..PAGE, 0), relay.count(PAGE..2 * PAGE, 0))
    };
    let (first, second, nowhere) = ((BYTES, 0), (0, BYTES), (0, 0));

    alice.bind(one, LEFT)?;
    alice.bind(one, RIGHT)?;
    checks.equal("s89: one id on two devices: the left", writes(LEFT).await, first);
    checks.equal("s89: and the right", writes(RIGHT).await, first);
    checks.equal("binding twice", alice.bind(one, LEFT), refused(Code::AlreadyBound));
    checks.equal("or another id", alice.bind(two, LEFT), refused(Code::AlreadyBound));

    alice.unbind(one, RIGHT)?;
    checks.equal("s89: unbound from the right, the left goes on", writes(LEFT).await, first);
    checks.equal("and the right is blocked", writes(RIGHT).await, nowhere);
    let event = relay.next(EventKind::Fault).await;
    checks.equal("which its owner is told", (event.handle, event.device), (None, RIGHT));
    checks.equal("unbinding twice", alice.unbind(one, RIGHT), refused(Code::NotBound));
    checks.equal("s89: there is nothing to replace", alice.replace(two, RIGHT), refused(Code::NotBound));

    alice.replace(two, LEFT)?;
    checks.equal("s89: the left runs under the other now", writes(LEFT).await, second);
    alice.bind(one, RIGHT)?;
    checks.equal("s89: and the right under the one", writes(RIGHT).await, first);
    checks.equal(
        "what it is not bound to cannot be unbound",
        alice.unbind(one, LEFT),
        refused(Code::NotBound),
    );

    refused_replacements(checks, &alice, &bob, one)?;
    checks.equal("s90: the old binding stays: the left", writes(LEFT).await, second);
    checks.equal("s90: the right", writes(RIGHT).await, first);

    others(checks, &alice, &bob, one)?;
    other.transfer(Transfer::WriteMemory, IOVA, BYTES).await;
    let event = other.next(EventKind::Fault).await;
    checks.equal("s91: bob's device is where it was: nowhere", event.handle, None);
    checks.equal("and alice is told nothing of it", relay.event(), None);

    alice.free(two)?;
    checks.equal("freeing an id cuts off its device", writes(LEFT).await, nowhere);
    checks.equal("and no other", writes(RIGHT).await, first);
    checks.equal("the registry is consistent", admin.check()?.quarantined, 0);
    Ok(())
}

fn refused_replacements(checks: &mut Checks, alice: &Client, bob: &Client, one: Handle) -> Result<()> {
    let gone = alice.alloc(ALL_IDS, 0)?;
    alice.free(gone)?;
    let theirs = bob.alloc(ALL_IDS, 0)?;
    let old = Handle { generation: one.generation.wrapping_sub(1), ..one };
    let answers = [gone, theirs, old].map(|id| alice.replace(id, LEFT));
    let codes = [Code::NotFound, Code::NotOwner, Code::Stale].map(refused);
    checks.equal("s90: an id that is gone, another's, an older life's", answers, codes);
    checks.equal("s90: no such device", alice.replace(one, 2), refused(Code::NoSuchDevice));
    // A fresh id needs an address space, and of these alice has eight.
    let mut last = alice.alloc(ALL_IDS, 0)?;
    while alice.map(last, IOVA, page(2), ONE_PAGE).is_ok() {
        last = alice.alloc(ALL_IDS, 0)?;
    }
    checks.equal(
        "s90: no room for its address space",
        alice.replace(last, LEFT),
        refused(Code::NoTableMemory),
    );
    Ok(())
}

/// No device of another's has a name in a client's mouth.
fn others(checks: &mut Checks, alice: &Client, bob: &Client, one: Handle) -> Result<()> {
    let all = [2, 3, 0x20, u16::MAX].map(|device| [alice.bind(one, device), alice.unbind(one, device)]);
    checks.equal("s91: devices that are not one's own", all, [[refused(Code::NoSuchDevice); 2]; 4]);
    checks.equal("s91: nor can bob use alice's id on his", bob.bind(one, 0), refused(Code::NotOwner));
    checks.equal("nor take it from hers", bob.unbind(one, 0), refused(Code::NotOwner));
    Ok(())
}
