// SPDX-License-Identifier: BSD-2-Clause
//! Where everything goes: columns as wide as their cards and the labels between them, rows as few as fit. All
//! measures are in pixels.

use crate::order;
use crate::picture::{Actor, Link, LinkKind, Picture};
use crate::text::width;

/// Font sizes.
pub(crate) const TITLE: f64 = 17.0;
pub(crate) const NAME: f64 = 13.0;
pub(crate) const TEXT: f64 = 11.0;
pub(crate) const SMALL: f64 = 9.5;

/// Space around the whole, and from one column's card to the next.
pub(crate) const MARGIN: f64 = 24.0;
const BETWEEN_CARDS: f64 = 14.0;
/// Space inside a card, left and right.
const CARD_PADDING: f64 = 10.0;
/// Height of a card's name, and of a line below it.
pub(crate) const NAME_HEIGHT: f64 = 28.0;
pub(crate) const LINE_HEIGHT: f64 = 14.0;
const CARD_BOTTOM: f64 = 6.0;
/// Half the height of a mark, and its least width.
pub(crate) const MARK: f64 = 9.0;
/// Height of the pill that a label stands in, with its size below it.
pub(crate) const PILL_HEIGHT: f64 = 30.0;
const ROW_HEIGHT: f64 = 30.0;
const PILL_ROW_HEIGHT: f64 = 40.0;
const SECTION_HEIGHT: f64 = 34.0;
/// Top of the cards, below title and summary.
const CARDS_TOP: f64 = 78.0;

/// The places of a picture's parts.
pub(crate) struct Layout {
    pub(crate) width: f64,
    pub(crate) cards_top: f64,
    /// By index of the actor.
    pub(crate) columns: Vec<Column>,
    pub(crate) sections: Vec<Section>,
    /// Where the columns end.
    pub(crate) bottom: f64,
}

/// Place of an actor.
#[derive(Clone, Copy, Default)]
pub(crate) struct Column {
    pub(crate) centre: f64,
    pub(crate) card_width: f64,
    pub(crate) card_height: f64,
}

/// Rows of one kind.
pub(crate) struct Section {
    pub(crate) caption: &'static str,
    /// Where the line above it is.
    pub(crate) top: f64,
    pub(crate) rows: Vec<Row>,
}

/// Place of a link.
pub(crate) struct Row {
    /// Index into [`Picture::links`].
    pub(crate) link: usize,
    pub(crate) y: f64,
    /// Centre of its label.
    pub(crate) label_x: f64,
}

/// Width of the mark that says `mark`.
pub(crate) fn mark_width(mark: &str) -> f64 {
    (width(mark, SMALL) + 8.0).max(2.0 * MARK)
}

/// Width of the pill for a link's label.
pub(crate) fn pill_width(link: &Link) -> f64 {
    width(&link.label, TEXT).max(width(&link.size, SMALL)) + 18.0
}

impl Layout {
    pub(crate) fn of(picture: &Picture) -> Self {
        let order = order::columns(picture);
        let mut position = vec![0; order.len()];
        for (place, actor) in order.iter().enumerate() {
            position[*actor] = place;
        }
        let cards: Vec<(f64, f64)> = order.iter().map(|actor| card(&picture.actors[*actor])).collect();
        let (gaps, label_gap) = gaps(picture, &position, &cards);

        let mut centre = MARGIN + cards.first().map_or(0.0, |card| card.0 / 2.0);
        let mut columns = vec![Column::default(); order.len()];
        let mut centres = Vec::with_capacity(order.len());
        for (place, actor) in order.iter().enumerate() {
            if place > 0 {
                centre += gaps[place - 1];
            }
            centres.push(centre);
            columns[*actor] = Column { centre, card_width: cards[place].0, card_height: cards[place].1 };
        }
        let last = cards.last().map_or(0.0, |card| card.0 / 2.0);
        let cards_bottom = CARDS_TOP + cards.iter().map(|card| card.1).fold(0.0, f64::max);

        let mut sections = Vec::new();
        let mut top = cards_bottom + 22.0;
        for (caption, belongs) in SECTIONS {
            let links = (0..picture.links.len()).filter(|link| belongs(&picture.links[*link].kind));
            let mut spans: Vec<(usize, usize, usize)> = links
                .map(|link| (span(&picture.links[link], &position), link))
                .map(|((a, b), l)| (a, b, l))
                .collect();
            if spans.is_empty() {
                continue;
            }
            spans.sort_by_key(|(first, last, link)| (*first, last - first, *link));
            let mut row_ends: Vec<usize> = Vec::new();
            let mut rows = Vec::new();
            let height = if caption == MEMORY { PILL_ROW_HEIGHT } else { ROW_HEIGHT };
            for (first, last, link) in spans {
                let row = row_ends.iter().position(|end| *end < first).unwrap_or(row_ends.len());
                match row_ends.get_mut(row) {
                    Some(end) => *end = last,
                    None => row_ends.push(last),
                }
                let y = top + SECTION_HEIGHT + height * (row as f64 + 0.5) - 8.0;
                let label_x = label_gap[link].map_or(centre, |gap| (centres[gap] + centres[gap + 1]) / 2.0);
                rows.push(Row { link, y, label_x });
            }
            sections.push(Section { caption, top, rows });
            top += SECTION_HEIGHT + height * row_ends.len() as f64;
        }
        let titles = width(&picture.title, TITLE).max(width(&picture.summary, TEXT));
        Self {
            width: (centre + last).max(MARGIN + titles) + MARGIN,
            cards_top: CARDS_TOP,
            columns,
            sections,
            bottom: top + 10.0,
        }
    }
}

const MEMORY: &str = "Shared memory";

/// Which links a section of the picture holds.
type Belongs = fn(&LinkKind) -> bool;

const SECTIONS: [(&str, Belongs); 4] = [
    ("Parents and children", |kind| matches!(kind, LinkKind::Nesting)),
    ("Channels", |kind| matches!(kind, LinkKind::Channel { .. })),
    ("Interrupts", |kind| matches!(kind, LinkKind::Interrupt)),
    (MEMORY, |kind| matches!(kind, LinkKind::Memory)),
];

/// Height of a fact with this heading: a line, or a heading with its detail below and some space.
pub(crate) fn fact_height(heading: &str) -> f64 {
    if heading.is_empty() { LINE_HEIGHT } else { 2.0 * LINE_HEIGHT + 3.0 }
}

/// Width and height of an actor's card.
fn card(actor: &Actor) -> (f64, f64) {
    let name = width(&actor.name, NAME) * 1.08;
    let lines = actor.facts.iter().flat_map(|(heading, detail)| [width(heading, TEXT), width(detail, TEXT)]);
    let inner = lines.fold(name, f64::max);
    let height: f64 = actor.facts.iter().map(|(heading, _)| fact_height(heading)).sum();
    (inner + 2.0 * CARD_PADDING, NAME_HEIGHT + height + CARD_BOTTOM)
}

/// First and last column that a link reaches.
fn span(link: &Link, position: &[usize]) -> (usize, usize) {
    let places = link.ends.iter().map(|end| position[end.actor]);
    (places.clone().min().unwrap_or(0), places.max().unwrap_or(0))
}

/// The distance from each column's centre to the next, and for each link with a label the gap that it stands in: the
/// widest that the link crosses, widened where that is too narrow.
fn gaps(picture: &Picture, position: &[usize], cards: &[(f64, f64)]) -> (Vec<f64>, Vec<Option<usize>>) {
    let mut gaps: Vec<f64> =
        cards.windows(2).map(|pair| (pair[0].0 + pair[1].0) / 2.0 + BETWEEN_CARDS).collect();
    let mut label_gap = vec![None; picture.links.len()];
    let mut links: Vec<usize> = (0..picture.links.len()).collect();
    let length = |link: &usize| {
        let (first, last) = span(&picture.links[*link], position);
        last - first
    };
    links.sort_by_key(|link| (length(link), *link));
    for index in links {
        let link = &picture.links[index];
        let (first, last) = span(link, position);
        let Some(gap) = (first..last).max_by(|a, b| gaps[*a].total_cmp(&gaps[*b]).then(b.cmp(a))) else {
            continue;
        };
        let marks = link.ends.iter().map(|end| mark_width(&end.mark)).fold(0.0, f64::max);
        let needed = if link.label.is_empty() { 64.0 } else { pill_width(link) + marks + 24.0 };
        gaps[gap] = gaps[gap].max(needed);
        label_gap[index] = Some(gap);
    }
    (gaps, label_gap)
}
