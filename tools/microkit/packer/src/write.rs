// SPDX-License-Identifier: BSD-2-Clause
//! Writes the packed system: header, tables, then names and data, each stretch of bytes once.

use std::collections::HashMap;

use microkit_image::{
    MAGIC, VERSION,
    layout::STACK_TOP,
    record::{self, Header, NONE, Span},
};
use zerocopy::{Immutable, IntoBytes};

use crate::records::{self, Tables};

/// The packed system.
pub fn image(tables: &Tables) -> Vec<u8> {
    let mut blob = Blob::default();
    let pds: Vec<_> = tables.pds.iter().map(|pd| pd_record(pd, &mut blob)).collect();
    let regions: Vec<_> = tables
        .regions
        .iter()
        .map(|region| record::Region {
            name: blob.put(region.name.as_bytes()),
            size: region.size,
            paddr: region.paddr,
            page_bits: region.page_bits,
            stack_of: region.stack_of,
        })
        .collect();
    let fills: Vec<_> = (0..)
        .zip(&tables.regions)
        .filter_map(|(region, from)| from.fill.as_ref().map(|(offset, data)| (region, *offset, data)))
        .filter_map(|(region, offset, data)| {
            // Memory comes up zeroed: zeroes at the end need not be copied.
            let len = data.iter().rposition(|byte| *byte != 0)? + 1;
            Some(record::Fill { region, reserved: 0, offset, data: blob.put(&data[..len]) })
        })
        .collect();

    let mut out = vec![0; size_of::<Header>()];
    let mut header = Header {
        magic: MAGIC,
        version: VERSION,
        reserved: 0,
        total_len: 0,
        pds: table(&mut out, &pds),
        regions: table(&mut out, &regions),
        fills: Span { offset: 0, len: 0 },
        paging: table(&mut out, &tables.paging),
        maps: table(&mut out, &tables.maps),
        caps: table(&mut out, &tables.caps),
        irqs: table(&mut out, &tables.irqs),
    };
    header.fills = table(&mut out, &fills);
    // Now that the tables' bytes are known, so is where the blob begins: spans count from the image's start.
    let base = out.len() as u64;
    let shift = |span: &mut Span| span.offset += base;
    let (mut pds, mut regions, mut fills) = (pds, regions, fills);
    pds.iter_mut().for_each(|pd| shift(&mut pd.name));
    regions.iter_mut().for_each(|region| shift(&mut region.name));
    fills.iter_mut().for_each(|fill| shift(&mut fill.data));
    overwrite(&mut out, header.pds, &pds);
    overwrite(&mut out, header.regions, &regions);
    overwrite(&mut out, header.fills, &fills);
    header.total_len = base + blob.bytes.len() as u64;
    out[..size_of::<Header>()].copy_from_slice(header.as_bytes());
    out.extend_from_slice(&blob.bytes);
    out
}

fn pd_record(pd: &records::Pd, blob: &mut Blob) -> record::Pd {
    let (parent, child_id) = pd.parent.unwrap_or((NONE, 0));
    record::Pd {
        name: blob.put(pd.name.as_bytes()),
        entry: pd.entry,
        stack_top: STACK_TOP,
        stack_bottom: STACK_TOP - pd.stack_size,
        ipc_buffer: pd.ipc_buffer,
        parent,
        child_id,
        priority: pd.priority,
        has_endpoint: pd.has_endpoint.into(),
        has_vm: pd.has_vm.into(),
        reserved: 0,
    }
}

fn table<T: IntoBytes + Immutable>(out: &mut Vec<u8>, records: &[T]) -> Span {
    let span = Span { offset: out.len() as u64, len: size_of_val(records) as u64 };
    out.extend_from_slice(records.as_bytes());
    span
}

fn overwrite<T: IntoBytes + Immutable>(out: &mut [u8], span: Span, records: &[T]) {
    // The offset is one of `out`, so it is a usize.
    let start = usize::try_from(span.offset).unwrap_or(usize::MAX);
    out[start..start + size_of_val(records)].copy_from_slice(records.as_bytes());
}

/// Bytes that records refer to; offsets count from the blob's start.
#[derive(Default)]
struct Blob {
    bytes: Vec<u8>,
    known: HashMap<Vec<u8>, Span>,
}

impl Blob {
    /// Puts bytes in, or finds them when they are there: two domains of one program share its code in the image.
    fn put(&mut self, data: &[u8]) -> Span {
        if let Some(span) = self.known.get(data) {
            return *span;
        }
        let span = Span { offset: self.bytes.len() as u64, len: data.len() as u64 };
        self.bytes.extend_from_slice(data);
        self.known.insert(data.to_vec(), span);
        span
    }
}
