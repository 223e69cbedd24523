// SPDX-License-Identifier: BSD-2-Clause
//! The PASID registry: sets, quotas, allocators, references and events.
#![cfg_attr(not(test), no_std)]
