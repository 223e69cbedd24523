// SPDX-License-Identifier: BSD-2-Clause
//! The pages that a domain shares with the server.

use core::ptr::NonNull;
use core::sync::atomic::AtomicU64;

/// Words of a page.
const WORDS: usize = 0x1000 / 8;

/// The words of a page.
///
/// # Safety
/// A page is mapped there for good, readable, and writable where words are stored.
pub unsafe fn words(page: NonNull<AtomicU64>) -> &'static [AtomicU64] {
    // SAFETY: the caller's promise; others write there, too: hence the atomics.
    unsafe { NonNull::slice_from_raw_parts(page, WORDS).as_ref() }
}
