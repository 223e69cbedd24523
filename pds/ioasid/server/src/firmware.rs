// SPDX-License-Identifier: BSD-2-Clause
//! What firmware says of the machine, where its tables can be read: the DMAR table (VT-d 8) names the units, who is
//! behind them, and the memory that devices use from before the system runs (its RMRRs).

use core::ops::RangeInclusive;

use dmar::{Bridges, Dmar, Function};
use ioasid_config::Config;
use pci::{Address, ConfigSpace, buses_behind, functions};
use vtd::{Registers, SourceId, TableMemory, Unit};

use crate::start::StartError;

/// The bridges of a bus hierarchy that firmware has numbered.
struct Topology<'a, C>(&'a C);

impl<C: ConfigSpace> Bridges for Topology<'_, C> {
    fn buses(&self, bridge: Function) -> Option<RangeInclusive<u8>> {
        buses_behind(self.0, Address::new(bridge.bus, bridge.device, bridge.function))
    }
}

fn function(address: Address) -> Function {
    Function { bus: address.bus(), device: address.device(), function: address.function() }
}

/// The DMAR table, held against the configuration: the unit is there, the granted devices are behind it, and none of
/// them is one that firmware has memory reserved for. `None` where firmware's tables are not to be read.
pub fn read<'m, C: ConfigSpace>(
    config: &Config,
    memory: &'m [u8],
    pci: &C,
) -> Result<Option<Dmar<'m>>, StartError> {
    let base = config.unit.registers.paddr;
    if memory.is_empty() {
        if config.unit.is_there() {
            log::info!("no DMAR table is read: the unit is believed to be at {base:#x}");
        }
        return Ok(None);
    }
    let dmar = Dmar::find(memory).ok_or(StartError::NoDmar)??;
    for unit in dmar.units() {
        let rest = if unit.include_all { ", all that no other has" } else { "" };
        log::info!("DMAR: a unit at {:#x}{rest}", unit.base);
    }
    if !dmar.units().any(|unit| unit.base == base) {
        return Err(StartError::NoSuchUnit(base));
    }
    for device in config.devices() {
        let address = Address::from_requester_id(device.source);
        let bridges = Topology(pci);
        if dmar.unit_of(function(address), &bridges).is_none_or(|unit| unit.base != base) {
            return Err(StartError::OtherUnit(address));
        }
        if dmar.reserved_for(function(address), &bridges).next().is_some() {
            return Err(StartError::Reserved(address));
        }
    }
    Ok(Some(dmar))
}

/// Whether firmware has memory reserved for a function: it goes on as firmware left it.
pub fn is_reserved<C: ConfigSpace>(dmar: Option<&Dmar<'_>>, pci: &C, address: Address) -> bool {
    dmar.is_some_and(|dmar| dmar.reserved_for(function(address), &Topology(pci)).next().is_some())
}

/// Lets each function reach the memory that is reserved for it, and no other. Before translation is switched on.
pub fn allow_reserved<C: ConfigSpace, R: Registers, M: TableMemory>(
    dmar: &Dmar<'_>,
    pci: &C,
    unit: &mut Unit<R, M>,
) -> Result<(), StartError> {
    for address in functions(pci) {
        for region in dmar.reserved_for(function(address), &Topology(pci)) {
            let (base, last) = (region.base, region.base + (region.bytes - 1));
            log::info!("DMAR: {address} keeps {base:#x} to {last:#x}, which firmware reserved for it");
            unit.allow_reserved(SourceId::from(address.requester_id()), base, region.bytes)?;
        }
    }
    Ok(())
}
