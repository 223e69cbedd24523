// SPDX-License-Identifier: BSD-2-Clause
//! `<channel>` with its two ends.

use super::map::unknown_name_help;
use super::xml::{Element, Reader};
use crate::error::Error;
use crate::model::{Channel, ChannelEnd, PdIndex, SetVarValue, System};
use crate::source::At;

impl<'d> Reader<'d> {
    /// Adds a channel to `system`, whose protection domains must all be known; none when an end is not valid.
    pub(super) fn channel(&mut self, element: Element<'d>, system: &mut System) {
        self.known_attributes(element, &[]);
        let mut count = 0;
        let mut ends = Vec::new();
        for child in self.children(element) {
            if child.name() == "end" {
                count += 1;
                let end = self.end(child, system);
                ends.extend(end);
            } else {
                self.unknown_element(child, &["end"]);
            }
        }
        if count != 2 {
            let message = format!("has {count} <end> inside");
            self.error(element, element.place, message, "give it exactly two <end> elements");
            return;
        }
        let Ok(ends) = <[ChannelEnd; 2]>::try_from(ends) else { return };
        if ends[0].pp.value && ends[1].pp.value {
            let message = "lets both ends call each other";
            let error = Error::new(ends[1].pp.place, element.name(), message, "keep pp=\"true\" at one end");
            self.errors.push(error.also(ends[0].pp.place, "the other call"));
        }
        system.channels.push(Channel { ends, place: element.place });
    }

    fn end(&mut self, element: Element<'d>, system: &mut System) -> Option<ChannelEnd> {
        self.leaf(element, &["pd", "id", "pp", "notify", "setvar_id"]);
        let pd = self.pd_index(element, system);
        let id = self.required_decimal(element, "id");
        let id = id.and_then(|id| self.id_in_range(element, id));
        let notify = self.boolean(element, "notify", true);
        let pp = self.boolean(element, "pp", false);
        let (pd, id) = (pd?, id?);
        let setvars = &mut system.protection_domains[pd.value].setvars;
        self.setvar(element, "setvar_id", SetVarValue::Id(id.value), setvars);
        Some(ChannelEnd { pd, id, pp, notify, place: element.place })
    }

    /// The protection domain that the attribute `pd` names.
    pub(super) fn pd_index(&mut self, element: Element<'d>, system: &System) -> Option<At<PdIndex>> {
        let name = self.required(element, "pd")?;
        let found = system.protection_domain(name.value).map(|(index, _)| At::new(index, name.place));
        if found.is_none() {
            let names = system.protection_domains.iter().map(|pd| pd.name.as_str());
            let help = unknown_name_help("protection_domain", name.value, names);
            let message = format!("pd=\"{}\" names no protection domain", name.value);
            self.error(element, name.place, message, &help);
        }
        found
    }
}
