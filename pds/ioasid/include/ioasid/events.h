/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's end of its event ring: memory that the server writes and the client only reads.
 *
 * Nobody waits. The server overwrites the oldest event, and a reader that was too slow learns how many it lost. Each
 * event stands behind its own sequence number, which is zero while the event is being written.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ioasid/ioasid.h>

/* A reader. `lost` counts the events that were overwritten before they could be taken. */
struct ioasid_events {
    _Atomic uint64_t *memory;
    uint64_t capacity;
    uint64_t taken;
    uint64_t lost;
};

/* A reader of the ring in `memory`, which is `bytes` long; it begins with the next event to be written. */
static inline struct ioasid_events ioasid_events_open(void *memory, size_t bytes)
{
    struct ioasid_events events = { .memory = memory };
    size_t words = bytes / sizeof(uint64_t);
    if (words >= IOASID_RING_HEADER_WORDS + IOASID_RING_ENTRY_WORDS) {
        uint64_t entries = (words - IOASID_RING_HEADER_WORDS) / IOASID_RING_ENTRY_WORDS;
        /* A power of two, so that numbering survives wrapping around. */
        events.capacity = 1;
        while (events.capacity <= entries / 2) {
            events.capacity *= 2;
        }
        events.taken = atomic_load_explicit(&events.memory[0], memory_order_acquire);
    }
    return events;
}

/* Event number `sequence`; false where it was overwritten. */
static inline bool ioasid_internal_event(const struct ioasid_events *events, uint64_t sequence,
                                         struct ioasid_event_entry *event)
{
    _Atomic uint64_t *entry =
        &events->memory[IOASID_RING_HEADER_WORDS + sequence % events->capacity * IOASID_RING_ENTRY_WORDS];
    if (atomic_load_explicit(&entry[0], memory_order_acquire) != sequence) {
        return false;
    }
    event->head = atomic_load_explicit(&entry[1], memory_order_relaxed);
    event->handle = atomic_load_explicit(&entry[2], memory_order_relaxed);
    event->address = atomic_load_explicit(&entry[3], memory_order_relaxed);
    /* The words above were read before the number is read again. */
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&entry[0], memory_order_relaxed) == sequence;
}

/* Takes the oldest event that was not yet taken; false where there is none. */
static inline bool ioasid_events_take(struct ioasid_events *events, struct ioasid_event_entry *event)
{
    if (events->capacity == 0) {
        return false;
    }
    uint64_t written = atomic_load_explicit(&events->memory[0], memory_order_acquire);
    uint64_t oldest = written > events->capacity ? written - events->capacity : 0;
    if (events->taken < oldest) {
        events->lost += oldest - events->taken;
        events->taken = oldest;
    }
    /* Bounded: each turn takes an event or gives one up. */
    while (events->taken < written) {
        events->taken++;
        if (ioasid_internal_event(events, events->taken, event)) {
            return true;
        }
        events->lost++;
    }
    return false;
}
