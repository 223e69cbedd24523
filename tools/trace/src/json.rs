// SPDX-License-Identifier: BSD-2-Clause
//! A history as JSON, for other programs.

use ioasid_trace::{Choice, Direction, Event};
use serde_json::{Map, Value, json};
use vtd::FaultReason;

use crate::words::{access, address, class, code, kind, operation};
use crate::{Device, Entry, History, Set};

impl History {
    /// The history as JSON: `sets`, `devices`, `lives`, `events` and what the counts are.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (from, to) = self.span();
        let value = json!({
            "from": from,
            "to": to,
            "lost": self.lost,
            "quarantined": self.quarantined,
            "stray_faults": self.strays,
            "sets": self.sets.iter().map(set).collect::<Vec<_>>(),
            "devices": self.devices.iter().map(|one| self.device_value(one)).collect::<Vec<_>>(),
            "lives": self.lives.iter().map(|life| json!({ "at": life.at, "epoch": life.epoch, "unit": life.unit }))
                .collect::<Vec<_>>(),
            "events": self.entries.iter().map(|entry| self.entry_value(entry)).collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    }

    fn device_value(&self, device: &Device) -> Value {
        json!({
            "name": device.name,
            "address": address(device.source),
            "set": self.sets.get(device.set).map(|set| set.name.as_str()),
            "faults": device.faults,
            "bound": device.bound.iter()
                .map(|(id, tagged)| json!({ "pasid": id.pasid, "generation": id.generation, "tagged": tagged }))
                .collect::<Vec<_>>(),
        })
    }

    fn entry_value(&self, entry: &Entry) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        put("number", entry.number.into());
        put("at", entry.at.into());
        put("set", entry.set.and_then(|set| self.sets.get(set)).map(|set| set.name.clone()).into());
        put("class", class(entry.event).name().into());
        put("kind", kind(entry.event).into());
        if let Some(event) = entry.event
            && let Value::Object(more) = self.fields(event)
        {
            object.extend(more);
        }
        Value::Object(object)
    }

    /// What belongs to an event's kind.
    fn fields(&self, event: Event) -> Value {
        match event {
            Event::Started { epoch, unit } => json!({ "epoch": epoch, "unit": unit }),
            Event::Share { reservation, limit, used, peak, faults, refused, .. } => json!({
                "reservation": reservation, "limit": limit, "used": used, "peak": peak, "faults": faults,
                "refused": refused,
            }),
            Event::Alloc { id } | Event::Free { id } | Event::Quarantine { id } => {
                json!({ "pasid": id.pasid, "generation": id.generation })
            }
            Event::Bind { id, device, tagged } | Event::Unbind { id, device, tagged } => json!({
                "pasid": id.pasid, "generation": id.generation, "device": self.device_name(device), "tagged": tagged,
            }),
            Event::Map { id, iova, pages, access: how, source } => json!({
                "pasid": id.pasid, "generation": id.generation, "iova": iova, "pages": pages, "access": access(how),
                "region": source.region, "offset": source.offset,
            }),
            Event::Unmap { id, iova, pages } => {
                json!({ "pasid": id.pasid, "generation": id.generation, "iova": iova, "pages": pages })
            }
            Event::Fault { device, reason, direction, pasid, address, id } => json!({
                "device": self.device_name(device), "reason": reason,
                "why": FaultReason::from(reason).to_string(), "write": direction == Direction::Write,
                "request_pasid": pasid, "address": address, "bound_pasid": id.map(|id| id.pasid),
            }),
            Event::FaultsLost => json!({}),
            Event::Refused { operation: number, code: why, times, total } => json!({
                "operation": operation(number), "code": code(why), "times": times, "total": total,
            }),
            Event::Registered { allocator } => json!({ "allocator": allocator }),
            Event::Unregistered { allocator, orphans } => {
                json!({ "allocator": allocator, "orphans": orphans })
            }
            Event::Asked { ticket, alloc } => json!({ "ticket": ticket, "alloc": alloc }),
            Event::Answered { ticket, choice } => match choice {
                Choice::Given(id) => json!({ "ticket": ticket, "answer": "given", "id": id }),
                Choice::Nothing => json!({ "ticket": ticket, "answer": "nothing" }),
                Choice::Failed => json!({ "ticket": ticket, "answer": "failed" }),
            },
            Event::ProviderGone { orphans } => json!({ "orphans": orphans }),
        }
    }
}

fn set(set: &Set) -> Value {
    let steps: Vec<_> = set.steps.iter().map(|step| json!([step.at, step.used, step.limit])).collect();
    let share = set.share.map(|share| {
        json!({
            "reservation": share.reservation, "limit": share.limit, "used": share.used, "peak": share.peak,
            "faults": share.faults, "refused": share.refused,
        })
    });
    json!({ "name": set.name, "open": set.open, "share": share, "steps": steps })
}
