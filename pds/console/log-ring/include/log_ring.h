/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's log: a ring of bytes in a memory region that the domain writes and the console only reads. See the crate
 * log-ring, whose layout this is.
 *
 * The writer never waits: it overwrites the oldest bytes. After a line it notifies the console.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* The size of the memory region. */
#define LOG_RING_BYTES 0x4000u
#define LOG_RING_CAPACITY (LOG_RING_BYTES - sizeof(uint64_t))
/* The writer publishes at least every so many bytes: the reader keeps so far away from it. */
#define LOG_RING_CHUNK 128u

/* A ring, as it lies in its memory region. All zero is an empty one. */
struct log_ring {
    /* How many bytes were ever written. */
    _Atomic uint64_t written;
    _Atomic unsigned char bytes[LOG_RING_CAPACITY];
};

/* Appends text, which ends with a zero. For the ring's one writer. */
static inline void log_ring_write(struct log_ring *ring, const char *text)
{
    uint64_t position = atomic_load_explicit(&ring->written, memory_order_relaxed);
    while (*text) {
        for (unsigned i = 0; i < LOG_RING_CHUNK && *text; i++, text++, position++) {
            atomic_store_explicit(&ring->bytes[position % LOG_RING_CAPACITY], (unsigned char)*text,
                                  memory_order_relaxed);
        }
        atomic_store_explicit(&ring->written, position, memory_order_release);
        /* A reader that sees a byte of the next chunk also sees the count above. */
        atomic_thread_fence(memory_order_release);
    }
}
