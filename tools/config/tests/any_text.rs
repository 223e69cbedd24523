// SPDX-License-Identifier: BSD-2-Clause
//! No text makes the compiler panic; and what it accepts, it says of in the server's own terms.

mod common;

use common::{TOML, XML};
use ioasid_config::Config;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sdf::System;

/// Words that mean something in either file.
const WORDS: &[&str] = &[
    "server",
    "driver",
    "admin",
    "nic",
    "config",
    "buffer",
    "spare",
    "events",
    "registry",
    "ecam",
    "\"",
    "[",
    "]",
    "{ 0 = ",
    " }",
    "=",
    "\n",
    "[[client]]\n",
    "[[device]]\n",
    "[unit]\n",
    "true",
    "0",
    "-1",
    "4294967295",
    "18446744073709551615",
    "1e9",
    "00:03.0",
    "ff:1f.7",
    "ä",
    "\u{0}",
    "\u{10ffff}",
];

/// Words of the file, some of which were replaced, put in or left out.
fn departing_from(text: &'static str) -> impl Strategy<Value = String> {
    let edit = (any::<Index>(), any::<bool>(), select(WORDS));
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut words: Vec<&str> = text.split_inclusive([' ', '\n', '"', ',']).collect();
        for (at, replaces, word) in edits {
            let at = at.index(words.len());
            words.splice(at..at + usize::from(replaces), [word]);
        }
        words.concat()
    })
}

/// Whatever is accepted holds together by itself; whatever is not is said with a place in the file.
fn holds(system: &System, toml: &str) -> Result<(), TestCaseError> {
    match config_compiler::compile(system, "ioasid.toml", toml) {
        Ok(config) => consistent(&config),
        Err(problems) => {
            prop_assert!(problems.iter().count() > 0);
            for problem in &problems {
                prop_assert!(problem.span.end <= toml.len() && !problem.message.is_empty());
            }
            prop_assert!(problems.to_string().starts_with("ioasid.toml:"));
            Ok(())
        }
    }
}

fn consistent(config: &Config) -> Result<(), TestCaseError> {
    let clients = config.clients();
    let channels: std::collections::BTreeSet<_> = clients.iter().map(|client| client.channel).collect();
    prop_assert_eq!(channels.len(), clients.len());
    prop_assert!(clients.iter().all(|client| client.reservation <= client.limit));
    prop_assert!(config.devices().iter().all(|device| usize::from(device.client) < clients.len()));
    let regions = config.regions();
    prop_assert!(regions.iter().all(|region| (region.client as usize) < clients.len()));
    prop_assert!(regions.iter().all(|region| region.paddr != 0 && (1..=3).contains(&region.access)));
    Ok(())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(toml in any::<String>()) {
        holds(&common::system(XML), &toml)?;
    }

    #[test]
    fn no_departure_from_a_good_file_makes_it_panic(toml in departing_from(TOML)) {
        holds(&common::system(XML), &toml)?;
    }

    #[test]
    fn no_departure_from_the_system_makes_it_panic(xml in departing_from(XML), toml in departing_from(TOML)) {
        if let Ok(system) = System::parse_with("system.xml", &xml, &|_| Ok(1)) {
            holds(&system, TOML)?;
            holds(&system, &toml)?;
        }
    }
}
