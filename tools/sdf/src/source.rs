// SPDX-License-Identifier: BSD-2-Clause
//! Where something stands in a system description: the text with its name, places in it, and values that
//! remember their place.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A system description's text and the name that errors call it by. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

impl Source {
    /// The text `text` of the file `name`; the file itself is not read.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The file's name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A stretch of a [`Source`]: `line` and `column` count from one and name its first character, `offset` and `len`
/// are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Byte at which the stretch starts.
    pub offset: usize,
    /// Its length in bytes.
    pub len: usize,
    /// Line of its first character, from one.
    pub line: u32,
    /// Column of its first character, in characters from one.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and the place that gave it: its attribute, or its whole element where the attribute was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// What was said.
    pub value: T,
    /// Where it was said.
    pub place: Place,
}

impl<T> At<T> {
    /// `value`, said at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// The same place with what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), place: self.place }
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Display> fmt::Display for At<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
