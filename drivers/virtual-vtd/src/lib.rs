// SPDX-License-Identifier: BSD-2-Clause
//! A VT-d unit as a guest sees it: one page of registers, of which the virtual command register works.
//!
//! A guest operating system asks for PASIDs through VCMD and VCRSP, as Linux 5.7 to 6.3 does where a unit says that it
//! is virtual (CAP.CM) and has a virtual command register (ECAP.VCS, VCCAP.PAS). Everything else here is what such a
//! driver must find to get that far: capabilities, a root table pointer that latches, an invalidation queue that
//! completes. The unit translates nothing and reaches nothing of the guest but the queue's own descriptors.
//!
//! The [`Page`] *is* the memory that the guest reads: the hypervisor maps it into the guest read-only, so that a read
//! costs nothing and only a write comes out as an exit. [`Page::write`] takes the write and says what is left to be
//! done ([`Request`]); [`Page::answer`] puts the response in before the guest runs on. What the unit has to say of its own
//! accord ([`Page::fault`], a completion that the guest asked for) is a message, which [`Page::take_interrupt`] gives.
//!
//! ```
//! use core::sync::atomic::AtomicU64;
//! use virtual_vtd::{Layout, Page, Refusal, Request, Width};
//!
//! let words = [const { AtomicU64::new(0) }; virtual_vtd::WORDS];
//! let mut page = Page::new(&words, Layout::REVISION_3_3);
//! // The guest writes "allocate"; its exit comes here.
//! assert_eq!(page.write(0xe00, Width::Four, 1), Some(Request::Alloc));
//! // The hypervisor asks whoever gives PASIDs, and answers.
//! page.answer(Ok(0x42));
//! assert_eq!(page.read(0xe10), 0x42 << 16);
//! // What is not this guest's is refused.
//! assert_eq!(page.write(0xe00, Width::Eight, 2 | 0x43 << 16), Some(Request::Free(0x43)));
//! page.answer(Err(Refusal));
//! assert_eq!(page.read(0xe10) >> 1 & 0x7f, 16);
//! ```
#![no_std]
#![forbid(unsafe_code)]

pub mod dmar;
mod events;
mod page;
mod queue;
mod registers;

pub use events::{Fault, REASON_PASID_NOT_PRESENT};
pub use ioasid_core::allocator::vcmd::Layout;
pub use page::{Page, Refusal, Request, WORDS, Width};
pub use queue::GuestMemory;
