// SPDX-License-Identifier: BSD-2-Clause
//! What one teardown covers.
use crate::ids::{Pasid, SourceId};

/// The most bindings of one teardown: one submission to the queue, and one wait.
pub const BATCH: usize = 64;

/// A PASID of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The device.
    pub device: SourceId,
    /// The PASID.
    pub pasid: Pasid,
}
