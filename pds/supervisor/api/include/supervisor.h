/* SPDX-License-Identifier: BSD-2-Clause */
/* How a guest reports what it checked: the crate supervisor-api, for C. */
#pragma once

#include <microkit.h>

#define SUPERVISOR_REPORT 1

/* Reports to the supervisor behind the channel how many checks held and how many did not. */
static inline void supervisor_report(microkit_channel channel, uint64_t passed, uint64_t failed)
{
    microkit_mr_set(0, passed);
    microkit_mr_set(1, failed);
    microkit_ppcall(channel, microkit_msginfo_new(SUPERVISOR_REPORT, 2));
}
