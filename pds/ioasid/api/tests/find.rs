// SPDX-License-Identifier: BSD-2-Clause
//! The find page, as one side writes it and the other reads it.

use core::sync::atomic::AtomicU64;
use ioasid_api::{FindReader, FindWriter, Handle};

fn memory<const WORDS: usize>() -> [AtomicU64; WORDS] {
    [const { AtomicU64::new(0) }; WORDS]
}

fn id(pasid: u32, generation: u16) -> Handle {
    Handle { pasid, generation, epoch: 1 }
}

#[test]
fn an_id_is_found_while_it_lives() {
    let memory = memory::<512>();
    let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
    writer.insert(id(5, 1), 50);
    assert_eq!(reader.find(id(5, 1)), Some(50));
    writer.set_data(id(5, 1), 51);
    assert_eq!(reader.find(id(5, 1)), Some(51));
    writer.remove(id(5, 1));
    assert_eq!(reader.find(id(5, 1)), None);
}

#[test]
fn a_page_that_was_cleared_is_empty_and_takes_ids_again() {
    let memory = memory::<512>();
    let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
    (1..=256).for_each(|pasid| writer.insert(id(pasid, 0), 1));
    writer.clear();
    assert!((1..=256).all(|pasid| reader.find(id(pasid, 0)).is_none()));
    writer.insert(id(5, 1), 2);
    assert_eq!(reader.find(id(5, 1)), Some(2));
}

#[test]
fn s66_a_stale_generation_is_not_found() {
    let memory = memory::<512>();
    let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
    writer.insert(id(5, 2), 50);
    assert_eq!(reader.find(id(5, 1)), None);
    assert_eq!(reader.find(id(6, 2)), None);
}

#[test]
fn s95_a_handle_of_an_earlier_life_of_the_server_is_not_found() {
    let memory = memory::<512>();
    let earlier = Handle { epoch: 1, ..id(5, 0) };
    FindWriter::new(&memory).insert(earlier, 50);
    let reader = FindReader::new(&memory);
    assert_eq!(reader.find(earlier), Some(50));
    let mut writer = FindWriter::new(&memory);
    assert_eq!(reader.find(earlier), None);
    let later = Handle { epoch: 2, ..earlier };
    writer.insert(later, 60);
    assert_eq!((reader.find(earlier), reader.find(later)), (None, Some(60)));
}

#[test]
fn s62_what_is_no_id_is_not_found() {
    let memory = memory::<8>();
    let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
    writer.insert(id(5, 1), 50);
    writer.insert(id(6, 1), 60);
    writer.remove(id(6, 1));
    assert_eq!(reader.find(Handle { pasid: 0, generation: 0, epoch: 0 }), None);
    for bit in 20..32 {
        assert_eq!(reader.find(id(5 | 1 << bit, 1)), None);
    }
}

#[test]
fn a_page_of_4_kib_holds_256_ids_side_by_side() {
    let memory = memory::<512>();
    let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
    (1000..1256).for_each(|pasid| writer.insert(id(pasid, 0), u64::from(pasid)));
    assert!((1000..1256).all(|pasid| reader.find(id(pasid, 0)) == Some(u64::from(pasid))));
}

#[test]
fn an_id_without_room_is_not_in_the_page_and_disturbs_nobody() {
    let memory = memory::<8>();
    let (mut writer, reader) = (FindWriter::new(&memory), FindReader::new(&memory));
    (1..=5).for_each(|pasid| writer.insert(id(pasid, 0), u64::from(pasid)));
    assert_eq!(reader.find(id(4, 0)), Some(4));
    assert_eq!(reader.find(id(5, 0)), None);
    writer.remove(id(5, 0));
    writer.set_data(id(5, 0), 9);
    writer.remove(id(1, 0));
    writer.insert(id(6, 0), 6);
    assert_eq!(reader.find(id(6, 0)), Some(6));
}

#[test]
fn s62_memory_too_small_for_a_bucket_is_an_empty_page() {
    let memory = memory::<7>();
    FindWriter::new(&memory).insert(id(1, 0), 1);
    assert_eq!(FindReader::new(&memory).find(id(1, 0)), None);
}
