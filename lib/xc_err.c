/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences of failures: see xc_err.h. */
#include "lib/xc_err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void write_text(struct fault *f, int code, const char *fmt, va_list ap)
{
    f->code = code;
    vsnprintf(f->text, sizeof(f->text), fmt, ap);
}

static void append_text(struct fault *f, const char *reason)
{
    size_t n = strlen(f->text);

    snprintf(f->text + n, sizeof(f->text) - n, ": %s", reason);
}

int fault_set(struct fault *f, int code, const char *fmt, ...)
{
    va_list ap;

    if (!f)
        return code;
    va_start(ap, fmt);
    write_text(f, code, fmt, ap);
    va_end(ap);
    return code;
}

int fault_errno(struct fault *f, int code, const char *fmt, ...)
{
    va_list ap;

    if (!f)
        return code;
    va_start(ap, fmt);
    write_text(f, code, fmt, ap);
    va_end(ap);
    append_text(f, strerror(code < 0 ? -code : code));
    return code;
}

int fault_memory(struct fault *f)
{
    return fault_set(f, -ENOMEM, "domain 0 has no memory left for this; give it more (hauch mem-set 0 SIZE)");
}

int fault_wrap(struct fault *f, const char *fmt, ...)
{
    char    old[FAULT_TEXT];
    va_list ap;

    if (!f)
        return -1;
    memcpy(old, f->text, sizeof(old));
    va_start(ap, fmt);
    write_text(f, f->code, fmt, ap);
    va_end(ap);
    append_text(f, old);
    return f->code;
}
