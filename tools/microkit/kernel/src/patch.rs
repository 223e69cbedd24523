// SPDX-License-Identifier: BSD-2-Clause
//! A patch: exact text that must occur exactly once, and what takes its place.

use crate::error::Error;

/// A change to the kernel with its reason. All its edits are applied, or none.
#[derive(Debug, Clone, Copy)]
pub struct Patch {
    /// What [`Config::without`](crate::Config::without) calls it.
    pub name: &'static str,
    /// What goes wrong without it.
    pub reason: &'static str,
    /// What later kernels do about it.
    pub upstream: &'static str,
    /// Where it changes the source.
    pub edits: &'static [Edit],
}

/// One place that a [`Patch`] changes.
#[derive(Debug, Clone, Copy)]
pub struct Edit {
    /// The file, relative to the source tree.
    pub file: &'static str,
    /// Text that occurs once in the file when the patches before this one have been applied.
    pub before: &'static str,
    /// What takes its place.
    pub after: &'static str,
}

impl Edit {
    /// `text` with this edit applied.
    ///
    /// # Errors
    /// [`Error::PatchMissed`] unless [`before`](Self::before) occurs exactly once in `text`.
    pub fn apply(&self, patch: &Patch, text: &str) -> Result<String, Error> {
        match text.matches(self.before).count() {
            1 => Ok(text.replace(self.before, self.after)),
            hits => {
                Err(Error::PatchMissed { patch: patch.name.to_owned(), file: self.file.to_owned(), hits })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit { file: "src/a.c", before: "x = 1", after: "x = 2" };
    const PATCH: Patch = Patch { name: "two", reason: "", upstream: "", edits: &[EDIT] };

    #[test]
    fn text_that_occurs_once_is_replaced() {
        assert_eq!(EDIT.apply(&PATCH, "int x = 1;").unwrap(), "int x = 2;");
    }

    #[test]
    fn text_that_is_missing_or_occurs_twice_is_an_error_naming_patch_and_file() {
        for (text, hits) in [("int x = 3;", 0), ("x = 1; x = 1;", 2)] {
            let error = EDIT.apply(&PATCH, text).unwrap_err().to_string();
            let expected =
                format!("kernel patch `two`: its text occurs {hits} times in src/a.c, expected exactly once");
            assert_eq!(error, expected);
        }
    }
}
