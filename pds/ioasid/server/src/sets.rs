// SPDX-License-Identifier: BSD-2-Clause
//! Requests about sets, most of them of the one who may look after all of them; and subscriptions to a set's events.

use ioasid_api::{
    Code, Counters, Done, Event, EventKind, FaultDirection, Handle, Health, Progress, SetAdjust, SetOpen,
    Subscribe, Usage,
};
use ioasid_core::event::{Role, Subscription};
use ioasid_core::{Pasid, SetConfig, SetId};
use ioasid_trace::{Event as Traced, ShareWhy};
use vtd::{BATCH, Registers, SourceId, TableMemory, Unit};

use crate::clients::ClientId;
use crate::codes;
use crate::server::{Answer, Server};

impl<R: Registers, M: TableMemory> Server<'_, R, M> {
    #[inline(never)]
    pub(crate) fn usage(&self, client: ClientId) -> Answer<Usage> {
        let stats = self.registry.stats(self.set(client)).map_err(codes::registry)?;
        Ok(Usage { reservation: stats.reservation, limit: stats.limit, used: stats.used, peak: stats.peak })
    }

    pub(crate) fn set_usage(&self, set: u16) -> Answer<Usage> {
        self.usage(self.clients.of_set(set)?)
    }

    pub(crate) fn set_counters(&self, set: u16) -> Answer<Counters> {
        Ok(self.clients.account(self.clients.of_set(set)?).counters)
    }

    pub(crate) fn check(&self) -> Answer<Health> {
        if let Err(inconsistency) = self.registry.check() {
            log::error!("the registry is inconsistent: {inconsistency:?}");
            return Err(Code::Internal);
        }
        Ok(Health {
            quarantined: self.registry.totals().quarantined,
            stray_faults: self.strays.count(),
            free_frames: self.free_frames() as u64,
        })
    }

    pub(crate) fn set_adjust(&mut self, adjust: &SetAdjust) -> Answer<Done> {
        let client = self.clients.of_set(adjust.set)?;
        let share = SetConfig { reservation: adjust.reservation, limit: adjust.limit };
        self.clients.may_guarantee(client, share.reservation)?;
        self.registry.adjust_set(self.set(client), share).map_err(codes::registry)?;
        self.trace_share(client, ShareWhy::Adjusted);
        Ok(Done {})
    }

    /// Ends a set in slices: the first cuts the devices off, each tears a batch of ids down.
    pub(crate) fn set_free(&mut self, number: u16) -> Answer<Progress> {
        let client = self.clients.of_set(number)?;
        let set = self.set(client);
        if self.registry.free_set(set).is_ok() {
            log::info!("the set of {} ends", self.clients.entry(client).name.as_str());
            self.trace_share(client, ShareWhy::Ending);
            self.leave(client);
        }
        self.time_passes(client);
        self.settle_of(client);
        let mut handles =
            [ioasid_core::Handle { pasid: Pasid::RESERVED, generation: Default::default() }; BATCH];
        let drain = self.registry.drain_set(set, &mut handles).map_err(codes::registry)?;
        // What is not confirmed is in the log, and the ids in quarantine; the set's end goes on.
        let _ = self.tear_down(client, handles.get(..drain.filled).unwrap_or_default());
        let more = u16::from(drain.progress != ioasid_core::Progress::Gone);
        if more == 0 {
            self.trace_share(client, ShareWhy::Gone);
            self.tell_owner(client, EventKind::SetGone);
            // After many lives another set has the same number.
            self.clients.give_set(client, SetId::NONE);
        }
        Ok(Progress { done: u32::try_from(drain.filled).map_err(|_| Code::Internal)?, more })
    }

    /// Takes a client out of everything but its ids.
    fn leave(&mut self, client: ClientId) {
        self.each_device(client, Unit::suspend);
        let _ = self.unsubscribe(client);
        if let Some(provider) = self.clients.account(client).provider {
            let orphans = self.registry.provider_gone(provider);
            self.trace(client, Traced::ProviderGone { orphans });
            self.orphaned(orphans);
            self.give_up_waiting();
            self.settle();
            log::warn!("a provider is gone and leaves {orphans} orphans");
        }
        self.clients.greet(client, false);
        let account = self.clients.account_mut(client);
        (account.waits, account.outcome) = (false, None);
    }

    /// Does the same with the unit's entry for each device of a client's.
    fn each_device(
        &mut self,
        client: ClientId,
        change: fn(&mut Unit<R, M>, SourceId) -> Result<(), vtd::Error>,
    ) {
        let Some(unit) = &mut self.unit else { return };
        for device in self.clients.devices(client) {
            if let Err(error) = change(unit, SourceId::from(device.source)) {
                log::error!("{}: {error}", device.name.as_str());
            }
        }
    }

    pub(crate) fn set_open(&mut self, open: &SetOpen) -> Answer<Done> {
        let client = self.clients.of_set(open.set)?;
        if self.registry.stats(self.set(client)).is_ok() {
            return Err(Code::InUse);
        }
        let share = SetConfig { reservation: open.reservation, limit: open.limit };
        self.clients.may_guarantee(client, share.reservation)?;
        let set = self.registry.create_set(share).map_err(codes::registry)?;
        self.clients.give_set(client, set);
        self.trace_share(client, ShareWhy::Opened);
        // Every id of the old set was torn down: there is nothing that they could reach.
        self.each_device(client, Unit::resume);
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn subscribe(&mut self, client: ClientId, subscribe: &Subscribe) -> Answer<Done> {
        let role = match subscribe.role {
            0 => Role::Cpu,
            1 => Role::Device,
            2 => Role::Observer,
            _ => return Err(Code::BadField),
        };
        if !self.registry.events().has_ring(client) {
            return Err(Code::NoSharedPage);
        }
        if self.clients.account(client).subscriber.is_some() {
            return Err(Code::InUse);
        }
        let acknowledges = match subscribe.acknowledges {
            0 => false,
            1 => true,
            _ => return Err(Code::BadField),
        };
        let subscription = Subscription { set: Some(self.set(client)), role, acknowledges };
        let subscriber = self.registry.subscribe(subscription).map_err(codes::registry)?;
        self.registry.events().route(subscriber, Some(client));
        self.clients.account_mut(client).subscriber = Some(subscriber);
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn unsubscribe(&mut self, client: ClientId) -> Answer<Done> {
        let subscriber = self.clients.account_mut(client).subscriber.take().ok_or(Code::NoSuchPeer)?;
        self.registry.events().route(subscriber, None);
        self.registry.unsubscribe(subscriber).map_err(codes::registry)?;
        Ok(Done {})
    }

    #[inline(never)]
    pub(crate) fn acknowledge(&mut self, client: ClientId, handle: Handle) -> Answer<Done> {
        let handle = self.handle(handle)?;
        let subscriber = self.clients.account(client).subscriber.ok_or(Code::NoSuchPeer)?;
        self.registry.acknowledge(subscriber, handle).map_err(codes::registry)?;
        Ok(Done {})
    }

    /// Tells a client something of its own set that is of no id.
    fn tell_owner(&mut self, client: ClientId, kind: EventKind) {
        let event =
            Event { kind, handle: None, device: 0, reason: 0, direction: FaultDirection::Read, address: 0 };
        self.registry.events().push(client, event);
    }

    /// Tells the subscribers that an id was bound or unbound.
    pub(crate) fn bound(
        &mut self,
        client: ClientId,
        kind: EventKind,
        handle: ioasid_core::Handle,
        device: u16,
    ) {
        let kind = match kind {
            EventKind::Bind => ioasid_core::event::EventKind::Bind,
            _ => ioasid_core::event::EventKind::Unbind,
        };
        let detail = [u64::from(device), 0];
        // The caller's set is there: its id was just looked up.
        let _ = self.registry.publish(&ioasid_core::event::Event {
            kind,
            set: self.set(client),
            handle: Some(handle),
            detail,
        });
    }
}
