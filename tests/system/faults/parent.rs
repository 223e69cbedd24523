// SPDX-License-Identifier: BSD-2-Clause
//! Gets its child's faults: checks what they say, restarts the child, lets it go on, and stops it.
#![no_std]
#![no_main]

use sel4_microkit::{
    Channel, ChannelSet, Child, Fault, Handler, Infallible, MessageInfo, get_mr, memory_region_symbol,
    protection_domain, set_mr, var,
};
use system_test::{Checks, Registers};

const CHILD_CHANNEL: Channel = Channel::new(1);

struct Parent {
    checks: Checks,
    child: Child,
    desk: Registers,
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is a page.
    let desk = unsafe { Registers::new(memory_region_symbol!(desk: *mut u8)) };
    Parent { checks: Checks::new(), child: Child::new(*var!(child_id: usize = 0)), desk }
}

impl Handler for Parent {
    type Error = Infallible;

    fn fault(&mut self, child: Child, msg_info: MessageInfo) -> Result<Option<MessageInfo>, Infallible> {
        let fault = msg_info.fault();
        // The child counts its steps up before it faults.
        let step = self.desk.read64(0) - 1;
        let entry = self.desk.read64(8);
        let (name, ok) = match (step, fault) {
            (0, Fault::VmFault(f)) => ("a read of nothing", f.addr() == 0x1230 && !f.is_prefetch()),
            (1, Fault::VmFault(f)) => ("a write to code", f.addr() == entry && f.fsr() & 0b111 == 0b111),
            (2, Fault::VmFault(f)) => ("a jump to nothing", f.addr() == 0x4560 && f.ip() == 0x4560),
            (3, Fault::UserException(f)) => ("a division by zero", f.number() == 0),
            (4, Fault::UnknownSyscall(_)) => ("entering a virtual machine that is not there", true),
            (5, Fault::UserException(f)) => ("an invalid instruction", f.number() == 6),
            _ => ("no other fault", false),
        };
        self.checks.check(name, ok && child == self.child);
        if step == 5 {
            set_mr(0, get_mr(0) + 2);
            return Ok(Some(MessageInfo::new(0, 1)));
        }
        let restarted = microkit_child::restart(child, usize::try_from(entry).unwrap_or_default());
        self.checks.check("the child is restarted", restarted.is_ok());
        Ok(None)
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        self.checks.check("the child went on after its fault", self.desk.read64(16) == 77);
        self.checks.check("only the child notified", channels.iter().eq([CHILD_CHANNEL]));
        self.checks.check("the child is stopped", microkit_child::stop(self.child).is_ok());
        self.checks.check("no child has another number", microkit_child::stop(Child::new(6)).is_err());
        self.checks.finish();
        Ok(())
    }
}
