// SPDX-License-Identifier: BSD-2-Clause
//! What may stand in an `ioasid.toml`.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::spelling::nearest;
use crate::{Problem, Problems};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The protection domain that owns the unit.
    pub pd: Spanned<String>,
    /// The region that holds what the file is compiled to.
    pub config: Spanned<String>,
    /// The region where the server writes what it does, for `cargo xtask trace` and `monitor`.
    pub trace: Option<Spanned<String>>,
    /// The unit.
    pub unit: Unit,
    /// Devices that can be granted.
    #[serde(default, rename = "device")]
    pub devices: Vec<Device>,
    /// Who gets what.
    #[serde(default, rename = "client")]
    pub clients: Vec<Client>,
}

/// `[unit]`: the remapping unit and the server's own memory, by region name. Without `registers` there is no unit: then
/// ids alone are served, and `tables`, `ecam` and `fault_irq` are left out too.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The unit's registers.
    pub registers: Option<Spanned<String>>,
    /// Memory for its tables.
    pub tables: Option<Spanned<String>>,
    /// Memory for the registry.
    pub registry: Spanned<String>,
    /// PCI configuration space.
    pub ecam: Option<Spanned<String>>,
    /// The id of the server's `<irq>` that fault messages arrive on.
    pub fault_irq: Option<Spanned<u64>>,
    /// Memory with firmware's tables.
    pub firmware: Option<Spanned<String>>,
    /// PASID width declared instead of ECAP.PSS.
    pub pasid_bits: Option<Spanned<u32>>,
}

/// A unit and what comes with it: all of it or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Hardware<'a> {
    /// [`Unit::registers`].
    pub registers: &'a Spanned<String>,
    /// [`Unit::tables`].
    pub tables: &'a Spanned<String>,
    /// [`Unit::ecam`].
    pub ecam: &'a Spanned<String>,
    /// [`Unit::fault_irq`].
    pub fault_irq: &'a Spanned<u64>,
}

impl Unit {
    /// What the unit is made of, where there is one.
    #[must_use]
    pub fn hardware(&self) -> Option<Hardware<'_>> {
        Some(Hardware {
            registers: self.registers.as_ref()?,
            tables: self.tables.as_ref()?,
            ecam: self.ecam.as_ref()?,
            fault_irq: self.fault_irq.as_ref()?,
        })
    }

    /// Where the first of its parts is stated, when others are missing.
    fn incomplete(&self) -> Option<Range<usize>> {
        let names = [&self.registers, &self.tables, &self.ecam].map(|name| name.as_ref().map(Spanned::span));
        let stated = names.into_iter().chain([self.fault_irq.as_ref().map(Spanned::span)]).flatten().next();
        stated.filter(|_| self.hardware().is_none())
    }
}

/// `[[device]]`: a PCI function that can be granted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its name in this file.
    pub name: Spanned<String>,
    /// `bus:device.function`, hexadecimal.
    pub address: Spanned<String>,
    /// Where its BARs are placed, by number of the BAR.
    #[serde(default)]
    pub bars: BTreeMap<Spanned<String>, BarRegion>,
}

/// The region that a BAR is placed at.
pub type BarRegion = Spanned<String>;

/// `[[client]]`: a protection domain that may call the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name in `system.xml`.
    pub pd: Spanned<String>,
    /// Ids that are always there for it.
    pub reservation: Option<Spanned<u32>>,
    /// The most ids that it may have.
    pub limit: Option<Spanned<u32>>,
    /// Its devices; their places in this list are the client's device indices.
    #[serde(default)]
    pub devices: Vec<Spanned<String>>,
    /// Memory for its devices; the places in this list are the client's region indices.
    #[serde(default)]
    pub memory: Vec<Grant>,
    /// The region of its event ring.
    pub events: Option<Spanned<String>>,
    /// The region of its find page.
    pub find: Option<Spanned<String>>,
    /// The region of its batch page.
    pub batch: Option<Spanned<String>>,
    /// The most frames of 4 KiB that its page tables may take; an equal share where nothing is said.
    pub table_frames: Option<Spanned<u32>>,
    /// The most address spaces that it may have; an equal share where nothing is said.
    pub spaces: Option<Spanned<u32>>,
    /// Whether it may see and change every set.
    #[serde(default)]
    pub admin: bool,
    /// Whether it may stand behind a custom allocator.
    #[serde(default)]
    pub provider: bool,
}

/// Memory that a client's devices may be given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The region.
    pub region: Spanned<String>,
    /// What may be mapped at the most.
    pub access: Rights,
}

/// What devices may do with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Rights {
    /// Read it.
    #[serde(rename = "r")]
    Read,
    /// Write it.
    #[serde(rename = "w")]
    Write,
    /// Both.
    #[serde(rename = "rw")]
    ReadWrite,
}

impl Rights {
    /// Bit 0 read, bit 1 write.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::ReadWrite => 3,
        }
    }
}

impl Schema {
    /// Reads the file's text; nothing is compared with `system.xml` yet.
    ///
    /// # Errors
    /// What is not TOML, and keys and values that do not belong.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let schema: Self = toml::from_str(text).map_err(|error| {
            let problem = Problem {
                span: error.span().unwrap_or(0..0),
                message: error.message().to_owned(),
                help: remedy(error.message()),
            };
            Problems::new(name, text, vec![problem])
        })?;
        let Some(span) = schema.unit.incomplete() else { return Ok(schema) };
        let problem = Problem {
            span,
            message: "[unit] has only some of registers, tables, ecam and fault_irq".to_owned(),
            help: "state all four, or none of them for a service of ids without a unit".to_owned(),
        };
        Err(Problems::new(name, text, vec![problem]))
    }
}

/// What to do about what the parser says: where it does not know a name, and names those that it knows, the one that
/// was probably meant.
fn remedy(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| message.starts_with("unknown"));
    match unknown.and_then(|unknown| nearest(unknown, quoted)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "docs/integration.md lists the keys and what they take".to_owned(),
    }
}
