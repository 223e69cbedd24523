/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the ioasid service: one function for each operation. channel is the one to the ioasid domain;
 * reply is written on IOASID_OK alone. Say HELLO first, and again after IOASID_SERVER_RESTARTED.
 */
/* Written by `cargo run -p protocol-export` from the tables of pds/ioasid/api: change those. */
#pragma once

#include <ioasid/ioasid.h>
#include <microkit.h>

/* Calls with the sent words in the message registers; puts the words of the answer, which has so many, into words. */
static inline enum ioasid_code ioasid_internal_call(microkit_channel channel, enum ioasid_operation operation,
                                                    uint16_t sent, uint64_t *words, uint8_t answered)
{
    microkit_msginfo answer = microkit_ppcall(channel, microkit_msginfo_new(operation, sent));
    enum ioasid_code code = ioasid_code_of_label(microkit_msginfo_get_label(answer));
    if (code == IOASID_OK && microkit_msginfo_get_count(answer) != answered) {
        return IOASID_BAD_REPLY;
    }
    for (uint8_t i = 0; code == IOASID_OK && i < answered; i++) {
        words[i] = microkit_mr_get(i);
    }
    return code;
}

static inline enum ioasid_code ioasid_internal_welcome(const uint64_t *words, struct ioasid_welcome *reply)
{
    if ((words[0] & ~UINT64_C(0xffff))
        || (words[1] & ~UINT64_C(0xffff))
        || (words[2] & ~UINT64_C(0xffff))
        || (words[3] & ~UINT64_C(0xffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->epoch = (uint16_t)words[0];
    reply->pasid_bits = (uint16_t)words[1];
    reply->devices = (uint16_t)words[2];
    reply->regions = (uint16_t)words[3];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_allocated(const uint64_t *words,
                                                         struct ioasid_allocated *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff000fffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->handle = (ioasid_handle_t)words[0];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_found(const uint64_t *words, struct ioasid_found *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff000fffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->handle = (ioasid_handle_t)words[0];
    reply->data = (uint64_t)words[1];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_references(const uint64_t *words,
                                                          struct ioasid_references *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->count = (uint32_t)words[0];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_usage(const uint64_t *words, struct ioasid_usage *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff))
        || (words[1] & ~UINT64_C(0xffffffff))
        || (words[2] & ~UINT64_C(0xffffffff))
        || (words[3] & ~UINT64_C(0xffffffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->reservation = (uint32_t)words[0];
    reply->limit = (uint32_t)words[1];
    reply->used = (uint32_t)words[2];
    reply->peak = (uint32_t)words[3];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_counters(const uint64_t *words, struct ioasid_counters *reply)
{
    reply->faults = (uint64_t)words[0];
    reply->refused = (uint64_t)words[1];
    reply->allocated = (uint64_t)words[2];
    reply->freed = (uint64_t)words[3];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_count(const uint64_t *words, struct ioasid_count *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->count = (uint32_t)words[0];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_progress(const uint64_t *words, struct ioasid_progress *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff))
        || (words[1] & ~UINT64_C(0xffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->done = (uint32_t)words[0];
    reply->more = (uint16_t)words[1];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_slice(const uint64_t *words, struct ioasid_slice *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff))
        || (words[1] & ~UINT64_C(0xffffffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->count = (uint32_t)words[0];
    reply->next = (uint32_t)words[1];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_question(const uint64_t *words, struct ioasid_question *reply)
{
    if ((words[0] & ~UINT64_C(0xffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->operation = (uint16_t)words[0];
    reply->ticket = (uint64_t)words[1];
    reply->pdata = (uint64_t)words[2];
    reply->range = (uint64_t)words[3];
    return IOASID_OK;
}

static inline enum ioasid_code ioasid_internal_health(const uint64_t *words, struct ioasid_health *reply)
{
    if ((words[0] & ~UINT64_C(0xffffffff))
        || (words[1] & ~UINT64_C(0xffffffff))) {
        return IOASID_BAD_REPLY;
    }
    reply->quarantined = (uint32_t)words[0];
    reply->stray_faults = (uint32_t)words[1];
    reply->free_frames = (uint64_t)words[2];
    return IOASID_OK;
}

/*
 * Say who speaks which version. Comes first, and again after ServerRestarted: until then every other
 * operation is refused.
 */
static inline enum ioasid_code ioasid_hello(microkit_channel channel, uint32_t version,
                                            struct ioasid_welcome *reply)
{
    microkit_mr_set(0, version);
    uint64_t words[4];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_HELLO, 1, words, 4);
    return code == IOASID_OK ? ioasid_internal_welcome(words, reply) : code;
}

/* Allocate the lowest free id in [min, max], both inclusive. */
static inline enum ioasid_code ioasid_alloc(microkit_channel channel, uint32_t min, uint32_t max,
                                            uint64_t data, struct ioasid_allocated *reply)
{
    microkit_mr_set(0, min);
    microkit_mr_set(1, max);
    microkit_mr_set(2, data);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_ALLOC, 3, words, 1);
    return code == IOASID_OK ? ioasid_internal_allocated(words, reply) : code;
}

/*
 * Give up an id: its bindings and mappings go, their teardown is completed, and the number may be handed out
 * again. It is not found any more from here on; with references held by Get the rest follows the last Put.
 */
static inline enum ioasid_code ioasid_free(microkit_channel channel, ioasid_handle_t handle)
{
    microkit_mr_set(0, handle);
    return ioasid_internal_call(channel, IOASID_OP_FREE, 1, 0, 0);
}

/* Take one more reference. */
static inline enum ioasid_code ioasid_get(microkit_channel channel, ioasid_handle_t handle,
                                          struct ioasid_references *reply)
{
    microkit_mr_set(0, handle);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_GET, 1, words, 1);
    return code == IOASID_OK ? ioasid_internal_references(words, reply) : code;
}

/* Drop a reference; the last one frees the id. */
static inline enum ioasid_code ioasid_put(microkit_channel channel, ioasid_handle_t handle,
                                          struct ioasid_references *reply)
{
    microkit_mr_set(0, handle);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_PUT, 1, words, 1);
    return code == IOASID_OK ? ioasid_internal_references(words, reply) : code;
}

/* Look up an id of the caller's own set. */
static inline enum ioasid_code ioasid_find(microkit_channel channel, uint32_t pasid,
                                           struct ioasid_found *reply)
{
    microkit_mr_set(0, pasid);
    uint64_t words[2];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_FIND, 1, words, 2);
    return code == IOASID_OK ? ioasid_internal_found(words, reply) : code;
}

/* Replace the private data. */
static inline enum ioasid_code ioasid_set_data(microkit_channel channel, ioasid_handle_t handle,
                                               uint64_t data)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, data);
    return ioasid_internal_call(channel, IOASID_OP_SET_DATA, 2, 0, 0);
}

/* Name an id by a number of the set's own, below 256. */
static inline enum ioasid_code ioasid_attach_spid(microkit_channel channel, uint32_t spid,
                                                  ioasid_handle_t handle)
{
    microkit_mr_set(0, spid);
    microkit_mr_set(1, handle);
    return ioasid_internal_call(channel, IOASID_OP_ATTACH_SPID, 2, 0, 0);
}

/* Take that name away again. */
static inline enum ioasid_code ioasid_detach_spid(microkit_channel channel, uint32_t spid)
{
    microkit_mr_set(0, spid);
    return ioasid_internal_call(channel, IOASID_OP_DETACH_SPID, 1, 0, 0);
}

/* Look up an id by the set's own number. */
static inline enum ioasid_code ioasid_find_spid(microkit_channel channel, uint32_t spid,
                                                struct ioasid_found *reply)
{
    microkit_mr_set(0, spid);
    uint64_t words[2];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_FIND_SPID, 1, words, 2);
    return code == IOASID_OK ? ioasid_internal_found(words, reply) : code;
}

/* The outcome of an allocation that was answered with Pending: once, when there is one. */
static inline enum ioasid_code ioasid_alloc_result(microkit_channel channel, struct ioasid_allocated *reply)
{
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_ALLOC_RESULT, 0, words, 1);
    return code == IOASID_OK ? ioasid_internal_allocated(words, reply) : code;
}

/*
 * Allocate up to count ids, at most 64, as Alloc does; their handles stand in the batch page from its start
 * on. Fewer, where a limit is reached on the way.
 */
static inline enum ioasid_code ioasid_alloc_batch(microkit_channel channel, uint32_t min, uint32_t max,
                                                  uint64_t data, uint32_t count, struct ioasid_count *reply)
{
    microkit_mr_set(0, min);
    microkit_mr_set(1, max);
    microkit_mr_set(2, data);
    microkit_mr_set(3, count);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_ALLOC_BATCH, 4, words, 1);
    return code == IOASID_OK ? ioasid_internal_count(words, reply) : code;
}

/*
 * Free the count ids, at most 64, whose handles stand in the batch page; one teardown for all of them. Each
 * handle in the page is replaced by 0, or by the code of its refusal.
 */
static inline enum ioasid_code ioasid_free_batch(microkit_channel channel, uint32_t count,
                                                 struct ioasid_count *reply)
{
    microkit_mr_set(0, count);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_FREE_BATCH, 1, words, 1);
    return code == IOASID_OK ? ioasid_internal_count(words, reply) : code;
}

/* The caller's ids in ascending order, up to 64 a call, into the batch page. */
static inline enum ioasid_code ioasid_list(microkit_channel channel, uint32_t from,
                                           struct ioasid_slice *reply)
{
    microkit_mr_set(0, from);
    uint64_t words[2];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_LIST, 1, words, 2);
    return code == IOASID_OK ? ioasid_internal_slice(words, reply) : code;
}

/* Let a device of the caller's reach what the id maps, by its requests without PASID. One id at a time. */
static inline enum ioasid_code ioasid_bind(microkit_channel channel, ioasid_handle_t handle, uint16_t device)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, device);
    return ioasid_internal_call(channel, IOASID_OP_BIND, 2, 0, 0);
}

/* Take it back. When the reply comes, no access of the device's is under way any more. */
static inline enum ioasid_code ioasid_unbind(microkit_channel channel, ioasid_handle_t handle,
                                             uint16_t device)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, device);
    return ioasid_internal_call(channel, IOASID_OP_UNBIND, 2, 0, 0);
}

/* Map pages of a granted region. All of the span or, where a part is refused, none of it. */
static inline enum ioasid_code ioasid_map(microkit_channel channel, ioasid_handle_t handle, uint64_t iova,
                                          ioasid_region_offset_t source, ioasid_extent_t extent)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, iova);
    microkit_mr_set(2, source);
    microkit_mr_set(3, extent);
    return ioasid_internal_call(channel, IOASID_OP_MAP, 4, 0, 0);
}

/* Unmap pages. When the reply comes, no device reaches them under this id any more. */
static inline enum ioasid_code ioasid_unmap(microkit_channel channel, ioasid_handle_t handle, uint64_t iova,
                                            uint32_t pages)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, iova);
    microkit_mr_set(2, pages);
    return ioasid_internal_call(channel, IOASID_OP_UNMAP, 3, 0, 0);
}

/*
 * Let a device run under this id instead of the one that it is bound to. Where that is refused the old
 * binding stays.
 */
static inline enum ioasid_code ioasid_replace(microkit_channel channel, ioasid_handle_t handle,
                                              uint16_t device)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, device);
    return ioasid_internal_call(channel, IOASID_OP_REPLACE, 2, 0, 0);
}

/*
 * As many Maps as stand in the batch page, at most 64: three words each (iova, source, extent). All of them
 * up to the first that is refused; the count says how many were done.
 */
static inline enum ioasid_code ioasid_map_batch(microkit_channel channel, ioasid_handle_t handle,
                                                uint32_t count, struct ioasid_count *reply)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, count);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_MAP_BATCH, 2, words, 1);
    return code == IOASID_OK ? ioasid_internal_count(words, reply) : code;
}

/*
 * Let a device of the caller's reach what the id maps, by its requests with the id's number as their PASID.
 * Any number of ids at a time, and beside Bind.
 */
static inline enum ioasid_code ioasid_bind_tagged(microkit_channel channel, ioasid_handle_t handle,
                                                  uint16_t device)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, device);
    return ioasid_internal_call(channel, IOASID_OP_BIND_TAGGED, 2, 0, 0);
}

/* Take it back, as Unbind. */
static inline enum ioasid_code ioasid_unbind_tagged(microkit_channel channel, ioasid_handle_t handle,
                                                    uint16_t device)
{
    microkit_mr_set(0, handle);
    microkit_mr_set(1, device);
    return ioasid_internal_call(channel, IOASID_OP_UNBIND_TAGGED, 2, 0, 0);
}

/* The caller's own share and use. */
static inline enum ioasid_code ioasid_own_usage(microkit_channel channel, struct ioasid_usage *reply)
{
    uint64_t words[4];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_OWN_USAGE, 0, words, 4);
    return code == IOASID_OK ? ioasid_internal_usage(words, reply) : code;
}

/* Be told of ALLOC, FREE, BIND and UNBIND too, in the event ring; FAULT, REVOKE and SET_GONE always are. */
static inline enum ioasid_code ioasid_subscribe(microkit_channel channel, uint16_t role,
                                                uint16_t acknowledges)
{
    microkit_mr_set(0, role);
    microkit_mr_set(1, acknowledges);
    return ioasid_internal_call(channel, IOASID_OP_SUBSCRIBE, 2, 0, 0);
}

/* No longer be told. */
static inline enum ioasid_code ioasid_unsubscribe(microkit_channel channel)
{
    return ioasid_internal_call(channel, IOASID_OP_UNSUBSCRIBE, 0, 0, 0);
}

/* This client has stopped using an id that it was told is freed. */
static inline enum ioasid_code ioasid_acknowledge(microkit_channel channel, ioasid_handle_t handle)
{
    microkit_mr_set(0, handle);
    return ioasid_internal_call(channel, IOASID_OP_ACKNOWLEDGE, 1, 0, 0);
}

/* Another set's share and use. */
static inline enum ioasid_code ioasid_set_usage(microkit_channel channel, uint16_t set,
                                                struct ioasid_usage *reply)
{
    microkit_mr_set(0, set);
    uint64_t words[4];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_SET_USAGE, 1, words, 4);
    return code == IOASID_OK ? ioasid_internal_usage(words, reply) : code;
}

/* What has happened to a set. */
static inline enum ioasid_code ioasid_set_counters(microkit_channel channel, uint16_t set,
                                                   struct ioasid_counters *reply)
{
    microkit_mr_set(0, set);
    uint64_t words[4];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_SET_COUNTERS, 1, words, 4);
    return code == IOASID_OK ? ioasid_internal_counters(words, reply) : code;
}

/* The state of the server; its registry is walked for consistency first. */
static inline enum ioasid_code ioasid_check(microkit_channel channel, struct ioasid_health *reply)
{
    uint64_t words[3];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_CHECK, 0, words, 3);
    return code == IOASID_OK ? ioasid_internal_health(words, reply) : code;
}

/*
 * Change a set's share. No more can be guaranteed than its limit in ioasid.toml, where all limits leave room.
 */
static inline enum ioasid_code ioasid_set_adjust(microkit_channel channel, uint16_t set, uint32_t reservation,
                                                 uint32_t limit)
{
    microkit_mr_set(0, set);
    microkit_mr_set(1, reservation);
    microkit_mr_set(2, limit);
    return ioasid_internal_call(channel, IOASID_OP_SET_ADJUST, 3, 0, 0);
}

/*
 * End a set: its devices are cut off at once, its ids are freed, up to 64 a call. To be called until there is
 * no more. The client has to say HELLO again, and is given nothing until the set is opened.
 */
static inline enum ioasid_code ioasid_set_free(microkit_channel channel, uint16_t set,
                                               struct ioasid_progress *reply)
{
    microkit_mr_set(0, set);
    uint64_t words[2];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_SET_FREE, 1, words, 2);
    return code == IOASID_OK ? ioasid_internal_progress(words, reply) : code;
}

/* Begin a set anew that was ended, for a client that was restarted. */
static inline enum ioasid_code ioasid_set_open(microkit_channel channel, uint16_t set, uint32_t reservation,
                                               uint32_t limit)
{
    microkit_mr_set(0, set);
    microkit_mr_set(1, reservation);
    microkit_mr_set(2, limit);
    return ioasid_internal_call(channel, IOASID_OP_SET_OPEN, 3, 0, 0);
}

/* Register a custom allocator. The first that is registered chooses all ids from then on. */
static inline enum ioasid_code ioasid_register_allocator(microkit_channel channel, uint32_t allocator,
                                                         uint16_t alloc, uint16_t free, uint64_t pdata)
{
    microkit_mr_set(0, allocator);
    microkit_mr_set(1, alloc);
    microkit_mr_set(2, free);
    microkit_mr_set(3, pdata);
    return ioasid_internal_call(channel, IOASID_OP_REGISTER_ALLOCATOR, 4, 0, 0);
}

/* Unregister a custom allocator; counts the ids that it leaves behind as orphans. */
static inline enum ioasid_code ioasid_unregister_allocator(microkit_channel channel, uint32_t allocator,
                                                           struct ioasid_count *reply)
{
    microkit_mr_set(0, allocator);
    uint64_t words[1];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_UNREGISTER_ALLOCATOR, 1, words, 1);
    return code == IOASID_OK ? ioasid_internal_count(words, reply) : code;
}

/* Tear down and take back what allocators left behind, up to 64 ids a call. */
static inline enum ioasid_code ioasid_reclaim_orphans(microkit_channel channel, struct ioasid_progress *reply)
{
    uint64_t words[2];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_RECLAIM_ORPHANS, 0, words, 2);
    return code == IOASID_OK ? ioasid_internal_progress(words, reply) : code;
}

/* A provider fetches what it is to do next. It is notified when there is something. */
static inline enum ioasid_code ioasid_fetch(microkit_channel channel, struct ioasid_question *reply)
{
    uint64_t words[4];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_FETCH, 0, words, 4);
    return code == IOASID_OK ? ioasid_internal_question(words, reply) : code;
}

/* A provider answers a question with operation 1. */
static inline enum ioasid_code ioasid_answer(microkit_channel channel, uint64_t ticket, uint16_t outcome,
                                             uint32_t id)
{
    microkit_mr_set(0, ticket);
    microkit_mr_set(1, outcome);
    microkit_mr_set(2, id);
    return ioasid_internal_call(channel, IOASID_OP_ANSWER, 3, 0, 0);
}
