// SPDX-License-Identifier: BSD-2-Clause
//! A history as text.

use std::fmt::Write as _;

use crate::words::{address, class, id, kind, plural};
use crate::{Class, Device, History, Set};

impl History {
    /// The history as text: what each set and device has, then the last `last` records of these classes.
    #[must_use]
    pub fn to_text(&self, last: usize, classes: &[Class]) -> String {
        let mut text = String::new();
        let (first, end) = self.span();
        let kept = plural(self.entries.len() as u64, "record");
        let lost =
            if self.lost == 0 { "none lost".to_owned() } else { format!("{} older ones lost", self.lost) };
        let _ = writeln!(text, "{kept} of time {first} to {end}, {lost}\n");

        let width = self.sets.iter().map(|set| set.name.chars().count()).max().unwrap_or(0).max("set".len());
        let _ = writeln!(text, "{:width$}  reserved  limit   used   peak  faults  refused", "set");
        self.sets.iter().for_each(|set| set_line(&mut text, set, width));
        if !self.devices.is_empty() {
            text.push('\n');
            self.device_lines(&mut text);
        }
        for (count, what) in [
            (self.quarantined, "in quarantine: the unit did not confirm the teardown of so many ids"),
            (self.strays, "of devices that nobody was granted, stopped"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "\n{count} {what}");
            }
        }

        let chosen = self.entries.iter().filter(|entry| classes.contains(&class(entry.event)));
        let shown: Vec<_> = chosen.rev().take(last).collect();
        if !shown.is_empty() {
            let _ = writeln!(text, "\n{:>8}  {:width$}  {:11} what", "time", "set", "kind");
        }
        for entry in shown.into_iter().rev() {
            let set = entry.set.and_then(|set| self.sets.get(set)).map_or("", |set| set.name.as_str());
            let (kind, what) = (kind(entry.event), self.describe(entry.event));
            let _ = writeln!(text, "{:>8}  {set:width$}  {kind:11} {what}", entry.at);
        }
        text
    }

    fn device_lines(&self, text: &mut String) {
        let name = |device: &Device| format!("{} ({})", device.name, address(device.source));
        let owner = |device: &Device| self.sets.get(device.set).map_or("?", |set| set.name.as_str());
        let width = |all: &dyn Fn(&Device) -> usize, least: usize| {
            self.devices.iter().map(all).max().unwrap_or(0).max(least)
        };
        let names = width(&|device| name(device).chars().count(), "device".len());
        let owners = width(&|device| owner(device).chars().count(), "of".len());
        let _ = writeln!(text, "{:names$}  {:owners$}  faults  bound to", "device", "of");
        for device in &self.devices {
            let bound: Vec<_> = device.bound.iter().map(|&(bound, _)| id(bound)).collect();
            let bound = if bound.is_empty() { "nothing".to_owned() } else { bound.join(", ") };
            let _ = writeln!(
                text,
                "{:names$}  {:owners$}  {:>6}  {bound}",
                name(device),
                owner(device),
                device.faults
            );
        }
    }
}

fn set_line(text: &mut String, set: &Set, width: usize) {
    let _ = match set.share {
        None => writeln!(text, "{:width$}  (not stated in what is left of the trace)", set.name),
        Some(share) => writeln!(
            text,
            "{:width$}  {:>8}  {:>5}  {:>5}  {:>5}  {:>6}  {:>7}",
            set.name, share.reservation, share.limit, share.used, share.peak, share.faults, share.refused
        ),
    };
}
