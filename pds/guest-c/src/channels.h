/* SPDX-License-Identifier: BSD-2-Clause */
/* The domain's channels, as in system.xml. */
#pragma once

enum channel {
    CONSOLE = 0,
    IOASID = 1,
    SUPERVISOR = 2,
};
