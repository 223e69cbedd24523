// SPDX-License-Identifier: BSD-2-Clause
//! What is wrong with a system: one rule for each way in which isolation can be lost.

mod clients;
mod grants;
mod machine;
mod server;

use std::ops::Range;

use sdf::{Place, System};

use crate::policy::Policy;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule is broken.
    pub rule: Rule,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// File that it is in.
    pub file: String,
    /// Line in the file, from one.
    pub line: u32,
    /// Column in the line, from one.
    pub column: u32,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Isolation is lost, or a promise cannot be kept.
    Error,
    /// It works, but not as someone might expect.
    Warning,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, $severity:ident;)*) => {
        /// The rules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {$(
            $(#[$doc])*
            $rule,
        )*}

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self {$(Self::$rule => $name,)*}
            }

            /// How bad it is to break it.
            pub fn severity(self) -> Severity {
                match self {$(Self::$rule => Severity::$severity,)*}
            }
        }
    };
}

rules! {
    /// `ioasid.toml` names something that `system.xml` does not have.
    UnknownName = "unknown-name", Error;
    /// What must be the server's alone is mapped by another.
    ServerMemory = "server-memory", Error;
    /// Somebody else has power over the server.
    ServerControlled = "server-controlled", Warning;
    /// The server's parent cannot let it begin anew: it is passive.
    ServerRestart = "server-restart", Warning;
    /// PCI configuration space is reached on a side way: by another region, or by its I/O ports.
    ConfigurationSpace = "configuration-space", Error;
    /// The addresses that interrupts are sent to are reached.
    InterruptAddresses = "interrupt-addresses", Error;
    /// The kernel drives the unit too.
    KernelIommu = "kernel-iommu", Error;
    /// A device or a region is granted to two clients.
    GrantedTwice = "granted-twice", Error;
    /// A region is granted that devices must never reach.
    GrantedServerMemory = "granted-server-memory", Error;
    /// A region is granted whose physical address is not known.
    GrantedWithoutAddress = "granted-without-address", Error;
    /// Granted memory is mapped by somebody else than its client.
    GrantShared = "grant-shared", Warning;
    /// Granted memory holds registers of a device.
    GrantOfRegisters = "grant-of-registers", Warning;
    /// A device's registers are mapped by somebody else than its client.
    DeviceRegisters = "device-registers", Error;
    /// A device's interrupt goes to somebody else than its client.
    DeviceInterrupt = "device-interrupt", Warning;
    /// A device is declared and granted to nobody.
    DeviceWithoutOwner = "device-without-owner", Warning;
    /// A device sends interrupts and nothing says what its DMA may reach.
    DeviceNotDeclared = "device-not-declared", Warning;
    /// A client cannot call the server, or in more ways than one.
    ClientChannel = "client-channel", Error;
    /// A domain may call the server and is no client.
    CallerWithoutSet = "caller-without-set", Warning;
    /// A client's priority is not below the server's.
    ClientPriority = "client-priority", Error;
    /// A quota contradicts itself, or cannot be kept.
    Quota = "quota", Error;
    /// The limits together are more ids than there are, so that numbers tell what others hold.
    CommonNumbers = "common-numbers", Warning;
    /// A page that the server and one client share is reached by somebody whom it must not be reached by.
    ClientPage = "client-page", Error;
}

/// Every finding, worst first, then in the order of the rules and of the files.
pub(crate) fn all(system: &System, policy: Option<&Policy<'_>>) -> Vec<Finding> {
    let mut auditor = Auditor { system, policy, findings: Vec::new() };
    auditor.machine();
    if let Some(policy) = policy {
        auditor.server(policy);
        auditor.clients(policy);
        auditor.grants(policy);
    }
    auditor.findings.sort_by(|a, b| {
        let order = |a: &Finding, b: &Finding| (a.rule.severity(), a.rule).cmp(&(b.rule.severity(), b.rule));
        order(a, b).then_with(|| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)))
    });
    auditor.findings
}

/// A system that is being looked at.
struct Auditor<'a> {
    system: &'a System,
    policy: Option<&'a Policy<'a>>,
    findings: Vec<Finding>,
}

impl Auditor<'_> {
    /// Adds a finding at a place in `system.xml`.
    fn in_system(&mut self, rule: Rule, place: Place, message: String, help: impl Into<String>) {
        let file = self.system.source.name().to_owned();
        let Place { line, column, .. } = place;
        self.findings.push(Finding { rule, message, help: help.into(), file, line, column });
    }

    /// Adds a finding at a span of `ioasid.toml`.
    fn in_policy(&mut self, rule: Rule, span: Range<usize>, message: String, help: impl Into<String>) {
        let Some(policy) = self.policy else { return };
        let (line, column) = policy.position(&span);
        let file = policy.file_name.to_owned();
        self.findings.push(Finding { rule, message, help: help.into(), file, line, column });
    }
}
