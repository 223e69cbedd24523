/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of the domain's log, and the count of what was checked. */
#pragma once

#include <stdint.h>

#include <ioasid/ioasid.h>

/* Parts of a line, then its end. */
void log_text(const char *text);
void log_number(uint64_t number);
void log_end(void);

/* Checks that what was found is what was expected: a line of the log each. */
void check_equal(const char *statement, uint64_t found, uint64_t expected);
/* The same for the code of a call. */
void check_code(const char *statement, enum ioasid_code found, enum ioasid_code expected);
/* Tells the supervisor how many checks held. */
void check_report(void);
