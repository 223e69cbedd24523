// SPDX-License-Identifier: BSD-2-Clause
//! A machine whose guest does not behave. Each life but the last ends badly.
#![no_std]
#![no_main]

use test_vm::End;
use vmm::Reason;

test_vm::monitor!(
    vmm_guest::part::ROGUE,
    &[
        End::late(Reason::Hung, 16),
        End::late(Reason::Hung, 16),
        End::soon(Reason::TripleFault, 16),
        End::late(Reason::NotUnderstood, 16),
        End::soon(Reason::Halted, 16),
        End::soon(Reason::Done, 0),
    ]
);
