// SPDX-License-Identifier: BSD-2-Clause
//! What a person sees and has chosen.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use system_trace::{Class, Entry, History, class};

use crate::{Source, State};

/// What is to be done after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Go on.
    Stay,
    /// End.
    Quit,
}

/// What is shown, and of it what was chosen.
#[derive(Debug)]
pub struct App {
    /// The system's name.
    pub name: String,
    /// How its run is.
    pub state: State,
    /// What its trace tells.
    pub history: History,
    /// Nothing is read anew.
    pub paused: bool,
    /// The kinds of event that are shown, in the order of [`Class::ALL`].
    pub classes: [bool; Class::ALL.len()],
    /// The set whose events alone are shown.
    pub set: Option<usize>,
    /// How many of the newest events are out of sight below; 0: the newest is shown as it comes.
    pub below: usize,
    /// How many events the screen has room for; the screen says it.
    pub page: usize,
}

impl App {
    /// Nothing is known yet of a system called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Waiting,
            history: History::default(),
            paused: false,
            classes: [true; Class::ALL.len()],
            set: None,
            below: 0,
            page: 1,
        }
    }

    /// Reads the trace anew, unless this is paused.
    pub fn refresh(&mut self, source: &mut Source) {
        if self.paused {
            return;
        }
        let before = self.chosen().last().map(|entry| entry.number);
        let (state, history) = source.look();
        self.state = state;
        if self.state == State::Booting {
            self.history = History::default();
        }
        if let Some(history) = history {
            self.history = history;
        }
        // Whoever looks at older events goes on looking at the same ones.
        if self.below > 0 {
            let newer = self.chosen().rev().take_while(|entry| Some(entry.number) > before).count();
            self.below = (self.below + newer).min(self.chosen().count());
        }
    }

    /// The events that are shown, oldest first.
    pub fn chosen(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.history.entries.iter().filter(|entry| {
            let class = class(entry.event);
            let of_class = Class::ALL.iter().zip(self.classes).any(|(one, shown)| shown && *one == class);
            of_class && self.set.is_none_or(|set| entry.set == Some(set))
        })
    }

    /// Does what a key is for.
    pub fn key(&mut self, key: KeyEvent) -> Act {
        if key.kind == KeyEventKind::Release {
            return Act::Stay;
        }
        let up = |below: usize, by: usize, most: usize| (below + by).min(most);
        let most = self.chosen().count().saturating_sub(self.page);
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Act::Quit,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Act::Quit,
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Char('a') => {
                (self.classes, self.set, self.below) = ([true; Class::ALL.len()], None, 0);
            }
            KeyCode::Char(digit @ '1'..='9') => {
                let place = digit.to_digit(10).and_then(|digit| usize::try_from(digit - 1).ok());
                if let Some(shown) = place.and_then(|place| self.classes.get_mut(place)) {
                    (*shown, self.below) = (!*shown, 0);
                }
            }
            KeyCode::Tab | KeyCode::Char('s') => {
                let next = self.set.map_or(0, |set| set + 1);
                (self.set, self.below) = (Some(next).filter(|&set| set < self.history.sets.len()), 0);
            }
            KeyCode::Up | KeyCode::Char('k') => self.below = up(self.below, 1, most),
            KeyCode::Down | KeyCode::Char('j') => self.below = self.below.saturating_sub(1),
            KeyCode::PageUp => self.below = up(self.below, self.page, most),
            KeyCode::PageDown => self.below = self.below.saturating_sub(self.page),
            KeyCode::Home => self.below = most,
            KeyCode::End => self.below = 0,
            _ => {}
        }
        Act::Stay
    }
}
