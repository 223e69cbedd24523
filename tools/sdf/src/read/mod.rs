// SPDX-License-Identifier: BSD-2-Clause
//! From XML to the model: one file for each group of elements. Reading goes on after an error, so that all of them
//! are found at once; what cannot be understood is left out or takes its default value.

mod channel;
mod device;
mod io_space;
mod map;
mod protection_domain;
mod region;
mod schedule;
mod system;
mod xml;

pub(crate) use system::system;
