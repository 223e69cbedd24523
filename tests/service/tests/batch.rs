// SPDX-License-Identifier: BSD-2-Clause
//! What one call by way of the batch page does is bounded.

use std::sync::atomic::Ordering;

use ioasid_api::{AllocBatch, FreeBatch, List, MapBatch};
use ioasid_client::{Access, Code, Error, Extent, Handle, RegionOffset, Role};
use service_rig::{Grant, Machine};

/// As many as a batch has at the most.
const BATCH: u32 = 64;

#[test]
fn s92_a_batch_has_no_more_items_than_it_may() {
    let mut machine = Machine::new(&[Grant::new("a").share(0, 100)]);
    let service = machine.start();
    let client = service.client("a");
    let ids: Vec<_> = (0..=BATCH).map(|_| client.alloc(1..=4000, 0).unwrap()).collect();
    let too_long = Some(Error::Refused(Code::SpanTooLong));
    assert_eq!(service.batch(client, "a").free(&ids).err(), too_long);
    let (min, max, data, count) = (1, 4000, 0, BATCH + 1);
    assert_eq!(client.call(&AllocBatch { min, max, data, count }).err(), too_long);
    assert_eq!(client.call(&MapBatch { handle: ids[0], count }).err(), too_long);
    assert_eq!(client.call(&FreeBatch { count: u32::MAX }).err(), too_long);
    assert_eq!(client.own_usage().unwrap().used, BATCH + 1);
    assert_eq!(service.batch(client, "a").free(&ids[1..]), Ok(BATCH));
}

#[test]
fn s92_all_items_of_a_batch_together_map_no_more_than_one_call_may() {
    let mut machine = Machine::new(&[Grant::new("a").large_region()]);
    let service = machine.start();
    let client = service.client("a");
    let id = client.alloc(1..=100, 0).unwrap();
    let (region, extent) =
        (RegionOffset { region: 0, offset: 0 }, Extent { pages: 512, access: Access::Read });
    let spans: Vec<_> = (1..=9).map(|index| (index << 21, region, extent)).collect();
    // Eight times 2 MiB are 16.
    assert_eq!(service.batch(client, "a").map(id, &spans), Ok(8));
}

#[test]
fn s92_ids_that_are_on_their_way_out_are_not_listed_and_bound_what_is_looked_at() {
    let mut machine = Machine::new(&[Grant::new("a").share(0, 200)]);
    let service = machine.start();
    let client = service.client("a");
    let ids: Vec<_> = (0..200).map(|_| client.alloc(1..=4000, 0).unwrap()).collect();
    client.subscribe(Role::Cpu, true).unwrap();
    ids[..190].iter().for_each(|&id| client.free(id).unwrap());
    let slice = client.call(&List { from: 0 }).unwrap();
    assert_eq!((slice.count, slice.next), (0, ids[128].pasid));
    let slice = client.call(&List { from: slice.next }).unwrap();
    assert_eq!((slice.count, slice.next), (10, 0));
    let listed = service.batch_page("a").iter().take(10).map(|word| word.load(Ordering::Relaxed));
    assert!(listed.eq(ids[190..].iter().copied().map(<Handle as ioasid_api::Field>::to_word)));
}
