// SPDX-License-Identifier: BSD-2-Clause
//! The whole service on the host: [`ioasid_server`] on a VT-d unit and a PCI bus in software, and clients that talk to
//! it by [`ioasid_client`], as protection domains do.
//!
//! ```
//! use service_rig::{Client, Grant, Machine};
//!
//! let mut machine = Machine::new(&[Grant::new("driver").device(0x18), Grant::new("other")]);
//! let service = machine.start();
//! let driver = Client::connect(service.peer("driver"))?;
//! let id = driver.alloc(1..=100, 7)?;
//! driver.bind(id, 0)?;
//! assert!(!service.device(0x18).read_to(None, 0x1000, 0, 1), "nothing is mapped yet");
//! # Ok::<(), ioasid_client::Error>(())
//! ```
#![forbid(unsafe_code)]

mod bus;
mod grant;
mod machine;
mod service;

pub use bus::Bus;
pub use grant::{Grant, REGION_BYTES};
pub use machine::{Machine, UNIT};
pub use service::{Line, Service};

/// A client's connection to a [`Service`].
pub type Client<'s, 'm> = ioasid_client::Client<Line<'s, 'm>>;
