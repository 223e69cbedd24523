// SPDX-License-Identifier: BSD-2-Clause
//! The step that opens the page of `cargo xtask trace --html` in a browser, wide and narrow, light and dark: no script
//! fails, nothing is wider than the window, no text lies on another, and every text stands out from what is behind it.

use super::{Step, Tally};
use crate::workspace;
use ioasid_api::{Access, RegionOffset};
use ioasid_trace::{Choice, Direction, Event, Handle, Name, ShareWhy, Trace, Writer};
use miette::{IntoDiagnostic as _, Result, WrapErr as _, miette};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use system_trace::History;

/// What looks at the page from inside.
const PROBE: &str = include_str!("probe.js");
/// Windows: a desk's and a telephone's.
const WIDTHS: [u32; 2] = [1280, 400];

/// It.
pub fn steps() -> Vec<Step<'static>> {
    let run = || match browser() {
        Some(browser) => Tally::of(looks(&browser)),
        None => {
            Tally { remark: "left out: there is no chromium (Debian: chromium)".into(), ..Tally::default() }
        }
    };
    vec![Step { name: "trace/page".into(), run: Box::new(run), parallel: false }]
}

fn browser() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&folders)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

fn looks(browser: &Path) -> Result<String> {
    let folder = workspace::output().join("page");
    std::fs::create_dir_all(&folder).into_diagnostic()?;
    let page = made_up().to_html("made up & <tested>");
    let page = page.replacen("<head>", &format!("<head>\n<script>{PROBE}</script>"), 1);
    let file = folder.join("trace.html");
    workspace::write(&file, page.as_bytes())?;
    for width in WIDTHS {
        for dark in [false, true] {
            let said = look(browser, &file, width, dark)?;
            let mode = if dark { "dark" } else { "light" };
            if said != "ok" {
                return Err(miette!("{} at {width} pixels, {mode}: {said}", workspace::display(&file)));
            }
        }
    }
    Ok(format!("{} windows, pictures in {}", 2 * WIDTHS.len(), workspace::display(&folder)))
}

/// Opens the page, and gives what the probe says.
fn look(browser: &Path, file: &Path, width: u32, dark: bool) -> Result<String> {
    let mode = if dark { "dark" } else { "light" };
    let arguments = |more: String| {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", "60"]).arg(browser);
        // Without a sandbox it also runs as root, in a container; the page is our own.
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--no-first-run"]);
        command.arg(format!("--user-data-dir={}", file.with_file_name("profile").display()));
        command.arg(format!("--window-size={width},1600"));
        if dark {
            command.arg("--blink-settings=preferredColorScheme=0");
        }
        command.arg(more).arg(format!("file://{}", file.display()));
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    // A picture of each width will do: the light one for a desk, the dark one for a telephone.
    if dark == (width == WIDTHS[1]) {
        let picture = file.with_file_name(format!("trace-{width}-{mode}.png"));
        let shot = arguments(format!("--screenshot={}", picture.display())).stdout(Stdio::null()).status();
        if !shot.into_diagnostic()?.success() {
            return Err(miette!("{} made no picture of {}", browser.display(), workspace::display(file)));
        }
    }
    let output = arguments("--dump-dom".into()).output().into_diagnostic().wrap_err("the browser")?;
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = page.split_once("data-probe=\"").and_then(|(_, rest)| rest.split_once('"'));
    Ok(said.map_or("the probe says nothing".into(), |(said, _)| said.to_owned()))
}

/// A history with everything that can happen, long names, many sets, and records that are lost.
fn made_up() -> History {
    let memory: Vec<_> = (0..4 * 700).map(|_| AtomicU64::new(0)).collect();
    let names = ["guest_a", "a_driver_with_a_long_name", "<b>&\"quoted\"", "admin"];
    let devices = [("nic", 0x18, 0), ("storage_controller_00001", 0xff20, 1)];
    let devices = devices.map(|(name, source, set)| (Name::new(name), source, set));
    let mut writer = Writer::new(&memory, names.map(Name::new), devices);
    let id = |pasid: u32| Handle { pasid, generation: (pasid % 3).try_into().unwrap_or(0), epoch: 1 };
    let source = RegionOffset { region: 3, offset: 0x1000 };
    let share = |why, limit, used| {
        let (reservation, peak) = (limit / 2, used);
        Event::Share { why, reservation, limit, used, peak, faults: 3, refused: 1000 }
    };
    writer.push(0, None, Event::Started { epoch: 1, unit: true });
    for life in [1_u16, 2] {
        writer.push(0, None, Event::Started { epoch: life, unit: life == 1 });
        for (set, limit) in [(0, 64), (1, 100_000), (2, 90), (3, 0)] {
            writer.push(0, Some(set), share(ShareWhy::Stated, limit, 0));
        }
        for time in 1..400_u32 {
            let (at, set, pasid) = (time * 1000, u8::try_from(time % 3).unwrap_or(0), 0xf_f000 + time);
            match time % 7 {
                0 if time > 21 => writer.push(at, Some(set), Event::Free { id: id(pasid - 21) }),
                1 => writer.push(
                    at,
                    Some(1),
                    Event::Bind { id: id(pasid), device: 0xff20, tagged: time % 2 == 0 },
                ),
                2 if time % 5 == 0 => writer.push(
                    at,
                    Some(u8::from(time % 2 == 0)),
                    Event::Fault {
                        device: if time % 2 == 0 { 0xff20 } else { 0x18 },
                        reason: 0x5b,
                        direction: Direction::Write,
                        pasid: (time % 4 == 0).then_some(pasid),
                        address: 0xffff_ffff_f000,
                        id: Some(id(pasid)),
                    },
                ),
                3 => writer.refused(at, set, 0x20, 206, u64::MAX, || ()),
                _ => writer.push(at, Some(set), Event::Alloc { id: id(pasid) }),
            }
        }
    }
    let (iova, pages, access) = (0xffff_ffff_f000, 4096, Access::ReadWrite);
    for event in [
        Event::Map { id: id(1), iova, pages, access, source },
        Event::Unmap { id: id(1), iova, pages },
        Event::Unbind { id: id(2), device: 0x18, tagged: true },
        Event::Quarantine { id: id(3) },
        Event::FaultsLost,
        Event::Registered { allocator: 7 },
        Event::Asked { ticket: u64::MAX, alloc: true },
        Event::Asked { ticket: 9, alloc: false },
        Event::Answered { ticket: u64::MAX, choice: Choice::Given(u32::MAX) },
        Event::Answered { ticket: 1, choice: Choice::Failed },
        Event::Unregistered { allocator: 7, orphans: 1 },
        Event::ProviderGone { orphans: 2 },
        share(ShareWhy::Adjusted, 9, 4),
        share(ShareWhy::Ending, 0, 4),
        share(ShareWhy::Gone, 0, 0),
        share(ShareWhy::Opened, 20, 0),
    ] {
        writer.push(400_000, Some(2), event);
    }
    let words: Vec<_> = memory.iter().map(|word| word.load(Ordering::Relaxed)).collect();
    Trace::read(&words).map_or_else(|_| History::default(), |trace| History::of(&trace, trace.written()))
}
