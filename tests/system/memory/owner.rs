// SPDX-License-Identifier: BSD-2-Clause
//! Looks at every kind of region: at chosen physical addresses, filled from a file, shared, a device's.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, Handler, MessageInfo, NullHandler, get_mr, memory_region_symbol, protection_domain, set_mr, var,
};
use system_test::{Checks, Registers};

const FILLED: &[u8] = b"these bytes come from a file";

/// The area that a symbol of system.xml names.
macro_rules! area {
    // SAFETY: system.xml maps the region, and the offsets below lie in it.
    ($symbol:ident) => { unsafe { Registers::new(memory_region_symbol!($symbol: *mut u8)) } };
}

#[protection_domain]
fn init() -> impl Handler {
    let mut checks = Checks::new();
    let (fixed, odd, anywhere) = (area!(fixed), area!(odd), area!(anywhere));
    let (filled, vtd) = (area!(filled), area!(vtd));
    let (fixed_size, anywhere_size) = (*var!(fixed_size: usize = 0), *var!(anywhere_size: usize = 0));
    checks.check("setvar_size", (fixed_size, anywhere_size) == (0x60_0000, 0x7000));
    checks.check("region_paddr", *var!(fixed_paddr: usize = 0) == 0x1000_0000);
    checks.check("setvar_prefill_size", *var!(filled_len: usize = 0) == FILLED.len());

    let zero = |area: Registers, size: usize| (0..size).step_by(8).all(|offset| area.read64(offset) == 0);
    checks.check("RAM at a chosen address comes up zeroed", zero(fixed, fixed_size) && zero(odd, 0x5000));
    checks.check("RAM anywhere comes up zeroed", zero(anywhere, anywhere_size));
    let bytes = |offset: usize| filled.read64(offset / 8 * 8).to_le_bytes()[offset % 8];
    checks.check("a region filled from a file", (0..FILLED.len()).all(|i| bytes(i) == FILLED[i]));
    checks.check("the rest of it is zero", (FILLED.len()..0x1000).all(|i| bytes(i) == 0));
    checks.check("VT-d's version register", vtd.read32(0) >> 4 == 1);

    // A word of each page, told apart by its offset, as the other domain sees it.
    (0..0x60_0000).step_by(0x1000).for_each(|offset| fixed.write64(offset, offset as u64 ^ 0x5a5a));
    (0..0x7000).step_by(0x1000).for_each(|offset| anywhere.write64(offset, offset as u64 ^ 0xa5a5));
    (0..0x5000).step_by(8).for_each(|offset| odd.write64(offset, offset as u64));
    let reader = Channel::new(*var!(reader_id: usize = 62));
    set_mr(0, 0x60_0000);
    set_mr(1, 0x7000);
    let reply = reader.pp_call(MessageInfo::new(0, 2));
    checks.check("another domain sees the same memory", reply.label() == 1 && get_mr(0) == 0);
    checks.check("and what it writes is seen here", anywhere.read64(0x6ff8) == 0xbeef);
    checks.check(
        "no page is two pages",
        (0..0x5000).step_by(8).all(|offset| odd.read64(offset) == offset as u64),
    );
    checks.finish();
    NullHandler::new()
}
