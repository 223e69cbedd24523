// SPDX-License-Identifier: BSD-2-Clause
//! What an administrator or a provider may do is refused to everybody else, before anything of the message is looked at;
//! and before HELLO everything is.
#![no_std]
#![no_main]

use ioasid_api::{OPERATIONS, Right};
use ioasid_microkit::{Code, Result, Usage};
use sel4_microkit::{Handler, protection_domain};
use service_scenarios::relay::Relay;
use service_scenarios::{ALL_IDS, IOASID, director};
use system_test::Checks;

/// Sets by their places in `ioasid.toml`.
const ALICE: u16 = 0;
const BOB: u16 = 1;

#[protection_domain]
fn init() -> impl Handler {
    director(run)
}

async fn run(checks: &mut Checks) -> Result<()> {
    let (alice, bob) = (Relay::new(0), Relay::new(1));
    let [restarted, forbidden] = [Code::ServerRestarted, Code::NotPermitted].map(Code::to_label);
    let refusals = |relay: &Relay, right: Right, code: u64| {
        let of = OPERATIONS.iter().filter(move |op| op.right == right && op.name != "Hello");
        let (mut all, mut refused) = (0, 0);
        for op in of {
            // Of the right length and of every other, with words that spell something and words that do not.
            for (len, word) in [(op.request.len(), 0), (op.request.len(), 1), (0, 0), (4, u64::MAX)] {
                let (label, _) = relay.send(op.number, &[word; 4][..len]);
                all += 1;
                refused += u32::from(label == code);
            }
        }
        (refused, all)
    };
    let same = |checks: &mut Checks, name: &str, (refused, all): (u32, u32)| {
        checks.check(name, refused == all && all > 0);
    };

    same(checks, "before HELLO every operation", refusals(&alice, Right::Client, restarted));
    same(checks, "and one that takes a right is not permitted", refusals(&alice, Right::Admin, forbidden));
    let (label, _) = alice.send(0x01, &[2]);
    checks.equal("another version", label, Code::UnsupportedVersion.to_label());
    let label = alice.send(0x10, &[1, 9, 0]).0;
    checks.equal("is no HELLO", label, restarted);

    let admin = ioasid_microkit::connect(IOASID)?;
    let (one, two) = (alice.connect()?, bob.connect()?);
    let id = one.alloc(ALL_IDS, 7)?;
    let other = two.alloc(ALL_IDS, 8)?;
    let usage = [admin.set_usage(ALICE)?, admin.set_usage(BOB)?];
    let health = admin.check()?;
    same(checks, "a client administers nothing", refusals(&alice, Right::Admin, forbidden));
    same(checks, "and is no provider", refusals(&alice, Right::Provider, forbidden));
    same(checks, "a provider administers nothing either", refusals(&bob, Right::Admin, forbidden));
    let (label, _) = bob.send(0x60, &[]);
    checks.equal("but is asked what it is to do", label, 0);
    checks.equal("numbers that no operation has, among those of a right", alice.send(0x5f, &[]).0, forbidden);
    checks.equal("and among others", alice.send(0x7777, &[]).0, Code::UnknownOperation.to_label());

    let same = [admin.set_usage(ALICE)?, admin.set_usage(BOB)?];
    checks.equal("s93: no set has changed", same, usage);
    checks.equal("s93: nor anything else", admin.check()?, health);
    checks.equal("alice's id is as it was", one.find(id.pasid)?.data, 7);
    checks.equal("bob's id is as it was", two.find(other.pasid)?.data, 8);
    let refused = admin.set_counters(ALICE)?.refused;
    checks.check("each refusal is counted", refused > 100);
    checks.equal(
        "the administrator's own share",
        admin.own_usage()?,
        Usage { reservation: 0, limit: 0, used: 0, peak: 0 },
    );
    Ok(())
}
