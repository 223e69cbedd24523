// SPDX-License-Identifier: BSD-2-Clause
//! The picture as a Mermaid flowchart, for places that render it themselves.

use std::fmt::Write as _;

use crate::picture::{ActorKind, By, Link, LinkKind, Picture};

impl Picture {
    /// The picture as the text of a Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        for (index, actor) in self.actors.iter().enumerate() {
            let mut words = format!("<b>{}</b>", escape(&actor.name));
            for (heading, detail) in &actor.facts {
                let between = if heading.is_empty() { "" } else { ": " };
                // Writing to a string cannot fail.
                let _ = write!(words, "<br/>{}{between}{}", escape(heading), escape(detail));
            }
            let (open, close) = match actor.kind {
                ActorKind::Domain => ("[", "]"),
                ActorKind::Machine => ("[[", "]]"),
                ActorKind::Device | ActorKind::Unit => ("{{", "}}"),
            };
            let _ = writeln!(out, "    a{index}{open}\"{words}\"{close}");
        }
        for (index, link) in self.links.iter().enumerate() {
            link_lines(&mut out, index, link);
        }
        for note in &self.notes {
            // A comment: a line that begins so.
            let _ = writeln!(out, "    %% {}", note.replace(['\n', '\r'], " "));
        }
        out
    }
}

fn link_lines(out: &mut String, index: usize, link: &Link) {
    if link.kind == LinkKind::Memory {
        let _ = writeln!(out, "    m{index}([\"{}<br/>{}\"])", escape(&link.label), escape(&link.size));
        for end in &link.ends {
            let dma = if end.by == By::Dma { " by DMA" } else { "" };
            let _ = writeln!(out, "    a{} ---|\"{}{dma}\"| m{index}", end.actor, escape(&end.mark));
        }
        return;
    }
    let [first, second] = &link.ends[..] else { return };
    let marks = format!("{}→{}", escape(&first.mark), escape(&second.mark));
    let back = format!("{}→{}", escape(&second.mark), escape(&first.mark));
    let mut arrow = |from: usize, style: &str, words: &str, to: usize| {
        let _ = writeln!(out, "    a{from} {style}|\"{words}\"| a{to}");
    };
    match link.kind {
        LinkKind::Nesting => {
            arrow(first.actor, "---", &format!("child {}", escape(&second.mark)), second.actor)
        }
        LinkKind::Interrupt => {
            arrow(first.actor, "-.->", &format!("irq {}", escape(&second.mark)), second.actor)
        }
        LinkKind::Channel { call, notify } => {
            if call[0] {
                arrow(first.actor, "==>", &format!("call {marks}"), second.actor);
            }
            if call[1] {
                arrow(second.actor, "==>", &format!("call {back}"), first.actor);
            }
            if notify[0] {
                arrow(first.actor, "-.->", &format!("notify {marks}"), second.actor);
            }
            if notify[1] {
                arrow(second.actor, "-.->", &format!("notify {back}"), first.actor);
            }
        }
        LinkKind::Memory => {}
    }
}

/// `text` as it may stand in a quoted label: Mermaid resolves HTML's references there.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '&' | '<' | '>' | '#' | ';' => {
                let _ = write!(out, "#{};", c as u32);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
