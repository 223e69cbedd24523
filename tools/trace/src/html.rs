// SPDX-License-Identifier: BSD-2-Clause
//! A history as one page of HTML that needs nothing else: no network, and no script to be read.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ioasid_trace::{Direction, Event};
use vtd::FaultReason;

use crate::words::{address, class, id, kind, plural};
use crate::{Class, Device, History, Set};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Width and height of a chart in its own units; the page stretches it.
const WIDTH: u64 = 1000;
const HEIGHT: u64 = 100;
/// Marks on the axis of time, at the most.
const TICKS: u64 = 5;
/// Ids that a device is said to be bound to, at the most.
const BOUND: usize = 8;

/// Text as it stands in HTML, also between quotation marks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// What a device is bound to, in words; of many ids the first.
fn bound(device: &Device) -> String {
    if device.bound.is_empty() {
        return "nothing".to_owned();
    }
    let how = |tagged| if tagged { " by tagged requests" } else { "" };
    let names = device.bound.iter().map(|&(bound, tagged)| id(bound) + how(tagged));
    let mut names: Vec<_> = names.take(BOUND).collect();
    if let Some(more) = device.bound.len().checked_sub(BOUND).filter(|&more| more > 0) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

/// From times to places across a chart.
#[derive(Clone, Copy)]
struct Axis {
    from: u64,
    to: u64,
}

impl Axis {
    fn place(self, at: u64) -> u64 {
        (at.saturating_sub(self.from)).min(self.to - self.from) * WIDTH / (self.to - self.from).max(1)
    }

    /// Round times, a few of them, and both ends.
    fn ticks(self) -> Vec<u64> {
        let span = (self.to - self.from).max(1);
        let unit = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let unit = unit.into_iter().find(|unit| span / unit <= TICKS).unwrap_or(span);
        let between = (self.from / unit + 1..).map(|count| count * unit).take_while(|&at| at < self.to);
        // One that would touch an end's label is left out.
        let apart = |at: &u64| (130..770).contains(&self.place(*at));
        std::iter::once(self.from).chain(between.filter(apart)).chain([self.to]).collect()
    }

    fn labels(self) -> String {
        self.ticks().iter().fold(String::new(), |mut html, &at| {
            let place = self.place(at);
            let _ = write!(html, r#"<span style="left:{}.{}%">{at}</span>"#, place / 10, place % 10);
            html
        })
    }
}

impl History {
    /// The history as a page called `title`.
    #[must_use]
    pub fn to_html(&self, title: &str) -> String {
        let mut html = String::new();
        let (from, to) = self.span();
        let title = escape(title);
        let _ = write!(
            html,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}: what the ioasid server did</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <h1>{title}: what the ioasid server did</h1>\n"
        );
        let lost = match self.lost {
            0 => "none lost".to_owned(),
            lost => format!("{lost} older ones overwritten"),
        };
        let lives = match self.lives.last() {
            Some(life) if life.unit => format!(", life {} of the server", life.epoch),
            Some(life) => format!(", life {} of the server, without a unit", life.epoch),
            None => String::new(),
        };
        let count = plural(self.entries.len() as u64, "record");
        let _ = writeln!(
            html,
            "<p>{count}, {lost}{lives}. Time is the server's own: it counts calls and interrupts, here from {from} to {to}.</p>"
        );
        self.set_charts(&mut html, Axis { from, to: to.max(from + 1) });
        self.device_table(&mut html);
        self.fault_table(&mut html);
        self.event_table(&mut html);
        let _ = write!(html, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
        html
    }

    fn set_charts(&self, html: &mut String, axis: Axis) {
        html.push_str("<h2>Sets</h2>\n<ul class=\"key\">");
        let mut key = vec![
            ("used", "ids that it has"),
            ("limit", "its limit"),
            ("reserved", "its reservation"),
            ("fault", "a fault of its devices"),
        ];
        if self.lives.len() > 1 {
            key.push(("life", "the server starts anew"));
        }
        for (class, what) in key {
            let _ = write!(html, "<li><i class=\"{class}\"></i>{what}</li>");
        }
        html.push_str("</ul>\n");
        for (number, set) in self.sets.iter().enumerate() {
            let name = escape(&set.name);
            let _ = write!(html, "<section class=\"set\"><div><h3>{name}</h3>");
            let Some(share) = set.share else {
                html.push_str("<p>not stated in what is left of the trace</p></div></section>\n");
                continue;
            };
            // Who never may have ids, as an administrator, has nothing to draw.
            if set.steps.iter().all(|step| step.limit == 0) {
                let refused = plural(share.refused, "refused call");
                let _ = writeln!(html, "</div><p>never had ids; {refused}</p></section>");
                continue;
            }
            let bad = |count: u64| if count > 0 { " class=\"bad\"" } else { "" };
            let _ = writeln!(
                html,
                "<dl><dt>used</dt><dd>{} of {}</dd><dt>at most</dt><dd>{}</dd><dt>reserved</dt><dd>{}</dd>\
                 <dt>faults</dt><dd{}>{}</dd><dt>refused</dt><dd>{}</dd></dl></div>",
                share.used,
                share.limit,
                share.peak,
                share.reservation,
                bad(share.faults),
                share.faults,
                share.refused
            );
            self.chart(html, set, axis, number, share.reservation);
            html.push_str("</section>\n");
        }
    }

    fn chart(&self, html: &mut String, set: &Set, axis: Axis, number: usize, reservation: u32) {
        let top = set.steps.iter().map(|step| step.used.max(step.limit)).max().unwrap_or(0);
        let top = u64::from(top.max(reservation).max(1));
        let height = |value: u32| HEIGHT - u64::from(value) * HEIGHT / top;
        // The first place where something is known, then along each step, to the end.
        let line = |value: fn(&crate::Step) -> u32| {
            let mut path = String::new();
            for (count, step) in set.steps.iter().enumerate() {
                let (x, y) = (axis.place(step.at), height(value(step)));
                let _ = if count == 0 { write!(path, "M{x} {y}") } else { write!(path, "H{x}V{y}") };
            }
            path + &format!("H{WIDTH}")
        };
        let steps: Vec<_> =
            set.steps.iter().map(|step| format!("[{},{},{}]", step.at, step.used, step.limit)).collect();
        let used = line(|step| step.used);
        let start = set.steps.first().map_or(0, |step| axis.place(step.at));
        let _ = write!(
            html,
            "<div class=\"plot\" data-from=\"{}\" data-to=\"{}\" data-steps=\"[{}]\">\
             <span class=\"y\" style=\"top:-2px\">{top}</span><span class=\"y\" style=\"top:66px\">0</span>\
             <svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-label=\"ids of {} over time\"><path class=\"base\" d=\"M0 {HEIGHT}H{WIDTH}\"/>",
            axis.from,
            axis.to,
            steps.join(","),
            escape(&set.name)
        );
        if !set.steps.is_empty() {
            let _ = write!(
                html,
                "<path class=\"area\" d=\"{used}V{HEIGHT}H{start}Z\"/><path class=\"step\" d=\"{used}\"/>\
                 <path class=\"limit\" d=\"{}\"/>",
                line(|step| step.limit)
            );
            if reservation > 0 {
                let y = height(reservation);
                let _ = write!(html, "<path class=\"reserved\" d=\"M{start} {y}H{WIDTH}\"/>");
            }
        }
        for life in self.lives.iter().skip(1) {
            let x = axis.place(life.at);
            let _ = write!(html, "<path class=\"life\" d=\"M{x} 0V{HEIGHT}\"/>");
        }
        let faults: BTreeSet<u64> = self
            .entries
            .iter()
            .filter(|entry| entry.set == Some(number) && matches!(entry.event, Some(Event::Fault { .. })))
            .map(|entry| axis.place(entry.at))
            .collect();
        let marks = faults.iter().fold(String::new(), |mut path, x| {
            let _ = write!(path, "M{x} 0V10");
            path
        });
        let _ = write!(
            html,
            "</svg><svg class=\"marks\" viewBox=\"0 0 {WIDTH} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <path class=\"fault\" d=\"{marks}\"/></svg>\
             <div class=\"axis\">{}</div><div class=\"said\" aria-live=\"off\"></div></div>",
            axis.labels()
        );
    }

    fn device_table(&self, html: &mut String) {
        if self.devices.is_empty() {
            return;
        }
        html.push_str(
            "<h2>Devices</h2>\n<table class=\"wide\"><thead><tr><th>device</th><th>address</th><th>of</th>\
             <th class=\"n\">faults</th><th>bound to</th></tr></thead><tbody>\n",
        );
        for device in &self.devices {
            let owner = self.sets.get(device.set).map_or("?", |set| set.name.as_str());
            let bound = bound(device);
            let _ = writeln!(
                html,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\" data-label=\"faults\">{}</td>\
                 <td class=\"w\" data-label=\"bound to\">{bound}</td></tr>",
                escape(&device.name),
                address(device.source),
                escape(owner),
                device.faults
            );
        }
        html.push_str("</tbody></table>\n");
    }

    fn fault_table(&self, html: &mut String) {
        html.push_str("<h2>Faults</h2>\n");
        let faults = || self.entries.iter().filter(|entry| matches!(entry.event, Some(Event::Fault { .. })));
        if faults().next().is_none() {
            html.push_str("<p>No device was stopped.</p>\n");
            return;
        }
        html.push_str(
            "<table class=\"wide\"><thead><tr><th class=\"n\">time</th><th>set</th><th>device</th><th>way</th>\
             <th>address</th><th>under</th><th>reason</th></tr></thead><tbody>\n",
        );
        for entry in faults() {
            let Some(Event::Fault { device, reason, direction, pasid, address, id: bound }) = entry.event
            else {
                continue;
            };
            let set = entry.set.and_then(|set| self.sets.get(set));
            let under = pasid.map(|pasid| format!("PASID {pasid}")).or_else(|| bound.map(id));
            let _ = writeln!(
                html,
                "<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{address:#x}</td><td data-label=\"under\">{}</td>\
                 <td class=\"w\">{}</td></tr>",
                entry.at,
                set.map_or_else(|| "nobody's".to_owned(), |set| escape(&set.name)),
                escape(&self.device_name(device)),
                if direction == Direction::Write { "write" } else { "read" },
                under.unwrap_or_else(|| "nothing".to_owned()),
                escape(&FaultReason::from(reason).to_string())
            );
        }
        html.push_str("</tbody></table>\n");
    }

    fn event_table(&self, html: &mut String) {
        html.push_str("<h2>Events</h2>\n<form>");
        for class in Class::ALL {
            let name = class.name();
            let _ = write!(
                html,
                "<label><input type=\"checkbox\" name=\"class\" value=\"{name}\" checked> {name}</label>"
            );
        }
        html.push_str("<select name=\"set\" aria-label=\"set\"><option value=\"\">every set</option>");
        for (number, set) in self.sets.iter().enumerate() {
            let _ = write!(html, "<option value=\"{number}\">{}</option>", escape(&set.name));
        }
        html.push_str(
            "</select><input type=\"search\" name=\"words\" placeholder=\"words\" aria-label=\"words\"><output></output></form>\n\
             <table class=\"wide\" id=\"events\"><thead><tr><th class=\"n\">time</th><th>set</th><th>kind</th>\
             <th>what</th></tr></thead><tbody>\n",
        );
        for entry in &self.entries {
            let set = entry.set.and_then(|set| self.sets.get(set));
            let number = entry.set.map(|set| set.to_string()).unwrap_or_default();
            let class = class(entry.event).name();
            let _ = writeln!(
                html,
                "<tr class=\"c-{class}\" data-class=\"{class}\" data-set=\"{number}\"><td class=\"n\">{}</td>\
                 <td>{}</td><td class=\"k\">{}</td><td class=\"w\">{}</td></tr>",
                entry.at,
                set.map_or_else(String::new, |set| escape(&set.name)),
                kind(entry.event),
                escape(&self.describe(entry.event))
            );
        }
        html.push_str("</tbody></table>\n");
    }
}
