// SPDX-License-Identifier: BSD-2-Clause
//! Relays: how a director acts as another client.
//!
//! A call to a relay with a label below [`CONTROL`] goes to the service as it is, and the service's answer comes back
//! as it is: so the client stub, pointed at a relay, speaks for that relay. Labels from [`CONTROL`] on ask the relay for
//! what it has itself: its device, its memory, its pages.

use core::ops::Range;

use guest_kit::edu::Transfer;
use guest_kit::script::{fault, signal};
use ioasid_api::Field;
use ioasid_microkit::{Client, Event, EventKind, FaultDirection, Handle, Result};
use sel4_microkit::{Channel, Child, MessageInfo, with_msg_regs, with_msg_regs_mut};

use crate::program;

/// Labels from here on are for the relay itself.
pub const CONTROL: u64 = 0x1_0000;

/// What a relay is asked itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Control {
    /// The next event: 0, or 1 and the event's head, handle and address.
    Event = CONTROL,
    /// How many events were lost.
    Lost,
    /// A handle's data in the find page: 0, or 1 and the data.
    Look,
    /// Start a transfer: 0 to read and 1 to write memory, the address, the length, the device.
    Start,
    /// How many transfers of a device have ended.
    Ended,
    /// Set bytes of the buffer: from, to, value.
    Fill,
    /// Count bytes of the buffer: from, to, value.
    Count,
    /// How many ticks the service took for the last call.
    Ticks,
    /// Set a word of the batch page: its place, the value.
    Store,
    /// A word of the batch page: its place.
    Load,
    /// Touch what is not mapped, at the next notification.
    Die,
    /// Call the service until it refuses, from the next notification on: a [`Flood`], and for `Map` the handle.
    Flood,
}

/// What a relay calls over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Flood {
    /// `Map` and `Unmap` of one id, at [`FLOOD_IOVA`].
    Map,
    /// `AllocBatch` and `FreeBatch`.
    Batch,
    /// `Alloc`, as the provider that is asked `Fetch` and `Answer`, then `AllocResult` and `Free`.
    Provider,
}

impl Flood {
    /// What a word asks for.
    #[must_use]
    pub fn from_word(word: u64) -> Option<Self> {
        [Self::Map, Self::Batch, Self::Provider].into_iter().find(|&flood| flood as u64 == word)
    }
}

/// Where [`Flood::Map`] maps a page.
pub const FLOOD_IOVA: u64 = 0x7_0000;

impl Control {
    const ALL: [Self; 12] = [
        Self::Event,
        Self::Lost,
        Self::Look,
        Self::Start,
        Self::Ended,
        Self::Fill,
        Self::Count,
        Self::Ticks,
        Self::Store,
        Self::Load,
        Self::Die,
        Self::Flood,
    ];

    /// What a label asks.
    #[must_use]
    pub fn from_label(label: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|&control| control as u64 == label)
    }
}

/// An event in the words of [`Control::Event`].
#[must_use]
pub fn event_to_words(event: Option<Event>) -> [u64; 4] {
    let Some(event) = event else { return [0; 4] };
    let direction = u64::from(event.direction == FaultDirection::Write);
    let head =
        event.kind as u64 | direction << 8 | u64::from(event.device) << 16 | u64::from(event.reason) << 32;
    [1, head, event.handle.map_or(u64::MAX, Field::to_word), event.address]
}

fn event_from_words(words: [u64; 4]) -> Option<Event> {
    let [1, head, handle, address] = words else { return None };
    let field = |shift: u32| u16::try_from(head >> shift & 0xffff).unwrap_or(0);
    Some(Event {
        kind: EventKind::ALL.iter().copied().find(|&kind| kind as u64 == head & 0xff)?,
        handle: Handle::from_word(handle),
        device: field(16),
        reason: field(32),
        direction: if head >> 8 & 1 == 1 { FaultDirection::Write } else { FaultDirection::Read },
        address,
    })
}

/// A director's end of a relay.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    channel: Channel,
    child: Child,
}

impl Relay {
    /// Relay number `number`: its channel is 10 + `number`, and its number as a child is `number`.
    #[must_use]
    pub const fn new(number: usize) -> Self {
        Self { channel: Channel::new(10 + number), child: Child::new(number) }
    }

    /// Where the relay's notifications come.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Says HELLO to the service as this relay; the client that is given speaks for it.
    ///
    /// # Errors
    /// As [`ioasid_microkit::connect`].
    pub fn connect(&self) -> Result<Client> {
        ioasid_microkit::connect(self.channel)
    }

    /// Any message to the service as this relay: the answer's label and words.
    pub fn send(&self, label: u64, words: &[u64]) -> (u64, [u64; 4]) {
        with_msg_regs_mut(|registers| registers[..words.len()].copy_from_slice(words));
        let answer = self.channel.pp_call(MessageInfo::new(label, words.len()));
        let mut reply = [0; 4];
        let count = answer.count().min(reply.len());
        with_msg_regs(|registers| reply[..count].copy_from_slice(&registers[..count]));
        (answer.label(), reply)
    }

    fn ask(&self, control: Control, words: &[u64]) -> [u64; 4] {
        self.send(control as u64, words).1
    }

    /// The next event that the relay was told, if there is one.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        event_from_words(self.ask(Control::Event, &[]))
    }

    /// The next event of that kind; events of other kinds before it are passed over.
    pub async fn next(&self, kind: EventKind) -> Event {
        loop {
            match self.event() {
                Some(event) if event.kind == kind => return event,
                Some(_) => {}
                None => signal(self.channel).await,
            }
        }
    }

    /// How many events the relay lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.ask(Control::Lost, &[])[0]
    }

    /// What the relay's find page says of an id.
    #[must_use]
    pub fn look(&self, handle: Handle) -> Option<u64> {
        let [found, data, ..] = self.ask(Control::Look, &[handle.to_word()]);
        (found == 1).then_some(data)
    }

    /// Has the relay's first device start a transfer.
    pub fn start(&self, transfer: Transfer, address: u64, bytes: u64) {
        self.start_on(0, transfer, address, bytes);
    }

    /// Has a device of the relay's start a transfer.
    pub fn start_on(&self, device: u16, transfer: Transfer, address: u64, bytes: u64) {
        let direction = u64::from(transfer == Transfer::WriteMemory);
        self.ask(Control::Start, &[direction, address, bytes, device.into()]);
    }

    /// How many transfers of a device have ended.
    #[must_use]
    pub fn ended(&self, device: u16) -> u64 {
        self.ask(Control::Ended, &[device.into()])[0]
    }

    /// Has the relay's first device transfer, and waits for its end.
    pub async fn transfer(&self, transfer: Transfer, address: u64, bytes: u64) {
        self.transfer_on(0, transfer, address, bytes).await;
    }

    /// Has a device of the relay's transfer, and waits for its end.
    pub async fn transfer_on(&self, device: u16, transfer: Transfer, address: u64, bytes: u64) {
        let ended = self.ended(device);
        self.start_on(device, transfer, address, bytes);
        self.have_ended(device, ended + 1).await;
    }

    /// Waits until so many transfers of a device have ended.
    pub async fn have_ended(&self, device: u16, count: u64) {
        while self.ended(device) < count {
            signal(self.channel).await;
        }
    }

    /// How many ticks the service took for the relay's last call.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ask(Control::Ticks, &[])[0]
    }

    /// Sets a word of the relay's batch page.
    pub fn store(&self, place: u64, value: u64) {
        self.ask(Control::Store, &[place, value]);
    }

    /// A word of the relay's batch page.
    #[must_use]
    pub fn load(&self, place: u64) -> u64 {
        self.ask(Control::Load, &[place])[0]
    }

    /// Sets bytes of the relay's buffer.
    pub fn fill(&self, range: Range<u64>, value: u8) {
        self.ask(Control::Fill, &[range.start, range.end, value.into()]);
    }

    /// Counts bytes of that value in the relay's buffer.
    #[must_use]
    pub fn count(&self, range: Range<u64>, value: u8) -> u64 {
        self.ask(Control::Count, &[range.start, range.end, value.into()])[0]
    }

    /// Lets the relay, a child of the director's, fault, and waits for that.
    pub async fn kill(&self) {
        self.ask(Control::Die, &[]);
        self.channel.notify();
        fault(self.child).await;
    }

    /// Lets the relay call the service until it is refused, whereupon it notifies.
    pub fn flood(&self, flood: Flood, handle: Handle) {
        self.ask(Control::Flood, &[flood as u64, handle.to_word()]);
        self.channel.notify();
    }

    /// Lets the relay, whose program is mapped at `program`, begin anew, and waits until it is there.
    pub async fn restart(&self) -> bool {
        let restarted = program::restart(self.child);
        if restarted {
            signal(self.channel).await;
        }
        restarted
    }
}
