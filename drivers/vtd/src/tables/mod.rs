// SPDX-License-Identifier: BSD-2-Clause
//! The structures that hardware reads from memory, one for each file: root, context, PASID directory, PASID
//! and page-table entries, and the descriptors of the invalidation queue (VT-d 9 and 6.5.2).
//!
//! Raw bits stay inside of these types. Where a structure has several words, word 0 holds what makes it
//! present, and [`Entry::words`] gives them in the order of memory.
mod context;
mod descriptor;
mod directory;
mod first_stage;
mod pasid;
mod root;
mod second_stage;

pub use context::{ContextWord0, ContextWord1, ScalableContextEntry};
pub use descriptor::{ContextGranularity, Descriptor, IotlbGranularity, PasidCacheGranularity};
pub use directory::PasidDirectoryEntry;
pub use first_stage::FirstStageEntry;
pub use pasid::{PasidEntry, PasidWord0, PasidWord1, PasidWord2, TranslationType};
pub use root::{RootEntry, RootHalf};
pub use second_stage::SecondStageEntry;

/// A structure of `N` words in memory.
pub trait Entry<const N: usize>: Copy {
    /// The words, in the order of memory.
    fn words(self) -> [u64; N];
    /// The structure that these words are.
    fn from_words(words: [u64; N]) -> Self;
}
