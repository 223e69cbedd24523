/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's find page: its own ids in memory that the server writes and the client only reads, so that a look-up
 * takes no call. An id that found its bucket full is not in the page: a look-up that misses asks the server.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ioasid/ioasid.h>

/* Words of a place (a live id's handle or 0, and its private data) and of a bucket, which has four of them. */
#define IOASID_FIND_PLACE_WORDS 2u
#define IOASID_FIND_BUCKET_WORDS 8u

/*
 * Looks up a live id of this client's in the page `memory`, which is `bytes` long. False where it is not live, or not
 * in the page.
 */
static inline bool ioasid_find_in_page(void *memory, size_t bytes, ioasid_handle_t handle, uint64_t *data)
{
    size_t room = bytes / sizeof(uint64_t) / IOASID_FIND_BUCKET_WORDS;
    if (room == 0) {
        return false;
    }
    /* The buckets are as many as the greatest power of two that fits. */
    size_t buckets = 1;
    while (buckets <= room / 2) {
        buckets *= 2;
    }
    size_t bucket = ioasid_handle_pasid(handle) & (buckets - 1);
    _Atomic uint64_t *word = (_Atomic uint64_t *)memory + bucket * IOASID_FIND_BUCKET_WORDS;
    for (size_t i = 0; i < IOASID_FIND_BUCKET_WORDS; i += IOASID_FIND_PLACE_WORDS) {
        if (atomic_load_explicit(&word[i], memory_order_acquire) == handle) {
            *data = atomic_load_explicit(&word[i + 1], memory_order_relaxed);
            /* The data was read before the key is read again. */
            atomic_thread_fence(memory_order_acquire);
            return atomic_load_explicit(&word[i], memory_order_relaxed) == handle && handle != 0;
        }
    }
    return false;
}
