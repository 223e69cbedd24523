// SPDX-License-Identifier: BSD-2-Clause
//! Who gets what, as the build hands it to the ioasid PD: `ioasid.toml` and `system.xml` compiled to one value.
//!
//! The value has a fixed size, so that reading it is a check of four words and nothing else. It lies at the
//! start of the memory region `ioasid_config`, which only the ioasid PD maps, read-only. Everything the server
//! is sized by stands here too.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Clients, each with a set of its own. Microkit's channels end at 62 for each PD.
pub const MAX_CLIENTS: usize = 32;
/// Address spaces, of all clients together. A power of two.
pub const MAX_SPACES: usize = 1024;
/// Devices that are granted.
pub const MAX_DEVICES: usize = 256;
/// Memory regions that are granted.
pub const MAX_REGIONS: usize = 128;
/// BARs that are placed for one device (PCI 7.5.1.2.1).
pub const MAX_BARS: usize = 6;

/// "ioasid" and two zero bytes.
const MAGIC: u64 = u64::from_le_bytes(*b"ioasid\0\0");
/// Grows with every change of the layout.
const VERSION: u32 = 2;

/// A name, for people who read the log. At most 24 bytes of UTF-8, the rest zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Name([u8; 24]);

impl Name {
    /// The name, cut to the last whole character that fits.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut bytes = [0; 24];
        let len =
            (0..=name.len().min(bytes.len())).rev().find(|&len| name.is_char_boundary(len)).unwrap_or(0);
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        Self(bytes)
    }

    /// The name; what is not UTF-8 reads as "?".
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(self.0.len());
        core::str::from_utf8(&self.0[..end]).unwrap_or("?")
    }
}

/// Memory that the ioasid PD maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Window {
    /// Where the PD sees it; 0: there is no such window.
    pub vaddr: u64,
    /// Where it is in physical memory; 0 where the PD need not know.
    pub paddr: u64,
    /// Its length in bytes.
    pub size: u64,
}

/// The remapping unit and what the server works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Unit {
    /// The unit's registers.
    pub registers: Window,
    /// Memory for its tables.
    pub tables: Window,
    /// The registry's memory.
    pub registry: Window,
    /// PCI configuration space (ECAM) from bus 0 on.
    pub ecam: Window,
    /// Where the server writes what it does, for tools outside the machine.
    pub trace: Window,
    /// Memory that firmware filled with its tables, the DMAR table among them; size 0: it is not to be read.
    pub firmware: Window,
    /// The channel id on which the unit's fault interrupt arrives.
    pub fault_channel: u32,
    /// The interrupt vector, as in `system.xml`.
    pub fault_vector: u32,
    /// PASID width that is declared instead of ECAP.PSS, in bits; 0: believe the unit.
    pub pasid_bits: u32,
    /// Unused.
    pub reserved: u32,
}

impl Unit {
    /// Whether there is a unit. Without one, only the registry's memory and the trace are stated here.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.registers.size != 0
    }
}

/// A device that is granted to one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Device {
    /// Its name.
    pub name: Name,
    /// Physical address for each BAR; 0: left as it is.
    pub bars: [u64; MAX_BARS],
    /// Requester id: bus 15:8, device 7:3, function 2:0.
    pub source: u16,
    /// The client, by its place in [`Config::clients`].
    pub client: u16,
    /// The device's interrupt vector, by MSI, as in `system.xml`, plus 1; 0: none.
    pub msi_vector_plus_one: u32,
}

/// Memory that is granted to one client's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Region {
    /// Its name.
    pub name: Name,
    /// Physical address.
    pub paddr: u64,
    /// Length in bytes.
    pub size: u64,
    /// The client, by its place in [`Config::clients`].
    pub client: u32,
    /// What may be mapped: bit 0 read, bit 1 write.
    pub access: u32,
}

impl Client {
    /// May look at and change every set.
    pub const ADMIN: u32 = 1 << 0;
    /// May answer for a custom allocator.
    pub const PROVIDER: u32 = 1 << 1;

    /// Whether it has a right.
    #[must_use]
    pub fn may(&self, right: u32) -> bool {
        self.rights & right != 0
    }
}

/// One client: a channel and the set behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Client {
    /// The name of its PD.
    pub name: Name,
    /// The event ring, which the client maps read-only.
    pub events: Window,
    /// The find page, which the client maps read-only.
    pub find: Window,
    /// The batch page, which the client may write.
    pub batch: Window,
    /// The server's id of the channel.
    pub channel: u32,
    /// Ids guaranteed to the set.
    pub reservation: u32,
    /// The most ids that the set may have.
    pub limit: u32,
    /// Bit 0: may use the operations with right "Admin"; bit 1: those with right "Provider".
    pub rights: u32,
    /// The most frames of 4 KiB that its page tables and PASID tables may take.
    pub table_frames: u32,
    /// The most address spaces that it may have.
    pub spaces: u32,
}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Config {
    magic: u64,
    version: u32,
    checksum: u32,
    /// The unit and what the server works with.
    pub unit: Unit,
    client_count: u32,
    device_count: u32,
    region_count: u32,
    reserved: u32,
    client_table: [Client; MAX_CLIENTS],
    device_table: [Device; MAX_DEVICES],
    region_table: [Region; MAX_REGIONS],
}

/// Why a configuration is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The memory is shorter than a configuration, or not aligned.
    Size,
    /// It begins with something else.
    Magic,
    /// It is of another version of the layout.
    Version(u32),
    /// It was changed after it was made.
    Checksum,
    /// A count is beyond its table.
    Count,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Size => {
                write!(f, "the region is smaller than a configuration ({} bytes)", size_of::<Config>())
            }
            Self::Magic => write!(f, "no configuration is there: give the region its prefill_path"),
            Self::Version(found) => {
                write!(f, "version {found}, this server reads {VERSION}: build both anew")
            }
            Self::Checksum => write!(f, "the checksum does not match"),
            Self::Count => write!(f, "a count is beyond its table"),
        }
    }
}

impl core::error::Error for ConfigError {}

/// FNV-1a over everything behind the checksum: against accidents, not against attackers (nobody else maps it).
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Config {
    /// A configuration with nobody in it.
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        Self { magic: MAGIC, version: VERSION, unit, ..Self::new_zeroed() }
    }

    /// The configuration at the start of `memory`.
    ///
    /// # Errors
    /// [`ConfigError`], where there is none or it is not whole.
    pub fn read(memory: &[u8]) -> Result<&Self, ConfigError> {
        let (config, _) = Self::ref_from_prefix(memory).map_err(|_| ConfigError::Size)?;
        if config.magic != MAGIC {
            return Err(ConfigError::Magic);
        }
        if config.version != VERSION {
            return Err(ConfigError::Version(config.version));
        }
        if config.checksum != checksum(&config.as_bytes()[16..]) {
            return Err(ConfigError::Checksum);
        }
        let fits = |count: u32, max: usize| usize::try_from(count).is_ok_and(|count| count <= max);
        let whole = fits(config.client_count, MAX_CLIENTS)
            && fits(config.device_count, MAX_DEVICES)
            && fits(config.region_count, MAX_REGIONS);
        if whole { Ok(config) } else { Err(ConfigError::Count) }
    }

    /// The configuration as it goes into the image.
    #[must_use]
    pub fn to_bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    /// The clients, to be changed before the configuration is sealed.
    pub fn clients_mut(&mut self) -> &mut [Client] {
        let count = usize::try_from(self.client_count).unwrap_or(0);
        self.client_table.get_mut(..count).unwrap_or(&mut [])
    }

    /// Writes the checksum. Comes last.
    #[must_use]
    pub fn seal(mut self) -> Self {
        self.checksum = checksum(&self.as_bytes()[16..]);
        self
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $all:ident, $push:ident: $type:ty = $table:ident, $count:ident;)*) => {
        impl Config {$(
            $(#[$doc])*
            #[must_use]
            pub fn $all(&self) -> &[$type] {
                let count = usize::try_from(self.$count).unwrap_or(0);
                self.$table.get(..count).unwrap_or(&[])
            }

            /// Appends one, and gives its place; `None` where the table is full.
            pub fn $push(&mut self, value: $type) -> Option<u16> {
                let place = u16::try_from(self.$count).ok()?;
                *self.$table.get_mut(usize::from(place))? = value;
                self.$count += 1;
                Some(place)
            }
        )*}
    };
}

tables! {
    /// The clients, in the order of `ioasid.toml`; a set's number is its client's place here.
    clients, push_client: Client = client_table, client_count;
    /// The devices; a client's device index counts its own ones in this order.
    devices, push_device: Device = device_table, device_count;
    /// The memory regions; a client's region index counts its own ones in this order.
    regions, push_region: Region = region_table, region_count;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let mut config = Config::new(FromZeros::new_zeroed());
        let client = Client { name: Name::new("guest"), limit: 3, ..FromZeros::new_zeroed() };
        assert_eq!(config.push_client(client), Some(0));
        config.seal()
    }

    /// Aligned as the page is that the PD maps.
    #[repr(C, align(4096))]
    #[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
    struct Page([u8; (size_of::<Config>() / 4096 + 1) * 4096]);

    fn page(config: &Config) -> Box<Page> {
        let mut page = Box::new(Page::new_zeroed());
        page.0[..size_of::<Config>()].copy_from_slice(config.to_bytes());
        page
    }

    #[test]
    fn what_was_written_is_read() {
        let page = page(&config());
        let read = Config::read(&page.0).unwrap();
        assert_eq!(read, &config());
        assert_eq!(read.clients()[0].name.as_str(), "guest");
    }

    #[test]
    fn damage_is_found() {
        let good = page(&config());
        assert_eq!(Config::read(&good.0[..100]).unwrap_err(), ConfigError::Size);
        let damaged = |at: usize| {
            let mut bad = page(&config());
            bad.0[at] ^= 1;
            Config::read(&bad.0).unwrap_err()
        };
        assert_eq!(damaged(0), ConfigError::Magic);
        assert_eq!(damaged(8), ConfigError::Version(VERSION ^ 1));
        assert_eq!(damaged(300), ConfigError::Checksum);
    }

    #[test]
    fn a_full_table_takes_no_more() {
        let mut config = config();
        while config.push_client(FromZeros::new_zeroed()).is_some() {}
        assert_eq!(config.clients().len(), MAX_CLIENTS);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(Name::new("äääääääääääääääää").as_str(), "ä".repeat(12));
        assert_eq!(Name::new("").as_str(), "");
    }
}
