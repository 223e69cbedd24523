// SPDX-License-Identifier: BSD-2-Clause
//! Every client can call the server, from below, for what the server has.

use std::collections::BTreeSet;

use config_compiler::Client;
use sdf::PdIndex;
use toml::Spanned;

use super::{Auditor, Rule};
use crate::policy::{self, Policy};

impl Auditor<'_> {
    pub(super) fn clients(&mut self, policy: &Policy<'_>) {
        let server = policy.server(self.system);
        let mut seen = BTreeSet::new();
        for client in &policy.schema.clients {
            let name = client.pd.as_ref();
            let Some(pd) = policy::pd(self.system, &client.pd) else {
                let message = format!("there is no protection domain {name}");
                self.in_policy(
                    Rule::UnknownName,
                    client.pd.span(),
                    message,
                    "correct the name, or add the protection domain",
                );
                continue;
            };
            if !seen.insert(pd) {
                let message = format!("{name} is a client twice");
                self.in_policy(
                    Rule::GrantedTwice,
                    client.pd.span(),
                    message,
                    "put everything it gets into one [[client]]",
                );
            }
            if let Some(server) = server {
                self.channel(server, pd, client);
                self.priority(server, pd, client);
                self.pages(policy, server, pd, client);
            }
            self.limits(client);
        }
        if let Some(server) = server {
            self.other_callers(server, &seen);
        }
        self.capacity(policy);
    }

    fn channel(&mut self, server: PdIndex, pd: PdIndex, client: &Client) {
        let directions = self.system.channels.iter().flat_map(|channel| channel.directions());
        let calls = directions.filter(|(from, to)| *from.pd == pd && *to.pd == server && *from.pp).count();
        if calls != 1 {
            let server = &self.system.protection_domains[server].name;
            let message =
                format!("{} has {calls} channels on which it may call {server}", client.pd.as_ref());
            let help =
                "give it exactly one with pp=\"true\" at its end: what it may do follows from the channel";
            self.in_policy(Rule::ClientChannel, client.pd.span(), message, help);
        }
    }

    fn priority(&mut self, server: PdIndex, pd: PdIndex, client: &Client) {
        let system = self.system;
        let (server, pd) = (&system.protection_domains[server], &system.protection_domains[pd]);
        if pd.priority.value >= server.priority.value {
            let message = format!(
                "{} has priority {}, not below that of {}, {}",
                client.pd.as_ref(),
                pd.priority,
                server.name,
                server.priority
            );
            let help =
                format!("lower it below {}: otherwise it can hold up every other client", server.priority);
            self.in_system(Rule::ClientPriority, pd.priority.place, message, help);
        }
    }

    /// What the server and one client share is theirs alone, and what only the server writes the client cannot.
    fn pages(&mut self, policy: &Policy<'_>, server: PdIndex, pd: PdIndex, client: &Client) {
        let owner = client.pd.as_ref();
        for (page, what, written) in pages(client) {
            let Some(region) = self.known_region(page) else { continue };
            let name = page.as_ref();
            let all =
                policy.schema.clients.iter().flat_map(|client| pages(client).map(move |page| (client, page)));
            let mut before = all.take_while(|(_, (other, ..))| other.span() != page.span());
            if let Some((other, (_, other_what, _))) = before.find(|(_, (other, ..))| other.as_ref() == name)
            {
                let message = format!(
                    "{name}, the {what} of {owner}, is the {other_what} of {} too",
                    other.pd.as_ref()
                );
                self.in_policy(Rule::ClientPage, page.span(), message, "give it a region of its own");
            }
            for (index, domain) in self.system.protection_domains.iter().enumerate() {
                for map in domain.maps.iter().filter(|map| *map.region == region) {
                    if index == pd && map.perms.write && !written {
                        let message = format!("{owner} may write {name}, its {what}");
                        let help = "map it with perms=\"r\": only the server writes it";
                        self.in_system(Rule::ClientPage, map.place, message, help);
                    } else if index != pd && index != server {
                        let message = format!("{} reaches {name}, the {what} of {owner}", domain.name);
                        self.in_system(Rule::ClientPage, map.place, message, "remove the <map>");
                    }
                }
            }
        }
    }

    fn limits(&mut self, client: &Client) {
        if let (Some(reservation), Some(limit)) = (&client.reservation, &client.limit)
            && reservation.as_ref() > limit.as_ref()
        {
            let message = format!(
                "{} has {} ids reserved and may have {}",
                client.pd.as_ref(),
                reservation.as_ref(),
                limit.as_ref()
            );
            self.in_policy(
                Rule::Quota,
                reservation.span(),
                message,
                "raise the limit or lower the reservation",
            );
        }
    }

    fn other_callers(&mut self, server: PdIndex, clients: &BTreeSet<PdIndex>) {
        for (from, to) in self.system.channels.iter().flat_map(|channel| channel.directions()) {
            if *to.pd == server && *from.pp && !clients.contains(&from.pd.value) {
                let domains = &self.system.protection_domains;
                let message = format!(
                    "{} may call {} and is no [[client]]: every call is refused",
                    domains[*from.pd].name, domains[server].name
                );
                self.in_system(Rule::CallerWithoutSet, from.place, message, "add a [[client]], or remove pp");
            }
        }
    }

    /// All reservations can be kept at the same time, and all limits leave room for numbers of each client's own.
    fn capacity(&mut self, policy: &Policy<'_>) {
        let Some((_, registry)) = policy::region(self.system, &policy.schema.unit.registry) else { return };
        let bytes = usize::try_from(registry.size.map_or(0, |size| size.value)).unwrap_or(usize::MAX);
        let bits = policy.schema.unit.pasid_bits.as_ref().map_or(20, |bits| (*bits.as_ref()).min(20));
        // PASID 0 is nobody's.
        let capacity = (ioasid_core::Memory::slots_in(bytes) as u64).min(1 << bits).saturating_sub(1);
        let reservations = || policy.schema.clients.iter().filter_map(|client| client.reservation.as_ref());
        let sum: u64 = reservations().map(|reservation| u64::from(*reservation.as_ref())).sum();
        if let Some(last) = reservations().next_back().filter(|_| sum > capacity) {
            let message = format!("{sum} ids are reserved, and there are {capacity}");
            let help = "lower the reservations, or give the registry's region more memory";
            self.in_policy(Rule::Quota, last.span(), message, help);
        } else {
            self.own_numbers(policy, capacity);
        }
    }

    /// Where all limits together are no more than there is, the server gives each client numbers of its own. Otherwise
    /// it gives nobody any, and whoever gets an id can see in its number what others hold. The width that the unit
    /// reports is not known here: where it is less than what is declared or 20 bits, there is less than `capacity`.
    fn own_numbers<'p>(&mut self, policy: &'p Policy<'_>, capacity: u64) {
        // Without a limit a client may have what is reserved for it.
        let limit = |client: &'p Client| client.limit.as_ref().or(client.reservation.as_ref());
        let limits = policy.schema.clients.iter().filter_map(|client| Some((client, limit(client)?)));
        let limits: Vec<_> = limits.filter(|(_, limit)| *limit.as_ref() > 0).collect();
        let sum: u64 = limits.iter().map(|(_, limit)| u64::from(*limit.as_ref())).sum();
        let Some((client, largest)) = limits.iter().max_by_key(|(_, limit)| *limit.as_ref()) else { return };
        // A client that shares with nobody sees nobody.
        if sum > capacity && limits.len() > 1 {
            let message = format!(
                "with the {} of {} the limits come to {sum} ids, and there are {capacity}: no client has numbers of its own",
                largest.as_ref(),
                client.pd.as_ref()
            );
            let help = "lower it, or give the registry's region more memory: now the numbers that each client is given \
                        show what others hold";
            self.in_policy(Rule::CommonNumbers, largest.span(), message, help);
        }
    }

    /// The region of that name, or a finding.
    pub(super) fn known_region(&mut self, name: &Spanned<String>) -> Option<usize> {
        let found = policy::region(self.system, name).map(|(index, _)| index);
        if found.is_none() {
            let message = format!("there is no memory region {}", name.as_ref());
            self.in_policy(
                Rule::UnknownName,
                name.span(),
                message,
                "correct the name, or add the <memory_region>",
            );
        }
        found
    }
}

/// The regions that a client shares with the server: name, what it is, and whether the client writes it.
fn pages(client: &Client) -> impl Iterator<Item = (&Spanned<String>, &'static str, bool)> {
    let events = client.events.iter().map(|name| (name, "event ring", false));
    let find = client.find.iter().map(|name| (name, "find page", false));
    let batch = client.batch.iter().map(|name| (name, "batch page", true));
    events.chain(find).chain(batch)
}
