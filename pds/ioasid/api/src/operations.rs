// SPDX-License-Identifier: BSD-2-Clause
//! The table of operations. Everything that must agree on them is made from it.

use crate::define::{Call, Right, operations, word};
use crate::replies::*;
use crate::{Code, Extent, Field, Handle, Message, OperationInfo, RegionOffset, WordInfo};

operations! {
    /// Say who speaks which version. Comes first, and again after `ServerRestarted`: until then every other
    /// operation is refused.
    Client 0x01 Hello {
        /// The version of the protocol: 1.
        version: u32,
    } => Welcome, UnsupportedVersion;

    /// Allocate the lowest free id in [min, max], both inclusive.
    Client 0x10 Alloc {
        /// The lowest id that will do; 0 is reserved and never handed out.
        min: u32,
        /// The highest id that will do.
        max: u32,
        /// Private data that `Find` gives back.
        data: u64,
    } => Allocated, NoSuchSet InvalidRange NoSpace QuotaExceeded Pending ProviderBusy;

    /// Give up an id: its bindings and mappings go, their teardown is completed, and the number may be handed
    /// out again. It is not found any more from here on; with references held by `Get` the rest follows the last
    /// `Put`.
    Client 0x11 Free {
        /// The id.
        handle: Handle,
    } => Done, NotFound NotOwner Stale UnitTimeout;

    /// Take one more reference.
    Client 0x12 Get {
        /// The id.
        handle: Handle,
    } => References, NotFound NotOwner Stale TooManyReferences;

    /// Drop a reference; the last one frees the id.
    Client 0x13 Put {
        /// The id.
        handle: Handle,
    } => References, NotFound NotOwner Stale UnitTimeout;

    /// Look up an id of the caller's own set.
    Client 0x14 Find {
        /// The PASID.
        pasid: u32,
    } => Found, NotFound NotOwner;

    /// Replace the private data.
    Client 0x15 SetData {
        /// The id.
        handle: Handle,
        /// The new data. No look-up after the reply gives the old.
        data: u64,
    } => Done, NotFound NotOwner Stale;

    /// Name an id by a number of the set's own, below 256.
    Client 0x16 AttachSpid {
        /// The set-private id.
        spid: u32,
        /// The id.
        handle: Handle,
    } => Done, NotFound NotOwner Stale InvalidRange SpidTaken;

    /// Take that name away again.
    Client 0x17 DetachSpid {
        /// The set-private id.
        spid: u32,
    } => Done, NotFound;

    /// Look up an id by the set's own number.
    Client 0x18 FindSpid {
        /// The set-private id.
        spid: u32,
    } => Found, NotFound;

    /// The outcome of an allocation that was answered with `Pending`: once, when there is one.
    Client 0x19 AllocResult {} => Allocated, NotFound NoSpace Pending ProviderFault;

    /// Allocate up to `count` ids, at most 64, as `Alloc` does; their handles stand in the batch page from its
    /// start on. Fewer, where a limit is reached on the way.
    Client 0x1a AllocBatch {
        /// The lowest id that will do.
        min: u32,
        /// The highest id that will do.
        max: u32,
        /// Private data of each.
        data: u64,
        /// How many.
        count: u32,
    } => Count, NoSuchSet InvalidRange NoSpace QuotaExceeded Pending ProviderBusy NoSharedPage SpanTooLong;

    /// Free the `count` ids, at most 64, whose handles stand in the batch page; one teardown for all of them. Each
    /// handle in the page is replaced by 0, or by the code of its refusal.
    Client 0x1b FreeBatch {
        /// How many.
        count: u32,
    } => Count, NoSharedPage SpanTooLong UnitTimeout;

    /// The caller's ids in ascending order, up to 64 a call, into the batch page.
    Client 0x1c List {
        /// The lowest PASID that is wanted.
        from: u32,
    } => Slice, NoSharedPage;

    /// Let a device of the caller's reach what the id maps, by its requests without PASID. One id at a time.
    Client 0x20 Bind {
        /// The id.
        handle: Handle,
        /// Which of the client's devices, in the order of `ioasid.toml`.
        device: u16,
    } => Done, NotFound NotOwner Stale NoSuchDevice AlreadyBound NoTableMemory UnitTimeout;

    /// Take it back. When the reply comes, no access of the device's is under way any more.
    Client 0x21 Unbind {
        /// The id.
        handle: Handle,
        /// Which of the client's devices.
        device: u16,
    } => Done, NotFound NotOwner Stale NoSuchDevice NotBound UnitTimeout;

    /// Map pages of a granted region. All of the span or, where a part is refused, none of it.
    Client 0x22 Map {
        /// The id.
        handle: Handle,
        /// Where the device sees it, in bytes; a multiple of the page size.
        iova: u64,
        /// Which memory.
        source: RegionOffset,
        /// How much of it, and what the device may do there.
        extent: Extent,
    } => Done,
        NotFound NotOwner Stale NoSuchRegion OutOfRegion SpanTooLong BadAddress AccessDenied AlreadyMapped
        NoUnit NoTableMemory UnitTimeout;

    /// Unmap pages. When the reply comes, no device reaches them under this id any more.
    Client 0x23 Unmap {
        /// The id.
        handle: Handle,
        /// Where the span begins, in bytes; a multiple of the page size.
        iova: u64,
        /// How long it is, in pages of 4 KiB.
        pages: u32,
    } => Done, NotFound NotOwner Stale OutOfRegion SpanTooLong BadAddress NotMapped NoTableMemory UnitTimeout;

    /// Let a device run under this id instead of the one that it is bound to. Where that is refused the old
    /// binding stays.
    Client 0x24 Replace {
        /// The new id.
        handle: Handle,
        /// Which of the client's devices.
        device: u16,
    } => Done, NotFound NotOwner Stale NoSuchDevice NotBound NoTableMemory UnitTimeout;

    /// As many `Map`s as stand in the batch page, at most 64: three words each (iova, source, extent). All of them
    /// up to the first that is refused; the count says how many were done.
    Client 0x25 MapBatch {
        /// The id.
        handle: Handle,
        /// How many.
        count: u32,
    } => Count,
        NotFound NotOwner Stale NoSuchRegion OutOfRegion SpanTooLong BadAddress AccessDenied AlreadyMapped
        NoUnit NoTableMemory UnitTimeout NoSharedPage;

    /// Let a device of the caller's reach what the id maps, by its requests with the id's number as their PASID. Any
    /// number of ids at a time, and beside `Bind`.
    Client 0x26 BindTagged {
        /// The id.
        handle: Handle,
        /// Which of the client's devices.
        device: u16,
    } => Done, NotFound NotOwner Stale NoSuchDevice AlreadyBound NoTaggedRequests NoTableMemory UnitTimeout;

    /// Take it back, as `Unbind`.
    Client 0x27 UnbindTagged {
        /// The id.
        handle: Handle,
        /// Which of the client's devices.
        device: u16,
    } => Done, NotFound NotOwner Stale NoSuchDevice NotBound NoTaggedRequests UnitTimeout;

    /// The caller's own share and use.
    Client 0x30 OwnUsage {} => Usage, NoSuchSet;

    /// Be told of ALLOC, FREE, BIND and UNBIND too, in the event ring; FAULT, REVOKE and SET_GONE always are.
    Client 0x31 Subscribe {
        /// 0: as one that submits work (told of FREE first); 1: as one that drives a device; 2: as an observer.
        role: u16,
        /// 1: the teardown of a freed id waits for this client's `Acknowledge`, within a bound.
        acknowledges: u16,
    } => Done, NoSuchSet InUse NoSharedPage;

    /// No longer be told.
    Client 0x32 Unsubscribe {} => Done, NoSuchPeer;

    /// This client has stopped using an id that it was told is freed.
    Client 0x33 Acknowledge {
        /// The id.
        handle: Handle,
    } => Done, NotFound Stale NoSuchPeer;

    /// Another set's share and use.
    Admin 0x40 SetUsage {
        /// The set's number: its place in `ioasid.toml`, from 0.
        set: u16,
    } => Usage, NoSuchSet;

    /// What has happened to a set.
    Admin 0x41 SetCounters {
        /// The set's number.
        set: u16,
    } => Counters, NoSuchSet;

    /// The state of the server; its registry is walked for consistency first.
    Admin 0x42 Check {} => Health;

    /// Change a set's share. No more can be guaranteed than its limit in `ioasid.toml`, where all limits leave room.
    Admin 0x43 SetAdjust {
        /// The set's number.
        set: u16,
        /// Ids guaranteed to it.
        reservation: u32,
        /// The most that it may have.
        limit: u32,
    } => Done, NoSuchSet InvalidRange NoSpace InUse;

    /// End a set: its devices are cut off at once, its ids are freed, up to 64 a call. To be called until there is no
    /// more. The client has to say HELLO again, and is given nothing until the set is opened.
    Admin 0x44 SetFree {
        /// The set's number.
        set: u16,
    } => Progress, NoSuchSet;

    /// Begin a set anew that was ended, for a client that was restarted.
    Admin 0x45 SetOpen {
        /// The set's number.
        set: u16,
        /// Ids guaranteed to it.
        reservation: u32,
        /// The most that it may have.
        limit: u32,
    } => Done, NoSuchSet InvalidRange NoSpace InUse;

    /// Register a custom allocator. The first that is registered chooses all ids from then on.
    Admin 0x50 RegisterAllocator {
        /// What it is called.
        allocator: u32,
        /// Which provider allocates, by its place among the clients with `provider = true`.
        alloc: u16,
        /// Which provider frees.
        free: u16,
        /// A word that the providers are handed with each question.
        pdata: u64,
    } => Done, NoSuchPeer AllocatorBusy AlreadyRegistered RegistryFull;

    /// Unregister a custom allocator; counts the ids that it leaves behind as orphans.
    Admin 0x51 UnregisterAllocator {
        /// What it is called.
        allocator: u32,
    } => Count, NotRegistered;

    /// Tear down and take back what allocators left behind, up to 64 ids a call.
    Admin 0x52 ReclaimOrphans {} => Progress;

    /// A provider fetches what it is to do next. It is notified when there is something.
    Provider 0x60 Fetch {} => Question;

    /// A provider answers a question with operation 1.
    Provider 0x61 Answer {
        /// The question's ticket.
        ticket: u64,
        /// 0: this id; 1: none is left in the range; 2: the provider failed.
        outcome: u16,
        /// The id, for 0.
        id: u32,
    } => Done, Stale;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::define::Reply;
    use crate::{Access, MAX_WORDS};
    use proptest::prelude::*;

    #[test]
    fn the_table_is_in_order_and_fits_four_words() {
        assert!(OPERATIONS.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert!(OPERATIONS.iter().all(|op| op.number != 0 && op.request.len() <= MAX_WORDS));
        assert!(OPERATIONS.iter().all(|op| op.right == Right::of(op.number)));
        assert!(REPLIES.iter().all(|reply| reply.words.len() <= MAX_WORDS));
        assert!(OPERATIONS.iter().all(|op| REPLIES.iter().any(|reply| reply.name == op.reply)));
    }

    #[test]
    fn a_request_comes_back_as_it_was_sent() {
        let handle = Handle { pasid: 0xfffff, generation: 3, epoch: 9 };
        let map = Map {
            handle,
            iova: 0x7000,
            source: RegionOffset { region: 2, offset: 0x3000 },
            extent: Extent { pages: 4, access: Access::Write },
        };
        let message = map.encode();
        assert_eq!(Request::decode(message.label, message.words()), Ok(Request::Map(map)));
        let reply = Allocated { handle };
        let mut registers = [7; MAX_WORDS];
        assert_eq!(reply.write(&mut registers), 1);
        assert_eq!((Allocated::decode(&registers[..1]), registers[1..] == [7; 3]), (Some(reply), true));
    }

    #[test]
    fn another_number_of_words_is_refused() {
        for op in OPERATIONS {
            for len in (0..=MAX_WORDS).filter(|&len| len != op.request.len()) {
                let words = [0; MAX_WORDS];
                assert_eq!(Request::decode(op.number, &words[..len]), Err(Code::WrongLength), "{}", op.name);
            }
        }
    }

    #[test]
    fn unknown_labels_and_bad_fields_are_told_apart() {
        assert_eq!(Request::decode(0, &[]), Err(Code::UnknownOperation));
        assert_eq!(Request::decode(u64::MAX, &[1]), Err(Code::UnknownOperation));
        assert_eq!(Request::decode(0x01, &[1 << 32]), Err(Code::BadField));
    }

    proptest! {
        #[test]
        fn s93_no_message_makes_decode_panic(
            label in prop_oneof![0u64..0x50, any::<u64>()],
            words in prop::collection::vec(any::<u64>(), 0..=6),
        ) {
            if let Ok(request) = Request::decode(label, &words) {
                prop_assert!(OPERATIONS.iter().any(|op| op.number == label && op.right == request.right()));
            }
        }
    }
}
