/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked of hauchd: one JSON object a line. docs/design/toolstack.md lists the requests; the table
 * in wire_request.c says which fields each may and must have. Whoever can connect is trusted as root is, but
 * not to write correct JSON. */
#ifndef LIB_WIRE_REQUEST_H
#define LIB_WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/xc_err.h"

#define WIRE_SOCKET "/run/hauch/hauchd.sock"

enum wire_op {
    WIRE_CREATE, WIRE_LIST, WIRE_INFO, WIRE_HOST, WIRE_SHUTDOWN, WIRE_REBOOT, WIRE_DESTROY, WIRE_PAUSE,
    WIRE_UNPAUSE, WIRE_RENAME, WIRE_DMESG, WIRE_REFUSALS, WIRE_MISSING,
};

enum { WIRE_SET_MAX = 256 };

struct wire_request {
    enum wire_op op;
    char        *domain;       /* name or number; NULL: none, or all if `all` */
    char        *config;       /* create: text of the configuration */
    char        *source;       /* create: its name, for messages */
    char        *name;         /* rename: the new one */
    char        *set[WIRE_SET_MAX];
    unsigned     set_count;    /* create: key=value */
    bool         paused, dry, wait, all, clear;
    bool         progress;     /* create: tell of each step */
};

/* 0, or -EINVAL/-ENOMEM with the reason; on failure there is nothing to free. */
int  wire_request_parse(const char *line, struct wire_request *out, struct fault *f);
void wire_request_free(struct wire_request *rq);

const char *wire_op_name(enum wire_op op);

#endif
