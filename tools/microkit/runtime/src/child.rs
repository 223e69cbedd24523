// SPDX-License-Identifier: BSD-2-Clause
//! Child domains, whose faults come to this one.

use microkit_image::layout;
use sel4_abi::Tcb;

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
}
