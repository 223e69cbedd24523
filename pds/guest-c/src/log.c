/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <log_ring.h>
#include <microkit.h>
#include <supervisor.h>

#include "channels.h"

/* Set from system.xml: where the region is mapped. */
struct log_ring *log_ring;

static uint64_t passed;
static uint64_t failed;

void log_text(const char *text)
{
    log_ring_write(log_ring, text);
}

void log_number(uint64_t number)
{
    static const char digit[16] = "0123456789abcdef";
    char text[2 + 16 + 1];
    char *first = &text[sizeof text - 1];
    *first = '\0';
    do {
        *--first = digit[number % 16];
        number /= 16;
    } while (number != 0);
    *--first = 'x';
    *--first = '0';
    log_text(first);
}

void log_end(void)
{
    log_text("\n");
    microkit_notify(CONSOLE);
}

/* Counts a check and begins its line; the caller ends it. */
static void begin(const char *statement, bool holds)
{
    *(holds ? &passed : &failed) += 1;
    log_text(holds ? "ok    " : "error: FAIL  ");
    log_text(statement);
}

void check_equal(const char *statement, uint64_t found, uint64_t expected)
{
    begin(statement, found == expected);
    if (found != expected) {
        log_text(": found ");
        log_number(found);
        log_text(", expected ");
        log_number(expected);
    }
    log_end();
}

void check_code(const char *statement, enum ioasid_code found, enum ioasid_code expected)
{
    begin(statement, found == expected);
    if (found != expected) {
        log_text(": found ");
        log_text(ioasid_code_name(found));
        log_text(", expected ");
        log_text(ioasid_code_name(expected));
    }
    log_end();
}

void check_report(void)
{
    supervisor_report(SUPERVISOR, passed, failed);
}
