// SPDX-License-Identifier: BSD-2-Clause
//! Single calls, and batches beside as many of them.

use ioasid_microkit::{
    Access, BATCH, Batch, Client, Error, Extent, FindReader, Handle, RegionOffset, Result,
};

use crate::clock::Stopwatch;
use crate::table::{Table, Target};

/// Rounds of each measurement.
const ROUNDS: u64 = 128;
/// Ids that the client holds beside the one that is measured.
const HELD: usize = 16;
/// Every id there is.
pub const ALL: core::ops::RangeInclusive<u32> = 1..=0xf_ffff;

pub const PAGE: Extent = Extent { pages: 1, access: Access::ReadWrite };
const LARGE: Extent = Extent { pages: 512, access: Access::ReadWrite };
/// Where pages are seen, each in tables of its own: 2 MiB and more apart.
pub const IOVA: u64 = 0x4000_0000;

/// The page `index` of the client's buffer.
pub fn page(index: u64) -> RegionOffset {
    RegionOffset { region: 0, offset: index * 0x1000 }
}

/// A handle to fill arrays with.
pub const NO_ID: Handle = Handle { pasid: 0, generation: 0, epoch: 0 };

/// Single calls.
pub fn singles(client: &Client, find_page: &FindReader<'_>, table: Table) -> Result<[Stopwatch; 3]> {
    let mut held = [NO_ID; HELD];
    for place in &mut held {
        *place = client.alloc(ALL, 0)?;
    }
    let [mut alloc, mut pair, mut find, mut look, mut get, mut put, mut set, mut free] =
        <[Stopwatch; 8]>::default();
    for _ in 0..ROUNDS {
        let handle = alloc.time(|| client.alloc(ALL, 7))?;
        find.time(|| client.find(handle.pasid))?;
        let data = look.time(|| find_page.find(handle).unwrap_or(0));
        if data != 7 {
            return Err(Error::BadReply { label: 0 });
        }
        get.time(|| client.get(handle))?;
        put.time(|| client.put(handle))?;
        set.time(|| client.set_data(handle, 8))?;
        free.time(|| client.free(handle))?;
        pair.time(|| client.alloc(ALL, 0).and_then(|handle| client.free(handle)))?;
    }
    table.row("alloc", &alloc, Target::Null(115));
    table.row("free", &free, Target::Null(115));
    table.row("alloc + free", &pair, Target::Null(230));
    table.row("find by IPC", &find, Target::None);
    table.row("find by page", &look, Target::Ticks(25));
    table.row("get", &get, Target::None);
    table.row("put", &put, Target::None);
    table.row("set_data", &set, Target::None);
    let map = spaces(client, table)?;
    for handle in held {
        client.free(handle)?;
    }
    Ok([alloc, free, map])
}

/// Address spaces and bindings. Gives what a page in a table that is there takes.
fn spaces(client: &Client, table: Table) -> Result<Stopwatch> {
    let handle = client.alloc(ALL, 0)?;
    let [mut lone, mut lone_out, mut near, mut near_out, mut large, mut large_out] =
        <[Stopwatch; 6]>::default();
    let [mut bind, mut unbind, mut life] = <[Stopwatch; 3]>::default();
    for _ in 0..ROUNDS {
        lone.time(|| client.map(handle, IOVA, page(0), PAGE))?;
        near.time(|| client.map(handle, IOVA + 0x1000, page(1), PAGE))?;
        near_out.time(|| client.unmap(handle, IOVA + 0x1000, 1))?;
        lone_out.time(|| client.unmap(handle, IOVA, 1))?;
        large.time(|| client.map(handle, IOVA, page(0), LARGE))?;
        large_out.time(|| client.unmap(handle, IOVA, LARGE.pages))?;
        bind.time(|| client.bind(handle, 0))?;
        unbind.time(|| client.unbind(handle, 0))?;
        life.time(|| a_life(client))?;
    }
    table.row("map 4 KiB, a lone page", &lone, Target::None);
    table.row("unmap it", &lone_out, Target::None);
    table.row("map 4 KiB, within a table", &near, Target::None);
    table.row("unmap it", &near_out, Target::None);
    table.row("map 2 MiB, one large page", &large, Target::None);
    table.row("unmap it", &large_out, Target::None);
    table.row("bind", &bind, Target::None);
    table.row("unbind", &unbind, Target::None);
    table.row("alloc map bind unbind unmap free", &life, Target::None);
    client.free(handle)?;
    Ok(near)
}

fn a_life(client: &Client) -> Result<()> {
    let handle = client.alloc(ALL, 0)?;
    client.map(handle, IOVA, page(0), PAGE)?;
    client.bind(handle, 0)?;
    client.unbind(handle, 0)?;
    client.unmap(handle, IOVA, 1)?;
    client.free(handle)
}

/// Batches of 64 beside what `alloc`, `free` and `map` take one by one.
pub fn batches(
    client: &Client,
    batch: &Batch<'_>,
    [alloc, free, map]: [Stopwatch; 3],
    table: Table,
) -> Result<()> {
    let mut handles = [NO_ID; BATCH];
    let [mut allocs, mut frees, mut maps, mut scattered] = <[Stopwatch; 4]>::default();
    for _ in 0..ROUNDS / 8 {
        allocs.time(|| batch.alloc(ALL, 0, &mut handles).map(drop))?;
        frees.time(|| batch.free(&handles))?;
    }
    let handle = client.alloc(ALL, 0)?;
    client.map(handle, IOVA + 0x1f_f000, page(0), PAGE)?;
    let mut spans = [(IOVA, page(0), PAGE); BATCH];
    for _ in 0..ROUNDS / 8 {
        for ((iova, source, _), index) in spans.iter_mut().zip(0..) {
            (*iova, *source) = (IOVA + index * 0x1000, page(index));
        }
        maps.time(|| batch.map(handle, &spans))?;
        client.unmap(handle, IOVA, 64)?;
        // The same addresses, and memory that lies in no row.
        for ((_, source, _), index) in spans.iter_mut().zip(0..) {
            *source = page(index * 37 % 64);
        }
        scattered.time(|| batch.map(handle, &spans))?;
        client.unmap(handle, IOVA, 64)?;
    }
    log::info!("{:<32}{:>8}{:>8}{:>8}  target", "ticks a batch of 64", "least", "an item", "x 64");
    table.batch("alloc", &allocs, &alloc, 64);
    table.batch("free", &frees, &free, 64);
    table.batch("map, pages in a row", &maps, &map, 64);
    table.batch("map, scattered pages", &scattered, &map, 64);
    client.free(handle)
}
