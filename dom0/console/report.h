/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for the person who runs the daemon: stderr, which the service manager keeps. */
#ifndef HAUCH_CONSOLE_REPORT_H
#define HAUCH_CONSOLE_REPORT_H

/* One line, without the newline; %m is the current errno. Guest text must not be passed. Keeps errno. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
