// SPDX-License-Identifier: BSD-2-Clause
//! Writes the ioasid protocol down for C and for people, from the tables of [`ioasid_api`].
//!
//! What is written is kept in the tree, where those find it who have no Rust. `cargo run -p protocol-export` renews
//! it; a test fails while it is not what the tables give.
#![forbid(unsafe_code)]

mod c;
mod markdown;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file that follows from the tables.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Where it is, from the workspace's root.
    pub path: &'static str,
    /// Its text, of the one that is there.
    render: fn(&str) -> Result<String>,
}

/// Every file that follows from the tables.
pub const DOCUMENTS: &[Document] = &[
    Document { path: "pds/ioasid/include/ioasid/ioasid.h", render: |_| Ok(c::protocol()) },
    Document { path: "pds/ioasid/include/ioasid/client.h", render: |_| Ok(c::client()) },
    Document { path: "docs/protocol.md", render: markdown::renew },
];

impl Document {
    fn file(&self) -> PathBuf {
        root().join(self.path)
    }

    /// The text that is there; none where there is no file yet.
    fn present(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap_or_default()
    }

    /// Whether the file says what the tables say.
    ///
    /// # Errors
    /// The file lacks the markers between which its generated text stands.
    pub fn is_fresh(&self) -> Result<bool> {
        let present = self.present();
        Ok((self.render)(&present).with_context(|| self.path)? == present)
    }

    /// Writes the file anew.
    ///
    /// # Errors
    /// As [`Self::is_fresh`]; or the file cannot be written.
    pub fn renew(&self) -> Result<()> {
        let text = (self.render)(&self.present()).with_context(|| self.path)?;
        std::fs::write(self.file(), text).with_context(|| format!("cannot write {}", self.path))
    }
}

/// The workspace's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
