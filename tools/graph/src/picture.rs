// SPDX-License-Identifier: BSD-2-Clause
//! What a picture shows: actors and the links between them, out of a system description.

use config_compiler::Schema;
use sdf::System;

use crate::drawing::Drawing;

/// Everything that is drawn, before it has a place.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// File that it is drawn from.
    pub title: String,
    /// One line below the title.
    pub summary: String,
    /// Columns.
    pub actors: Vec<Actor>,
    /// Rows.
    pub links: Vec<Link>,
    /// What could not be drawn, a line each.
    pub notes: Vec<String>,
}

/// A column: somebody who acts.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What it is.
    pub kind: ActorKind,
    /// Its name.
    pub name: String,
    /// What is written below the name: a heading and its detail, either of which may be empty.
    pub facts: Vec<(String, String)>,
}

/// Kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A protection domain.
    Domain,
    /// A virtual machine.
    Machine,
    /// A device.
    Device,
    /// The remapping unit.
    Unit,
}

/// A row: what joins two actors or more.
#[derive(Clone, Debug)]
pub struct Link {
    /// What it is.
    pub kind: LinkKind,
    /// What is written on it; may be empty.
    pub label: String,
    /// What is written smaller below that.
    pub size: String,
    /// What a pointer that rests on it is told.
    pub detail: String,
    /// Whom it joins; at least two.
    pub ends: Vec<End>,
}

/// Kinds of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The first end is the parent of the second.
    Nesting,
    /// A channel. `call` and `notify` say, for each end, whether it may do so to the other.
    Channel {
        /// Protected procedure calls.
        call: [bool; 2],
        /// Notifications.
        notify: [bool; 2],
    },
    /// An interrupt of the first end that the second one receives.
    Interrupt,
    /// Memory that all ends reach.
    Memory,
}

/// Where a link meets an actor.
#[derive(Clone, Debug)]
pub struct End {
    /// Index into [`Picture::actors`].
    pub actor: usize,
    /// What is written where they meet: a number, or permissions.
    pub mark: String,
    /// What meets there.
    pub by: By,
}

/// How an actor takes part in a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By what it runs.
    Cpu,
    /// It reaches the memory by DMA.
    Dma,
    /// The memory is its registers.
    Registers,
}

impl Picture {
    /// The picture of `system`, with what `ioasid.toml` says about it.
    pub fn of(system: &System, policy: Option<&Schema>) -> Self {
        Drawing::draw(system, policy)
    }

    /// The same with a note that names what [`System::survey`] could not read.
    #[must_use]
    pub fn with_unknown(mut self, errors: Option<&sdf::Errors>) -> Self {
        let unknown = errors.into_iter().flatten().filter(|error| error.kind == sdf::Kind::UnknownElement);
        let names: Vec<_> =
            unknown.map(|error| format!("<{}> (line {})", error.element, error.place.line)).collect();
        if !names.is_empty() {
            self.notes.push(format!("Not drawn, because not known: {}", names.join(", ")));
        }
        self
    }
}
