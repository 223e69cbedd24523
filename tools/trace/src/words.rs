// SPDX-License-Identifier: BSD-2-Clause
//! Events in words.

use std::fmt::Write as _;

use ioasid_api::{Access, Code, OPERATIONS};
use ioasid_trace::{Choice, Direction, Event, Handle, ShareWhy};
use vtd::FaultReason;

use crate::History;

/// What kind of thing an event is, for whoever wants to see some only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Ids come and go.
    Ids,
    /// Devices are bound, memory is mapped.
    Spaces,
    /// A device was stopped.
    Faults,
    /// A call was refused.
    Refusals,
    /// Custom allocators and their providers.
    Providers,
    /// Sets and the server itself.
    Service,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ids, Self::Spaces, Self::Faults, Self::Refusals, Self::Providers, Self::Service];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Spaces => "spaces",
            Self::Faults => "faults",
            Self::Refusals => "refusals",
            Self::Providers => "providers",
            Self::Service => "service",
        }
    }
}

/// The class and the name of a kind of event.
fn sort(event: Option<Event>) -> (Class, &'static str) {
    let Some(event) = event else { return (Class::Service, "unknown") };
    match event {
        Event::Started { .. } => (Class::Service, "start"),
        Event::Share { why, .. } => {
            let kind = match why {
                ShareWhy::Stated => "share",
                ShareWhy::Opened => "set open",
                ShareWhy::Adjusted => "set adjust",
                ShareWhy::Ending => "set end",
                ShareWhy::Gone => "set gone",
            };
            (Class::Service, kind)
        }
        Event::Alloc { .. } => (Class::Ids, "alloc"),
        Event::Free { .. } => (Class::Ids, "free"),
        Event::Quarantine { .. } => (Class::Ids, "quarantine"),
        Event::Bind { .. } => (Class::Spaces, "bind"),
        Event::Unbind { .. } => (Class::Spaces, "unbind"),
        Event::Map { .. } => (Class::Spaces, "map"),
        Event::Unmap { .. } => (Class::Spaces, "unmap"),
        Event::Fault { .. } => (Class::Faults, "fault"),
        Event::FaultsLost => (Class::Faults, "faults lost"),
        Event::Refused { code, .. } if code == Code::Pending as u16 => (Class::Providers, "pending"),
        Event::Refused { .. } => (Class::Refusals, "refused"),
        Event::Registered { .. } => (Class::Providers, "register"),
        Event::Unregistered { .. } => (Class::Providers, "unregister"),
        Event::Asked { .. } => (Class::Providers, "ask"),
        Event::Answered { .. } => (Class::Providers, "answer"),
        Event::ProviderGone { .. } => (Class::Providers, "gone"),
    }
}

/// The name of a kind of event: a word or two.
#[must_use]
pub fn kind(event: Option<Event>) -> &'static str {
    sort(event).1
}

/// The class that an event belongs to.
#[must_use]
pub fn class(event: Option<Event>) -> Class {
    sort(event).0
}

/// A requester id as people write it: `00:03.0`.
pub(crate) fn address(source: u16) -> String {
    format!("{:02x}:{:02x}.{}", source >> 8, source >> 3 & 0x1f, source & 7)
}

pub(crate) fn access(access: Access) -> &'static str {
    match access {
        Access::Read => "r",
        Access::Write => "w",
        Access::ReadWrite => "rw",
    }
}

/// The name of an operation of the protocol.
pub(crate) fn operation(number: u16) -> String {
    let known = OPERATIONS.iter().find(|operation| operation.number == u64::from(number));
    known.map_or_else(|| format!("operation {number:#x}"), |operation| operation.name.to_owned())
}

/// The name of a code of the protocol.
pub(crate) fn code(number: u16) -> String {
    match Code::from_label(number.into()) {
        Ok(Some(code)) => code.name().to_owned(),
        _ => format!("code {number}"),
    }
}

fn times(times: u32) -> String {
    if times == 1 { String::new() } else { format!(", {times} times") }
}

/// An id, and which life of its number where that is not the first.
pub(crate) fn id(Handle { pasid, generation, .. }: Handle) -> String {
    if generation == 0 { format!("PASID {pasid}") } else { format!("PASID {pasid}.{generation}") }
}

impl History {
    /// A device: its name where it was granted, and its address.
    pub(crate) fn device_name(&self, source: u16) -> String {
        let address = address(source);
        self.device(source).map_or(address, |device| device.name.clone())
    }

    /// What an event says beside its kind, in words.
    #[must_use]
    pub fn describe(&self, event: Option<Event>) -> String {
        let Some(event) = event else { return "a record that this version does not know".to_owned() };
        match event {
            Event::Started { epoch, unit } => {
                let unit = if unit { "" } else { ", without a unit" };
                format!("life {epoch} of the server begins{unit}")
            }
            Event::Share { reservation, limit, used, peak, .. } => {
                format!("{used} used of {limit}, {reservation} reserved, at most {peak} so far")
            }
            Event::Alloc { id: one } | Event::Free { id: one } => id(one),
            Event::Quarantine { id: one } => format!("{}: the unit did not confirm its teardown", id(one)),
            Event::Bind { id: one, device, tagged } => {
                let how = if tagged { ", by requests with PASID" } else { "" };
                format!("{} to {}{how}", id(one), self.device_name(device))
            }
            Event::Unbind { id: one, device, tagged } => {
                let how = if tagged { ", by requests with PASID" } else { "" };
                format!("{} from {}{how}", id(one), self.device_name(device))
            }
            Event::Map { id: one, iova, pages, access: how, source } => {
                format!(
                    "{}: {iova:#x}, {} {} of region {} from {:#x}",
                    id(one),
                    plural(pages, "page"),
                    access(how),
                    source.region,
                    source.offset
                )
            }
            Event::Unmap { id: one, iova, pages } => {
                format!("{}: {iova:#x}, {}", id(one), plural(pages, "page"))
            }
            Event::Fault { device, reason, direction, pasid, address, id: bound } => {
                let way = match direction {
                    Direction::Read => "read",
                    Direction::Write => "write",
                };
                let mut text = format!("{} {way} {address:#x}", self.device_name(device));
                if let Some(pasid) = pasid {
                    let _ = write!(text, " with PASID {pasid}");
                } else if let Some(bound) = bound {
                    let _ = write!(text, " under {}", id(bound));
                }
                let _ = write!(text, ": {}", FaultReason::from(reason));
                text
            }
            Event::FaultsLost => "the unit had more faults than records".to_owned(),
            Event::Refused { operation: number, code: why, times: count, .. } => {
                format!("{}: {}{}", operation(number), code(why), times(count))
            }
            Event::Registered { allocator } => format!("allocator {allocator}"),
            Event::Unregistered { allocator, orphans } => {
                format!("allocator {allocator}, leaves {}", plural(orphans, "orphan"))
            }
            Event::Asked { ticket, alloc: true } => format!("for an id, ticket {ticket:#x}"),
            Event::Asked { ticket, alloc: false } => format!("to take back id {ticket}"),
            Event::Answered { ticket, choice } => {
                let answer = match choice {
                    Choice::Given(id) => format!("id {id}"),
                    Choice::Nothing => "none in the range".to_owned(),
                    Choice::Failed => "failed".to_owned(),
                };
                format!("{answer}, ticket {ticket:#x}")
            }
            Event::ProviderGone { orphans } => format!("a provider, leaves {}", plural(orphans, "orphan")),
        }
    }
}

/// `1 page`, `2 pages`.
pub(crate) fn plural(count: impl Into<u64>, what: &str) -> String {
    let count = count.into();
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
