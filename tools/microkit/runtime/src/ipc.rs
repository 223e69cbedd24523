// SPDX-License-Identifier: BSD-2-Clause
//! Receiving: what a badge says about where a message came from.

use core::fmt;

use microkit_image::layout;
use sel4_abi::Word;

use crate::{Channel, Child, MessageInfo};

/// Why the domain woke up.
#[derive(Debug)]
pub(crate) enum Event {
    Notified(ChannelSet),
    Protected(Channel),
    Fault(Child),
}

impl Event {
    /// What a badge says.
    #[inline(always)]
    pub(crate) fn of(badge: Word) -> Self {
        let number = sel4_abi::to_usize(badge & layout::BADGE_ID);
        if badge & layout::BADGE_NOTIFICATION != 0 {
            Self::Notified(ChannelSet(badge & !layout::BADGE_NOTIFICATION))
        } else if badge & layout::BADGE_FAULT != 0 {
            Self::Fault(Child::new(number))
        } else {
            Self::Protected(Channel::new(number))
        }
    }
}

pub(crate) fn recv() -> (MessageInfo, Word) {
    let (tag, badge) = sel4_abi::recv(layout::INPUT_CAP);
    (MessageInfo::from_inner(tag), badge)
}

pub(crate) fn reply_recv(info: MessageInfo) -> (MessageInfo, Word) {
    let (tag, badge) = sel4_abi::reply_recv(layout::INPUT_CAP, info.into_inner());
    (MessageInfo::from_inner(tag), badge)
}

/// The channels from which notifications came.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelSet(Word);

impl ChannelSet {
    /// The channels whose bits are set.
    pub(crate) fn from_bits(bits: Word) -> Self {
        Self(bits)
    }

    /// The channels, lowest number first.
    #[must_use]
    pub fn iter(&self) -> ChannelSetIter {
        ChannelSetIter(self.0)
    }

    /// The set as text: `{1, 2}`.
    #[must_use]
    pub fn display(&self) -> DisplayChannelSet<'_> {
        DisplayChannelSet(self)
    }
}

/// Iterator over a [`ChannelSet`].
#[derive(Debug, Clone)]
pub struct ChannelSetIter(Word);

impl Iterator for ChannelSetIter {
    type Item = Channel;

    fn next(&mut self) -> Option<Channel> {
        let index = self.0.trailing_zeros() as usize;
        (self.0 != 0).then(|| {
            self.0 &= self.0 - 1;
            Channel::new(index)
        })
    }
}

/// A [`ChannelSet`] as text.
#[derive(Debug)]
pub struct DisplayChannelSet<'a>(&'a ChannelSet);

impl fmt::Display for DisplayChannelSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, channel) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { ", " }, channel.index())?;
        }
        f.write_str("}")
    }
}
