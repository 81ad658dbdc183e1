/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked of hauchd: one JSON object a line. docs/design/toolstack.md lists the requests; the table
 * in wire_request.c says which fields each may and must have. Whoever can connect is trusted as root is, but
 * not to write correct JSON. */
#ifndef LIB_WIRE_REQUEST_H
#define LIB_WIRE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/xc_err.h"

#define WIRE_SOCKET "/run/hauch/hauchd.sock"

enum wire_op {
    WIRE_CREATE, WIRE_LIST, WIRE_INFO, WIRE_HOST, WIRE_SHUTDOWN, WIRE_REBOOT, WIRE_DESTROY, WIRE_PAUSE,
    WIRE_UNPAUSE, WIRE_RENAME, WIRE_DMESG, WIRE_REFUSALS, WIRE_MISSING, WIRE_VCPUS, WIRE_VCPU_SET,
    WIRE_VCPU_PIN, WIRE_SCHED, WIRE_LAST_CRASH, WIRE_CONFIG_UPDATE, WIRE_SYSRQ, WIRE_MEM_SET,
    WIRE_MEM_MAX, WIRE_DEVICES, WIRE_DEBUG_KEYS, WIRE_WAIT, WIRE_ATTACH, WIRE_DETACH,
    WIRE_DEFINE, WIRE_UNDEFINE, WIRE_AUTOSTART, WIRE_DEFINITIONS, WIRE_DEFINITION, WIRE_START, WIRE_BOOT,
    WIRE_HALT, WIRE_EVENTS, WIRE_DUMP,
};

/* Fields of requests, as bits: `given` tells which of them a request had. */
enum wire_field {
    F_DOMAIN = 1 << 0,
    F_CONFIG = 1 << 1,
    F_SOURCE = 1 << 2,
    F_NAME = 1 << 3,
    F_SET = 1 << 4,
    F_PAUSED = 1 << 5,
    F_DRY = 1 << 6,
    F_WAIT = 1 << 7,
    F_ALL = 1 << 8,
    F_CLEAR = 1 << 9,
    F_PROGRESS = 1 << 10,
    F_HARD = 1 << 11,
    F_SOFT = 1 << 12,
    F_VCPU = 1 << 13,
    F_COUNT = 1 << 14,
    F_WEIGHT = 1 << 15,
    F_CAP = 1 << 16,
    F_FORCE = 1 << 17,
    F_TOPOLOGY = 1 << 18,
    F_TEXT = 1 << 19,
    F_KIB = 1 << 20,
    F_CONFIGS = 1 << 21,
    F_TYPE = 1 << 22,
    F_SPEC = 1 << 23,
    F_DEVICE = 1 << 24,
    F_ON = 1 << 25,
    F_SECONDS = 1 << 26,
    F_PATH = 1 << 27,
    F_LIVE = 1 << 28,
};

enum { WIRE_SET_MAX = 256 };

struct wire_request {
    enum wire_op op;
    unsigned     given;        /* enum wire_field */
    char        *domain;       /* name or number; NULL: none, or all if `all` */
    char        *config;       /* create: text of the configuration */
    char        *source;       /* create: its name, for messages */
    char        *name;         /* rename: the new one */
    char        *hard, *soft;  /* vcpu_pin: lists of CPUs */
    char        *text;         /* sysrq, debug_keys: the keys */
    char        *type;         /* attach, detach: "disk" or "vif" */
    char        *spec;         /* attach: as in a configuration */
    char        *device;       /* detach: which */
    char        *set[WIRE_SET_MAX];
    unsigned     set_count;    /* create: key=value */
    int64_t      vcpu;         /* vcpu_pin: which; not given: all */
    int64_t      count;        /* vcpu_set: how many */
    int64_t      weight, cap;  /* sched */
    int64_t      kib;          /* mem_set, mem_max */
    bool         paused, dry, wait, all, clear, force, topology;
    int64_t      seconds;      /* halt: how long domains have */
    char        *path;         /* dump: where to */
    bool         live;         /* dump: while it runs; clear: remove it afterwards */
    bool         on;           /* autostart */
    bool         configs;      /* list: with what was asked for */
    bool         progress;     /* create: tell of each step */
};

/* 0, or -EINVAL/-ENOMEM with the reason; on failure there is nothing to free. */
int  wire_request_parse(const char *line, struct wire_request *out, struct fault *f);
void wire_request_free(struct wire_request *rq);

const char *wire_op_name(enum wire_op op);

#endif
