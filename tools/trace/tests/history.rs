// SPDX-License-Identifier: BSD-2-Clause
//! What follows from a trace's records, in each form that it is shown in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};

use ioasid_trace::{Direction, Event, Handle, Name, ShareWhy, Trace, Writer, region_bytes};
use proptest::prelude::*;
use system_trace::{Class, History, Place, Snapshot, SnapshotError, Step};

/// A trace of two sets and one device, of `edu` at 00:03.0.
fn words(records: usize, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u64> {
    let memory: Vec<_> = (0..region_bytes(2, 1, records) / 8).map(|_| AtomicU64::new(0)).collect();
    let mut writer =
        Writer::new(&memory, ["guest_a", "guest_b"].map(Name::new), [(Name::new("edu"), 0x18, 0)]);
    write(&mut writer);
    memory.iter().map(|word| word.load(Ordering::Relaxed)).collect()
}

fn history(records: usize, write: impl FnOnce(&mut Writer<'_>)) -> History {
    let words = words(records, write);
    let trace = Trace::read(&words).unwrap();
    History::of(&trace, trace.written())
}

fn id(pasid: u32) -> Handle {
    Handle { pasid, generation: 0, epoch: 1 }
}

fn share(why: ShareWhy, limit: u32, used: u32) -> Event {
    Event::Share { why, reservation: 2, limit, used, peak: used, faults: 1, refused: 4 }
}

fn fault(device: u16) -> Event {
    let (direction, address) = (Direction::Write, 0x5000);
    Event::Fault { device, reason: 0x05, direction, pasid: None, address, id: Some(id(3)) }
}

#[test]
fn use_is_known_before_the_first_statement_too() {
    let history = history(8, |writer| {
        writer.push(1, Some(0), Event::Alloc { id: id(3) });
        writer.push(2, Some(0), Event::Free { id: id(2) });
        writer.push(3, Some(0), share(ShareWhy::Stated, 16, 5));
        writer.push(4, Some(0), Event::Alloc { id: id(4) });
    });
    let step = |at, used| Step { at, used, limit: 16 };
    assert_eq!(history.sets[0].steps, [step(1, 6), step(2, 5), step(4, 6)]);
    let share = history.sets[0].share.unwrap();
    assert_eq!((share.used, share.peak, share.faults, share.refused), (6, 6, 1, 4));
    assert_eq!(history.sets[1].share, None, "nothing is said of it");
}

#[test]
fn a_set_ends_and_begins_anew() {
    let history = history(8, |writer| {
        writer.push(1, Some(1), share(ShareWhy::Stated, 8, 3));
        writer.push(2, Some(1), share(ShareWhy::Ending, 0, 3));
        writer.push(3, Some(1), share(ShareWhy::Gone, 0, 0));
    });
    assert!(!history.sets[1].open);
    let steps: Vec<_> = history.sets[1].steps.iter().map(|step| (step.at, step.used, step.limit)).collect();
    assert_eq!(steps, [(1, 3, 8), (2, 3, 0), (3, 0, 0)]);
}

#[test]
fn a_device_is_bound_until_the_id_is_unbound_freed_or_replaced() {
    let bind = |pasid, tagged| Event::Bind { id: id(pasid), device: 0x18, tagged };
    let unbind = |pasid, tagged| Event::Unbind { id: id(pasid), device: 0x18, tagged };
    let bound = |events: &[Event]| {
        let history = history(16, |writer| events.iter().for_each(|&event| writer.push(1, Some(0), event)));
        history.devices[0].bound.iter().map(|(id, tagged)| (id.pasid, *tagged)).collect::<Vec<_>>()
    };
    assert_eq!(bound(&[bind(1, false)]), [(1, false)]);
    assert_eq!(bound(&[bind(1, false), bind(2, false)]), [(2, false)], "what is untagged runs under one id");
    assert_eq!(bound(&[bind(1, false), bind(2, true), bind(3, true)]), [(1, false), (2, true), (3, true)]);
    assert_eq!(bound(&[bind(1, true), bind(1, false), unbind(1, true)]), [(1, false)]);
    assert_eq!(bound(&[bind(1, true), bind(1, false), Event::Free { id: id(1) }]), []);
    assert_eq!(bound(&[bind(1, true), share(ShareWhy::Ending, 0, 1)]), []);
    assert_eq!(bound(&[bind(1, true), Event::Started { epoch: 2, unit: true }]), []);
}

#[test]
fn faults_are_counted_at_their_device_and_their_set() {
    let history = history(8, |writer| {
        writer.push(1, Some(0), share(ShareWhy::Stated, 8, 3));
        writer.push(2, Some(0), fault(0x18));
        writer.push(3, None, fault(0x20));
    });
    assert_eq!((history.devices[0].faults, history.strays), (1, 1));
    assert_eq!(history.sets[0].share.unwrap().faults, 2);
    let said = history.describe(history.entries[1].event);
    assert_eq!(said, "edu write 0x5000 under PASID 3: second-stage table: no write permission (0x5)");
    assert!(history.describe(history.entries[2].event).starts_with("00:04.0 write"));
}

#[test]
fn lives_lie_one_behind_the_other() {
    let history = history(8, |writer| {
        writer.push(0, None, Event::Started { epoch: 1, unit: true });
        writer.push(70, Some(0), Event::Quarantine { id: id(3) });
        writer.push(0, None, Event::Started { epoch: 2, unit: true });
        writer.push(5, Some(0), share(ShareWhy::Stated, 8, 0));
    });
    assert_eq!(history.lives.iter().map(|life| life.at).collect::<Vec<_>>(), [0, 71]);
    assert_eq!(history.span(), (0, 76));
    assert_eq!(history.quarantined, 0, "a new life knows nothing of the last one's ids");
}

#[test]
fn what_is_lost_is_said() {
    let history = history(8, |writer| {
        (0..20).for_each(|time| writer.push(time, Some(0), share(ShareWhy::Stated, 8, time % 8)));
    });
    assert_eq!((history.lost, history.entries.len()), (13, 7));
    let text = history.to_text(2, &Class::ALL);
    assert!(text.starts_with("7 records of time 13 to 19, 13 older ones lost\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains(" share ")).count(), 2);
}

#[test]
fn text_shows_what_was_asked_for() {
    let history = history(32, |writer| {
        writer.push(0, None, Event::Started { epoch: 1, unit: true });
        writer.push(0, Some(0), share(ShareWhy::Stated, 16, 1));
        writer.push(1, Some(0), Event::Bind { id: id(3), device: 0x18, tagged: false });
        writer.push(2, Some(0), fault(0x18));
        writer.refused(3, 0, 0x10, 206, 5, || ());
        writer.refused(4, 0, 0x10, 206, 6, || ());
    });
    let text = history.to_text(10, &[Class::Faults, Class::Refusals]);
    let expected = "\
5 records of time 0 to 4, none lost

set      reserved  limit   used   peak  faults  refused
guest_a         2     16      1      1       2        6
guest_b  (not stated in what is left of the trace)

device         of       faults  bound to
edu (00:03.0)  guest_a       1  PASID 3

    time  set      kind        what
       2  guest_a  fault       edu write 0x5000 under PASID 3: second-stage table: no write permission (0x5)
       4  guest_a  refused     Alloc: QuotaExceeded, 2 times
";
    assert_eq!(text, expected);
}

#[test]
fn json_holds_every_event_with_its_fields() {
    let history = history(32, |writer| {
        writer.push(0, Some(1), share(ShareWhy::Stated, 16, 1));
        writer.push(2, Some(0), fault(0x18));
    });
    let json: serde_json::Value = serde_json::from_str(&history.to_json()).unwrap();
    assert_eq!(json["sets"][1]["share"]["limit"], 16);
    assert_eq!(json["sets"][1]["steps"], serde_json::json!([[0, 1, 16]]));
    assert_eq!(json["devices"][0]["address"], "00:03.0");
    let fault = &json["events"][1];
    assert_eq!((&fault["kind"], &fault["class"]), (&"fault".into(), &"faults".into()));
    assert_eq!(
        (&fault["device"], &fault["reason"], &fault["write"]),
        (&"edu".into(), &5.into(), &true.into())
    );
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let memory: Vec<_> = (0..400).map(|_| AtomicU64::new(0)).collect();
    let name = "</script><img src=x>\"'";
    Writer::new(&memory, [Name::new(name)], []).push(0, Some(0), share(ShareWhy::Stated, 1, 0));
    let words: Vec<_> = memory.iter().map(|word| word.load(Ordering::Relaxed)).collect();
    let trace = Trace::read(&words).unwrap();
    let html = History::of(&trace, trace.written()).to_html("<i>");
    assert!(!html.contains("<img") && !html.contains("<i>:"), "{html}");
    assert_eq!(html.matches("</script>").count(), 1);
    assert!(html.contains("&lt;/script&gt;&lt;img src=x&gt;&quot;&#39;"));
    assert!(!html.contains("http"), "it needs no network");
}

#[test]
fn a_snapshot_is_taken_from_memory_and_from_a_dump() {
    let folder = tempfile::tempdir().unwrap();
    let words = words(8, |writer| writer.push(9, Some(0), share(ShareWhy::Stated, 8, 1)));
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let (dump, memory) = (folder.path().join("dump"), folder.path().join("memory"));
    std::fs::write(&dump, &bytes).unwrap();
    std::fs::write(&memory, [vec![0; 0x3000], bytes.clone(), vec![0; 0x100]].concat()).unwrap();
    let dump = Snapshot::of_dump(&File::open(dump).unwrap()).unwrap();
    let open = || File::open(&memory).unwrap();
    let place = Place { address: 0x3000, bytes: bytes.len() as u64 };
    assert_eq!(Snapshot::of_memory(&open(), place).unwrap(), dump);
    assert_eq!(dump.to_bytes(), bytes);

    let at = |address| Snapshot::of_memory(&open(), Place { address, ..place });
    assert!(matches!(at(0x2000).unwrap_err(), SnapshotError::Trace(ioasid_trace::Error::Magic)));
    assert!(matches!(at(0x3101).unwrap_err(), SnapshotError::Short(_)));
    assert!(matches!(at(u64::MAX).unwrap_err(), SnapshotError::Short(_)));
}

proptest! {
    #[test]
    fn any_memory_can_be_shown(mut words in proptest::collection::vec(any::<u64>(), 40..400), since: u64) {
        (words[0], words[1]) = (u64::from_le_bytes(*b"ioasidtr"), ioasid_trace::VERSION);
        words[2] %= 1 << 20;
        (words[3], words[4], words[5]) = (words[3] % 64, words[4] % 8, words[5] % 8);
        // Kinds and sets that there are, for most records.
        for (place, word) in words.iter_mut().enumerate().skip(8) {
            if place % 4 == 0 && *word % 5 != 0 {
                *word = (*word & !0xffff) | (*word % 18) | (((*word >> 8) % 8) << 8);
            }
        }
        if let Ok(trace) = Trace::read(&words) {
            for since in [since, trace.written()] {
                let history = History::of(&trace, since);
                prop_assert!(history.to_html("any").ends_with("</html>\n"));
                prop_assert!(serde_json::from_str::<serde_json::Value>(&history.to_json()).is_ok());
                let _ = history.to_text(usize::MAX, &Class::ALL);
            }
        }
    }
}
