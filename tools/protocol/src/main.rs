// SPDX-License-Identifier: BSD-2-Clause
//! `protocol-export`: renews the C headers and the reference of the protocol.
#![forbid(unsafe_code)]

use anyhow::{Result, bail};
use protocol_export::DOCUMENTS;

fn main() -> Result<()> {
    if let Some(argument) = std::env::args().nth(1) {
        bail!("takes no arguments, and got {argument}: it renews what follows from the protocol's tables");
    }
    for document in DOCUMENTS {
        if !document.is_fresh()? {
            document.renew()?;
            println!("renewed {}", document.path);
        }
    }
    Ok(())
}
