// SPDX-License-Identifier: BSD-2-Clause
//! Every refusal that the table of operations names is reached, and no other: what the reference says of each operation is
//! what clients see.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use ioasid_api::*;
use service_rig::{Grant, Machine, Service};
use vtd_fake::{Behaviour, Personality};

const DEVICE: u16 = 0x18;
const PLAIN: u16 = 0x20;
/// Channels, by places among the grants.
const A: usize = 0;
const B: usize = 1;
const ADMIN: usize = 2;
const PROVIDER: usize = 3;

/// Which operation was refused with which code.
#[derive(Default)]
struct Seen(RefCell<BTreeSet<(u64, u64)>>);

impl Seen {
    /// Sends a request, and remembers how it was refused.
    fn send<C: Call>(&self, service: &Service<'_>, channel: usize, operation: &C) -> Result<C::Reply, Code> {
        let message = operation.encode();
        let reply = service.send(channel, message.label, message.words());
        match Code::from_label(reply.label).expect("a code") {
            None => Ok(C::Reply::decode(reply.words()).expect("the operation's answer")),
            Some(code) => {
                self.0.borrow_mut().insert((C::NUMBER, code.to_label()));
                Err(code)
            }
        }
    }
}

impl Seen {
    /// Sends a request that is not refused.
    fn ok<C: Call>(&self, service: &Service<'_>, channel: usize, operation: &C) -> C::Reply {
        self.send(service, channel, operation).expect("nothing is wrong with it")
    }
}

fn machine() -> Machine {
    Machine::new(&grants())
}

fn grants() -> [Grant; 4] {
    [
        Grant::new("a").share(4, 16).tables(64, 4).pasid_device(DEVICE, 20).device(PLAIN).read_only_region(),
        Grant::new("b").share(4, 16),
        Grant::new("admin").admin(),
        Grant::new("provider").provider(),
    ]
}

/// A service in which everybody has said HELLO.
fn greeted<'m>(machine: &'m mut Machine, seen: &Seen) -> Service<'m> {
    let service = machine.start();
    for channel in 0..4 {
        seen.ok(&service, channel, &Hello { version: VERSION });
    }
    service
}

/// Frames for the tables of a few address spaces.
const TABLES: u32 = 12;

const PAGE: Extent = Extent { pages: 1, access: Access::ReadWrite };
const START: RegionOffset = RegionOffset { region: 0, offset: 0 };
const ANY: Alloc = Alloc { min: 1, max: 4000, data: 0 };

fn map(handle: Handle, iova: u64) -> Map {
    Map { handle, iova, source: START, extent: PAGE }
}

/// Whatever takes a handle, with one that is gone, another's, and an older life's.
fn handles(seen: &Seen) {
    let mut machine = machine();
    let service = greeted(&mut machine, seen);
    let own = seen.ok(&service, A, &ANY).handle;
    let theirs = seen.ok(&service, B, &ANY).handle;
    let gone = seen.ok(&service, A, &ANY).handle;
    seen.ok(&service, A, &Subscribe { role: 2, acknowledges: 0 });
    seen.ok(&service, A, &Free { handle: gone });
    let old = Handle { generation: own.generation.wrapping_sub(1), ..own };
    for handle in [gone, theirs, old, Handle { pasid: 4095, ..own }] {
        let _ = seen.send(&service, A, &Free { handle });
        let _ = seen.send(&service, A, &Get { handle });
        let _ = seen.send(&service, A, &Put { handle });
        let _ = seen.send(&service, A, &Find { pasid: handle.pasid });
        let _ = seen.send(&service, A, &SetData { handle, data: 0 });
        let _ = seen.send(&service, A, &AttachSpid { spid: 1, handle });
        let _ = seen.send(&service, A, &Bind { handle, device: 0 });
        let _ = seen.send(&service, A, &Unbind { handle, device: 0 });
        let _ = seen.send(&service, A, &BindTagged { handle, device: 0 });
        let _ = seen.send(&service, A, &UnbindTagged { handle, device: 0 });
        let _ = seen.send(&service, A, &Replace { handle, device: 0 });
        let _ = seen.send(&service, A, &map(handle, 0x1000));
        let _ = seen.send(&service, A, &Unmap { handle, iova: 0x1000, pages: 1 });
        fill(&service, 0, &map(handle, 0x1000));
        let _ = seen.send(&service, A, &MapBatch { handle, count: 1 });
        let _ = seen.send(&service, A, &Acknowledge { handle });
    }
    let spare = Handle { generation: own.generation.wrapping_add(9), ..own };
    assert_eq!(seen.send(&service, A, &Acknowledge { handle: spare }), Err(Code::Stale));
    for spid in [1, 256] {
        let _ = seen.send(&service, A, &DetachSpid { spid });
        let _ = seen.send(&service, A, &FindSpid { spid });
        let _ = seen.send(&service, A, &AttachSpid { spid, handle: own });
        let _ = seen.send(&service, A, &AttachSpid { spid, handle: own });
    }
    let top = (0..u32::from(u16::MAX)).find(|_| seen.send(&service, A, &Get { handle: own }).is_err());
    assert!(top.is_some(), "the count has a top");
    let _ = seen.send(&service, A, &Hello { version: 2 });
}

/// Puts a mapping into a's batch page.
fn fill(service: &Service<'_>, item: usize, map: &Map) {
    let words = [map.iova, map.source.to_word(), map.extent.to_word()];
    for (place, word) in service.batch_page("a")[3 * item..].iter().zip(words) {
        place.store(word, Ordering::Relaxed);
    }
}

/// Shares, ranges and sets.
fn shares(seen: &Seen) {
    let mut machine = machine();
    let service = greeted(&mut machine, seen);
    let batch = |min, max, count| AllocBatch { min, max, data: 0, count };
    for (min, max) in [(2, 1), (1, 1 << 20), (1, u32::MAX)] {
        let _ = seen.send(&service, A, &Alloc { min, max, data: 0 });
        let _ = seen.send(&service, A, &batch(min, max, 1));
    }
    let first = seen.ok(&service, A, &ANY).handle.pasid;
    assert_eq!(seen.send(&service, A, &Alloc { min: first, max: first, data: 0 }), Err(Code::NoSpace));
    assert_eq!(seen.send(&service, A, &batch(first, first, 1)), Err(Code::NoSpace));
    while seen.send(&service, A, &ANY).is_ok() {}
    let _ = seen.send(&service, A, &batch(1, 4000, 1));
    for count in [65, u32::MAX] {
        let _ = seen.send(&service, A, &batch(1, 4000, count));
        let _ = seen.send(&service, A, &FreeBatch { count });
    }
    for (set, reservation, limit) in [(9, 0, 0), (0, 0, 1), (1, 5, 4), (1, 4090, 4095)] {
        let _ = seen.send(&service, ADMIN, &SetAdjust { set, reservation, limit });
        let _ = seen.send(&service, ADMIN, &SetOpen { set, reservation, limit });
    }
    let _ = seen.send(&service, ADMIN, &SetUsage { set: 9 });
    let _ = seen.send(&service, ADMIN, &SetCounters { set: 9 });
    let _ = seen.send(&service, ADMIN, &SetFree { set: 9 });
    while seen.send(&service, ADMIN, &SetFree { set: 0 }).is_ok_and(|progress| progress.more == 1) {}
    for (reservation, limit) in [(5, 4), (4090, 4095)] {
        let _ = seen.send(&service, ADMIN, &SetOpen { set: 0, reservation, limit });
    }
    // Its client says HELLO all the same.
    seen.ok(&service, A, &Hello { version: VERSION });
    let _ = seen.send(&service, A, &ANY);
    let _ = seen.send(&service, A, &batch(1, 100, 1));
    let _ = seen.send(&service, A, &OwnUsage {});
    let _ = seen.send(&service, A, &Subscribe { role: 0, acknowledges: 0 });
}

/// Subscriptions, and clients without pages.
fn pages(seen: &Seen) {
    let mut machine = machine();
    let service = greeted(&mut machine, seen);
    let own = seen.ok(&service, A, &ANY).handle;
    let _ = seen.send(&service, A, &Unsubscribe {});
    let _ = seen.send(&service, A, &Acknowledge { handle: own });
    seen.ok(&service, A, &Subscribe { role: 0, acknowledges: 1 });
    let _ = seen.send(&service, A, &Subscribe { role: 0, acknowledges: 1 });
    drop(service);

    let mut machine = Machine::new(&grants().map(Grant::without_pages));
    let service = greeted(&mut machine, seen);
    let own = seen.ok(&service, A, &ANY).handle;
    let _ = seen.send(&service, A, &AllocBatch { min: 1, max: 9, data: 0, count: 1 });
    let _ = seen.send(&service, A, &FreeBatch { count: 1 });
    let _ = seen.send(&service, A, &MapBatch { handle: own, count: 1 });
    let _ = seen.send(&service, A, &List { from: 0 });
    let _ = seen.send(&service, A, &Subscribe { role: 0, acknowledges: 0 });
}

/// Devices and memory.
fn spaces(seen: &Seen) {
    let mut machine = machine();
    let service = greeted(&mut machine, seen);
    let ids = [(); 6].map(|()| seen.ok(&service, A, &ANY).handle);
    let handle = ids[0];
    for device in [9, 0] {
        // Nothing is bound to 0 yet, then it is, then it is bound to something else already.
        let _ = seen.send(&service, A, &Unbind { handle, device });
        let _ = seen.send(&service, A, &UnbindTagged { handle, device });
        let _ = seen.send(&service, A, &Replace { handle, device });
        for _ in 0..2 {
            let _ = seen.send(&service, A, &Bind { handle, device });
            let _ = seen.send(&service, A, &BindTagged { handle, device });
        }
    }
    // This one sends no requests with a PASID.
    let _ = seen.send(&service, A, &BindTagged { handle, device: 1 });
    let _ = seen.send(&service, A, &UnbindTagged { handle, device: 1 });

    let good = map(handle, 0x4000_0000);
    seen.ok(&service, A, &good);
    let region = |region, offset| RegionOffset { region, offset };
    let bad = [
        good,
        Map { source: region(9, 0), ..good },
        Map { source: region(0, 1 << 40), ..good },
        Map { source: region(1, 0), ..good },
        Map { source: region(0, 8), ..good },
        Map { iova: 8, ..good },
        Map { extent: Extent { pages: 0, ..PAGE }, ..good },
        Map { extent: Extent { pages: 4097, ..PAGE }, ..good },
    ];
    for map in &bad {
        let _ = seen.send(&service, A, map);
        fill(&service, 0, map);
        let _ = seen.send(&service, A, &MapBatch { handle, count: 1 });
    }
    let _ = seen.send(&service, A, &MapBatch { handle, count: 65 });
    for (iova, pages) in [(0, 1), (8, 1), (0x4000_0000, 0), (0, 4097)] {
        let _ = seen.send(&service, A, &Unmap { handle, iova, pages });
    }
    // Four address spaces are all that it may have.
    for &id in &ids[1..4] {
        seen.ok(&service, A, &map(id, 0x1000));
    }
    let handle = ids[4];
    let _ = seen.send(&service, A, &map(handle, 0x1000));
    fill(&service, 0, &map(handle, 0x1000));
    let _ = seen.send(&service, A, &MapBatch { handle, count: 1 });
    let _ = seen.send(&service, A, &Bind { handle, device: 1 });
    let _ = seen.send(&service, A, &BindTagged { handle, device: 0 });
    let _ = seen.send(&service, A, &Replace { handle, device: 0 });
}

/// A share of table memory that is used up where a large page would have to be split.
fn tables(seen: &Seen) {
    let mut machine = Machine::new(&[Grant::new("a").large_region().tables(TABLES, 4), Grant::new("b")]);
    let service = machine.start();
    seen.ok(&service, A, &Hello { version: VERSION });
    let handle = seen.ok(&service, A, &ANY).handle;
    let large = Map { extent: Extent { pages: 512, ..PAGE }, ..map(handle, 0x4000_0000) };
    seen.ok(&service, A, &large);
    while seen.send(&service, A, &map(seen.ok(&service, A, &ANY).handle, 0)).is_ok() {}
    // What is not enough for one more space is enough for tables of this one's.
    let mut table = (1..).map(|n| map(handle, 0x4000_0000 + n * 0x20_0000));
    while table.next().is_some_and(|map| seen.send(&service, A, &map).is_ok()) {}
    let unmap = Unmap { handle, iova: 0x4000_0000, pages: 1 };
    assert_eq!(seen.send(&service, A, &unmap).err(), Some(Code::NoTableMemory));
}

/// Without a unit ids alone are served.
fn without_unit(seen: &Seen) {
    let mut machine = Machine::without_unit(&[Grant::new("a")]);
    let service = machine.start();
    seen.ok(&service, A, &Hello { version: VERSION });
    let handle = seen.ok(&service, A, &ANY).handle;
    let _ = seen.send(&service, A, &map(handle, 0x1000));
    fill(&service, 0, &map(handle, 0x1000));
    let _ = seen.send(&service, A, &MapBatch { handle, count: 1 });
}

/// A unit that does not confirm what it was asked.
fn unconfirmed(seen: &Seen) {
    type Act = fn(&Seen, &Service<'_>, [Handle; 3]) -> Option<Code>;
    let acts: [Act; 11] = [
        |seen, service, [one, ..]| seen.send(service, A, &Free { handle: one }).err(),
        |seen, service, [one, ..]| seen.send(service, A, &Put { handle: one }).err(),
        |seen, service, [one, ..]| {
            service.batch_page("a")[0].store(one.to_word(), Ordering::Relaxed);
            seen.send(service, A, &FreeBatch { count: 1 }).err()
        },
        |seen, service, [one, ..]| seen.send(service, A, &Unbind { handle: one, device: 0 }).err(),
        |seen, service, [one, ..]| seen.send(service, A, &UnbindTagged { handle: one, device: 0 }).err(),
        |seen, service, [one, ..]| {
            seen.send(service, A, &Unmap { handle: one, iova: 0x1000, pages: 1 }).err()
        },
        |seen, service, [_, two, _]| seen.send(service, A, &Replace { handle: two, device: 0 }).err(),
        // A unit that remembers what was not there is to forget it.
        |seen, service, [one, ..]| seen.send(service, A, &map(one, 0x5000)).err(),
        |seen, service, [one, ..]| {
            fill(service, 0, &map(one, 0x5000));
            seen.send(service, A, &MapBatch { handle: one, count: 1 }).err()
        },
        |seen, service, [_, _, three]| seen.send(service, A, &Bind { handle: three, device: 1 }).err(),
        |seen, service, [_, _, three]| seen.send(service, A, &BindTagged { handle: three, device: 0 }).err(),
    ];
    for act in acts {
        let default = Personality::default();
        let personality = Personality { cap: default.cap.with_cm(true), ..default };
        let mut machine = Machine::with(&grants(), personality, Behaviour::default());
        let service = greeted(&mut machine, seen);
        let ids = [(); 3].map(|()| seen.ok(&service, A, &ANY).handle);
        seen.ok(&service, A, &map(ids[0], 0x1000));
        seen.ok(&service, A, &Bind { handle: ids[0], device: 0 });
        seen.ok(&service, A, &BindTagged { handle: ids[0], device: 0 });
        service.unit().with(|unit| unit.behaviour.lose_completions = true);
        assert_eq!(act(seen, &service, ids), Some(Code::UnitTimeout));
    }
}

/// Custom allocators.
fn providers(seen: &Seen) {
    let mut machine = machine();
    let service = greeted(&mut machine, seen);
    let register = |allocator, alloc| RegisterAllocator { allocator, alloc, free: alloc, pdata: 0 };
    let handle = seen.ok(&service, A, &ANY).handle;
    let _ = seen.send(&service, ADMIN, &register(1, 0));
    seen.ok(&service, A, &Free { handle });
    let _ = seen.send(&service, ADMIN, &register(1, 9));
    let _ = seen.send(&service, ADMIN, &UnregisterAllocator { allocator: 1 });
    while seen.send(&service, ADMIN, &register(2, 0)).is_ok() {}
    let full = (3..100).find(|&name| seen.send(&service, ADMIN, &register(name, 0)).is_err());
    assert!(full.is_some(), "there is room for so many");

    let _ = seen.send(&service, A, &AllocResult {});
    for outcome in [1, 2, 3] {
        let _ = seen.send(&service, A, &ANY);
        let _ = seen.send(&service, A, &ANY);
        let _ = seen.send(&service, A, &AllocBatch { min: 1, max: 9, data: 0, count: 1 });
        let _ = seen.send(&service, A, &AllocResult {});
        let question = seen.ok(&service, PROVIDER, &Fetch {});
        let answer = ioasid_api::Answer { ticket: question.ticket, outcome, id: 0 };
        let _ = seen.send(&service, PROVIDER, &answer);
        let _ = seen.send(&service, PROVIDER, &answer);
        let _ = seen.send(&service, A, &AllocResult {});
    }
    let _ = seen.send(&service, B, &AllocBatch { min: 1, max: 9, data: 0, count: 1 });
}

#[test]
fn every_refusal_in_the_table_is_reached_and_no_other() {
    let seen = Seen::default();
    [handles, shares, pages, spaces, tables, without_unit, unconfirmed, providers]
        .iter()
        .for_each(|act| act(&seen));
    // What may be said of any message is not in the table: see below.
    let general = [Code::BadField, Code::ServerRestarted].map(Code::to_label);
    let mut seen = seen.0.into_inner();
    seen.retain(|(_, code)| !general.contains(code));
    let named = OPERATIONS.iter().flat_map(|op| op.refusals.iter().map(|code| (op.number, code.to_label())));
    let named: BTreeSet<_> = named.collect();
    let names = |pairs: Vec<&(u64, u64)>| -> Vec<String> {
        let name = |number| OPERATIONS.iter().find(|op| op.number == number).map_or("?", |op| op.name);
        let code = |label| Code::from_label(label).ok().flatten().map_or("?", Code::name);
        pairs.into_iter().map(|&(number, label)| format!("{}: {}", name(number), code(label))).collect()
    };
    assert_eq!(names(named.difference(&seen).collect()), [""; 0], "are in the table and were not reached");
    assert_eq!(names(seen.difference(&named).collect()), [""; 0], "were reached and are not in the table");
}

/// What can be said of any message.
#[test]
fn every_operation_is_refused_for_what_is_wrong_with_its_message() {
    let mut machine = machine();
    let service = machine.start();
    let label = |channel, number, words: &[u64]| service.send(channel, number, words).label;
    let by = |right| match right {
        Right::Client => A,
        Right::Admin => ADMIN,
        Right::Provider => PROVIDER,
    };
    for op in OPERATIONS.iter().filter(|op| op.name != "Hello") {
        let words = [0; MAX_WORDS];
        let label = label(by(op.right), op.number, &words[..op.request.len()]);
        assert_eq!(label, Code::ServerRestarted.to_label(), "{} before HELLO", op.name);
    }
    (0..4).for_each(|channel| assert_eq!(label(channel, 1, &[1]), 0));
    for op in OPERATIONS {
        for len in (0..=8).filter(|&len| len != op.request.len()) {
            let label = label(by(op.right), op.number, &[0; 8][..len]);
            assert_eq!(label, Code::WrongLength.to_label(), "{} of {len} words", op.name);
        }
        for (place, word) in op.request.iter().enumerate() {
            for bit in (0..64).filter(|bit| word.ty.mask() >> bit & 1 == 0) {
                let mut words = [0; MAX_WORDS];
                words[place] = 1 << bit;
                let label = label(by(op.right), op.number, &words[..op.request.len()]);
                assert_eq!(label, Code::BadField.to_label(), "{}: {} with bit {bit}", op.name, word.name);
            }
        }
        if op.right != Right::Client {
            assert_eq!(label(B, op.number, &[]), Code::NotPermitted.to_label(), "{}", op.name);
        }
    }
    assert_eq!(label(A, 0x7fff, &[]), Code::UnknownOperation.to_label());
    // A value that its field has the bits for, and that means nothing.
    for words in [[3, 0], [0, 2]] {
        assert_eq!(label(A, Subscribe::NUMBER, &words), Code::BadField.to_label());
    }
    assert_eq!(label(PROVIDER, Answer::NUMBER, &[0, 3, 0]), Code::BadField.to_label());
}

/// Codes that nobody is refused with, and why.
#[test]
fn every_code_is_some_operations_or_there_is_a_reason() {
    let general = [
        Code::UnknownOperation,
        Code::WrongLength,
        Code::BadField,
        Code::NotPermitted,
        Code::ServerRestarted,
    ];
    let never = [
        // The unit's commands are given when the server starts, and then it does not start.
        Code::UnitError,
        // The server's own state would have to be corrupt.
        Code::Internal,
    ];
    for code in Code::ALL {
        let of_some = OPERATIONS.iter().any(|op| op.refusals.contains(code));
        let ways = [of_some, general.contains(code), never.contains(code)];
        assert_eq!(ways.iter().filter(|&&way| way).count(), 1, "{code}: {ways:?}");
    }
}
