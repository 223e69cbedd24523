/* SPDX-License-Identifier: BSD-2-Clause */
/* The ioasid protocol: what a client may ask, in which words, and what it is told. */
/* Written by `cargo run -p protocol-export` from the tables of pds/ioasid/api: change those. */
#pragma once

#include <stdint.h>

/* The version of the protocol, for HELLO. */
#define IOASID_VERSION 1u
/* The most words that a message carries, either way. */
#define IOASID_MAX_WORDS 4u
/* The size of a page, in bytes. */
#define IOASID_PAGE_SIZE 4096u
/* An event ring's words before the first entry. */
#define IOASID_RING_HEADER_WORDS 8u
/* Words of an entry of an event ring. */
#define IOASID_RING_ENTRY_WORDS 4u

/* Operations: the label of a request. */
enum ioasid_operation {
    /*
     * Say who speaks which version. Comes first, and again after ServerRestarted: until then every other
     * operation is refused.
     */
    IOASID_OP_HELLO = 0x01,
    /* Allocate the lowest free id in [min, max], both inclusive. */
    IOASID_OP_ALLOC = 0x10,
    /*
     * Give up an id: its bindings and mappings go, their teardown is completed, and the number may be handed
     * out again. It is not found any more from here on; with references held by Get the rest follows the last
     * Put.
     */
    IOASID_OP_FREE = 0x11,
    /* Take one more reference. */
    IOASID_OP_GET = 0x12,
    /* Drop a reference; the last one frees the id. */
    IOASID_OP_PUT = 0x13,
    /* Look up an id of the caller's own set. */
    IOASID_OP_FIND = 0x14,
    /* Replace the private data. */
    IOASID_OP_SET_DATA = 0x15,
    /* Name an id by a number of the set's own, below 256. */
    IOASID_OP_ATTACH_SPID = 0x16,
    /* Take that name away again. */
    IOASID_OP_DETACH_SPID = 0x17,
    /* Look up an id by the set's own number. */
    IOASID_OP_FIND_SPID = 0x18,
    /* The outcome of an allocation that was answered with Pending: once, when there is one. */
    IOASID_OP_ALLOC_RESULT = 0x19,
    /*
     * Allocate up to count ids, at most 64, as Alloc does; their handles stand in the batch page from its
     * start on. Fewer, where a limit is reached on the way.
     */
    IOASID_OP_ALLOC_BATCH = 0x1a,
    /*
     * Free the count ids, at most 64, whose handles stand in the batch page; one teardown for all of them.
     * Each handle in the page is replaced by 0, or by the code of its refusal.
     */
    IOASID_OP_FREE_BATCH = 0x1b,
    /* The caller's ids in ascending order, up to 64 a call, into the batch page. */
    IOASID_OP_LIST = 0x1c,
    /*
     * Let a device of the caller's reach what the id maps, by its requests without PASID. One id at a time.
     */
    IOASID_OP_BIND = 0x20,
    /* Take it back. When the reply comes, no access of the device's is under way any more. */
    IOASID_OP_UNBIND = 0x21,
    /* Map pages of a granted region. All of the span or, where a part is refused, none of it. */
    IOASID_OP_MAP = 0x22,
    /* Unmap pages. When the reply comes, no device reaches them under this id any more. */
    IOASID_OP_UNMAP = 0x23,
    /*
     * Let a device run under this id instead of the one that it is bound to. Where that is refused the old
     * binding stays.
     */
    IOASID_OP_REPLACE = 0x24,
    /*
     * As many Maps as stand in the batch page, at most 64: three words each (iova, source, extent). All of
     * them up to the first that is refused; the count says how many were done.
     */
    IOASID_OP_MAP_BATCH = 0x25,
    /*
     * Let a device of the caller's reach what the id maps, by its requests with the id's number as their
     * PASID. Any number of ids at a time, and beside Bind.
     */
    IOASID_OP_BIND_TAGGED = 0x26,
    /* Take it back, as Unbind. */
    IOASID_OP_UNBIND_TAGGED = 0x27,
    /* The caller's own share and use. */
    IOASID_OP_OWN_USAGE = 0x30,
    /*
     * Be told of ALLOC, FREE, BIND and UNBIND too, in the event ring; FAULT, REVOKE and SET_GONE always are.
     */
    IOASID_OP_SUBSCRIBE = 0x31,
    /* No longer be told. */
    IOASID_OP_UNSUBSCRIBE = 0x32,
    /* This client has stopped using an id that it was told is freed. */
    IOASID_OP_ACKNOWLEDGE = 0x33,
    /* Another set's share and use. (admin = true alone.) */
    IOASID_OP_SET_USAGE = 0x40,
    /* What has happened to a set. (admin = true alone.) */
    IOASID_OP_SET_COUNTERS = 0x41,
    /* The state of the server; its registry is walked for consistency first. (admin = true alone.) */
    IOASID_OP_CHECK = 0x42,
    /*
     * Change a set's share. No more can be guaranteed than its limit in ioasid.toml, where all limits leave
     * room. (admin = true alone.)
     */
    IOASID_OP_SET_ADJUST = 0x43,
    /*
     * End a set: its devices are cut off at once, its ids are freed, up to 64 a call. To be called until
     * there is no more. The client has to say HELLO again, and is given nothing until the set is opened.
     * (admin = true alone.)
     */
    IOASID_OP_SET_FREE = 0x44,
    /* Begin a set anew that was ended, for a client that was restarted. (admin = true alone.) */
    IOASID_OP_SET_OPEN = 0x45,
    /*
     * Register a custom allocator. The first that is registered chooses all ids from then on. (admin = true
     * alone.)
     */
    IOASID_OP_REGISTER_ALLOCATOR = 0x50,
    /*
     * Unregister a custom allocator; counts the ids that it leaves behind as orphans. (admin = true alone.)
     */
    IOASID_OP_UNREGISTER_ALLOCATOR = 0x51,
    /* Tear down and take back what allocators left behind, up to 64 ids a call. (admin = true alone.) */
    IOASID_OP_RECLAIM_ORPHANS = 0x52,
    /*
     * A provider fetches what it is to do next. It is notified when there is something. (provider = true
     * alone.)
     */
    IOASID_OP_FETCH = 0x60,
    /* A provider answers a question with operation 1. (provider = true alone.) */
    IOASID_OP_ANSWER = 0x61,
};

/*
 * Codes: the label of an answer. 100 to 199: the message was none of the protocol's; 200 to 299: understood
 * and not granted, nothing has changed; 300 to 399: the unit or a provider failed.
 */
enum ioasid_code {
    /* Done. */
    IOASID_OK = 0,
    /* No operation has this label. */
    IOASID_UNKNOWN_OPERATION = 100,
    /* The operation takes another number of words. */
    IOASID_WRONG_LENGTH = 101,
    /* A word has bits set that its field does not have. */
    IOASID_BAD_FIELD = 102,
    /* HELLO asked for a version that this server does not speak. */
    IOASID_UNSUPPORTED_VERSION = 103,
    /* The channel has no right to this operation. */
    IOASID_NOT_PERMITTED = 200,
    /* The id is not live, or not this client's to see. */
    IOASID_NOT_FOUND = 201,
    /* The id belongs to another set (s45, s55). */
    IOASID_NOT_OWNER = 202,
    /* The handle is of an earlier generation of the id (s53). */
    IOASID_STALE = 203,
    /* min > max, INVALID_IOASID as a bound, or beyond the width (s27, s29, s31). */
    IOASID_INVALID_RANGE = 204,
    /* No id is free in the range (s28). */
    IOASID_NO_SPACE = 205,
    /* The set is at its limit (s28). */
    IOASID_QUOTA_EXCEEDED = 206,
    /* The set uses more than it is to be left with (s72); or the id is bound, or has references. */
    IOASID_IN_USE = 207,
    /* The server was restarted, or HELLO has not been said: say HELLO (s95). */
    IOASID_SERVER_RESTARTED = 208,
    /* The reference count is at its top (s49). */
    IOASID_TOO_MANY_REFERENCES = 209,
    /* The device index is none that was granted. */
    IOASID_NO_SUCH_DEVICE = 210,
    /* The region index is none that was granted. */
    IOASID_NO_SUCH_REGION = 211,
    /* The span leaves the region, wraps around, or is empty. */
    IOASID_OUT_OF_REGION = 212,
    /* The region was granted without this right. */
    IOASID_ACCESS_DENIED = 213,
    /* The address is not aligned, beyond the width, or in the interrupt window 0xFEEx_xxxx. */
    IOASID_BAD_ADDRESS = 214,
    /* A part of the span is mapped already. */
    IOASID_ALREADY_MAPPED = 215,
    /* A part of the span is not mapped. */
    IOASID_NOT_MAPPED = 216,
    /* The PASID is bound to this device already. */
    IOASID_ALREADY_BOUND = 217,
    /* The PASID is not bound to this device. */
    IOASID_NOT_BOUND = 218,
    /* The SPID names another id already (s73). */
    IOASID_SPID_TAKEN = 219,
    /* Ids are outstanding in the default space (s04). */
    IOASID_ALLOCATOR_BUSY = 220,
    /* The allocator is registered already (s13). */
    IOASID_ALREADY_REGISTERED = 221,
    /* The allocator is not registered (s16, s17). */
    IOASID_NOT_REGISTERED = 222,
    /* No room for one more allocator, set or subscriber (s24). */
    IOASID_REGISTRY_FULL = 223,
    /* No set has this number. */
    IOASID_NO_SUCH_SET = 224,
    /*
     * The custom allocator's provider has not answered yet: the id, or why there is none, comes with
     * AllocResult (s42).
     */
    IOASID_PENDING = 225,
    /* The client was granted no batch page or event ring, and the operation needs it. */
    IOASID_NO_SHARED_PAGE = 226,
    /* The client's share of the memory for the unit's tables is used up, or of the address spaces. */
    IOASID_NO_TABLE_MEMORY = 227,
    /* The span is longer than one call may map or unmap: take several. */
    IOASID_SPAN_TOO_LONG = 228,
    /*
     * The set has an allocation under way already, or one that was not fetched, or the provider has no room
     * for a question.
     */
    IOASID_PROVIDER_BUSY = 229,
    /* No allocator, provider or subscription has this number. */
    IOASID_NO_SUCH_PEER = 230,
    /* The device sends no requests with a PASID, or none as wide as the id (s31). */
    IOASID_NO_TAGGED_REQUESTS = 231,
    /* The unit did not confirm in time; what it concerns is in quarantine. */
    IOASID_UNIT_TIMEOUT = 300,
    /* The unit reported an error of the queue or of a table. */
    IOASID_UNIT_ERROR = 301,
    /* The custom allocator answered wrongly, or not at all (s35, s36). */
    IOASID_PROVIDER_FAULT = 302,
    /* No remapping unit is there. */
    IOASID_NO_UNIT = 303,
    /* The server found its own state inconsistent. It refuses rather than guess. */
    IOASID_INTERNAL = 304,
    /* Never sent: what came is no answer of this version's. */
    IOASID_BAD_REPLY = 0xffff,
};

/* The code of an answer's label. */
static inline enum ioasid_code ioasid_code_of_label(uint64_t label)
{
    switch (label) {
    case IOASID_OK:
    case IOASID_UNKNOWN_OPERATION:
    case IOASID_WRONG_LENGTH:
    case IOASID_BAD_FIELD:
    case IOASID_UNSUPPORTED_VERSION:
    case IOASID_NOT_PERMITTED:
    case IOASID_NOT_FOUND:
    case IOASID_NOT_OWNER:
    case IOASID_STALE:
    case IOASID_INVALID_RANGE:
    case IOASID_NO_SPACE:
    case IOASID_QUOTA_EXCEEDED:
    case IOASID_IN_USE:
    case IOASID_SERVER_RESTARTED:
    case IOASID_TOO_MANY_REFERENCES:
    case IOASID_NO_SUCH_DEVICE:
    case IOASID_NO_SUCH_REGION:
    case IOASID_OUT_OF_REGION:
    case IOASID_ACCESS_DENIED:
    case IOASID_BAD_ADDRESS:
    case IOASID_ALREADY_MAPPED:
    case IOASID_NOT_MAPPED:
    case IOASID_ALREADY_BOUND:
    case IOASID_NOT_BOUND:
    case IOASID_SPID_TAKEN:
    case IOASID_ALLOCATOR_BUSY:
    case IOASID_ALREADY_REGISTERED:
    case IOASID_NOT_REGISTERED:
    case IOASID_REGISTRY_FULL:
    case IOASID_NO_SUCH_SET:
    case IOASID_PENDING:
    case IOASID_NO_SHARED_PAGE:
    case IOASID_NO_TABLE_MEMORY:
    case IOASID_SPAN_TOO_LONG:
    case IOASID_PROVIDER_BUSY:
    case IOASID_NO_SUCH_PEER:
    case IOASID_NO_TAGGED_REQUESTS:
    case IOASID_UNIT_TIMEOUT:
    case IOASID_UNIT_ERROR:
    case IOASID_PROVIDER_FAULT:
    case IOASID_NO_UNIT:
    case IOASID_INTERNAL:
        return (enum ioasid_code)label;
    default:
        return IOASID_BAD_REPLY;
    }
}

/* A code's name, for a log. */
static inline const char *ioasid_code_name(enum ioasid_code code)
{
    switch (code) {
    case IOASID_OK:
        return "Ok";
    case IOASID_UNKNOWN_OPERATION:
        return "UnknownOperation";
    case IOASID_WRONG_LENGTH:
        return "WrongLength";
    case IOASID_BAD_FIELD:
        return "BadField";
    case IOASID_UNSUPPORTED_VERSION:
        return "UnsupportedVersion";
    case IOASID_NOT_PERMITTED:
        return "NotPermitted";
    case IOASID_NOT_FOUND:
        return "NotFound";
    case IOASID_NOT_OWNER:
        return "NotOwner";
    case IOASID_STALE:
        return "Stale";
    case IOASID_INVALID_RANGE:
        return "InvalidRange";
    case IOASID_NO_SPACE:
        return "NoSpace";
    case IOASID_QUOTA_EXCEEDED:
        return "QuotaExceeded";
    case IOASID_IN_USE:
        return "InUse";
    case IOASID_SERVER_RESTARTED:
        return "ServerRestarted";
    case IOASID_TOO_MANY_REFERENCES:
        return "TooManyReferences";
    case IOASID_NO_SUCH_DEVICE:
        return "NoSuchDevice";
    case IOASID_NO_SUCH_REGION:
        return "NoSuchRegion";
    case IOASID_OUT_OF_REGION:
        return "OutOfRegion";
    case IOASID_ACCESS_DENIED:
        return "AccessDenied";
    case IOASID_BAD_ADDRESS:
        return "BadAddress";
    case IOASID_ALREADY_MAPPED:
        return "AlreadyMapped";
    case IOASID_NOT_MAPPED:
        return "NotMapped";
    case IOASID_ALREADY_BOUND:
        return "AlreadyBound";
    case IOASID_NOT_BOUND:
        return "NotBound";
    case IOASID_SPID_TAKEN:
        return "SpidTaken";
    case IOASID_ALLOCATOR_BUSY:
        return "AllocatorBusy";
    case IOASID_ALREADY_REGISTERED:
        return "AlreadyRegistered";
    case IOASID_NOT_REGISTERED:
        return "NotRegistered";
    case IOASID_REGISTRY_FULL:
        return "RegistryFull";
    case IOASID_NO_SUCH_SET:
        return "NoSuchSet";
    case IOASID_PENDING:
        return "Pending";
    case IOASID_NO_SHARED_PAGE:
        return "NoSharedPage";
    case IOASID_NO_TABLE_MEMORY:
        return "NoTableMemory";
    case IOASID_SPAN_TOO_LONG:
        return "SpanTooLong";
    case IOASID_PROVIDER_BUSY:
        return "ProviderBusy";
    case IOASID_NO_SUCH_PEER:
        return "NoSuchPeer";
    case IOASID_NO_TAGGED_REQUESTS:
        return "NoTaggedRequests";
    case IOASID_UNIT_TIMEOUT:
        return "UnitTimeout";
    case IOASID_UNIT_ERROR:
        return "UnitError";
    case IOASID_PROVIDER_FAULT:
        return "ProviderFault";
    case IOASID_NO_UNIT:
        return "NoUnit";
    case IOASID_INTERNAL:
        return "Internal";
    case IOASID_BAD_REPLY:
        return "BadReply";
    }
    return "?";
}

/* An id that was allocated: which life of the number, and of the server. */
typedef uint64_t ioasid_handle_t;

static inline ioasid_handle_t ioasid_handle(uint32_t pasid, uint16_t generation, uint16_t epoch)
{
    return ((uint64_t)pasid & UINT64_C(0xfffff)) << 0
        | ((uint64_t)generation & UINT64_C(0xffff)) << 32
        | ((uint64_t)epoch & UINT64_C(0xffff)) << 48;
}

static inline uint32_t ioasid_handle_pasid(ioasid_handle_t word)
{
    return (uint32_t)(word >> 0 & UINT64_C(0xfffff));
}

static inline uint16_t ioasid_handle_generation(ioasid_handle_t word)
{
    return (uint16_t)(word >> 32 & UINT64_C(0xffff));
}

static inline uint16_t ioasid_handle_epoch(ioasid_handle_t word)
{
    return (uint16_t)(word >> 48 & UINT64_C(0xffff));
}

/* A place in a granted region: the client's index of the region, and bytes from its start. */
typedef uint64_t ioasid_region_offset_t;

static inline ioasid_region_offset_t ioasid_region_offset(uint64_t offset, uint16_t region)
{
    return ((uint64_t)offset & UINT64_C(0xffffffffffff)) << 0
        | ((uint64_t)region & UINT64_C(0xffff)) << 48;
}

static inline uint64_t ioasid_region_offset_offset(ioasid_region_offset_t word)
{
    return (uint64_t)(word >> 0 & UINT64_C(0xffffffffffff));
}

static inline uint16_t ioasid_region_offset_region(ioasid_region_offset_t word)
{
    return (uint16_t)(word >> 48 & UINT64_C(0xffff));
}

enum ioasid_access {
    /* The device reads memory. */
    IOASID_ACCESS_READ = 1,
    /* The device writes memory. */
    IOASID_ACCESS_WRITE = 2,
    /* Both. */
    IOASID_ACCESS_READ_WRITE = 3,
};

/* A length in pages of 4 KiB, and what a device may do there. */
typedef uint64_t ioasid_extent_t;

static inline ioasid_extent_t ioasid_extent(uint32_t pages, enum ioasid_access access)
{
    return ((uint64_t)pages & UINT64_C(0xffffffff)) << 0
        | ((uint64_t)access & UINT64_C(0x3)) << 32;
}

static inline uint32_t ioasid_extent_pages(ioasid_extent_t word)
{
    return (uint32_t)(word >> 0 & UINT64_C(0xffffffff));
}

static inline enum ioasid_access ioasid_extent_access(ioasid_extent_t word)
{
    return (enum ioasid_access)(word >> 32 & UINT64_C(0x3));
}

enum ioasid_event {
    /* An id of the set was allocated. */
    IOASID_EVENT_ALLOC = 1,
    /* An id of the set was freed, once for each life of the id. */
    IOASID_EVENT_FREE = 2,
    /* An id was bound to a device. */
    IOASID_EVENT_BIND = 3,
    /* An id was unbound from a device. */
    IOASID_EVENT_UNBIND = 4,
    /*
     * A device of the set tried what was not mapped. Of a device that was neither bound nor unbound since,
     * 1,024 are told.
     */
    IOASID_EVENT_FAULT = 5,
    /* The server took an id away. */
    IOASID_EVENT_REVOKE = 6,
    /* The set is gone. */
    IOASID_EVENT_SET_GONE = 7,
};

enum ioasid_direction {
    /* The device would have read memory. */
    IOASID_DIRECTION_READ = 0,
    /* The device would have written memory. */
    IOASID_DIRECTION_WRITE = 1,
};

/* What happened, and for FAULT which way, by which device and why. */
typedef uint64_t ioasid_event_head_t;

static inline ioasid_event_head_t ioasid_event_head(enum ioasid_event event, enum ioasid_direction direction,
                                                    uint16_t device, uint16_t reason)
{
    return ((uint64_t)event & UINT64_C(0xff)) << 0
        | ((uint64_t)direction & UINT64_C(0x1)) << 8
        | ((uint64_t)device & UINT64_C(0xffff)) << 16
        | ((uint64_t)reason & UINT64_C(0xffff)) << 32;
}

static inline enum ioasid_event ioasid_event_head_event(ioasid_event_head_t word)
{
    return (enum ioasid_event)(word >> 0 & UINT64_C(0xff));
}

static inline enum ioasid_direction ioasid_event_head_direction(ioasid_event_head_t word)
{
    return (enum ioasid_direction)(word >> 8 & UINT64_C(0x1));
}

static inline uint16_t ioasid_event_head_device(ioasid_event_head_t word)
{
    return (uint16_t)(word >> 16 & UINT64_C(0xffff));
}

static inline uint16_t ioasid_event_head_reason(ioasid_event_head_t word)
{
    return (uint16_t)(word >> 32 & UINT64_C(0xffff));
}

/* What the client deals with. */
struct ioasid_welcome {
    /* The server's life: part of every handle. */
    uint16_t epoch;
    /* The width of a PASID here, in bits. */
    uint16_t pasid_bits;
    /* How many devices are granted to the client. */
    uint16_t devices;
    /* How many memory regions are granted to the client. */
    uint16_t regions;
};

/* An id of the caller's. */
struct ioasid_allocated {
    /* The new id. */
    ioasid_handle_t handle;
};

/* What is known of an id. */
struct ioasid_found {
    /* The id, with its present generation. */
    ioasid_handle_t handle;
    /* The private data; 0 where none was set. */
    uint64_t data;
};

/* References that are held. */
struct ioasid_references {
    /* How many, after the call; 0: the id has been freed. */
    uint32_t count;
};

/* A set's share and its use of it, in ids. */
struct ioasid_usage {
    /* Guaranteed to the set. */
    uint32_t reservation;
    /* The most that it may have. */
    uint32_t limit;
    /* In use now, with those whose teardown is not yet confirmed. */
    uint32_t used;
    /* The most that ever were in use. */
    uint32_t peak;
};

/* What has happened to a set since the server started. */
struct ioasid_counters {
    /* DMA faults of the set's devices. */
    uint64_t faults;
    /* Calls that were refused. */
    uint64_t refused;
    /* Ids that were ever allocated. */
    uint64_t allocated;
    /* Ids that were ever freed. */
    uint64_t freed;
};

/* How many. */
struct ioasid_count {
    /* Of what the operation counts. */
    uint32_t count;
};

/* How far something has come that is done in slices. */
struct ioasid_progress {
    /* How many were done by this call. */
    uint32_t done;
    /* 1: call again; 0: that was all. */
    uint16_t more;
};

/* A slice of ids, in the batch page. */
struct ioasid_slice {
    /* How many handles stand in the page. */
    uint32_t count;
    /* The PASID from which the next slice begins; 0: that was all. */
    uint32_t next;
};

/* What a provider is to do. */
struct ioasid_question {
    /* 0: nothing; 1: choose an id in a range and answer with the ticket; 2: take an id back. */
    uint16_t operation;
    /* To be given back with the answer, for 1; the id, for 2. */
    uint64_t ticket;
    /* The allocator's own word. */
    uint64_t pdata;
    /* Lowest id in 31:0, highest in 63:32, for 1. */
    uint64_t range;
};

/* The state of the whole server. */
struct ioasid_health {
    /* Ids that are kept back for good, because their teardown was not confirmed. */
    uint32_t quarantined;
    /* Faults of sources that nobody was granted. */
    uint32_t stray_faults;
    /* Frames of 4 KiB that are left for the unit's tables. */
    uint64_t free_frames;
};

/* An event, as it stands in a ring. */
struct ioasid_event_entry {
    /*
     * What happened; for BIND, UNBIND and FAULT the client's index of the device; for FAULT the unit's reason
     * (VT-d 7.1.3).
     */
    ioasid_event_head_t head;
    /* To which id; all ones where the event is of none. */
    ioasid_handle_t handle;
    /* For FAULT the address that the device used, page aligned. */
    uint64_t address;
};
