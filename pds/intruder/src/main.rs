// SPDX-License-Identifier: BSD-2-Clause
//! A client of the ioasid service that attacks it, and its neighbours: by calls, by lies in the page that it shares with
//! the server, and by DMA of its own device. It does what it is ordered, at each notification, by way of a page
//! ([`attacks::Desk`]), and notifies when it is done.
//!
//! What it may know of others it knows: where their memory and the server's is.
#![no_std]
#![no_main]

mod memory;

use core::sync::atomic::{AtomicU64, Ordering};

use attacks::{Attacker, Desk, Impossible, Order, Random, is_secret};
use guest_kit::edu::Edu;
use guest_kit::script::{Script, signal};
use ioasid_microkit::{Access, Client, Extent, Handle, RegionOffset, Result};
use sel4_microkit::{Channel, Handler, MessageInfo, protection_domain, with_msg_regs, with_msg_regs_mut};

const IOASID: Channel = Channel::new(1);
const DIRECTOR: Channel = Channel::new(2);
const DEVICE_IRQ: Channel = Channel::new(3);

/// Where a page of its own is mapped during a sweep: at an address that nothing else is at.
const OWN: u64 = 0x7f_0000_0000;
const PAGE: u64 = 0x1000;
/// Where interrupt messages go: the local APIC of the only processor.
const INTERRUPTS: u64 = 0xfee0_0000;
/// The first interrupt vector that seL4 gives to domains.
const FIRST_VECTOR: u64 = 0x30;
/// How memory beyond the targets is sampled: every so many bytes, somewhere in it.
const STRIDE: u64 = 0x80_0000;
/// Memory that this machine has.
const MEMORY: u64 = 0x4000_0000;
/// Pages of each target that are tried.
const PAGES: u64 = 8;

#[protection_domain]
fn init() -> impl Handler {
    Script::new(async {
        let desk = memory::desk();
        let seed = memory::seed();
        desk.seed.store(seed, Ordering::Relaxed);
        let intruder = Intruder {
            desk,
            attacker: Attacker::new(seed, true),
            random: Random::new(!seed),
            device: memory::device(DEVICE_IRQ),
            batch: memory::batch(),
            buffer: memory::buffer(),
        };
        intruder.obey().await;
    })
}

struct Intruder {
    desk: &'static Desk,
    attacker: Attacker,
    random: Random,
    device: Edu,
    batch: &'static [AtomicU64],
    buffer: &'static [AtomicU64],
}

impl Intruder {
    async fn obey(mut self) {
        loop {
            signal(DIRECTOR).await;
            let done = match self.desk.take() {
                Some((Order::Calls, times)) => {
                    (0..times).for_each(|_| self.attack());
                    self.look_for_secrets();
                    Ok(())
                }
                Some((Order::Sweep, _)) => self.sweep().await,
                Some((Order::Interrupts, vectors)) => self.interrupts(vectors).await,
                None => continue,
            };
            if done.is_err() {
                // Its own calls before an attack are allowed.
                self.desk.count(&self.desk.impossible);
            }
            DIRECTOR.notify();
        }
    }

    /// One random message, with a random word of the batch page beside it.
    fn attack(&mut self) {
        let mut attack = self.attacker.next_attack();
        if self.desk.calls.load(Ordering::Relaxed).is_multiple_of(64) {
            self.batch
                .iter()
                .zip(self.attacker.batch_page())
                .for_each(|(word, lie)| word.store(lie, Ordering::Relaxed));
        }
        with_msg_regs_mut(|registers| registers[..attack.len].copy_from_slice(&attack.words[..attack.len]));
        let info = MessageInfo::new(attack.label, attack.len);
        // As many of its bits as a message of this kernel has.
        attack.label = info.label();
        let info = IOASID.pp_call(info);
        let label = info.label();
        let heard = with_msg_regs(|registers| match registers.get(..info.count()) {
            Some(words) => self.attacker.heard(&attack, label, words),
            None => Err(Impossible::NoAnswer),
        });
        self.desk.count(&self.desk.calls);
        if heard.is_err() {
            self.desk.message.store(attack.label, Ordering::Relaxed);
            self.desk.answer.store(label, Ordering::Relaxed);
            self.desk.count(&self.desk.impossible);
        }
    }

    /// Nothing of others is on any page that it shares with the server.
    fn look_for_secrets(&self) {
        let pages = memory::told().into_iter().chain([self.batch]).flatten();
        let secrets = pages.filter(|word| is_secret(word.load(Ordering::Relaxed))).count();
        self.desk.leaked.fetch_add(secrets as u64, Ordering::Relaxed);
    }

    /// An id of its own that maps one page of its own, and its device bound to it.
    fn foothold(&self) -> Result<(Client, Handle)> {
        let client = ioasid_microkit::connect(IOASID)?;
        let id = client.alloc(1..=0xffff, 0)?;
        client.map(
            id,
            OWN,
            RegionOffset { region: 0, offset: 0 },
            Extent { pages: 1, access: Access::ReadWrite },
        )?;
        client.bind(id, 0).or_else(|_| client.replace(id, 0))?;
        Ok((client, id))
    }

    /// Reads and writes memory wherever it knows or guesses that there is some.
    async fn sweep(&mut self) -> Result<()> {
        let (client, id) = self.foothold()?;
        for (start, bytes) in memory::targets() {
            for number in 0..PAGES.min(bytes / PAGE) {
                let page = if number == 0 { 0 } else { self.random.below(bytes / PAGE) };
                self.touch(start + page * PAGE).await;
            }
        }
        for part in 0..MEMORY / STRIDE {
            let somewhere = self.random.below(STRIDE / PAGE) * PAGE;
            self.touch(part * STRIDE + somewhere).await;
        }
        client.free(id)
    }

    /// Reads at an address and says what of that came through; then writes there.
    async fn touch(&mut self, address: u64) {
        let bytes = 8 + self.random.below(8) * 8;
        let within = self.random.below((PAGE - bytes) / 8) * 8;
        // What the device has in its buffer is its own before.
        self.buffer.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        self.device.read_memory(OWN, bytes).await;
        self.device.read_memory(address + within, bytes).await;
        self.device.write_memory(OWN, bytes).await;
        let leaked = self.buffer.iter().filter(|word| word.load(Ordering::Relaxed) != 0).count();
        self.desk.leaked.fetch_add(leaked as u64, Ordering::Relaxed);
        // What it would write is easily seen.
        self.buffer.iter().for_each(|word| word.store(0x6666_6666_6666_6666, Ordering::Relaxed));
        self.device.read_memory(OWN, bytes).await;
        self.device.write_memory(address + within, bytes).await;
        self.desk.transfers.fetch_add(2, Ordering::Relaxed);
    }

    /// Interrupt messages, which no table of the unit stops: of every vector that a domain may have.
    async fn interrupts(&mut self, vectors: u64) -> Result<()> {
        let (client, id) = self.foothold()?;
        for vector in FIRST_VECTOR..FIRST_VECTOR + vectors {
            if let Some(word) = self.buffer.first() {
                word.store(vector, Ordering::Relaxed);
            }
            self.device.read_memory(OWN, 4).await;
            self.device.write_memory(INTERRUPTS, 4).await;
        }
        client.free(id)
    }
}
