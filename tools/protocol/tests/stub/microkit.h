/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmicrokit's names for a test on the host: a call is a line of standard output (label, then words), its answer a
 * line of standard input (label, number of words, then words).
 */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned int microkit_channel;

typedef struct {
    uint64_t label;
    uint16_t count;
} microkit_msginfo;

static uint64_t stub_registers[64];

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

static inline void microkit_mr_set(uint8_t mr, uint64_t value)
{
    stub_registers[mr] = value;
}

static inline uint64_t microkit_mr_get(uint8_t mr)
{
    return stub_registers[mr];
}

static inline uint64_t stub_number(void)
{
    uint64_t number;
    if (scanf("%" SCNu64, &number) != 1) {
        abort();
    }
    return number;
}

static inline microkit_msginfo microkit_ppcall(microkit_channel channel, microkit_msginfo info)
{
    printf("call %u %" PRIu64, channel, info.label);
    for (uint8_t i = 0; i < info.count; i++) {
        printf(" %" PRIu64, stub_registers[i]);
    }
    printf("\n");
    microkit_msginfo answer = { .label = stub_number(), .count = (uint16_t)stub_number() };
    for (uint8_t i = 0; i < answer.count; i++) {
        stub_registers[i] = stub_number();
    }
    return answer;
}
