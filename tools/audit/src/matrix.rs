// SPDX-License-Identifier: BSD-2-Clause
//! Who reaches which memory, and who controls whom.
//!
//! What a device may reach is the most that it ever can: all memory granted to a client of whose devices it is one.
//! What nobody granted it cannot reach at all, because the unit denies by default.

use std::fmt;

use sdf::{CapKind, Perms, System};

use crate::policy::{self, Policy};

/// Who reaches what.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// Whoever acts: protection domains, virtual machines, devices.
    pub subjects: Vec<Subject>,
    /// Memory regions by name, in the order of the text.
    pub regions: Vec<String>,
    /// Everything that is reached.
    pub reaches: Vec<Reach>,
    /// Ranges of I/O ports, each with the protection domain that has it.
    pub ports: Vec<Ports>,
    /// Everyone that is controlled.
    pub controls: Vec<Control>,
}

/// Somebody who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SubjectKind,
}

/// Kinds of subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// A protection domain, by CPU.
    ProtectionDomain,
    /// A virtual machine, by CPU.
    VirtualMachine,
    /// A device, by DMA.
    Device,
}

/// A subject reaches a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Index into [`Matrix::subjects`].
    pub subject: usize,
    /// Index into [`Matrix::regions`].
    pub region: usize,
    /// What it may do there.
    pub access: Perms,
}

/// A protection domain reaches I/O ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Who.
    pub subject: String,
    /// The first port.
    pub first: u64,
    /// The last port.
    pub last: u64,
}

/// A subject controls another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Who controls.
    pub by: String,
    /// How, a sentence without a full stop.
    pub how: String,
}

impl Matrix {
    /// The matrix of `system`.
    pub(crate) fn of(system: &System, policy: Option<&Policy<'_>>) -> Self {
        let mut matrix = Self {
            regions: system.memory_regions.iter().map(|region| region.name.value.clone()).collect(),
            ..Self::default()
        };
        for pd in &system.protection_domains {
            let subject = matrix.subject(&pd.name, SubjectKind::ProtectionDomain);
            matrix.maps(subject, &pd.maps);
            for port in &pd.ioports {
                let last = port.addr.saturating_add(port.size.saturating_sub(1));
                matrix.ports.push(Ports { subject: pd.name.value.clone(), first: *port.addr, last });
            }
            if let Some(machine) = &pd.virtual_machine {
                let guest = matrix.subject(&machine.name, SubjectKind::VirtualMachine);
                matrix.maps(guest, &machine.maps);
                matrix.control(&pd.name, format!("runs the virtual machine {}", machine.name));
            }
        }
        for space in &system.io_address_spaces {
            let device = matrix.subject(&format!("PCI {}", space.device), SubjectKind::Device);
            matrix.maps(device, &space.maps);
        }
        if let Some(policy) = policy {
            matrix.grants(system, policy);
        }
        matrix.control_between(system);
        matrix
    }

    /// What the subject called `subject` may do with the region called `region`; nothing when it cannot reach it.
    pub fn reach(&self, region: &str, subject: &str) -> Option<&Reach> {
        self.reaches.iter().find(|reach| {
            self.regions[reach.region] == region && self.subjects[reach.subject].name == subject
        })
    }

    fn subject(&mut self, name: &str, kind: SubjectKind) -> usize {
        self.subjects.push(Subject { name: name.to_owned(), kind });
        self.subjects.len() - 1
    }

    fn control(&mut self, by: &str, how: String) {
        self.controls.push(Control { by: by.to_owned(), how });
    }

    /// Adds what `subject` may do with `region` to what it may do already.
    fn add(&mut self, subject: usize, region: usize, access: Perms) {
        let known = self.reaches.iter_mut().find(|reach| (reach.subject, reach.region) == (subject, region));
        match known {
            Some(Reach { access: known, .. }) => {
                known.read |= access.read;
                known.write |= access.write;
                known.execute |= access.execute;
            }
            None => self.reaches.push(Reach { subject, region, access }),
        }
    }

    fn maps(&mut self, subject: usize, maps: &[sdf::Map]) {
        for map in maps {
            self.add(subject, *map.region, *map.perms);
        }
    }

    /// What devices reach: the memory of every client that has them.
    fn grants(&mut self, system: &System, policy: &Policy<'_>) {
        for device in &policy.schema.devices {
            let subject = self.subject(device.name.as_ref(), SubjectKind::Device);
            for grant in policy.owners(device).flat_map(|client| &client.memory) {
                if let Some((region, _)) = policy::region(system, &grant.region) {
                    let bits = grant.access.bits();
                    self.add(
                        subject,
                        region,
                        Perms { read: bits & 1 != 0, write: bits & 2 != 0, execute: false },
                    );
                }
            }
        }
        for client in &policy.schema.clients {
            if client.admin {
                self.control(client.pd.as_ref(), "administers all sets".to_owned());
            }
            if client.provider {
                self.control(
                    client.pd.as_ref(),
                    "may choose everybody's ids, as a custom allocator".to_owned(),
                );
            }
        }
    }

    fn control_between(&mut self, system: &System) {
        for pd in &system.protection_domains {
            if let Some(parent) = &pd.parent {
                let parent = &system.protection_domains[parent.pd].name;
                self.control(
                    parent,
                    format!("is the parent of {}: receives its faults, stops and restarts it", pd.name),
                );
            }
            for cap in &pd.cap_maps {
                let owner = &system.protection_domains[*cap.pd].name;
                let object = match cap.kind {
                    CapKind::Tcb => "thread",
                    CapKind::Sc => "scheduling context",
                    CapKind::VSpace => "address space",
                };
                self.control(&pd.name, format!("holds a capability to the {object} of {owner}"));
            }
        }
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProtectionDomain => "protection domain",
            Self::VirtualMachine => "virtual machine",
            Self::Device => "device",
        })
    }
}
