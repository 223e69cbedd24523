// SPDX-License-Identifier: BSD-2-Clause
//! Compares what it sees of the shared regions with what the owner says that it wrote.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, Handler, Infallible, MessageInfo, get_mr, memory_region_symbol, protection_domain, set_mr,
};
use system_test::Registers;

struct Reader {
    fixed: Registers,
    anywhere: Registers,
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: system.xml maps the regions; the owner states no more than their sizes.
    let (fixed, anywhere) = unsafe {
        (
            Registers::new(memory_region_symbol!(fixed: *mut u8)),
            Registers::new(memory_region_symbol!(anywhere: *mut u8)),
        )
    };
    Reader { fixed, anywhere }
}

impl Handler for Reader {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, _: MessageInfo) -> Result<MessageInfo, Infallible> {
        let wrong = |area: Registers, size: u64, key: u64| {
            let offsets = (0..size).step_by(0x1000);
            offsets
                .filter(|offset| usize::try_from(*offset).is_ok_and(|at| area.read64(at) != offset ^ key))
                .count()
        };
        let wrong = wrong(self.fixed, get_mr(0), 0x5a5a) + wrong(self.anywhere, get_mr(1), 0xa5a5);
        self.anywhere.write64(0x6ff8, 0xbeef);
        set_mr(0, wrong as u64);
        Ok(MessageInfo::new(1, 1))
    }
}
