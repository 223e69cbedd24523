// SPDX-License-Identifier: BSD-2-Clause
//! A machine whose guest behaves. Its set is ended while it runs, and opened anew for its second life.
#![no_std]
#![no_main]

use test_vm::End;
use vmm::Reason;

test_vm::monitor!(vmm_guest::part::CALM, &[End::late(Reason::Reset, 0), End::soon(Reason::Done, 0)]);
