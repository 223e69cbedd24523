// SPDX-License-Identifier: BSD-2-Clause
//! `ioasid.toml` against `system.xml`: every name found, every grant held against who maps what.

mod clients;
mod names;
mod unit;

use std::collections::BTreeMap;
use std::ops::Range;

use ioasid_config::Config;
use sdf::{RegionIndex, System};
use toml::Spanned;
use zerocopy::FromZeros;

use crate::schema::{Client, Schema};
use crate::{Problem, Problems};

/// Compiles `text`, the contents of the file `name`, against `system`.
///
/// # Errors
/// Everything that is wrong with the file, in the order of its lines.
pub fn compile(system: &System, name: &str, text: &str) -> Result<Config, Problems> {
    let schema = Schema::parse(name, text)?;
    let mut compiler = Compiler {
        system,
        schema: &schema,
        problems: Vec::new(),
        addresses: BTreeMap::new(),
        owners: BTreeMap::new(),
        uses: BTreeMap::new(),
    };
    let config = compiler.compile();
    match config {
        Some(config) if compiler.problems.is_empty() => Ok(config.seal()),
        _ => Err(Problems::new(name, text, compiler.problems)),
    }
}

struct Compiler<'a> {
    system: &'a System,
    schema: &'a Schema,
    problems: Vec<Problem>,
    /// The devices' addresses, by name.
    addresses: BTreeMap<&'a str, sdf::PciAddress>,
    /// The clients that were granted the devices, by name.
    owners: BTreeMap<&'a str, &'a str>,
    /// What each region is used as: a region has one use.
    uses: BTreeMap<RegionIndex, String>,
}

impl<'a> Compiler<'a> {
    /// Notes a problem; gives `None`, so that a function may end with it.
    fn wrong<T>(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.problems.push(Problem { span, message: message.into(), help: help.into() });
        None
    }

    fn compile(&mut self) -> Option<Config> {
        let schema = self.schema;
        let server = self.domain(&schema.pd)?;
        self.config(server);
        let unit = self.unit(server);
        let mut config = Config::new(unit.unwrap_or_else(FromZeros::new_zeroed));
        self.devices(&config);
        for client in &schema.clients {
            self.client(&mut config, server, client);
        }
        self.reservations(&config);
        self.shares(&mut config);
        // What is wrong so far may be why a device has no owner.
        if self.problems.is_empty() {
            self.orphans();
        }
        Some(config)
    }

    /// That each device has an owner.
    fn orphans(&mut self) {
        for device in &self.schema.devices {
            if !self.owners.contains_key(device.name.as_ref().as_str()) {
                self.wrong::<()>(
                    device.name.span(),
                    format!("no client is granted the device \"{}\"", device.name.as_ref()),
                    "name it in a client's `devices`, or delete it: what nobody is granted stays cut off anyway",
                );
            }
        }
    }

    /// Gives the frames and address spaces that nobody asked for in equal shares to the clients that have ids and say
    /// nothing; an error where more is asked for than there is.
    fn shares(&mut self, config: &mut Config) {
        // The tables' fixed part: root, queue, domains, and for each device a context table and a directory.
        let fixed = 64 + 34 * config.devices().len() as u64;
        let frames = (config.unit.tables.size / 0x1000).saturating_sub(fixed);
        let frames = self.rest(
            "frames for tables",
            frames,
            config,
            |one| &one.table_frames,
            |one| &mut one.table_frames,
        );
        let spaces = ioasid_config::MAX_SPACES as u64;
        let spaces = self.rest("address spaces", spaces, config, |one| &one.spaces, |one| &mut one.spaces);
        for client in config.clients_mut().iter_mut().filter(|client| client.limit > 0) {
            for (share, rest) in [(&mut client.table_frames, frames), (&mut client.spaces, spaces)] {
                if *share == 0 {
                    *share = rest;
                }
            }
        }
    }

    /// An equal share of what is left of `there`, for each client with ids that does not say what it takes.
    fn rest(
        &mut self,
        what: &str,
        there: u64,
        config: &mut Config,
        said: fn(&Client) -> &Option<Spanned<u32>>,
        taken: fn(&mut ioasid_config::Client) -> &mut u32,
    ) -> u32 {
        let mut asked = self.schema.clients.iter().filter_map(|client| said(client).as_ref());
        let sum: u64 = asked.clone().map(|number| u64::from(*number.as_ref())).sum();
        if let Some(last) = asked.next_back().filter(|_| sum > there) {
            self.wrong::<()>(
                last.span(),
                format!("{sum} {what} are given out, and there are {there}"),
                "lower the numbers; a client for which nothing is said has an equal share of the rest",
            );
        }
        let takers = config.clients_mut().iter_mut().filter(|client| client.limit > 0);
        let takers = takers.map(taken).filter(|number| **number == 0).count();
        u32::try_from(there.saturating_sub(sum) / takers.max(1) as u64).unwrap_or(u32::MAX)
    }

    /// That the reservations can be kept, all of them at the same time.
    fn reservations(&mut self, config: &Config) {
        let capacity = capacity(config);
        let sum: u64 = config.clients().iter().map(|client| u64::from(client.reservation)).sum();
        let last = self.schema.clients.iter().filter_map(|client| client.reservation.as_ref()).next_back();
        if let Some(last) = last.filter(|_| config.unit.registry.size > 0 && sum > capacity) {
            self.wrong::<()>(
                last.span(),
                format!("{sum} ids are reserved, and there are {capacity}"),
                "lower the reservations, or give the registry's region more memory (16.2 bytes an id)",
            );
        }
    }
}

/// How many ids there are to be had: what the registry's memory holds and the width reaches, but for PASID 0.
fn capacity(config: &Config) -> u64 {
    let bytes = usize::try_from(config.unit.registry.size).unwrap_or(usize::MAX);
    let width = match config.unit.pasid_bits {
        0 => 20,
        bits => bits.min(20),
    };
    (ioasid_core::Memory::slots_in(bytes) as u64).min(1 << width).saturating_sub(1)
}
