// SPDX-License-Identifier: BSD-2-Clause
//! A client of the service without a will of its own: it does what the director asks (`service_scenarios::relay`).
#![no_std]
#![no_main]

use core::sync::atomic::Ordering;

use guest_kit::edu::{Edu, Transfer};
use ioasid_api::Field;
use ioasid_microkit::{EventReader, FindReader, Handle};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, protection_domain, with_msg_regs,
    with_msg_regs_mut,
};
use service_scenarios::relay::{CONTROL, Control, event_to_words};
use service_scenarios::{DEVICE_IRQ, IOASID, ONE_PAGE, memory, page};

const DIRECTOR: Channel = Channel::new(2);

/// What the director's next notification means.
#[derive(Clone, Copy)]
enum Next {
    Nothing,
    Die,
    Flood(Handle, u64),
}

struct Relay {
    device: Option<Edu>,
    events: EventReader<'static>,
    find: FindReader<'static>,
    ended: u64,
    next: Next,
}

// The director may begin a new life of it.
microkit_child::restartable!();

#[protection_domain]
fn init() -> impl Handler {
    DIRECTOR.notify();
    Relay {
        device: memory::device(),
        events: EventReader::new(memory::events()),
        find: FindReader::new(memory::find()),
        ended: 0,
        next: Next::Nothing,
    }
}

impl Relay {
    fn control(&mut self, control: Control, words: [u64; 4]) -> [u64; 4] {
        let [first, second, third, _] = words;
        let span = || {
            let place = |word| usize::try_from(word).unwrap_or(usize::MAX);
            memory::buffer().get(place(first)..place(second)).unwrap_or_default().iter()
        };
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
                if let Some(device) = &mut self.device {
                    device.start(transfer, second, third);
                }
                [0; 4]
            }
            Control::Ended => [self.ended, 0, 0, 0],
            Control::Fill => {
                span().for_each(|byte| byte.store(value, Ordering::Relaxed));
                [0; 4]
            }
            Control::Count => {
                let count = span().filter(|byte| byte.load(Ordering::Relaxed) == value).count();
                [u64::try_from(count).unwrap_or(u64::MAX), 0, 0, 0]
            }
            Control::Die => {
                self.next = Next::Die;
                [0; 4]
            }
            Control::Flood => {
                self.next = Handle::from_word(first).map_or(Next::Nothing, |id| Next::Flood(id, second));
                [0; 4]
            }
        }
    }
}

/// Calls the service until it refuses.
fn flood(id: Handle, iova: u64) {
    let Ok(client) = ioasid_microkit::connect(IOASID) else { return };
    while client.map(id, iova, page(0), ONE_PAGE).and_then(|()| client.unmap(id, iova, 1)).is_ok() {}
    DIRECTOR.notify();
}

impl Handler for Relay {
    type Error = Infallible;

    fn protected(&mut self, _: Channel, message: MessageInfo) -> Result<MessageInfo, Infallible> {
        let label = message.label();
        if label < CONTROL {
            // The words are in the message registers already, and the answer's stay there.
            return Ok(IOASID.pp_call(message));
        }
        let mut words = [0; 4];
        with_msg_regs(|registers| words.copy_from_slice(&registers[..4]));
        let answer = Control::from_label(label).map_or([0; 4], |control| self.control(control, words));
        with_msg_regs_mut(|registers| registers[..4].copy_from_slice(&answer));
        Ok(MessageInfo::new(0, answer.len()))
    }

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        for channel in channels.iter() {
            if channel == DEVICE_IRQ
                && let Some(device) = &mut self.device
            {
                device.acknowledge();
                self.ended += 1;
            }
            if channel == DIRECTOR {
                match self.next {
                    Next::Nothing => {}
                    // SAFETY: nothing is mapped there, so nothing is changed: the store faults.
                    Next::Die => unsafe { core::ptr::null_mut::<u8>().write_volatile(1) },
                    Next::Flood(id, iova) => flood(id, iova),
                }
            } else {
                DIRECTOR.notify();
            }
        }
        Ok(())
    }
}
