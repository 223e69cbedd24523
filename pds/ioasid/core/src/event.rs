// SPDX-License-Identifier: BSD-2-Clause
//! Events: what those who asked for it are told.
//!
//! The registry decides who is told what, and in which order; an [`Events`] writes it where they find it, most
//! often into a ring in shared memory beside a notification. The registry never waits for anybody.
//!
//! A driver that has its device stop using an id before its teardown:
//!
//! ```
//! use ioasid_core::allocator::NoProvider;
//! use ioasid_core::event::{Event, EventKind, Events, Role, SubscriberId, Subscription};
//! use ioasid_core::{Allocation, Config, Freed, Memory, Registry, SetConfig, Work};
//!
//! #[derive(Default)]
//! struct Ring(Vec<(SubscriberId, EventKind)>);
//!
//! impl Events for Ring {
//!     fn deliver(&mut self, to: SubscriberId, event: &Event) {
//!         self.0.push((to, event.kind));
//!     }
//! }
//!
//! let mut words = vec![0; Memory::words_for(4096)];
//! let memory = Memory { words: &mut words };
//! let mut registry: Registry<'_, NoProvider, Ring> =
//!     Registry::with(memory, Config::default(), &mut [], Ring::default())?;
//! let set = registry.create_set(SetConfig { reservation: 0, limit: 8 })?;
//! let driver = registry.subscribe(Subscription { set: Some(set), role: Role::Device, acknowledges: true })?;
//!
//! let Allocation::Ready(handle) = registry.alloc(set, 1..=99, 0)? else { unreachable!() };
//! assert_eq!(registry.free(set, handle), Ok(Freed::Pending));
//! assert_eq!(registry.events().0, [(driver, EventKind::Alloc), (driver, EventKind::Free)]);
//!
//! // The device has stopped. Without this, the teardown comes when `Config::ack_bound` is over.
//! registry.acknowledge(driver, handle)?;
//! assert_eq!(registry.poll(1), Some(Work::Teardown(handle)));
//! # Ok::<(), ioasid_core::Error>(())
//! ```

use crate::{Handle, SetId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An id was allocated.
    Alloc,
    /// An id was given up: stop using it.
    Free,
    /// An id was bound to a device.
    Bind,
    /// An id was unbound from a device.
    Unbind,
    /// A device tried what it may not.
    Fault,
    /// An id was taken away.
    Revoke,
    /// The set is gone.
    SetGone,
}

/// An event of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Whose affair it is.
    pub set: SetId,
    /// To which id, where it is of one.
    pub handle: Option<Handle>,
    /// What whoever published it has to add: device, reason, address. The registry does not look.
    pub detail: [u64; 2],
}

impl Event {
    /// An event with nothing to add.
    #[must_use]
    pub fn new(kind: EventKind, set: SetId, handle: Option<Handle>) -> Self {
        Self { kind, set, handle, detail: [0; 2] }
    }
}

/// Where events go.
pub trait Events {
    /// Puts an event where the subscriber finds it. This must not wait: what finds no room is lost, and the
    /// subscriber is to be told how much was.
    fn deliver(&mut self, to: SubscriberId, event: &Event);
}

/// Nobody listens.
impl Events for () {
    fn deliver(&mut self, _to: SubscriberId, _event: &Event) {}
}

impl<E: Events + ?Sized> Events for &mut E {
    fn deliver(&mut self, to: SubscriberId, event: &Event) {
        (**self).deliver(to, event);
    }
}

/// Which subscriber: its place, below [`SUBSCRIBERS`](crate::capacity::SUBSCRIBERS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubscriberId(pub(crate) u8);

impl SubscriberId {
    /// The place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a subscriber is to an id, and so when it is told that the id is given up: first those that make
/// processors use it, then those that make devices use it, then all others; and then it is torn down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It submits work with the id.
    Cpu,
    /// It drives a device that uses the id.
    Device,
    /// It only wants to know.
    Observer,
}

/// What a subscriber wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription {
    /// Whose events; `None` for everybody's, which is privileged.
    pub set: Option<SetId>,
    /// What it is to the ids.
    pub role: Role,
    /// Whether it says when it has stopped using an id that is given up. The teardown then waits for that, but not
    /// beyond [`Config::ack_bound`](crate::Config::ack_bound). An observer is never waited for.
    pub acknowledges: bool,
}
