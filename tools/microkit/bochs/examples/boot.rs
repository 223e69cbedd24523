// SPDX-License-Identifier: BSD-2-Clause
//! Boots a kernel and a root task until a line ends with ` failed`, as a system's summary does: `cargo run -p microkit-bochs --example boot -- KERNEL32 ROOT FOLDER [SECONDS]`.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::process::ExitCode;

use microkit_bochs::{Bochs, End, Limits, Machine};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kernel, root, folder, rest @ ..] = &arguments[..] else {
        eprintln!("usage: boot KERNEL32 ROOT FOLDER [SECONDS]");
        return ExitCode::FAILURE;
    };
    let seconds = rest.first().and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let run = Bochs::find().and_then(|bochs| {
        let (kernel, root, folder) = (kernel.as_ref(), root.as_ref(), folder.as_ref());
        let mut seen = Vec::new();
        let show = &mut |bytes: &[u8]| {
            // A terminal that is gone does not end the run: the log is in the folder.
            let _ = std::io::stdout().write_all(bytes);
            seen.extend_from_slice(bytes);
            if seen.windows(8).any(|text| text == b" failed\n") {
                return ControlFlow::Break(());
            }
            seen.drain(..seen.len().saturating_sub(8));
            ControlFlow::Continue(())
        };
        bochs.boot(&Machine::default(), kernel, root, folder, Limits::seconds(seconds), show)
    });
    match run {
        Ok(run) => {
            eprintln!("{:?} after {:.1} s", run.end, run.elapsed.as_secs_f64());
            if matches!(run.end, End::Shutdown | End::Stopped) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
