// SPDX-License-Identifier: BSD-2-Clause
//! A client without a machine: keeps ids of its own, and floating-point state, through all that the machines do.
#![no_std]
#![no_main]

use console_logger::LogRing;
use ioasid_microkit::{Client, Code, Error, Handle};
use sel4_microkit::{Handler, NullHandler, memory_region_symbol, protection_domain};
use system_test::fpu;
use test_vm::{CONSOLE, Checks, IOASID, JUDGE, Word};

/// Its limit in ioasid.toml.
const QUOTA: usize = 16;
/// Rounds between two words to the judge, who says when it is enough.
const PIECE: usize = 20;
/// Turns of a loop between two looks at floating-point state in a piece of work: the least, and how many more there are
/// in the longest piece. A time slice that ends in the service begins anew there, for its priority is above. Were all
/// pieces as long as a few slices, every slice could end there, and the machines, of this domain's priority, never run.
const SPINS: u64 = 5_000;
const MORE: u64 = 997;
/// Pieces after which the judge has been waited for in vain.
const PATIENCE: u64 = 1_000_000;

/// What is kept with the id at a place of the list.
fn data(place: usize) -> u64 {
    0xda7a_0000 + place as u64
}

/// One of the ids changes, all the others stay; gives whether the one beside it did.
fn round(client: &Client, ids: &mut [Handle; QUOTA], place: usize) -> Result<bool, Error> {
    client.free(ids[place])?;
    ids[place] = client.alloc(1..=0xf_ffff, data(place))?;
    let other = (place + 1) % QUOTA;
    let found = client.find(ids[other].pasid)?;
    Ok(found.handle == ids[other] && found.data == data(other))
}

fn run(client: &Client, checks: &mut Checks) -> Result<(), Error> {
    let mut ids = [Handle { pasid: 0, generation: 0, epoch: 0 }; QUOTA];
    for (place, id) in ids.iter_mut().enumerate() {
        *id = client.alloc(1..=0xf_ffff, data(place))?;
    }
    let refused = client.alloc(1..=0xf_ffff, 0);
    checks.check("a client's quota is its own", refused == Err(Error::Refused(Code::QuotaExceeded)));
    let (mut kept, mut state) = (true, true);
    let mut pieces = 0;
    fpu::load(pieces);
    while pieces < PATIENCE && Word::Progress.say() == 0 {
        for place in 0..PIECE {
            kept &= round(client, &mut ids, place % QUOTA)?;
        }
        state &= !fpu::UNTOUCHED || fpu::matches(pieces);
        pieces += 1;
        // Long enough to be interrupted now and then.
        state &= fpu::hold(pieces, SPINS + pieces * 101 % MORE);
    }
    log::info!("      {} times an id changed", pieces * PIECE as u64);
    checks.check("it was told to stop", pieces < PATIENCE);
    checks.check("whenever an id changed, its neighbour stayed what it was", kept);
    checks.check("no floating-point state was lost", state);
    for id in ids {
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
