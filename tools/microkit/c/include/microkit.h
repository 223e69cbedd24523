/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a protection domain in C has of its platform, with libmicrokit's names and meanings, so that a program written
 * for one builds for the other. It stands on the Rust runtime; see the crate microkit-c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MICROKIT_MAX_CHANNELS 62
#define MICROKIT_PD_NAME_LENGTH 64

typedef unsigned int microkit_channel;
typedef unsigned int microkit_child;
typedef unsigned int microkit_ioport;

/* A message's label and how many words it has. */
typedef struct {
    uint64_t label;
    uint64_t count;
} microkit_msginfo;

/* What the program provides. */

/* Called once, before anything else. */
void init(void);
/* A notification or an interrupt came. */
void notified(microkit_channel channel);
/* The domain at the other end calls; what is returned, with the message registers, is the answer. May be left out. */
microkit_msginfo protected(microkit_channel channel, microkit_msginfo info);
/* A child faulted; true lets it run on, with `reply`. May be left out. */
bool fault(microkit_child child, microkit_msginfo info, microkit_msginfo *reply);

/* What the program may use. */

/* The domain's name in system.xml, ended by a zero. */
extern char microkit_name[MICROKIT_PD_NAME_LENGTH];

/* Notifies the domain at the other end. */
void microkit_notify(microkit_channel channel);
/* Lets the interrupt come again. */
void microkit_irq_ack(microkit_channel channel);
/* Calls the domain at the other end with the message registers, which hold its answer afterwards. */
microkit_msginfo microkit_ppcall(microkit_channel channel, microkit_msginfo info);

/* Message register number `mr`. */
void microkit_mr_set(uint8_t mr, uint64_t value);
uint64_t microkit_mr_get(uint8_t mr);

static inline microkit_msginfo microkit_msginfo_new(uint64_t label, uint16_t count)
{
    return (microkit_msginfo){ .label = label, .count = count };
}

static inline uint64_t microkit_msginfo_get_label(microkit_msginfo info)
{
    return info.label;
}

static inline uint64_t microkit_msginfo_get_count(microkit_msginfo info)
{
    return info.count;
}

/* Reads or writes a port of an <ioport> of the domain's. */
uint8_t microkit_x86_ioport_read_8(microkit_ioport ioport, uint64_t port);
uint16_t microkit_x86_ioport_read_16(microkit_ioport ioport, uint64_t port);
uint32_t microkit_x86_ioport_read_32(microkit_ioport ioport, uint64_t port);
void microkit_x86_ioport_write_8(microkit_ioport ioport, uint64_t port, uint64_t data);
void microkit_x86_ioport_write_16(microkit_ioport ioport, uint64_t port, uint64_t data);
void microkit_x86_ioport_write_32(microkit_ioport ioport, uint64_t port, uint64_t data);

/* Prints through the kernel, where that can print. */
void microkit_dbg_putc(int character);
void microkit_dbg_puts(const char *text);
