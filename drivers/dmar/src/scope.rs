// SPDX-License-Identifier: BSD-2-Clause
//! Device scopes: which functions a structure speaks of (VT-d 8.3.1).
use core::ops::RangeInclusive;

use crate::layout::{DeviceScope, Step, take};
use crate::table::Error;

/// A function: bus, device and function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// The bus.
    pub bus: u8,
    /// The device on it, below 32.
    pub device: u8,
    /// The function of it, below 8.
    pub function: u8,
}

/// What is known of bridges: paths and sub-hierarchies lead through them.
pub trait Bridges {
    /// The buses behind a bridge, its secondary to its subordinate one; `None` where there is no bridge.
    fn buses(&self, bridge: Function) -> Option<RangeInclusive<u8>>;
}

/// No bridges: everything is on the start bus.
impl Bridges for () {
    fn buses(&self, _: Function) -> Option<RangeInclusive<u8>> {
        None
    }
}

/// What a scope names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// One function.
    Endpoint,
    /// A bridge, and everything behind it.
    Bridge,
    /// An I/O APIC, by its id.
    IoApic(u8),
    /// A timer that signals by messages, by its number.
    Hpet(u8),
    /// A device that only ACPI knows, by its number.
    Namespace(u8),
    /// A kind of a later specification.
    Other(u8),
}

/// One scope.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// What it names.
    pub kind: ScopeKind,
    /// Where its path starts.
    pub start_bus: u8,
    path: &'a [u8],
}

impl Scope<'_> {
    /// The steps of the path: device and function on the bus that the step before leads to.
    pub fn path(&self) -> impl Iterator<Item = (u8, u8)> {
        self.path.as_chunks().0.iter().map(|&[device, function]| (device, function))
    }

    /// The function at the end of the path; `None` where a bridge on the way is not known.
    #[must_use]
    pub fn function(&self, bridges: &impl Bridges) -> Option<Function> {
        let mut steps = self.path();
        let (device, function) = steps.next()?;
        let mut at = Function { bus: self.start_bus, device, function };
        for (device, function) in steps {
            at = Function { bus: *bridges.buses(at)?.start(), device, function };
        }
        Some(at)
    }

    /// Whether the scope names this function, or a bridge that it is behind.
    #[must_use]
    pub fn covers(&self, function: Function, bridges: &impl Bridges) -> bool {
        let Some(end) = self.function(bridges) else { return false };
        let behind = || bridges.buses(end).is_some_and(|buses| buses.contains(&function.bus));
        match self.kind {
            ScopeKind::Endpoint => end == function,
            ScopeKind::Bridge => end == function || behind(),
            // What these send are interrupts, under the id at the end of the path.
            ScopeKind::IoApic(_) | ScopeKind::Hpet(_) | ScopeKind::Namespace(_) => end == function,
            ScopeKind::Other(_) => false,
        }
    }
}

/// The scopes of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Scopes<'a>(&'a [u8]);

impl<'a> Scopes<'a> {
    /// Checks the scopes that fill `bytes`.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (scope, after) = Self::split(rest).ok_or(Error::BadScope)?;
            if scope.path().any(|(device, function)| device >= 32 || function >= 8) {
                return Err(Error::BadScope);
            }
            rest = after;
        }
        Ok(Self(bytes))
    }

    /// The first scope, and what follows it.
    fn split(bytes: &'a [u8]) -> Option<(Scope<'a>, &'a [u8])> {
        let (header, _) = take::<DeviceScope>(bytes)?;
        let (scope, rest) = bytes.split_at_checked(header.length.into())?;
        let path = scope.get(size_of::<DeviceScope>()..)?;
        // A path has at least one step, and no half ones.
        if path.is_empty() || !path.len().is_multiple_of(size_of::<Step>()) {
            return None;
        }
        let kind = match header.kind {
            1 => ScopeKind::Endpoint,
            2 => ScopeKind::Bridge,
            3 => ScopeKind::IoApic(header.enumeration),
            4 => ScopeKind::Hpet(header.enumeration),
            5 => ScopeKind::Namespace(header.enumeration),
            other => ScopeKind::Other(other),
        };
        Some((Scope { kind, start_bus: header.start_bus, path }, rest))
    }
}

impl<'a> Iterator for Scopes<'a> {
    type Item = Scope<'a>;

    fn next(&mut self) -> Option<Scope<'a>> {
        let (scope, rest) = Self::split(self.0)?;
        self.0 = rest;
        Some(scope)
    }
}
