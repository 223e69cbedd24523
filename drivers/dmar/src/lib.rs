// SPDX-License-Identifier: BSD-2-Clause
//! The ACPI DMAR table: remapping units, scopes and reserved memory.
#![cfg_attr(not(test), no_std)]
