// SPDX-License-Identifier: BSD-2-Clause
//! Where a system has its trace.

use config_compiler::Schema;
use sdf::System;

/// The region of the trace in the machine's physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its physical address.
    pub address: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Place {
    /// The region that `ioasid.toml` names, where there is one with a fixed place.
    #[must_use]
    pub fn of(system: &System, policy: &Schema) -> Option<Self> {
        let (_, region) = system.memory_region(policy.trace.as_ref()?.as_ref())?;
        Some(Self { address: region.phys_addr.as_ref()?.value, bytes: region.size.as_ref()?.value })
    }
}
