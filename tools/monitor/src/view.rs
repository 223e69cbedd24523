// SPDX-License-Identifier: BSD-2-Clause
//! The screen: a title, the sets with bars, the devices, the events, the keys. What does not fit goes first from below the
//! title, then from the right; the smallest screen shows what it can of the title.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use system_trace::{Class, Set, class, kind};

use crate::{App, State};

/// Screens lower than this show no devices.
const LOW: u16 = 16;
/// Screens narrower than this show no counts beside the bars.
const NARROW: u16 = 60;
/// Screens narrower than this have the keys close together.
const WIDE: u16 = 105;
/// The most lines that sets or devices take, their frame not counted.
const MOST_LINES: u16 = 10;

const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let area = frame.area();
    let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).min(MOST_LINES);
    let low = area.height < LOW;
    let sets = (lines(app.history.sets.len()) + 2).min(area.height / 2);
    let devices =
        if low || app.history.devices.is_empty() { 0 } else { lines(app.history.devices.len()) + 2 };
    let [title, above, middle, below, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(sets),
        Constraint::Length(devices),
        Constraint::Fill(1),
        Constraint::Length(u16::from(area.height > 4)),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(self::title(app)), title);
    draw_sets(frame, app, above);
    draw_devices(frame, app, middle);
    draw_events(frame, app, below);
    frame.render_widget(Paragraph::new(self::keys(app, area.width)), keys);
}

fn title(app: &App) -> Line<'static> {
    let (said, colour) = match &app.state {
        State::Waiting => ("waiting for `cargo xtask run`".to_owned(), Color::Yellow),
        State::Booting => ("the system boots".to_owned(), Color::Yellow),
        State::Running => ("running".to_owned(), Color::Green),
        State::Ended => ("the run has ended".to_owned(), Color::Blue),
        State::Unreadable(why) => (why.clone(), Color::Red),
    };
    let mut spans = vec![
        Span::styled(format!("{} ", app.name), BOLD),
        Span::styled(said, Style::new().fg(colour).add_modifier(Modifier::BOLD)),
    ];
    if app.paused {
        spans.push(Span::styled(" PAUSED", Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD)));
    }
    let history = &app.history;
    if !history.entries.is_empty() {
        let (_, time) = history.span();
        spans.push(Span::raw(format!("  time {time}")));
        let mut more = |count: u64, what: &str, colour| {
            if count > 0 {
                spans.push(Span::styled(format!("  {count} {what}"), Style::new().fg(colour)));
            }
        };
        more(history.lost, "records lost", Color::Yellow);
        more(history.quarantined, "in quarantine", Color::Red);
        more(history.strays, "stray faults", Color::Red);
    }
    Line::from(spans)
}

/// `1 set`, `2 sets`.
fn plural(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The part of a list of `count` that `room` lines show, so that `chosen` is among it.
fn window(count: usize, room: usize, chosen: Option<usize>) -> std::ops::Range<usize> {
    let start = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(room));
    start..(start + room).min(count)
}

fn block(title: String) -> Block<'static> {
    Block::bordered().title(title).border_style(DIM)
}

fn draw_sets(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let room = usize::from(area.height.saturating_sub(2));
    let sets = &app.history.sets;
    let shown = window(sets.len(), room, app.set);
    let name = sets.iter().map(|set| set.name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> = shown
        .clone()
        .filter_map(|at| Some(set_line(sets.get(at)?, name, area.width, app.set == Some(at))))
        .collect();
    let more = if shown.len() < sets.len() { format!(" {} of", shown.len()) } else { String::new() };
    frame.render_widget(
        Paragraph::new(lines).block(block(format!("{more} {} ", plural(sets.len(), "set")))),
        area,
    );
}

fn set_line(set: &Set, name: usize, width: u16, chosen: bool) -> Line<'static> {
    let style = if chosen { BOLD } else { Style::new() };
    let mut spans = vec![Span::styled(format!("{:name$} ", set.name), style)];
    let Some(share) = set.share else {
        spans.push(Span::styled("not stated in what is left", DIM));
        return Line::from(spans);
    };
    let inner = usize::from(width.saturating_sub(2));
    let digits = share.limit.max(share.used).to_string().len().max(3);
    let numbers = format!(" {:>digits$}/{:<digits$}", share.used, share.limit);
    let counts = if width < NARROW {
        String::new()
    } else {
        format!(" peak {:<digits$} faults {:<4} refused {:<5}", share.peak, share.faults, share.refused)
    };
    let taken = name + 1 + numbers.len() + counts.len();
    let room = inner.saturating_sub(taken).min(60);
    let colour = match (u64::from(share.used) * 10).checked_div(share.limit.into()) {
        _ if !set.open => Color::DarkGray,
        Some(10..) => Color::Red,
        Some(8..) => Color::Yellow,
        _ => Color::Cyan,
    };
    let filled = |part: u32| {
        let cells = u64::from(part) * room as u64 / u64::from(share.limit.max(1));
        usize::try_from(cells).unwrap_or(room).min(room)
    };
    // What is used shows, if only a little is.
    let used = filled(share.used).max(usize::from(share.used > 0).min(room));
    spans.push(Span::styled("█".repeat(used), Style::new().fg(colour)));
    spans.push(Span::styled("░".repeat(room - used), DIM));
    spans.push(Span::styled(numbers, style));
    let alarm = if share.faults > 0 { Style::new().fg(Color::Red) } else { DIM };
    spans.push(Span::styled(counts, alarm));
    Line::from(spans)
}

fn draw_devices(frame: &mut Frame<'_>, app: &App, area: Rect) {
    let devices = &app.history.devices;
    let name = devices.iter().map(|device| device.name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> = devices
        .iter()
        .map(|device| {
            let owner = app.history.sets.get(device.set).map_or("?", |set| set.name.as_str());
            let bound = match &device.bound[..] {
                [] => "nothing".to_owned(),
                [(id, _)] => format!("PASID {}", id.pasid),
                [(id, _), rest @ ..] => format!("PASID {} and {} more", id.pasid, rest.len()),
            };
            let faults = if device.faults > 0 { Style::new().fg(Color::Red) } else { DIM };
            Line::from(vec![
                Span::raw(format!("{:name$} ", device.name)),
                Span::styled(format!("of {owner}, bound to {bound}"), Style::new()),
                Span::styled(format!("  {}", plural(device.faults, "fault")), faults),
            ])
        })
        .collect();
    frame.render_widget(
        Paragraph::new(lines).block(block(format!(" {} ", plural(devices.len(), "device")))),
        area,
    );
}

fn colour(class: Class) -> Color {
    match class {
        Class::Ids => Color::Cyan,
        Class::Spaces => Color::Green,
        Class::Faults => Color::Red,
        Class::Refusals => Color::Yellow,
        Class::Providers => Color::Magenta,
        Class::Service => Color::Blue,
    }
}

fn draw_events(frame: &mut Frame<'_>, app: &mut App, area: Rect) {
    app.page = usize::from(area.height.saturating_sub(2)).max(1);
    let count = app.chosen().count();
    app.below = app.below.min(count.saturating_sub(app.page));
    let sets = &app.history.sets;
    let name = sets.iter().map(|set| set.name.chars().count()).max().unwrap_or(0);
    let shown: Vec<_> = app.chosen().rev().skip(app.below).take(app.page).collect();
    let lines: Vec<_> = shown
        .into_iter()
        .rev()
        .map(|entry| {
            let set = entry.set.and_then(|set| sets.get(set)).map_or("", |set| set.name.as_str());
            let style = Style::new().fg(colour(class(entry.event)));
            Line::from(vec![
                Span::styled(format!("{:>7} ", entry.at), DIM),
                Span::raw(format!("{set:name$} ")),
                Span::styled(format!("{:11}", kind(entry.event)), style),
                Span::raw(app.history.describe(entry.event)),
            ])
        })
        .collect();
    let below = if app.below > 0 { format!(", {} newer below", app.below) } else { String::new() };
    let of = app.set.and_then(|set| sets.get(set)).map_or(String::new(), |set| format!(" of {}", set.name));
    frame.render_widget(
        Paragraph::new(lines).block(block(format!(" {}{of}{below} ", plural(count, "event")))),
        area,
    );
}

fn keys(app: &App, width: u16) -> Line<'static> {
    let gap = if width < WIDE { " " } else { "  " };
    let plain = [("q", "quit"), ("p", "pause"), ("↑↓", "scroll"), ("tab", "set"), ("a", "all")];
    let mut spans = Vec::new();
    for (key, what) in plain {
        spans.push(Span::styled(key, BOLD));
        spans.push(Span::styled(format!(" {what}{gap}"), DIM));
    }
    for (number, (class, shown)) in Class::ALL.iter().zip(app.classes).enumerate() {
        let style =
            if shown { Style::new().fg(colour(*class)) } else { DIM.add_modifier(Modifier::CROSSED_OUT) };
        spans.push(Span::styled(format!("{} ", number + 1), BOLD));
        spans.push(Span::styled(class.name(), style));
        spans.push(Span::raw(gap));
    }
    Line::from(spans)
}
