// SPDX-License-Identifier: BSD-2-Clause
//! A client of the service without a will of its own: it does what the director asks (`service_scenarios::relay`).
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use guest_kit::edu::{Edu, Transfer};
use ioasid_api::Field;
use ioasid_microkit::{Batch, Client, Code, Error, EventReader, FindReader, Handle, Result as Answer, Task};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs,
    with_msg_regs_mut,
};
use service_scenarios::memory::{self, DEVICES};

use service_scenarios::relay::{CONTROL, Control, FLOOD_IOVA, Flood, event_to_words};
use service_scenarios::{ALL_IDS, DEVICE_IRQS, IOASID, ONE_PAGE, page};
use system_test::clock::ticks;

const DIRECTOR: Channel = Channel::new(2);

/// What the director's next notification means.
#[derive(Clone, Copy)]
enum Next {
    Nothing,
    Die,
    Flood(Flood, Handle),
}

struct Relay {
    devices: [Option<Edu>; DEVICES],
    ended: [u64; DEVICES],
    ticks: u64,
    events: EventReader<'static>,
    find: FindReader<'static>,
    next: Next,
}

// The director may begin a new life of it.
microkit_child::restartable!();

#[protection_domain]
fn init() -> impl Handler {
    DIRECTOR.notify();
    Relay {
        devices: memory::devices(),
        ended: [0; DEVICES],
        ticks: 0,
        events: EventReader::new(memory::events()),
        find: FindReader::new(memory::find()),
        next: Next::Nothing,
    }
}

impl Relay {
    fn control(&mut self, control: Control, words: [u64; 4]) -> [u64; 4] {
        let [first, second, third, fourth] = words;
        let place = |word| usize::try_from(word).unwrap_or(usize::MAX);
        let span = || memory::buffer().get(place(first)..place(second)).unwrap_or_default().iter();
        let value = third.to_le_bytes()[0];
        match control {
            Control::Event => event_to_words(self.events.pop()),
            Control::Lost => [self.events.lost(), 0, 0, 0],
            Control::Look => {
                let found = Handle::from_word(first).and_then(|handle| self.find.find(handle));
                [u64::from(found.is_some()), found.unwrap_or(0), 0, 0]
            }
            Control::Start => {
                let transfer = if first == 0 { Transfer::ReadMemory } else { Transfer::WriteMemory };
                if let Some(Some(device)) = self.devices.get_mut(place(fourth)) {
                    device.start(transfer, second, third);
                }
                [0; 4]
            }
            Control::Ended => [self.ended.get(place(first)).copied().unwrap_or(0), 0, 0, 0],
            Control::Fill => {
                span().for_each(|byte| byte.store(value, Ordering::Relaxed));
                [0; 4]
            }
            Control::Count => {
                let count = span().filter(|byte| byte.load(Ordering::Relaxed) == value).count();
                [u64::try_from(count).unwrap_or(u64::MAX), 0, 0, 0]
            }
            Control::Ticks => [self.ticks, 0, 0, 0],
            Control::Store => {
                if let Some(word) = memory::batch().get(place(first)) {
                    word.store(second, Ordering::Relaxed);
                }
                [0; 4]
            }
            Control::Load => {
                let word = memory::batch().get(place(first));
                [word.map_or(0, |word| word.load(Ordering::Relaxed)), 0, 0, 0]
            }
            Control::Die => {
                self.next = Next::Die;
                [0; 4]
            }
            Control::Flood => {
                let what = Flood::from_word(first).zip(Handle::from_word(second));
                self.next = what.map_or(Next::Nothing, |(flood, id)| Next::Flood(flood, id));
                [0; 4]
            }
        }
    }
}

/// Calls the service until it refuses.
fn flood(flood: Flood, id: Handle) {
    let Ok(client) = ioasid_microkit::connect(IOASID) else { return };
    let once = || match flood {
        Flood::Map => {
            client.map(id, FLOOD_IOVA, page(0), ONE_PAGE)?;
            client.unmap(id, FLOOD_IOVA, 1)
        }
        Flood::Batch => {
            let (batch, mut ids) = (Batch::new(client, memory::batch()), [id; 8]);
            batch.free(batch.alloc(ALL_IDS, 0, &mut ids)?).map(drop)
        }
        Flood::Provider => own_choice(&client, id.pasid),
    };
    while once().is_ok() {}
    DIRECTOR.notify();
}

/// An id that this client chooses for itself, as a provider, and gives up.
fn own_choice(client: &Client, pasid: u32) -> Answer<()> {
    match client.alloc(ALL_IDS, 0) {
        Err(Error::Refused(Code::Pending)) => {}
        other => return other.map(drop),
    }
    while let Some(ask) = client.next_task()? {
        if let Task::Choose { ticket, .. } = ask {
            client.give(ticket, pasid)?;
        }
    }
    client.free(client.alloc_result()?)
}

impl Handler for Relay {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let label = message.label();
        if label < CONTROL {
            // The words are in the message registers already, and the answer's stay there.
            let before = ticks();
            let answer = IOASID.pp_call(message);
            self.ticks = ticks() - before;
            return Ok(answer);
        }
        let mut words = [0; 4];
        with_msg_regs(|registers| words.copy_from_slice(&registers[..4]));
        let answer = Control::from_label(label).map_or([0; 4], |control| self.control(control, words));
        with_msg_regs_mut(|registers| registers[..4].copy_from_slice(&answer));
        Ok(MessageInfo::new(0, answer.len()))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            let device = channel.index().checked_sub(DEVICE_IRQS).filter(|&device| device < DEVICES);
            if let Some(device) = device
                && let Some(edu) = &mut self.devices[device]
            {
                self.ended[device] += u64::from(edu.acknowledge());
            }
            if channel == DIRECTOR {
                match self.next {
                    Next::Nothing => {}
                    // SAFETY: nothing is mapped there, so nothing is changed: the store faults.
                    Next::Die => unsafe { core::ptr::null_mut::<u8>().write_volatile(1) },
                    Next::Flood(what, id) => flood(what, id),
                }
            } else {
                DIRECTOR.notify();
            }
        }
        Ok(())
    }
}
