/* SPDX-License-Identifier: BSD-2-Clause */
/* See report.h. */
#include "dom0/console/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void report(const char *format, ...)
{
    int saved = errno;
    va_list args;

    fputs("hauch-console: ", stderr);
    va_start(args, format);
    errno = saved;
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    errno = saved;
}
