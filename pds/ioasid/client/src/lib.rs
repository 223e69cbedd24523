// SPDX-License-Identifier: BSD-2-Clause
//! The typed client stub of the ioasid service.
#![cfg_attr(not(test), no_std)]
