/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry points that a program may leave out: what must not come ends the domain. */
#include <microkit.h>

static _Noreturn void missing(const char *entry)
{
    microkit_dbg_puts(microkit_name);
    microkit_dbg_puts(": the program has no entry point ");
    microkit_dbg_puts(entry);
    microkit_dbg_puts("\n");
    for (;;) {
        __builtin_trap();
    }
}

__attribute__((weak)) microkit_msginfo protected(microkit_channel channel, microkit_msginfo info)
{
    (void)channel;
    (void)info;
    missing("protected");
}

__attribute__((weak)) bool fault(microkit_child child, microkit_msginfo info, microkit_msginfo *reply)
{
    (void)child;
    (void)info;
    (void)reply;
    missing("fault");
}
