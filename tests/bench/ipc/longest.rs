// SPDX-License-Identifier: BSD-2-Clause
//! The longest single call of each operation, with the largest arguments that it takes: for so long nobody else is served.

use ioasid_api::List;
use ioasid_microkit::{Access, BATCH, Batch, Client, Code, Error, Extent, Handle, Result};

use crate::calls::{ALL, IOVA, NO_ID, PAGE, page};
use crate::clock::Stopwatch;
use crate::table::Table;

/// The most pages of a call.
const SPAN: u32 = 4096;
/// Tables that each id of a batch has below its root: three for each page that lies by itself.
const APART: u64 = 1 << 30;

/// What the client can do to itself.
pub fn own(client: &Client, batch: &Batch<'_>) -> Result<()> {
    log::info!("{:<48}{:>8}", "longest calls, in ticks", "most");
    let [mut map, mut unmap, mut again, mut split] = <[Stopwatch; 4]>::default();
    let handle = client.alloc(ALL, 0)?;
    client.bind(handle, 0)?;
    // Not aligned to each other, so that there are no large pages, and across a border of every level.
    let extent = Extent { pages: SPAN, access: Access::ReadWrite };
    let (iova, source) = ((1 << 39) - 0x80_0000, page(1));
    for _ in 0..3 {
        map.time(|| client.map(handle, iova, source, extent))?;
        unmap.time(|| client.unmap(handle, iova, SPAN))?;
    }
    Table::longest("map 16 MiB of small pages, bound", &map);
    Table::longest("unmap them", &unmap);
    // Frames that were left behind by another id are cleaned as they are taken.
    for _ in 0..3 {
        let other = client.alloc(ALL, 0)?;
        client.map(other, iova, source, extent)?;
        client.free(other)?;
        again.time(|| client.map(handle, iova, source, extent))?;
        client.unmap(handle, iova, SPAN)?;
    }
    Table::longest("map them in tables that another id left", &again);
    for _ in 0..3 {
        client.map(handle, IOVA, page(0), Extent { pages: 512, access: Access::ReadWrite })?;
        split.time(|| client.unmap(handle, IOVA + 0x1000, 1))?;
        client.unmap(handle, IOVA, 1)?;
        client.unmap(handle, IOVA + 0x2000, 510)?;
    }
    Table::longest("unmap 4 KiB of a large page", &split);
    client.unbind(handle, 0)?;
    client.free(handle)?;

    let [mut free_one, mut frees, mut maps, mut list] = <[Stopwatch; 4]>::default();
    for _ in 0..3 {
        let mut handles = [NO_ID; BATCH];
        batch.alloc(ALL, 0, &mut handles)?;
        for &handle in &handles {
            fill(client, handle, 2)?;
        }
        list.time(|| client.call(&List { from: 0 }))?;
        frees.time(|| batch.free(&handles))?;
        let handle = client.alloc(ALL, 0)?;
        let mut spans = [(IOVA, page(0), PAGE); BATCH];
        for ((iova, source, _), index) in spans.iter_mut().zip(0..) {
            (*iova, *source) = (IOVA + index * APART, page(index));
        }
        maps.time(|| batch.map(handle, &spans))?;
        client.bind(handle, 0)?;
        free_one.time(|| client.free(handle))?;
    }
    Table::longest("free an id with 130 tables, bound", &free_one);
    Table::longest("free 64 ids with 6 tables each", &frees);
    Table::longest("map 64 pages, each in tables of its own", &maps);
    Table::longest("list 64 ids", &list);
    Ok(())
}

/// Gives an id's space so many pages far from each other: 2 tables for each, and one for each 512 GiB.
pub fn fill(client: &Client, handle: Handle, pages: u64) -> Result<()> {
    for index in 0..pages {
        client.map(handle, IOVA + index * APART, page(index), PAGE)?;
    }
    Ok(())
}

/// The end of another client's set, whose number it is.
pub fn end_of_set(admin: &Client, set: u16) -> Result<()> {
    let (mut slice, mut check, mut slices) = (Stopwatch::default(), Stopwatch::default(), 0);
    check.time(|| admin.check())?;
    loop {
        slices += 1;
        let progress = slice.time(|| admin.free_set(set))?;
        if progress.more == 0 {
            break;
        }
        if slices > 10_000 {
            return Err(Error::Refused(Code::Internal));
        }
    }
    log::info!("(the end of a set with 2048 ids, 64 of them mapped, took {slices} slices)");
    Table::longest("a slice of the end of a set", &slice);
    Table::longest("check: the walk through the whole registry", &check);
    Ok(())
}
