// SPDX-License-Identifier: BSD-2-Clause
//! `<domains>`: names of scheduling domains and their schedule.

use super::map::unknown_name_help;
use super::xml::{Element, Reader};
use crate::error::Error;
use crate::limits::{DOMAIN_SCHEDULES, MAX_DOMAINS};
use crate::model::{Domains, Duration, ScheduleEntry};
use crate::source::At;

impl<'d> Reader<'d> {
    /// The domain schedule.
    pub(super) fn domains(&mut self, element: Element<'d>) -> Domains {
        self.known_attributes(element, &[]);
        let start_index = At::new(0, element.place);
        let place = element.place;
        let mut domains =
            Domains { domains: Vec::new(), schedule: Vec::new(), start_index, index_shift: None, place };
        let mut schedules = Vec::new();
        for child in self.children(element) {
            match child.name() {
                "domain" => self.domain(child, &mut domains),
                "domain_schedule" => schedules.push(child),
                _ => self.unknown_element(child, &["domain", "domain_schedule"]),
            }
        }
        if let Some((beyond, _)) = domains.domains.get(MAX_DOMAINS) {
            let message = format!("has {} domains, more than {MAX_DOMAINS}", domains.domains.len());
            self.error(element, beyond.place, message, "remove some");
        }
        match schedules[..] {
            [schedule] => self.domain_schedule(schedule, &mut domains),
            _ => {
                let message = format!("has {} <domain_schedule> elements", schedules.len());
                self.error(element, element.place, message, "give it exactly one");
            }
        }
        domains
    }

    fn domain(&mut self, element: Element<'d>, domains: &mut Domains) {
        self.leaf(element, &["name", "id"]);
        let id = self.optional_number(element, "id");
        if let Some(id) = id.filter(|id| id.value >= MAX_DOMAINS as u64) {
            let message = format!("id is {id}, above {}", MAX_DOMAINS - 1);
            self.error(element, id.place, message, &format!("use 0 to {}", MAX_DOMAINS - 1));
        }
        let Some(name) = self.name(element, "name") else { return };
        for (other_name, other_id) in &domains.domains {
            if other_name.value == name.value {
                let message = format!("name=\"{name}\" is taken");
                let error = Error::new(name.place, element.name(), message, "choose another name");
                self.errors.push(error.also(other_name.place, "first used here"));
            }
            if let (Some(id), Some(other)) = (id, other_id)
                && id.value == other.value
            {
                let error =
                    Error::new(id.place, element.name(), format!("id {id} is taken"), "choose another id");
                self.errors.push(error.also(other.place, "first used here"));
            }
        }
        domains.domains.push((name, id));
    }

    fn domain_schedule(&mut self, element: Element<'d>, domains: &mut Domains) {
        self.known_attributes(element, &["start_index", "index_shift"]);
        domains.start_index =
            self.optional_number(element, "start_index").unwrap_or(At::new(0, element.place));
        domains.index_shift = self.optional_number(element, "index_shift");
        for child in self.children(element) {
            match child.name() {
                "schedule_entry" => {
                    let entry = self.schedule_entry(child, domains);
                    domains.schedule.extend(entry);
                }
                "schedule_end_marker" => {
                    self.leaf(child, &[]);
                    domains.schedule.push(ScheduleEntry::End(child.place));
                }
                _ => self.unknown_element(child, &["schedule_entry", "schedule_end_marker"]),
            }
        }
        let length = domains.schedule.len() as u64;
        if domains.start_index.value >= length {
            let message =
                format!("start_index is {}, with {length} entries in the schedule", domains.start_index);
            self.error(element, domains.start_index.place, message, "use the index of an entry, from zero");
        }
        let shift = domains.index_shift.map_or(0, |shift| shift.value);
        if length.saturating_add(shift) >= DOMAIN_SCHEDULES {
            let place = domains.index_shift.map_or(element.place, |shift| shift.place);
            let message =
                format!("has {length} entries from index {shift}, beyond the kernel's {DOMAIN_SCHEDULES}");
            self.error(element, place, message, "remove some entries, or lower index_shift");
        }
    }

    fn schedule_entry(&mut self, element: Element<'d>, domains: &Domains) -> Option<ScheduleEntry> {
        self.leaf(element, &["domain", "duration"]);
        let duration = self.duration(element);
        let name = self.required(element, "domain")?;
        let Some(index) = domains.domains.iter().position(|(other, _)| other.as_str() == name.value) else {
            let names = domains.domains.iter().map(|(name, _)| name.as_str());
            let help = unknown_name_help("domain", name.value, names);
            self.error(element, name.place, format!("domain=\"{}\" names no domain", name.value), &help);
            return None;
        };
        Some(ScheduleEntry::Run { domain: At::new(index, name.place), duration: duration? })
    }

    fn duration(&mut self, element: Element<'d>) -> Option<At<Duration>> {
        let text = self.required(element, "duration")?;
        let parts = text.split_once(' ');
        let unit: Option<fn(u64) -> Duration> = match parts {
            Some((_, "us")) => Some(Duration::Us),
            Some((_, "ticks")) => Some(Duration::Ticks),
            _ => None,
        };
        let (Some((number, _)), Some(unit)) = (parts, unit) else {
            let message = format!("duration=\"{}\" is not a number with a unit", text.value);
            self.error(element, text.place, message, "write it as \"1000 us\" or \"1000 ticks\"");
            return None;
        };
        let value = self.number(element, "duration", At::new(number, text.place))?;
        if value.value == 0 {
            self.error(element, text.place, "duration is zero".into(), "give it at least one tick");
        }
        Some(At::new(unit(value.value), text.place))
    }
}
