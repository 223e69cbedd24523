// SPDX-License-Identifier: BSD-2-Clause
//! The Microkit SDK leg: the very same protection domains and system.xml as on the embedded default, built against
//! rust-sel4's `sel4-microkit` and composed by the SDK's own `microkit` tool.
//!
//! ```no_run
//! use microkit_sdk::{BOARD, BuildRequest, Configuration, Program, Sdk};
//!
//! let sdk = Sdk::open("microkit-sdk-2.3.0".as_ref())?;
//! let image = sdk.build(&BuildRequest {
//!     workspace: ".".into(),
//!     outside: None,
//!     system: "system.xml".into(),
//!     programs: vec![Program { package: "console".into(), binary: "console".into(), image: "console.elf".into() }],
//!     search_paths: vec![],
//!     board: BOARD,
//!     configuration: Configuration::Debug,
//!     quiet: false,
//!     output: "target/ioasid/reference/sdk".into(),
//! })?;
//! println!("{:?}", image.qemu_args(0));
//! # Ok::<(), microkit_sdk::Error>(())
//! ```
//!
//! Which platform a domain is built for is a matter of the crates that Cargo patches in, and of nothing else: the
//! workspace's manifest names the embedded ones, the file `<version>.toml` beside this crate names rust-sel4's. A
//! domain has no `cfg` for it.
//!
//! Whatever is wrong with the SDK or with the machine ends in one [`Error`], which says what was found where, and as
//! its help what to do about it.
#![forbid(unsafe_code)]

mod compile;
mod compose;
mod configuration;
mod environment;
mod error;
mod libclang;
mod lock;
mod release;
mod sdk;

pub use compile::{PD_TARGET, Program};
pub use compose::Image;
pub use configuration::Configuration;
pub use environment::Environment;
pub use error::Error;
pub use lock::prepare as prepare_lock;
pub use release::Release;
pub use sdk::{BOARD, BOARD_VTX, BuildRequest, Outside, Sdk};

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
