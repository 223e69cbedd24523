// SPDX-License-Identifier: BSD-2-Clause
//! Bytes that are no packed system are refused, and none makes a panic.

use microkit_image::{
    Image, MAGIC, ReadError, VERSION,
    record::{Header, Pd, Span},
};
use proptest::prelude::*;
use zerocopy::{FromZeros as _, IntoBytes as _};

fn header() -> Header {
    let mut header = Header::new_zeroed();
    (header.magic, header.version) = (MAGIC, VERSION);
    header.total_len = size_of::<Header>() as u64;
    header
}

#[test]
fn an_empty_system_is_read() {
    let header = header();
    let image = Image::new(header.as_bytes()).unwrap();
    assert!(image.pds.is_empty() && image.irqs.is_empty());
    assert_eq!((image.pd_name(0), image.region_name(7)), ("?", "?"));
}

#[test]
fn what_is_no_packed_system() {
    let good = header();
    let refused = |header: &Header| Image::new(header.as_bytes()).unwrap_err();
    assert_eq!(refused(&Header { magic: *b"mkpacked", ..good }), ReadError::NotAnImage);
    assert_eq!(refused(&Header { version: VERSION + 1, ..good }), ReadError::Version(VERSION + 1));
    assert_eq!(Image::new(&good.as_bytes()[..16]).unwrap_err(), ReadError::NotAnImage);
}

#[test]
fn a_system_that_is_cut_off() {
    let header = Header { total_len: size_of::<Header>() as u64 + 1, ..header() };
    assert_eq!(Image::new(header.as_bytes()).unwrap_err(), ReadError::CutOff);
}

#[test]
fn a_table_that_lies_outside_or_askew() {
    let whole = size_of::<Pd>() as u64;
    for (offset, len) in [(0, whole - 1), (1 << 40, whole), (u64::MAX, whole), (0, whole * 10), (4, whole)] {
        let header = Header { pds: Span { offset, len }, ..header() };
        let error = Image::new(header.as_bytes()).unwrap_err();
        assert_eq!(error, ReadError::Table("protection domains"), "{offset:#x} {len:#x}");
        assert_eq!(error.to_string(), "the packed system's table of protection domains does not lie in it");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_bytes_make_a_panic(
        spans in prop::array::uniform7((0u64..600, 0u64..600)),
        name in (0u64..900, 0u64..900),
        tail in prop::collection::vec(any::<u8>(), 0..512),
    ) {
        let [pds, regions, fills, paging, maps, caps, irqs] = spans.map(|(offset, len)| Span { offset: offset * 8, len: len * 8 });
        let total_len = (size_of::<Header>() + tail.len()) as u64;
        let header = Header { total_len, pds, regions, fills, paging, maps, caps, irqs, ..header() };
        let bytes = [header.as_bytes(), &tail].concat();
        if let Ok(image) = Image::new(&bytes) {
            let _ = (image.name(Span { offset: name.0, len: name.1 }), image.pd_name(0), image.region_name(u32::MAX));
        }
    }
}
