// SPDX-License-Identifier: BSD-2-Clause
//! The picture as SVG: self-contained, without scripts, readable on light and dark pages.

use std::fmt::Write as _;

use crate::layout::{
    Column, LINE_HEIGHT, Layout, MARGIN, MARK, NAME, NAME_HEIGHT, PILL_HEIGHT, Row, SMALL, Section, TEXT,
    TITLE, fact_height, mark_width, pill_width,
};
use crate::picture::{Actor, ActorKind, By, Link, LinkKind, Picture};
use crate::text::{escape, width, wrap};

const FONT: &str = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, 'DejaVu Sans', sans-serif";
const INK: &str = "#1c2733";
const FAINT: &str = "#5b6875";
const RULE: &str = "#d5dce4";

/// How a line looks.
#[derive(Clone, Copy)]
struct Style {
    colour: &'static str,
    fill: &'static str,
    thickness: f64,
    dashes: &'static str,
}

const NESTING: Style = Style { colour: "#5b6875", fill: "#eef1f4", thickness: 1.6, dashes: "" };
const CALL: Style = Style { colour: "#1f5fbf", fill: "#e3edfb", thickness: 2.2, dashes: "" };
const NOTIFY: Style = Style { colour: "#7b4fb3", fill: "#f0e9f8", thickness: 1.5, dashes: "5 3" };
const INTERRUPT: Style = Style { colour: "#a85f00", fill: "#fcefd9", thickness: 1.5, dashes: "2 3" };
const MEMORY: Style = Style { colour: "#17705f", fill: "#e2f3ef", thickness: 1.6, dashes: "" };
const REGISTERS: Style = Style { colour: "#b07410", fill: "#fdf4e4", thickness: 1.6, dashes: "" };
const DMA: Style = Style { colour: "#b23a0e", fill: "#fde6dc", thickness: 1.6, dashes: "" };

impl Picture {
    /// The picture as an SVG document.
    pub fn to_svg(&self) -> String {
        let layout = Layout::of(self);
        let mut drawing = Svg { out: String::new(), layout: &layout, picture: self };
        drawing.lanes();
        for (actor, column) in self.actors.iter().zip(&layout.columns) {
            drawing.card(actor, *column);
        }
        for section in &layout.sections {
            drawing.section(section);
        }
        let bottom = drawing.legend(layout.bottom + 34.0);
        let bottom = drawing.notes(bottom);
        drawing.document(bottom + MARGIN)
    }
}

struct Svg<'p> {
    out: String,
    layout: &'p Layout,
    picture: &'p Picture,
}

impl Svg<'_> {
    /// The whole document around what has been drawn.
    fn document(self, height: f64) -> String {
        let (width, title) = (self.layout.width, escape(&self.picture.title));
        let mut out = String::new();
        line(&mut out, format_args!("<!-- SPDX-License-Identifier: BSD-2-Clause -->"));
        line(
            &mut out,
            format_args!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img" font-family="{FONT}">"#
            ),
        );
        line(&mut out, format_args!("<title>{title}: {}</title>", escape(&self.picture.summary)));
        line(
            &mut out,
            format_args!(
                r##"<rect x="0.5" y="0.5" width="{:.0}" height="{:.0}" rx="10" fill="#ffffff" stroke="{RULE}"/>"##,
                width - 1.0,
                height - 1.0
            ),
        );
        text(&mut out, MARGIN, 36.0, TITLE, INK, "start", true, &self.picture.title);
        text(&mut out, MARGIN, 56.0, TEXT, FAINT, "start", false, &self.picture.summary);
        out.push_str(&self.out);
        out.push_str("</svg>\n");
        out
    }

    /// The vertical lines below the cards, with the names again at their feet.
    fn lanes(&mut self) {
        for (actor, column) in self.picture.actors.iter().zip(&self.layout.columns) {
            let (x, top, bottom) =
                (column.centre, self.layout.cards_top + column.card_height, self.layout.bottom);
            line(
                &mut self.out,
                format_args!(
                    r#"<line x1="{x:.1}" y1="{top:.1}" x2="{x:.1}" y2="{bottom:.1}" stroke="{RULE}" stroke-width="1.2"/>"#
                ),
            );
            text(
                &mut self.out,
                x,
                bottom + 14.0,
                TEXT,
                card_colours(actor.kind).2,
                "middle",
                false,
                &actor.name,
            );
        }
    }

    fn card(&mut self, actor: &Actor, column: Column) {
        let (fill, stroke, ink) = card_colours(actor.kind);
        let (left, top) = (column.centre - column.card_width / 2.0, self.layout.cards_top);
        line(
            &mut self.out,
            format_args!(
                r#"<rect x="{left:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" rx="7" fill="{fill}" stroke="{stroke}" stroke-width="1.3"/>"#,
                column.card_width, column.card_height
            ),
        );
        text(&mut self.out, column.centre, top + 18.5, NAME, ink, "middle", true, &actor.name);
        let mut y = top + NAME_HEIGHT + 9.0;
        for (heading, detail) in &actor.facts {
            let next = y + fact_height(heading);
            if !heading.is_empty() {
                y = next - LINE_HEIGHT;
                text(&mut self.out, column.centre, y - LINE_HEIGHT, TEXT, INK, "middle", false, heading);
            }
            text(&mut self.out, column.centre, y, TEXT, FAINT, "middle", false, detail);
            y = next;
        }
    }

    fn section(&mut self, section: &Section) {
        let right = self.layout.width - MARGIN;
        line(
            &mut self.out,
            format_args!(
                r#"<line x1="{MARGIN}" y1="{0:.1}" x2="{right:.1}" y2="{0:.1}" stroke="{RULE}"/>"#,
                section.top
            ),
        );
        self.caption(MARGIN, section.top + 15.0, section.caption);
        for row in &section.rows {
            self.row(row, &self.picture.links[row.link]);
        }
    }

    /// Small text on white, so that a column's line does not run through it.
    fn caption(&mut self, x: f64, y: f64, words: &str) {
        line(
            &mut self.out,
            format_args!(
                r##"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="14" fill="#ffffff"/>"##,
                x - 2.0,
                y - 10.5,
                width(words, SMALL) + 4.0
            ),
        );
        text(&mut self.out, x, y, SMALL, FAINT, "start", true, words);
    }

    fn row(&mut self, row: &Row, link: &Link) {
        line(&mut self.out, format_args!("<g><title>{}</title>", escape(&link.detail)));
        match link.kind {
            LinkKind::Nesting => self.arrows(row, link, NESTING, &[(NESTING, true, false)]),
            LinkKind::Interrupt => self.arrows(row, link, INTERRUPT, &[(INTERRUPT, false, true)]),
            LinkKind::Channel { call, notify } => {
                let mut lines = Vec::new();
                if call[0] || call[1] {
                    lines.push((CALL, call[1], call[0]));
                }
                if notify[0] || notify[1] {
                    lines.push((NOTIFY, notify[1], notify[0]));
                }
                if lines.is_empty() {
                    // A channel that nobody may use is a channel still.
                    lines.push((Style { dashes: "1 4", ..NESTING }, false, false));
                }
                let mark = lines[0].0;
                self.arrows(row, link, mark, &lines);
            }
            LinkKind::Memory => self.memory(row, link),
        }
        self.out.push_str("</g>\n");
    }

    /// Lines between two ends, each with its style and whether it has a head at the first and at the second end.
    fn arrows(&mut self, row: &Row, link: &Link, mark: Style, lines: &[(Style, bool, bool)]) {
        let [first, second] = &link.ends[..] else { return };
        let (from, to) = (self.x(first.actor), self.x(second.actor));
        let towards = if from < to { 1.0 } else { -1.0 };
        let clear = |mark: &str| if mark.is_empty() { 4.0 } else { MARK + 1.5 };
        let (from_edge, to_edge) = (from + towards * clear(&first.mark), to - towards * clear(&second.mark));
        for (index, (style, head_at_first, head_at_second)) in lines.iter().enumerate() {
            let y = row.y + (index as f64 - (lines.len() as f64 - 1.0) / 2.0) * 8.0;
            // The ends of a line pass beside the round of the mark.
            let start = from_edge + if *head_at_first { towards * 7.0 } else { 0.0 };
            let end = to_edge - if *head_at_second { towards * 7.0 } else { 0.0 };
            self.stroke(start, end, y, *style);
            if *head_at_first {
                self.head(from_edge, y, -towards, style.colour);
            }
            if *head_at_second {
                self.head(to_edge, y, towards, style.colour);
            }
        }
        for (end, x) in [(first, from), (second, to)] {
            if end.mark.is_empty() {
                line(
                    &mut self.out,
                    format_args!(r#"<circle cx="{x:.1}" cy="{:.1}" r="3.5" fill="{}"/>"#, row.y, mark.colour),
                );
            } else {
                self.mark(x, row.y, &end.mark, MARK, mark);
            }
        }
    }

    fn memory(&mut self, row: &Row, link: &Link) {
        let places = link.ends.iter().map(|end| self.x(end.actor));
        let (left, right) = (places.clone().fold(f64::MAX, f64::min), places.fold(f64::MIN, f64::max));
        self.stroke(left, right, row.y, MEMORY);
        for end in &link.ends {
            self.mark(self.x(end.actor), row.y, &end.mark, 4.0, by_style(end.by));
        }
        let (pill, x) = (pill_width(link), row.label_x);
        line(
            &mut self.out,
            format_args!(
                r#"<rect x="{:.1}" y="{:.1}" width="{pill:.1}" height="{PILL_HEIGHT}" rx="{:.1}" fill="{}" stroke="{}" stroke-width="1.2"/>"#,
                x - pill / 2.0,
                row.y - PILL_HEIGHT / 2.0,
                PILL_HEIGHT / 2.0,
                MEMORY.fill,
                MEMORY.colour
            ),
        );
        text(&mut self.out, x, row.y - 1.5, TEXT, INK, "middle", false, &link.label);
        text(&mut self.out, x, row.y + 10.0, SMALL, FAINT, "middle", false, &link.size);
    }

    fn x(&self, actor: usize) -> f64 {
        self.layout.columns[actor].centre
    }

    fn stroke(&mut self, from: f64, to: f64, y: f64, style: Style) {
        let Style { colour, thickness, dashes, .. } = style;
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dashes}""#) };
        line(
            &mut self.out,
            format_args!(
                r#"<line x1="{from:.1}" y1="{y:.1}" x2="{to:.1}" y2="{y:.1}" stroke="{colour}" stroke-width="{thickness}"{dashes}/>"#
            ),
        );
    }

    /// An arrow's head with its point at `x`.
    fn head(&mut self, x: f64, y: f64, towards: f64, colour: &str) {
        let back = x - towards * 8.0;
        line(
            &mut self.out,
            format_args!(
                r#"<path d="M{x:.1} {y:.1}L{back:.1} {:.1}L{back:.1} {:.1}Z" fill="{colour}"/>"#,
                y - 4.0,
                y + 4.0
            ),
        );
    }

    /// A word in a rounded box on a column.
    fn mark(&mut self, x: f64, y: f64, word: &str, radius: f64, style: Style) {
        let box_width = mark_width(word);
        line(
            &mut self.out,
            format_args!(
                r#"<rect x="{:.1}" y="{:.1}" width="{box_width:.1}" height="{:.1}" rx="{radius}" fill="{}" stroke="{}" stroke-width="1.3"/>"#,
                x - box_width / 2.0,
                y - MARK,
                2.0 * MARK,
                style.fill,
                style.colour
            ),
        );
        text(&mut self.out, x, y + 3.4, SMALL, INK, "middle", true, word);
    }

    /// Says what the lines mean, of those that are there; gives where it ends.
    fn legend(&mut self, top: f64) -> f64 {
        let has = |kind: fn(&LinkKind) -> bool| self.picture.links.iter().any(|link| kind(&link.kind));
        let ends = |by: By| self.picture.links.iter().any(|link| link.ends.iter().any(|end| end.by == by));
        let entries = [
            (
                has(|kind| matches!(kind, LinkKind::Nesting)),
                NESTING,
                true,
                "child: its faults go to the parent",
            ),
            (
                has(|kind| matches!(kind, LinkKind::Channel { call: [a, b], .. } if *a || *b)),
                CALL,
                true,
                "protected procedure call",
            ),
            (
                has(|kind| matches!(kind, LinkKind::Channel { notify: [a, b], .. } if *a || *b)),
                NOTIFY,
                true,
                "notification",
            ),
            (has(|kind| matches!(kind, LinkKind::Interrupt)), INTERRUPT, true, "interrupt"),
            (has(|kind| matches!(kind, LinkKind::Memory)), MEMORY, false, "shared memory, with permissions"),
            (ends(By::Dma), DMA, false, "reached by DMA"),
            (ends(By::Registers), REGISTERS, false, "a device's registers"),
        ];
        let (mut x, mut y) = (MARGIN, top + 18.0);
        for (_, style, arrow, words) in entries.into_iter().filter(|(there, ..)| *there) {
            let entry_width = 44.0 + width(words, TEXT) + 18.0;
            if x > MARGIN && x + entry_width > self.layout.width - MARGIN {
                (x, y) = (MARGIN, y + 20.0);
            }
            if arrow {
                self.stroke(x, x + 26.0, y - 4.0, style);
                self.head(x + 33.0, y - 4.0, 1.0, style.colour);
            } else {
                self.mark(x + 17.0, y - 4.0, "rw", 4.0, style);
            }
            text(&mut self.out, x + 42.0, y, TEXT, FAINT, "start", false, words);
            x += entry_width;
        }
        y
    }

    fn notes(&mut self, top: f64) -> f64 {
        let mut y = top + 8.0;
        for note in
            self.picture.notes.iter().flat_map(|note| wrap(note, TEXT, self.layout.width - 2.0 * MARGIN))
        {
            y += 15.0;
            text(&mut self.out, MARGIN, y, TEXT, FAINT, "start", false, &note);
        }
        y
    }
}

fn by_style(by: By) -> Style {
    match by {
        By::Cpu => MEMORY,
        By::Dma => DMA,
        By::Registers => REGISTERS,
    }
}

/// Fill, line and ink of an actor's card.
fn card_colours(kind: ActorKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ActorKind::Domain => ("#edf3fc", "#4a74b4", "#173a6b"),
        ActorKind::Machine => ("#f3edfa", "#7b4fb3", "#44206f"),
        ActorKind::Device => ("#fdf4e4", "#b07410", "#6b4306"),
        ActorKind::Unit => ("#fbeceb", "#b23a3a", "#6e1c1c"),
    }
}

fn line(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{what}");
}

#[expect(clippy::too_many_arguments, reason = "these are the attributes of SVG's element")]
fn text(out: &mut String, x: f64, y: f64, size: f64, colour: &str, anchor: &str, bold: bool, words: &str) {
    let weight = if bold { r#" font-weight="600""# } else { "" };
    line(
        out,
        format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}>{}</text>"#,
            escape(words)
        ),
    );
}
