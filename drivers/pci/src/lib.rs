// SPDX-License-Identifier: BSD-2-Clause
//! PCI configuration space over ECAM: find functions, place BARs, switch bus mastering.
#![cfg_attr(not(test), no_std)]
