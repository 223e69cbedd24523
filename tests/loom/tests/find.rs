// SPDX-License-Identifier: BSD-2-Clause
//! The find page: whatever the server does beside it, a look-up finds the id's own data or nothing.

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use loom_model::{Field, FindReader, FindWriter, Handle};

const FIRST: Handle = Handle { pasid: 5, generation: 0, epoch: 1 };
/// The same number, handed out again.
const NEXT: Handle = Handle { generation: 1, ..FIRST };
/// Another number, which gets the same place.
const OTHER: Handle = Handle { pasid: 6, ..FIRST };
/// The same number in the server's next life.
const REBORN: Handle = Handle { epoch: 2, ..FIRST };

/// A page of one bucket.
type Page = &'static [AtomicU64; 8];

/// After `before`, `write` and a look-up of each of `wanted` run beside each other. `judge` sees what was found, in every
/// way that it can turn out.
fn race<const N: usize>(
    before: fn(&mut FindWriter<'_>),
    write: fn(FindWriter<'_>, Page),
    wanted: [Handle; N],
    judge: fn([Option<u64>; N]),
) {
    loom::model(move || {
        let page: Page = Box::leak(Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        let mut writer = FindWriter::new(page);
        before(&mut writer);
        let server = thread::spawn(move || write(writer, page));
        let reader = FindReader::new(page);
        judge(wanted.map(|handle| reader.find(handle)));
        server.join().expect("the writer ends");
    });
}

fn one_of(found: Option<u64>, allowed: &[Option<u64>]) {
    assert!(allowed.contains(&found), "{found:?} is none of {allowed:?}");
}

#[test]
fn s60_a_reader_beside_alloc_sees_it_or_does_not() {
    race(
        |_| {},
        |mut writer, _| writer.insert(FIRST, 50),
        [FIRST, FIRST],
        |[early, late]| {
            one_of(early, &[None, Some(50)]);
            // What was seen once stays.
            one_of(late, if early.is_some() { &[Some(50)] } else { &[None, Some(50)] });
        },
    );
}

#[test]
fn s60_a_reader_beside_set_data_sees_the_old_or_the_new() {
    race(
        |writer| writer.insert(FIRST, 50),
        |mut writer, _| writer.set_data(FIRST, 51),
        [FIRST, FIRST],
        |[early, late]| {
            one_of(early, &[Some(50), Some(51)]);
            one_of(late, if early == Some(51) { &[Some(51)] } else { &[Some(50), Some(51)] });
        },
    );
}

#[test]
fn s60_a_reader_beside_free_and_alloc_of_the_number_never_sees_the_next_generations_data() {
    race(
        |writer| writer.insert(FIRST, 50),
        |mut writer, _| {
            writer.remove(FIRST);
            writer.insert(NEXT, 60);
            writer.set_data(NEXT, 61);
        },
        [FIRST],
        |[found]| one_of(found, &[None, Some(50)]),
    );
}

#[test]
fn s60_a_reader_of_the_next_generation_never_sees_the_last_ones_data() {
    race(
        |writer| writer.insert(FIRST, 50),
        |mut writer, _| {
            writer.remove(FIRST);
            writer.insert(NEXT, 60);
        },
        [NEXT],
        |[found]| one_of(found, &[None, Some(60)]),
    );
}

#[test]
fn s60_a_place_that_another_id_gets_shows_nobody_the_others_data() {
    race(
        |writer| writer.insert(FIRST, 50),
        |mut writer, _| {
            writer.remove(FIRST);
            writer.insert(OTHER, 70);
        },
        [FIRST, OTHER],
        |[first, other]| {
            one_of(first, &[None, Some(50)]);
            one_of(other, &[None, Some(70)]);
        },
    );
}

#[test]
fn s60_data_that_was_set_before_a_free_is_not_the_next_generations() {
    race(
        |writer| writer.insert(FIRST, 50),
        |mut writer, _| {
            writer.set_data(FIRST, 51);
            writer.remove(FIRST);
            writer.insert(NEXT, 60);
        },
        [FIRST],
        |[found]| one_of(found, &[None, Some(50), Some(51)]),
    );
}

#[test]
fn s95_a_reader_beside_a_restart_never_sees_the_next_lifes_data() {
    race(
        |writer| writer.insert(FIRST, 50),
        |_, page| FindWriter::new(page).insert(REBORN, 80),
        [FIRST, REBORN],
        |[first, reborn]| {
            one_of(first, &[None, Some(50)]);
            one_of(reborn, &[None, Some(80)]);
        },
    );
}

#[test]
#[should_panic = "Some(60) is none of"]
fn the_model_catches_a_reader_that_does_not_look_at_the_key_again() {
    loom::model(|| {
        let page: Page = Box::leak(Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        let mut writer = FindWriter::new(page);
        writer.insert(FIRST, 50);
        let server = thread::spawn(move || {
            writer.remove(FIRST);
            writer.insert(NEXT, 60);
        });
        let [key, data, ..] = page;
        let known = key.load(Ordering::Acquire) == FIRST.to_word();
        one_of(known.then(|| data.load(Ordering::Relaxed)), &[None, Some(50)]);
        server.join().expect("the writer ends");
    });
}
