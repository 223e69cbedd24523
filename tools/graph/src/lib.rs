// SPDX-License-Identifier: BSD-2-Clause
//! Draws a system description, and the `ioasid.toml` that belongs to it, as SVG or Mermaid.
//!
//! Whoever acts in a system – protection domains, virtual machines, devices – has a column; whatever joins them –
//! nesting, channels, interrupts, memory – has a row from the one to the other. So two labels never meet, however
//! many there are, the picture of a system changes little when the system changes little, and it needs no more
//! than a few sums to lay out. Memory that only one of them reaches is written in its card.
//!
//! ```
//! let text = r#"<system>
//!     <protection_domain name="hello" priority="10">
//!         <program_image path="hello.elf" />
//!     </protection_domain>
//! </system>"#;
//! let system = sdf::System::parse("system.xml", text)?;
//! let picture = system_graph::Picture::of(&system, None);
//! assert!(picture.to_svg().contains(">hello</text>"));
//! assert!(picture.to_mermaid().starts_with("flowchart"));
//! # Ok::<(), sdf::Errors>(())
//! ```
#![forbid(unsafe_code)]

mod drawing;
mod layout;
mod mermaid;
mod order;
mod picture;
mod policy;
mod svg;
mod text;

pub use picture::{Actor, ActorKind, By, End, Link, LinkKind, Picture};
