// SPDX-License-Identifier: BSD-2-Clause
//! An audit as text for people and as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{Audit, Finding, Matrix, Severity, SubjectKind};

impl Audit {
    /// The audit as plain text: the matrix, who controls whom, the findings, and one line that sums it up.
    pub fn to_text(&self) -> String {
        let mut out = format!("Who can reach what, from {}\n\n", self.files.join(" and "));
        table(&mut out, &self.matrix);
        if !self.matrix.ports.is_empty() {
            out.push_str("\nI/O ports\n\n");
            for ports in &self.matrix.ports {
                let _ = writeln!(out, "  {:#x}–{:#x} {}", ports.first, ports.last, ports.subject);
            }
        }
        if !self.matrix.controls.is_empty() {
            out.push_str("\nWho controls whom\n\n");
            for control in &self.matrix.controls {
                let _ = writeln!(out, "  {} {}", control.by, control.how);
            }
        }
        out.push('\n');
        for finding in &self.findings {
            let _ = writeln!(out, "{finding}\n");
        }
        let _ = writeln!(out, "audit: {}", self.verdict());
        out
    }

    /// The last line of the text, without its beginning.
    fn verdict(&self) -> String {
        let count =
            |severity| self.findings.iter().filter(|finding| finding.rule.severity() == severity).count();
        let say = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        format!("{}, {}", say(count(Severity::Error), "error"), say(count(Severity::Warning), "warning"))
    }

    /// The audit as one JSON object.
    pub fn to_json(&self) -> String {
        let matrix = &self.matrix;
        let report = Report {
            files: &self.files,
            passes: self.passes(),
            subjects: matrix
                .subjects
                .iter()
                .map(|subject| JsonSubject { name: &subject.name, kind: subject.kind.to_string() })
                .collect(),
            reaches: matrix
                .reaches
                .iter()
                .map(|reach| JsonReach {
                    subject: &matrix.subjects[reach.subject].name,
                    region: &matrix.regions[reach.region],
                    by: by(matrix.subjects[reach.subject].kind),
                    access: reach.access.to_string(),
                })
                .collect(),
            ports: matrix
                .ports
                .iter()
                .map(|ports| JsonPorts { subject: &ports.subject, first: ports.first, last: ports.last })
                .collect(),
            controls: matrix
                .controls
                .iter()
                .map(|control| JsonControl { by: &control.by, how: &control.how })
                .collect(),
            findings: self
                .findings
                .iter()
                .map(|finding| JsonFinding {
                    rule: finding.rule.name(),
                    severity: finding.rule.severity().name(),
                    file: &finding.file,
                    line: finding.line,
                    column: finding.column,
                    message: &finding.message,
                    help: &finding.help,
                })
                .collect(),
        };
        // Strings, numbers and lists always can be written.
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    }
}

/// A row for each region, a column for each subject: what the CPU gives as it is, what DMA gives after a star.
fn table(out: &mut String, matrix: &Matrix) {
    let cell = |region: usize, subject: usize| {
        let found = matrix.reaches.iter().find(|reach| (reach.region, reach.subject) == (region, subject));
        found.map_or("·".to_owned(), |reach| match matrix.subjects[subject].kind {
            SubjectKind::Device => format!("*{}", reach.access),
            _ => reach.access.to_string(),
        })
    };
    let names = matrix.regions.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = matrix.subjects.iter().map(|subject| subject.name.chars().count().max(4)).collect();
    let mut row = |first: &str, cells: Vec<String>| {
        let _ = write!(out, "  {first:names$}");
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(out, "  {cell:>width$}");
        }
        out.push('\n');
    };
    row("", matrix.subjects.iter().map(|subject| subject.name.clone()).collect());
    for (index, region) in matrix.regions.iter().enumerate() {
        row(region, (0..matrix.subjects.len()).map(|subject| cell(index, subject)).collect());
    }
    if matrix.subjects.iter().any(|subject| subject.kind == SubjectKind::Device) {
        out.push_str("\n  * by DMA, at the most\n");
    }
}

fn by(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Device => "dma",
        SubjectKind::ProtectionDomain | SubjectKind::VirtualMachine => "cpu",
    }
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rule, message, help, file, line, column } = self;
        write!(
            f,
            "{}[{}]: {message}\n  {file}:{line}:{column}\n  help: {help}",
            rule.severity().name(),
            rule.name()
        )
    }
}

#[derive(Serialize)]
struct Report<'a> {
    files: &'a [String],
    passes: bool,
    subjects: Vec<JsonSubject<'a>>,
    reaches: Vec<JsonReach<'a>>,
    ports: Vec<JsonPorts<'a>>,
    controls: Vec<JsonControl<'a>>,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonSubject<'a> {
    name: &'a str,
    kind: String,
}

#[derive(Serialize)]
struct JsonReach<'a> {
    subject: &'a str,
    region: &'a str,
    by: &'static str,
    access: String,
}

#[derive(Serialize)]
struct JsonPorts<'a> {
    subject: &'a str,
    first: u64,
    last: u64,
}

#[derive(Serialize)]
struct JsonControl<'a> {
    by: &'a str,
    how: &'a str,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'static str,
    severity: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    help: &'a str,
}
