// SPDX-License-Identifier: BSD-2-Clause
//! Which custom allocators are registered, in which order, and which group's turn it is.
//!
//! The members of a group stand beside each other, groups in the order in which their first member came. So the
//! active group is the first member's, and the group's current `pdata` is its first member's. With no member at all it is
//! the default allocator's turn, whose tag is 0 and who is not in the table.

use super::{Allocator, AllocatorId, Helpers};
use crate::Error;
use crate::capacity::{ALLOCATORS, GROUPS};
use core::hash::{Hash, Hasher};

/// A registered allocator, for whoever may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocatorStats {
    /// The allocator.
    pub allocator: Allocator,
    /// Whether its group is the one that allocates.
    pub active: bool,
    /// How often it answered wrongly, or not at all.
    pub faults: u32,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    allocator: Allocator,
    tag: u8,
    faults: u32,
}

impl Hash for Member {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Faults are an account of the provider, and no part of the registry's state.
        (self.allocator, self.tag).hash(state);
    }
}

/// The ids that came from a group of custom allocators. The default one's are not counted: they are what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Group {
    /// Those that are not free.
    held: u32,
    /// Those of them that are not given up yet.
    live: u32,
}

/// A member that was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) allocator: Allocator,
    /// How many ids have no group any more by this.
    pub(crate) orphans: u32,
}

#[derive(Debug, Hash)]
pub(crate) struct Table {
    members: heapless::Vec<Member, ALLOCATORS>,
    groups: [Group; GROUPS],
}

impl Table {
    pub(crate) const fn new() -> Self {
        Self { members: heapless::Vec::new(), groups: [Group { held: 0, live: 0 }; GROUPS] }
    }

    /// The tag of the group whose turn it is; 0 for the default allocator.
    pub(crate) fn active_tag(&self) -> u8 {
        self.members.first().map_or(0, |member| member.tag)
    }

    /// The current member of a group, if the group is there.
    pub(crate) fn current(&self, tag: u8) -> Option<Allocator> {
        self.members.iter().find(|member| member.tag == tag).map(|member| member.allocator)
    }

    pub(crate) fn get(&self, id: AllocatorId) -> Option<Allocator> {
        self.members.iter().find(|member| member.allocator.id == id).map(|member| member.allocator)
    }

    /// Whether ids of this tag have nobody who stands for them.
    pub(crate) fn is_orphaned(&self, tag: u8) -> bool {
        tag != 0 && self.current(tag).is_none()
    }

    /// Registers an allocator, where `held` ids are not free in all.
    pub(crate) fn register(&mut self, allocator: Allocator, held: u32) -> Result<(), Error> {
        if self.get(allocator.id).is_some() {
            return Err(Error::AlreadyRegistered);
        }
        let custom: u32 = self.groups.iter().map(|group| group.held).sum();
        if self.members.is_empty() && held > custom {
            return Err(Error::AllocatorBusy);
        }
        let sibling = self.members.iter().rposition(|member| member.allocator.helpers == allocator.helpers);
        let (place, tag) = match sibling {
            Some(last) => (last + 1, self.members[last].tag),
            None => (self.members.len(), self.unused_tag().ok_or(Error::RegistryFull)?),
        };
        let member = Member { allocator, tag, faults: 0 };
        self.members.insert(place, member).map_err(|_| Error::RegistryFull)
    }

    /// A tag that no member has and no id has left.
    fn unused_tag(&self) -> Option<u8> {
        (0..)
            .zip(&self.groups)
            .skip(1)
            .find(|&(tag, group)| group.held == 0 && self.current(tag).is_none())
            .map(|(tag, _)| tag)
    }

    pub(crate) fn unregister(&mut self, id: AllocatorId) -> Result<Taken, Error> {
        let place =
            self.members.iter().position(|member| member.allocator.id == id).ok_or(Error::NotRegistered)?;
        let Member { allocator, tag, .. } = self.members.remove(place);
        let orphans = if self.is_orphaned(tag) { self.groups[usize::from(tag)].live } else { 0 };
        Ok(Taken { allocator, orphans })
    }

    /// One that is made with this provider.
    pub(crate) fn made_with(&self, provider: u8) -> Option<AllocatorId> {
        let uses = |helpers: Helpers| helpers.alloc == provider || helpers.free == provider;
        self.members.iter().find(|member| uses(member.allocator.helpers)).map(|member| member.allocator.id)
    }

    pub(crate) fn count_fault(&mut self, id: AllocatorId) {
        if let Some(member) = self.members.iter_mut().find(|member| member.allocator.id == id) {
            member.faults = member.faults.saturating_add(1);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = AllocatorStats> {
        let active = self.active_tag();
        self.members.iter().map(move |member| AllocatorStats {
            allocator: member.allocator,
            active: member.tag == active,
            faults: member.faults,
        })
    }

    /// The account of a group of custom allocators.
    fn group(&mut self, tag: u8) -> Option<&mut Group> {
        self.groups.get_mut(usize::from(tag)).filter(|_| tag != 0)
    }

    /// An id of this group has become live.
    pub(crate) fn born(&mut self, tag: u8) {
        if let Some(group) = self.group(tag) {
            group.held += 1;
            group.live += 1;
        }
    }

    /// A live id of this group was given up.
    pub(crate) fn dying(&mut self, tag: u8) {
        if let Some(group) = self.group(tag) {
            group.live -= 1;
        }
    }

    /// An id of this group is free.
    pub(crate) fn gone(&mut self, tag: u8) {
        if let Some(group) = self.group(tag) {
            group.held -= 1;
        }
    }

    /// How many ids of this group are not free, and how many of those are not given up.
    pub(crate) fn account(&self, tag: u8) -> (u32, u32) {
        let group = self.groups[usize::from(tag) % GROUPS];
        (group.held, group.live)
    }

    /// Whether the members of each group stand beside each other.
    pub(crate) fn is_consistent(&self) -> bool {
        self.members.iter().enumerate().all(|(place, member)| {
            let siblings = self.members.iter().filter(|other| other.tag == member.tag).count();
            let beside = self.members.iter().skip_while(|other| other.tag != member.tag);
            let same_helpers = |other: &&Member| other.allocator.helpers == member.allocator.helpers;
            member.tag != 0
                && beside.take_while(|other| other.tag == member.tag).count() == siblings
                && self.members.iter().filter(same_helpers).count() == siblings
                && !self.members[..place].iter().any(|other| other.allocator.id == member.allocator.id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u32, helper: u8, tag: u8) -> Member {
        let helpers = Helpers { alloc: helper, free: helper };
        Member { allocator: Allocator { id: AllocatorId(id), helpers, pdata: 0 }, tag, faults: 0 }
    }

    fn is_consistent(members: &[Member]) -> bool {
        Table { members: members.iter().copied().collect(), ..Table::new() }.is_consistent()
    }

    #[test]
    fn members_beside_each_other_with_the_same_helpers_are_a_group() {
        assert!(is_consistent(&[]));
        assert!(is_consistent(&[member(1, 0, 1), member(2, 0, 1), member(3, 1, 2)]));
    }

    #[test]
    fn a_table_out_of_order_is_found() {
        let default_ones = [member(1, 0, 0)];
        let scattered = [member(1, 0, 1), member(3, 1, 2), member(2, 0, 1)];
        let two_groups = [member(1, 0, 1), member(2, 0, 2)];
        let strangers = [member(1, 0, 1), member(2, 1, 1)];
        let twice = [member(1, 0, 1), member(1, 0, 1)];
        for members in [&default_ones[..], &scattered, &two_groups, &strangers, &twice] {
            assert!(!is_consistent(members), "{members:?}");
        }
    }
}
