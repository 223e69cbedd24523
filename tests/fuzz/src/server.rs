// SPDX-License-Identifier: BSD-2-Clause
//! The server's door: any message on any channel, any contents of a shared page, DMA at any moment, a unit that
//! refuses.
//!
//! What has to hold: no panic; the registry's check passes at the end; what a plain client asks changes nothing
//! of others' (share and use, counters, find page, batch page, events); a device reaches its own client's memory alone;
//! and in the end every set can be ended in a bounded number of calls.

mod input;
mod world;

use input::Input;
use std::cell::RefCell;
use world::{CLIENTS, Client, Room, World};

/// Actions of one input, at the most.
const ACTIONS: usize = 12;

thread_local! {
    /// Memory is made once.
    static ROOM: RefCell<Room> = RefCell::new(Room::new());
}

/// Runs the actions that bytes spell: the first chooses the world, then twelve for each.
///
/// # Panics
/// On a finding.
pub fn server(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else { return };
    ROOM.with_borrow_mut(|room| {
        let mut world = World::new(room, first);
        run(&mut world, rest);
        // These take longer than all of the rest, so not every input does them.
        if first & 0x30 == 0x30 {
            world.check();
        }
        if first & 0xc0 == 0xc0 {
            world.end();
            world.check();
        }
    });
}

fn run(world: &mut World<'_>, rest: &[u8]) {
    let mut before = world.look();
    let (records, _) = rest.as_chunks();
    let mut records = records.iter().take(ACTIONS).peekable();
    while let Some(record) = records.next() {
        let action = Input::new(record, world).action();
        world.act(action);
        // What one client does on end is looked at once.
        if records.peek().is_some_and(|&next| Input::new(next, world).action().actor() == action.actor()) {
            continue;
        }
        let after = world.look();
        for other in Client::all().filter(|&other| !world.may_change(action.actor(), other)) {
            assert_eq!(
                after[other.index()],
                before[other.index()],
                "{action:x?} changed what is {other:?}'s"
            );
        }
        before = after;
    }
}

const _: () = assert!(CLIENTS <= 8, "a byte chooses among them");
