// SPDX-License-Identifier: BSD-2-Clause
//! What a teardown costs, beside the sequence that Linux uses for it, on the same unit and the same tables; and
//! how fast the driver runs on QEMU's device model.
//!
//! Instructions are counted by valgrind, which runs this program again for one sequence at a time: they repeat
//! exactly. Without valgrind that column is left out, and the program says so.
mod instant;
mod linux;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use qtest::{DATA, Platform, Qemu10, Rig};
use vtd::{
    Access, BATCH, Binding, Config, Device, DomainId, Mapping, PageSize, Pasid, SourceId, Stage, Unit,
};

use instant::{Counts, InstantTables, InstantUnit};

/// Polls after which a unit that takes its time has done its work.
const POLLS: u32 = 10;
const MEASURED: [&str; 3] = ["driver", "linux", "empty"];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("count") => count(arguments.get(1).map_or("", String::as_str)),
        _ => report(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

/// A unit with 64 PASIDs of one device, each bound to a domain of its own.
struct Bench {
    unit: Unit<InstantUnit, InstantTables>,
    double: InstantUnit,
    bindings: Vec<Binding>,
    domains: Vec<DomainId>,
}

impl Bench {
    fn new(delay: u32) -> Result<Self> {
        let double = InstantUnit::new(delay);
        let mut unit = Unit::probe(double.clone(), double.tables(), Config::default())?;
        unit.enable()?;
        let device = SourceId::from(0x18);
        unit.attach(device, Device::default())?;
        let (mut bindings, mut domains) = (Vec::new(), Vec::new());
        for index in 0..BATCH {
            let domain = unit.create_domain(Stage::Second)?;
            let (access, largest) = (Access::ReadWrite, PageSize::Small);
            unit.map(domain, Mapping { iova: DATA, phys: 0x800_0000, bytes: 4096, access, largest })?;
            let pasid = Pasid::new(u32::try_from(index)? + 1).context("a PASID")?;
            unit.bind(device, pasid, domain)?;
            bindings.push(Binding { device, pasid });
            domains.push(domain);
        }
        Ok(Self { unit, double, bindings, domains })
    }

    /// The register accesses and descriptors of tearing everything down, by the driver or by Linux's sequence.
    fn teardown(delay: u32, by_driver: bool) -> Result<Counts> {
        let mut bench = Self::new(delay)?;
        let before = bench.double.counts();
        if by_driver {
            teardown_by_driver(&mut bench)?;
        } else {
            let mut linux = linux::Sequence::new(&bench.double);
            teardown_like_linux(&mut bench, &mut linux);
        }
        Ok(bench.double.counts().since(before))
    }
}

#[inline(never)]
fn teardown_by_driver(bench: &mut Bench) -> Result<()> {
    Ok(bench.unit.unbind_all(&bench.bindings)?)
}

#[inline(never)]
fn teardown_like_linux(bench: &mut Bench, linux: &mut linux::Sequence) {
    for (binding, domain) in bench.bindings.iter().zip(&bench.domains) {
        linux.tear_down(binding.device, binding.pasid, *domain);
    }
}

#[inline(never)]
fn measured_nothing(bench: &mut Bench) {
    std::hint::black_box(&mut bench.bindings);
}

/// Runs one sequence for valgrind to count.
fn count(what: &str) -> Result<()> {
    let mut bench = Bench::new(0)?;
    match what {
        "driver" => teardown_by_driver(&mut bench)?,
        "linux" => {
            let mut linux = linux::Sequence::new(&bench.double);
            teardown_like_linux(&mut bench, &mut linux);
        }
        "empty" => measured_nothing(&mut bench),
        _ => bail!("unknown sequence {what}"),
    }
    Ok(())
}

/// Instructions of one sequence.
fn instructions(what: &str) -> Result<u64> {
    let function = match what {
        "driver" => "*teardown_by_driver*",
        "linux" => "*teardown_like_linux*",
        _ => "*measured_nothing*",
    };
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(format!("--toggle-collect={function}")).arg(std::env::current_exe()?).args(["count", what]);
    let output = command.output().context("valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split("Collected :").nth(1));
    let collected = collected.with_context(|| format!("valgrind counted nothing:\n{text}"))?;
    Ok(collected.trim().parse()?)
}

fn report() -> Result<()> {
    println!(
        "Teardown of {BATCH} ids, each of a domain of its own: {BATCH} × what Linux does for an id, and one batch"
    );
    let counted: Result<Vec<u64>> = MEASURED.into_iter().map(instructions).collect();
    let instructions = match counted {
        Ok(counted) => [Some(counted[0] - counted[2]), Some(counted[1] - counted[2])],
        Err(error) => {
            println!("(instructions are left out: {error})");
            [None, None]
        }
    };
    println!(
        "{:34} {:>11} {:>11} {:>10} {:>10} {:>12}",
        "", "submissions", "descriptors", "reg reads", "reg writes", "instructions"
    );
    for delay in [0, POLLS] {
        for (by_driver, instructions) in [true, false].into_iter().zip(instructions) {
            let name = if by_driver { "driver" } else { "Linux" };
            let unit = if delay == 0 { "at once".to_owned() } else { format!("after {delay} polls") };
            let counts = Bench::teardown(delay, by_driver)?;
            let instructions = match instructions {
                Some(instructions) if delay == 0 => instructions.to_string(),
                _ => "-".to_owned(),
            };
            println!(
                "{:34} {:>11} {:>11} {:>10} {:>10} {:>12}",
                format!("{name}, the unit answers {unit}"),
                counts.submissions,
                counts.descriptors,
                counts.reads,
                counts.writes,
                instructions
            );
        }
    }
    if let [Some(driver), Some(linux)] = instructions {
        println!("instructions an id: {} (Linux: {})", driver / BATCH as u64, linux / BATCH as u64);
    }
    on_qemu()
}

/// bind + unbind, with its invalidation, on QEMU's unit.
fn on_qemu() -> Result<()> {
    const ROUNDS: u32 = 5000;
    let mut rig = Rig::<Qemu10>::new(1);
    let (device, domain) = (rig.places[0], rig.domain(0));
    let pasid = Pasid::new(5).context("a PASID")?;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        rig.unit.bind(device, pasid, domain)?;
        rig.unit.unbind(device, pasid)?;
    }
    let each = start.elapsed() / ROUNDS;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        std::hint::black_box(vtd::registers::FSTS.read(&mut rig.platform.registers()));
    }
    let read = start.elapsed() / ROUNDS;
    let rate = 1_000_000_000 / each.as_nanos().max(1);
    println!("QEMU over qtest: bind + unbind + flush {each:?} ({rate}/s); one register read {read:?}");
    Ok(())
}
