// SPDX-License-Identifier: BSD-2-Clause
//! The ioasid protocol: operations, message words and codes.
#![cfg_attr(not(test), no_std)]
