// SPDX-License-Identifier: BSD-2-Clause
//! Intel VT-d in scalable mode: PASID tables, page tables, invalidation queue, faults.
#![cfg_attr(not(test), no_std)]
