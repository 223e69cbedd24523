// SPDX-License-Identifier: BSD-2-Clause
//! `monitor`: what `cargo xtask monitor` runs.
#![forbid(unsafe_code)]

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Parser;
use ratatui::crossterm::event::{self, Event};
use system_monitor::{Act, App, Source, draw, with_terminal};
use system_trace::Place;

/// How often the trace is read, and the screen drawn, where no key asks for it.
const EVERY: Duration = Duration::from_millis(200);

/// Watches the ioasid server of a running system. `cargo xtask monitor` calls this with what it needs.
#[derive(Parser)]
#[command(
    name = "monitor",
    version,
    after_help = "Example:\n  monitor --name reference --memory target/ioasid/reference/memory --address 0x10420000 --bytes 0x20000"
)]
struct Args {
    /// What the system is called
    #[arg(long)]
    name: String,
    /// The file that its runs keep their memory in
    #[arg(long, value_name = "FILE")]
    memory: PathBuf,
    /// Physical address of the trace
    #[arg(long, value_parser = number)]
    address: u64,
    /// Its length
    #[arg(long, value_parser = number)]
    bytes: u64,
}

/// A number, decimal or hexadecimal.
fn number(text: &str) -> Result<u64, String> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    u64::from_str_radix(digits, radix).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the terminal: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> io::Result<()> {
    let Args { name, memory, address, bytes } = args;
    let mut source = Source::new(memory, Place { address, bytes });
    let mut app = App::new(&name);
    with_terminal(|terminal, asked_to_end| {
        while !asked_to_end.load(Ordering::Relaxed) {
            app.refresh(&mut source);
            terminal.draw(|frame| draw(frame, &mut app))?;
            let next = Instant::now() + EVERY;
            while event::poll(next.saturating_duration_since(Instant::now()))? {
                match event::read()? {
                    Event::Key(key) => {
                        if app.key(key) == Act::Quit {
                            return Ok(());
                        }
                    }
                    Event::Resize(..) => {}
                    _ => continue,
                }
                terminal.draw(|frame| draw(frame, &mut app))?;
            }
        }
        Ok(())
    })
}
