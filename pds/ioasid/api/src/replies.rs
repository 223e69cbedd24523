// SPDX-License-Identifier: BSD-2-Clause
//! The table of answers.

use crate::define::{Reply, replies, word, write};
use crate::{Field, Handle, Registers, ReplyInfo, WordInfo};

replies! {
    /// Done; there is nothing to say.
    Done {}

    /// What the client deals with.
    Welcome {
        /// The server's life: part of every handle.
        epoch: u16,
        /// The width of a PASID here, in bits.
        pasid_bits: u16,
        /// How many devices are granted to the client.
        devices: u16,
        /// How many memory regions are granted to the client.
        regions: u16,
    }

    /// An id of the caller's.
    Allocated {
        /// The new id.
        handle: Handle,
    }

    /// What is known of an id.
    Found {
        /// The id, with its present generation.
        handle: Handle,
        /// The private data; 0 where none was set.
        data: u64,
    }

    /// References that are held.
    References {
        /// How many, after the call; 0: the id has been freed.
        count: u32,
    }

    /// A set's share and its use of it, in ids.
    Usage {
        /// Guaranteed to the set.
        reservation: u32,
        /// The most that it may have.
        limit: u32,
        /// In use now, with those whose teardown is not yet confirmed.
        used: u32,
        /// The most that ever were in use.
        peak: u32,
    }

    /// What has happened to a set since the server started.
    Counters {
        /// DMA faults of the set's devices.
        faults: u64,
        /// Calls that were refused.
        refused: u64,
        /// Ids that were ever allocated.
        allocated: u64,
        /// Ids that were ever freed.
        freed: u64,
    }

    /// How many.
    Count {
        /// Of what the operation counts.
        count: u32,
    }

    /// How far something has come that is done in slices.
    Progress {
        /// How many were done by this call.
        done: u32,
        /// 1: call again; 0: that was all.
        more: u16,
    }

    /// A slice of ids, in the batch page.
    Slice {
        /// How many handles stand in the page.
        count: u32,
        /// The PASID from which the next slice begins; 0: that was all.
        next: u32,
    }

    /// What a provider is to do.
    Question {
        /// 0: nothing; 1: choose an id in a range and answer with the ticket; 2: take an id back.
        operation: u16,
        /// To be given back with the answer, for 1; the id, for 2.
        ticket: u64,
        /// The allocator's own word.
        pdata: u64,
        /// Lowest id in 31:0, highest in 63:32, for 1.
        range: u64,
    }

    /// The state of the whole server.
    Health {
        /// Ids that are kept back for good, because their teardown was not confirmed.
        quarantined: u32,
        /// Faults of sources that nobody was granted.
        stray_faults: u32,
        /// Frames of 4 KiB that are left for the unit's tables.
        free_frames: u64,
    }
}
