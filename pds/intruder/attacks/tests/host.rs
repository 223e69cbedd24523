// SPDX-License-Identifier: BSD-2-Clause
//! The attacks against the whole service on the host, with honest victims beside.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use attacks::{Attack, Attacker, MAX_LEN, SECRET};
use ioasid_api::{Alloc, AllocBatch, Call, Field, FreeBatch, MapBatch, Message, OPERATIONS, Right};
use ioasid_client::{Access, Code, Extent, RegionOffset};
use service_rig::{Grant, Machine};

const VICTIM: u16 = 0x18;
const INTRUDER: u16 = 0x20;
/// Messages, of each seed.
const ATTACKS: usize = 40_000;
const ROUND: usize = 1000;

#[test]
fn s93_no_message_changes_anything_of_anybody_elses() {
    let mut succeeded = BTreeSet::new();
    for seed in 1..=3 {
        let mut machine = Machine::new(&[
            Grant::new("victim").device(VICTIM),
            Grant::new("intruder").device(INTRUDER).share(0, 64).tables(200, 64).provider(),
            Grant::new("judge").admin(),
        ]);
        let service = machine.start();
        let (victim, judge) = (service.client("victim"), service.client("judge"));
        let id = victim.alloc(1..=100, SECRET).unwrap();
        let page = Extent { pages: 1, access: Access::ReadWrite };
        victim.map(id, 0x7_0000, RegionOffset { region: 0, offset: 0 }, page).unwrap();
        victim.bind(id, 0).unwrap();
        victim.attach_spid(3, id).unwrap();
        let before = judge.set_usage(0).unwrap();

        let mut attacker = Attacker::new(seed, true);
        for round in 0..ATTACKS / ROUND {
            for _ in 0..ROUND {
                for (word, lie) in service.batch_page("intruder").iter().zip(attacker.batch_page()) {
                    word.store(lie, Ordering::Relaxed);
                }
                let attack = attacker.next_attack();
                let reply: Message = service.send(1, attack.label, &attack.words[..attack.len]);
                if reply.label == 0 {
                    succeeded.insert(attack.label);
                }
                attacker.heard(&attack, reply.label, reply.words()).unwrap_or_else(|impossible| {
                    panic!("seed {seed}: {impossible:?}: {attack:x?} was answered {reply:x?}")
                });
                service.device(INTRUDER).write_from(None, round as u64 * 0x1000, 0, 1);
                service.fault_event();
            }
            let found = victim.find(id.pasid).unwrap();
            assert_eq!((found.handle, found.data), (id, SECRET), "seed {seed}");
            assert_eq!(victim.find_spid(3).unwrap().handle, id);
            assert_eq!(judge.set_usage(0).unwrap(), before);
            assert_eq!(judge.check().expect("the registry is consistent").quarantined, 0);
            assert!(service.device(VICTIM).read_to(None, 0x7_0000, 0, 1), "seed {seed}");
        }
    }
    // They get deep enough to matter: every operation that is not an administrator's has succeeded.
    let missing = OPERATIONS.iter().filter(|op| !succeeded.contains(&op.number));
    let missing: Vec<_> = missing.filter(|op| op.right != Right::Admin).map(|op| op.name).collect();
    assert_eq!(missing, ["AllocResult", "BindTagged", "UnbindTagged", "Answer"], "none of these can here");
}

#[test]
fn s92_a_batch_page_that_changes_while_it_is_read_harms_nobody() {
    let mut machine = Machine::new(&[
        Grant::new("victim").device(VICTIM),
        Grant::new("intruder").device(INTRUDER).share(0, 64).tables(200, 64),
        Grant::new("judge").admin(),
    ]);
    let service = machine.start();
    let (victim, judge) = (service.client("victim"), service.client("judge"));
    let id = victim.alloc(1..=100, SECRET).unwrap();
    let before = judge.set_usage(0).unwrap();
    let intruder = service.client("intruder");
    let own = intruder.alloc(1..=100, 0).unwrap();
    let page = service.batch_page("intruder");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut liar = Attacker::new(7, false);
            liar.heard(&alloc(), 0, &[own.to_word()]).expect("an answer that may be");
            while !over.load(Ordering::Relaxed) {
                page.iter().zip(liar.batch_page()).for_each(|(word, lie)| word.store(lie, Ordering::Relaxed));
            }
        });
        for _ in 0..20_000 {
            let calls = [
                MapBatch { handle: own, count: 64 }.encode(),
                AllocBatch { min: 1, max: 100, data: 0, count: 64 }.encode(),
                FreeBatch { count: 64 }.encode(),
            ];
            for call in calls {
                let reply = service.send(1, call.label, call.words());
                assert_ne!(reply.label, Code::Internal.to_label());
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(victim.find(id.pasid).unwrap().data, SECRET);
    assert_eq!(judge.set_usage(0).unwrap(), before);
    assert_eq!(judge.check().expect("the registry is consistent").quarantined, 0);
}

/// An allocation as an attack: what is answered to it is a handle.
fn alloc() -> Attack {
    Attack { label: Alloc::NUMBER, words: [0; MAX_LEN], len: 3 }
}
