// SPDX-License-Identifier: BSD-2-Clause
//! Child domains, whose faults come to this one.

use microkit_image::layout;
use sel4_abi::{Error, Tcb};

/// A handle to a child protection domain, identified by a child protection domain index.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Child {
    index: usize,
}

impl Child {
    /// The child with number `index`, as system.xml has it.
    ///
    /// # Panics
    /// For an index above 61.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        assert!(index < layout::MAX_CHANNELS);
        Self { index }
    }

    /// The number.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The child's thread.
    #[doc(hidden)]
    #[must_use]
    pub fn tcb(&self) -> Tcb {
        Tcb(layout::BASE_TCB + self.index as u64)
    }

    /// Lets the child run from `entry_point`, as `microkit_pd_restart`: its other registers stay as they are.
    ///
    /// # Errors
    /// The kernel's, when there is no such child.
    pub fn restart(&self, entry_point: usize) -> Result<(), Error> {
        self.tcb().restart_at(entry_point as u64)
    }

    /// Stops the child, as `microkit_pd_stop`.
    ///
    /// # Errors
    /// The kernel's, when there is no such child.
    pub fn stop(&self) -> Result<(), Error> {
        self.tcb().suspend()
    }
}
