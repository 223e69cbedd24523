// SPDX-License-Identifier: BSD-2-Clause
//! A client without a machine: keeps ids of its own through all that the machines do.
#![no_std]
#![no_main]

use console_logger::LogRing;
use ioasid_microkit::{Client, Code, Error, Handle};
use sel4_microkit::{Handler, NullHandler, memory_region_symbol, protection_domain};
use test_vm::{CONSOLE, Checks, IOASID, JUDGE};

/// Its limit in ioasid.toml.
const QUOTA: usize = 16;
const ROUNDS: u32 = 20_000;

/// What is kept with the id at a place of the list.
fn data(place: usize) -> u64 {
    0xda7a_0000 + place as u64
}

fn run(client: &Client, checks: &mut Checks) -> Result<(), Error> {
    let mut ids: [Option<Handle>; QUOTA] = [None; QUOTA];
    for (place, id) in ids.iter_mut().enumerate() {
        *id = Some(client.alloc(1..=0xf_ffff, data(place))?);
    }
    let refused = client.alloc(1..=0xf_ffff, 0);
    checks.check("a client's quota is its own", refused == Err(Error::Refused(Code::QuotaExceeded)));
    let mut kept = true;
    for round in 0..ROUNDS {
        // One of them changes, all the others stay.
        let place = round as usize % QUOTA;
        client.free(ids[place].ok_or(Error::Refused(Code::NotFound))?)?;
        ids[place] = Some(client.alloc(1..=0xf_ffff, data(place))?);
        let other = (place + 1) % QUOTA;
        let id = ids[other].ok_or(Error::Refused(Code::NotFound))?;
        let found = client.find(id.pasid)?;
        kept &= found.handle == id && found.data == data(other);
    }
    checks.check("20000 times an id changed and its neighbour stayed what it was", kept);
    for id in ids.into_iter().flatten() {
        client.free(id)?;
    }
    Ok(())
}

#[protection_domain]
fn init() -> impl Handler {
    // SAFETY: the region is mapped readable and writable, and the console, which maps it too, only reads.
    unsafe { console_logger::install(memory_region_symbol!(log_ring: *mut LogRing), CONSOLE) };
    let mut checks = Checks::default();
    let outcome = ioasid_microkit::connect(IOASID).and_then(|client| run(&client, &mut checks));
    if let Err(error) = outcome {
        log::error!("{error}");
    }
    checks.check("no call of it was refused", outcome.is_ok());
    supervisor_api::send(JUDGE, checks.report());
    NullHandler::new()
}
