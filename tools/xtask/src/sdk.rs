// SPDX-License-Identifier: BSD-2-Clause
//! The Microkit SDK: the same programs and system.xml, built against rust-sel4 and composed by the SDK's tool.

use crate::build::{BuildArgs, Program};
use crate::machine::Machine;
use crate::qemu::Image;
use crate::system::System;
use crate::workspace;
use microkit_sdk::{BOARD, BOARD_VTX, BuildRequest, Configuration, Sdk};
use miette::{Report, Result};
use std::path::PathBuf;
use std::sync::Mutex;

/// The folder's name of what `args` make.
pub fn variant(sdk: &Sdk, args: &BuildArgs) -> String {
    format!("sdk-{}-{}", sdk.release().version, args.config)
}

/// Builds `system` into `folder`. Also gives the tool's account of the image.
pub fn build(
    system: &System,
    programs: Vec<Program>,
    args: &BuildArgs,
    sdk: &Sdk,
    folder: PathBuf,
) -> Result<(Image, Vec<String>)> {
    let request = BuildRequest {
        system: system.folder.join("system.xml"),
        board: if Machine::load(&system.folder)?.bochs { BOARD_VTX } else { BOARD },
        search_paths: vec![system.folder.clone()],
        quiet: args.quiet,
        ..request(programs, args.config, folder.clone())
    };
    // Systems that are built side by side would wait for Cargo's lock.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let image = sdk.build(&request).map_err(Report::new)?;
    // Whether instructions are the clock is for who boots to say.
    let mut arguments = image.qemu_args(0);
    if let Some(at) = arguments.iter().position(|argument| argument == "-icount") {
        arguments.drain(at..at + 2);
    }
    let (kernel, module) = (image.kernel, image.module);
    Ok((Image { folder, kernel, module, arguments }, image.account))
}

/// Asks for `programs`, in the folder `output`, and no system yet.
pub fn request(programs: Vec<Program>, configuration: Configuration, output: PathBuf) -> BuildRequest {
    let programs = programs.into_iter().map(|program| microkit_sdk::Program {
        package: program.package,
        binary: program.name,
        image: program.image,
    });
    BuildRequest {
        workspace: workspace::root().to_owned(),
        outside: None,
        system: PathBuf::new(),
        programs: programs.collect(),
        search_paths: Vec::new(),
        board: BOARD,
        configuration,
        quiet: true,
        output,
    }
}
