/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of the control socket as data: one line of words in, one struct out (docs/design/console.md).
 */
#ifndef HAUCH_CONSOLE_REQUEST_H
#define HAUCH_CONSOLE_REQUEST_H

#include "dom0/console/log.h"

#include <stddef.h>
#include <stdint.h>

#define REQUEST_LINE_MAX  512
#define REQUEST_DOMID_MAX 0x7fef    /* above are the reserved ids */

enum request_kind { REQUEST_ADD, REQUEST_REMOVE, REQUEST_LIST, REQUEST_TTY, REQUEST_ATTACH, REQUEST_LOG };

struct request {
    enum request_kind kind;
    uint16_t domid;
    uint32_t port;
    uint64_t cap;                       /* 0: not said */
    char name[LOG_NAME_MAX + 1];
};

/*
 * Reads the n bytes at line (no newline). Returns 0, or -EINVAL with a sentence in error that names the word
 * and what was expected; bytes that are not printable ASCII appear in it as '?'.
 */
int request_parse(const char *line, size_t n, struct request *request, char *error, size_t size);

#endif
