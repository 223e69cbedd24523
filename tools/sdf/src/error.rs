// SPDX-License-Identifier: BSD-2-Clause
//! What is wrong with a system description: each error names its element and place, what is wrong, and the remedy.
//!
//! [`Errors`] prints as plain lines (`file:line:column: <element>: message`, then the remedy) for logs and tests,
//! and turns into a [`miette::Report`] with the text around each place for people.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use crate::source::{Place, Source};

/// One error, with every place that takes part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where it is: the attribute at fault, or the element.
    pub place: Place,
    /// Name of the element, without brackets; `xml` when the text is not XML at all.
    pub element: String,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Other places that take part, each with what it is ("first used here").
    pub also: Vec<(Place, String)>,
    /// What sort of error it is.
    pub kind: Kind,
}

/// Sorts of errors. A reader that only wants to look at a description may step over all but the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rule is broken.
    Wrong,
    /// An element that is not known here, and so is in no model.
    UnknownElement,
    /// An attribute that is not known here, and so is in no model.
    UnknownAttribute,
    /// Something that another architecture has and x86-64 has not.
    OtherArchitecture,
}

impl Error {
    /// An error at `place` in `<element>`.
    pub fn new(place: Place, element: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            place,
            element: element.to_owned(),
            message: message.into(),
            help: help.into(),
            also: Vec::new(),
            kind: Kind::Wrong,
        }
    }

    /// The same with one more place.
    #[must_use]
    pub fn also(mut self, place: Place, what: impl Into<String>) -> Self {
        self.also.push((place, what.into()));
        self
    }

    /// The same as another sort of error.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Whether it is about something that is not known here rather than about a broken rule.
    pub fn is_foreign(&self) -> bool {
        self.kind != Kind::Wrong
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>: {}", self.element, self.message)
    }
}

impl std::error::Error for Error {}

impl Diagnostic for Error {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.help))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let first =
            LabeledSpan::new_primary_with_span(Some("here".to_owned()), (self.place.offset, self.place.len));
        let rest = self
            .also
            .iter()
            .map(|(place, what)| LabeledSpan::new_with_span(Some(what.clone()), (place.offset, place.len)));
        Some(Box::new(std::iter::once(first).chain(rest)))
    }
}

/// All errors found in one system description, by place; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    source: Source,
    list: Vec<Error>,
}

impl Errors {
    /// `list` about `source`; nothing when there is none.
    pub fn new(source: Source, mut list: Vec<Error>) -> Option<Self> {
        list.sort_by_key(|error| error.place);
        (!list.is_empty()).then_some(Self { source, list })
    }

    /// The single error `error` about `source`.
    pub fn one(source: Source, error: Error) -> Self {
        Self { source, list: vec![error] }
    }

    /// Each of them, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Error> {
        self.list.iter()
    }

    /// A report for people, which shows the text around each place.
    pub fn report(self) -> miette::Report {
        let text = NamedSource::new(self.source.name(), self.source.text().to_owned()).with_language("XML");
        miette::Report::new(Listing { text, errors: self })
    }
}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a Error;
    type IntoIter = std::slice::Iter<'a, Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:{}: {error}", self.source.name(), error.place)?;
            for (place, what) in &error.also {
                write!(f, "\n  {}:{place}: {what}", self.source.name())?;
            }
            write!(f, "\n  help: {}", error.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// [`Errors`] as miette renders them: a headline, then each error with the text around it.
#[derive(Debug)]
struct Listing {
    text: NamedSource<String>,
    errors: Errors,
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.list.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{}: {count} error{plural} in the system description", self.errors.source.name())
    }
}

impl std::error::Error for Listing {}

impl Diagnostic for Listing {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.list.iter().map(|error| error as &dyn Diagnostic)))
    }
}
