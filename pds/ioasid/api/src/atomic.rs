// SPDX-License-Identifier: BSD-2-Clause
//! What memory is shared with. `tests/loom` builds [`find`](crate::find) and [`ring`](crate::ring) with others in its place.

pub use core::sync::atomic::{AtomicU64, Ordering, fence};
