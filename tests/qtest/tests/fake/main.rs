// SPDX-License-Identifier: BSD-2-Clause
//! What only the fake can show: that nothing is cached when the driver says so, whatever the unit does
//! meanwhile, and what happens when the unit fails.
#![expect(clippy::unwrap_used, reason = "a test fails where something fails that must not")]

mod costs;
mod failures;
mod random;
mod shares;
mod stages;
mod support;
mod units;
