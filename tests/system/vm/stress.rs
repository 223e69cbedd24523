// SPDX-License-Identifier: BSD-2-Clause
//! A machine whose guest works without pause.
#![no_std]
#![no_main]

use test_vm::End;
use vmm::Reason;

test_vm::monitor!(vmm_guest::part::STRESS, &[End::soon(Reason::Done, 0)]);
