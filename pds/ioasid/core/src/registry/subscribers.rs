// SPDX-License-Identifier: BSD-2-Clause
//! Who is told what, and in which order an id is let go of.
//!
//! An id that is given up is announced to those that make processors use it; when they have acknowledged, or their
//! time is over, to those that make devices use it; and then to all others, whereupon it is torn down. The ids of a set
//! that wait do so in the order in which they were freed, each set's by themselves: nobody waits for what another
//! set's subscriber does not say.
//!
//! A waiting id has no private data any more. In its place stand the next one that waits (20 bits), who has not
//! acknowledged (16), and until when it waits (28, in the caller's ticks).

use super::custom::is_past;
use super::{Completion, Registry, Snapshot};
use crate::allocator::Provider;
use crate::capacity::SETS;
use crate::event::{Event, EventKind, Events, Role, SubscriberId, Subscription};
use crate::set::{Phase, Queue, Quick};
use crate::slot::Life;
use crate::{Error, Handle, Pasid, SetId, State};

const ACK_SHIFT: u32 = 20;
const TIME_SHIFT: u32 = 36;
const TIME_BITS: u32 = 64 - TIME_SHIFT;

/// A subscriber: what it wants, and its bit among those that are waited for; no bit if it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Subscriber {
    subscription: Subscription,
    bit: u16,
}

/// Something that has become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// This id is to be torn down now, and then reclaimed or quarantined.
    Teardown(Handle),
    /// This allocation has failed, because its provider did not answer in time or is gone. Its client is to be told.
    Failed(Completion),
    /// This id was announced to those that drive devices. Nothing is to be done for it yet.
    Announced(Handle),
}

impl Subscriber {
    /// The one set that it listens to; `None` for all of them.
    pub(super) fn set(&self) -> Option<SetId> {
        self.subscription.set
    }

    fn concerns(&self, set: SetId) -> bool {
        self.subscription.set.is_none_or(|own| own == set)
    }
}

impl<P: Provider, E: Events> Registry<'_, P, E> {
    /// Makes somebody a subscriber. What happens from now on is told; what there is already is in a
    /// [`snapshot`](Self::snapshot) that is taken after this.
    ///
    /// # Errors
    /// [`Error::NoSuchSet`]; [`Error::RegistryFull`] where there are too many subscribers, or too many that a set
    /// would wait for.
    pub fn subscribe(&mut self, subscription: Subscription) -> Result<SubscriberId, Error> {
        if let Some(set) = subscription.set {
            self.open_set(set)?;
        }
        let bit = if subscription.acknowledges && subscription.role != Role::Observer {
            // A bit that nobody has whose ids can be this one's ids too.
            let overlaps = |one: &&Subscriber| {
                subscription.set.is_none_or(|set| one.concerns(set)) || one.subscription.set.is_none()
            };
            let used = self.subscribers.iter().flatten().filter(overlaps).fold(0, |used, one| used | one.bit);
            let free: u16 = !used;
            if free == 0 {
                return Err(Error::RegistryFull);
            }
            1 << free.trailing_zeros()
        } else {
            0
        };
        let (place, index) =
            self.subscribers.iter_mut().zip(0..).find(|(one, _)| one.is_none()).ok_or(Error::RegistryFull)?;
        *place = Some(Subscriber { subscription, bit });
        self.settle();
        Ok(SubscriberId(index))
    }

    /// Ends a subscription. What waits for its acknowledgement goes on when its time is over.
    ///
    /// # Errors
    /// [`Error::NoSuchPeer`].
    pub fn unsubscribe(&mut self, subscriber: SubscriberId) -> Result<(), Error> {
        let place = self.subscribers.get_mut(subscriber.index()).ok_or(Error::NoSuchPeer)?;
        place.take().ok_or(Error::NoSuchPeer)?;
        self.settle();
        Ok(())
    }

    /// A subscriber says that it has stopped using an id which it was told is given up.
    ///
    /// # Errors
    /// [`Error::NoSuchPeer`]; [`Error::NotFound`] where nothing waits for this, [`Error::Stale`] where the handle is of
    /// another generation of an id that concerns the subscriber.
    pub fn acknowledge(&mut self, subscriber: SubscriberId, handle: Handle) -> Result<(), Error> {
        let one = self.subscribers.get(subscriber.index()).copied().flatten().ok_or(Error::NoSuchPeer)?;
        // Which life of a number another set has is nothing to be learnt here.
        if !self.space.slot(handle.pasid).is_some_and(|slot| one.concerns(slot.owner())) {
            return Err(Error::NotFound);
        }
        let slot = self.slot_of(handle)?;
        let asked = u64::from(one.bit) << ACK_SHIFT;
        if slot.state() != State::Stopping || slot.data & asked == 0 {
            return Err(Error::NotFound);
        }
        if let Some(slot) = self.space.slot_mut(handle.pasid) {
            slot.data &= !asked;
        }
        Ok(())
    }

    /// Tells the subscribers of a set what happened outside the registry: bindings, faults.
    ///
    /// # Errors
    /// [`Error::NoSuchSet`].
    pub fn publish(&mut self, event: &Event) -> Result<(), Error> {
        self.stats(event.set)?;
        self.announce(event);
        Ok(())
    }

    /// Where events go.
    pub fn events(&mut self) -> &mut E {
        &mut self.events
    }

    /// A slice of what a subscriber would have seen: fills `out` with ids that are live, from `from` on. An id that
    /// changes while slices are taken is in the events too; events are to be applied after the slices, in order.
    ///
    /// # Errors
    /// [`Error::NoSuchPeer`].
    pub fn snapshot(
        &self,
        subscriber: SubscriberId,
        from: Option<Snapshot>,
        out: &mut [(SetId, Handle)],
    ) -> Result<(usize, Option<Snapshot>), Error> {
        let one = self.subscribers.get(subscriber.index()).copied().flatten().ok_or(Error::NoSuchPeer)?;
        let Snapshot { mut index, mut pasid } = from.unwrap_or(Snapshot { index: 0, pasid: Pasid::RESERVED });
        let mut filled = 0;
        for _ in 0..super::sets::VISITS_PER_HANDLE * out.len().max(1) {
            let Some(set) = self.sets.get(index) else { return Ok((filled, None)) };
            let found = if set.phase != Phase::Vacant && one.concerns(set.id) {
                self.next_owned(set.id, pasid)
            } else {
                None
            };
            let Some(next) = found else {
                (index, pasid) = (index + 1, Pasid::RESERVED);
                continue;
            };
            if let Some(slot) = self.space.slot(next).filter(|slot| slot.life() == self.live) {
                let Some(place) = out.get_mut(filled) else { break };
                *place = (set.id, slot.handle(next));
                filled += 1;
            }
            (index, pasid) = match next.next() {
                Some(after) => (index, after),
                None => (index + 1, Pasid::RESERVED),
            };
        }
        Ok((filled, Some(Snapshot { index, pasid })))
    }

    /// What has become due by `now`, in the caller's ticks, which wrap. One thing at a time, in turn for each set:
    /// call it until it says `None`, or as often as there is time for.
    pub fn poll(&mut self, now: u32) -> Option<Work> {
        self.now = [now; SETS];
        (0..SETS).find_map(|_| {
            self.turn = self.turn.wrapping_add(1);
            self.poll_index(usize::from(self.turn) % SETS)
        })
    }

    /// The same for one set alone, for which so many ticks more have passed. Where each set has a time of its own, nobody's
    /// calls make another's time pass, or cost more for what another waits for. Nothing is due for a set whose place another
    /// has taken. Time is kept by the place: a set that comes later goes on from there.
    #[inline(always)]
    pub fn poll_set(&mut self, set: SetId, ticks: u32) -> Option<Work> {
        let index = set.index();
        if self.sets[index].id != set {
            return None;
        }
        self.now[index] = self.now[index].wrapping_add(ticks);
        self.poll_index(index)
    }

    #[inline(always)]
    fn poll_index(&mut self, index: usize) -> Option<Work> {
        if self.waiting[index] == 0 { None } else { self.due(index) }
    }

    #[cold]
    #[inline(never)]
    fn due(&mut self, index: usize) -> Option<Work> {
        if let Some(completion) = self.expire(index) {
            return Some(Work::Failed(completion));
        }
        let owner = self.sets[index].id;
        // Those that are further on come first.
        for (queue, next) in [(1, Role::Observer), (0, Role::Device)] {
            if let Some(handle) = self.pop_ready(index, queue) {
                let ready = self.pass_on(owner, handle, next);
                return Some(if ready { Work::Teardown(handle) } else { Work::Announced(handle) });
            }
        }
        None
    }

    /// Tells everybody who is concerned.
    pub(super) fn announce(&mut self, event: &Event) {
        if self.is_listened_to(event.set) {
            self.tell(event, |_| true);
        }
    }

    /// Tells those who are concerned and of whom `choose` is true, and says who of them acknowledges.
    fn tell(&mut self, event: &Event, choose: impl Fn(Role) -> bool) -> u16 {
        let mut asked = 0;
        for (one, index) in self.subscribers.iter().zip(0..) {
            if let Some(one) = one
                && one.concerns(event.set)
                && choose(one.subscription.role)
            {
                self.events.deliver(SubscriberId(index), event);
                asked |= one.bit;
            }
        }
        asked
    }

    /// Takes an id that is given up through the roles from `from` on, until one has to be waited for. True where
    /// none has, and it can be torn down.
    pub(super) fn pass_on(&mut self, owner: SetId, handle: Handle, from: Role) -> bool {
        self.set_state(handle.pasid, State::Teardown);
        !self.is_listened_to(owner) || self.ask(owner, handle, from)
    }

    fn ask(&mut self, owner: SetId, handle: Handle, from: Role) -> bool {
        let event = Event::new(EventKind::Free, owner, Some(handle));
        for (queue, role) in [(0, Role::Cpu), (1, Role::Device)] {
            if role < from {
                continue;
            }
            let asked = self.tell(&event, |one| one == role);
            if asked != 0 {
                self.push(owner.index(), queue, handle.pasid, asked);
                return false;
            }
        }
        self.tell(&event, |one| one == Role::Observer);
        true
    }

    fn push(&mut self, index: usize, queue: usize, pasid: Pasid, asked: u16) {
        let deadline = u64::from(self.now[index].wrapping_add(self.config.ack_bound)) << TIME_SHIFT;
        if let Some(slot) = self.space.slot_mut(pasid) {
            slot.data = u64::from(asked) << ACK_SHIFT | deadline;
            slot.set_state(State::Stopping);
        }
        self.waiting[index] += 1;
        let Queue { ends } = &mut self.sets[index].stopping[queue];
        match ends {
            Some((_, last)) => {
                let before = core::mem::replace(last, pasid);
                if let Some(slot) = self.space.slot_mut(before) {
                    slot.data |= u64::from(pasid.get());
                }
            }
            None => *ends = Some((pasid, pasid)),
        }
    }

    /// Takes out the first id of a queue if nobody is waited for any more.
    fn pop_ready(&mut self, index: usize, queue: usize) -> Option<Handle> {
        let (first, last) = self.sets[index].stopping[queue].ends?;
        let now = self.now[index];
        let slot = self.space.slot_mut(first)?;
        let acknowledged = slot.data >> ACK_SHIFT & 0xffff == 0;
        // The deadline's low bits, moved to the top, compare as the whole would.
        let deadline = (slot.data >> TIME_SHIFT << (32 - TIME_BITS) & 0xffff_ffff) as u32;
        if !acknowledged && !is_past(deadline, now << (32 - TIME_BITS)) {
            return None;
        }
        let next = Pasid::truncated((slot.data & 0xf_ffff) as u32);
        slot.data = 0;
        let handle = slot.handle(first);
        self.waiting[index] -= 1;
        self.sets[index].stopping[queue].ends = if first == last { None } else { Some((next, last)) };
        Some(handle)
    }

    /// How many ids wait in a set's queues; `None` where the queues are not whole.
    pub(super) fn queued(&self, index: usize) -> Option<u32> {
        let set = &self.sets[index];
        let mut count = 0;
        for (first, last) in set.stopping.iter().filter_map(|queue| queue.ends) {
            let mut at = first;
            loop {
                let slot = self.space.slot(at)?;
                count += 1;
                if slot.state() != State::Stopping || slot.owner() != set.id || count > set.used {
                    return None;
                }
                if at == last {
                    break;
                }
                at = Pasid::truncated((slot.data & 0xf_ffff) as u32);
            }
        }
        Some(count)
    }

    /// A set is gone: tells so, and ends what was subscribed to it alone.
    pub(super) fn say_goodbye(&mut self, set: SetId) {
        self.announce(&Event::new(EventKind::SetGone, set, None));
        for one in &mut self.subscribers {
            if one.take_if(|one| one.subscription.set == Some(set)).is_some() {}
        }
        self.settle();
    }

    /// Whether anybody is told what happens to a set.
    #[inline]
    fn is_listened_to(&self, set: SetId) -> bool {
        self.listened >> set.index() & 1 == 1
    }

    /// Opens the short way for each set where nobody else has a say.
    pub(super) fn settle(&mut self) {
        self.listened = self.subscribers.iter().flatten().fold(0, |listened, one| {
            listened | one.subscription.set.map_or(u64::MAX, |set| 1 << set.index())
        });
        for (index, set) in self.sets.iter_mut().enumerate() {
            let alone = self.live == Life::LIVE && self.listened >> index & 1 == 0;
            let max = if set.phase == Phase::Open { self.config.max_pasid } else { Pasid::RESERVED };
            set.quick = if alone { Quick { max, live: Life::LIVE } } else { Quick::NEVER };
        }
    }
}
