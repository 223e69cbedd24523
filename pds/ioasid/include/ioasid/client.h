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
 * again. With references held by Get this drops one, as Put does.
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

/* Let a device of the caller's reach what the id maps. */
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

/* The caller's own share and use. */
static inline enum ioasid_code ioasid_own_usage(microkit_channel channel, struct ioasid_usage *reply)
{
    uint64_t words[4];
    enum ioasid_code code = ioasid_internal_call(channel, IOASID_OP_OWN_USAGE, 0, words, 4);
    return code == IOASID_OK ? ioasid_internal_usage(words, reply) : code;
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
