/* SPDX-License-Identifier: BSD-2-Clause */
/* The CONTROL request: what `xenstore-control` asks. Answers are texts for people. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dom0/store/domain.h"
#include "dom0/store/request.h"
#include "dom0/store/save.h"
#include "dom0/store/store.h"

struct answer {
    char *text;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct answer *a, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(a->text + a->used, XENSTORE_PAYLOAD_MAX - a->used, format, ap);
    va_end(ap);
    a->used += (size_t)n < XENSTORE_PAYLOAD_MAX - a->used ? (size_t)n : XENSTORE_PAYLOAD_MAX - a->used - 1;
}

static int control_check(struct request *r, struct answer *a, char **arg, int count) {
    add(a, store_check(r->store) == 0 ? "OK" : "the store's accounts are wrong");
    return 0;
}

static int control_log(struct request *r, struct answer *a, char **arg, int count) {
    bool on = count == 1 && strcmp(arg[0], "on") == 0;
    if (!on && (count != 1 || strcmp(arg[0], "off") != 0))
        return -EINVAL;
    r->store->trace = on;
    add(a, "OK");
    return 0;
}

static int control_print(struct request *r, struct answer *a, char **arg, int count) {
    if (count != 1)
        return -EINVAL;
    store_logf(r->store, "%s", arg[0]);
    add(a, "OK");
    return 0;
}

static int list_quota(struct request *r, struct answer *a) {
    const char *name, *what;
    uint64_t *limit;
    add(a, "Quota settings:\n");
    for (unsigned int i = 0; (limit = quota_limit_by_index(&r->store->quota.guest, i, &name, &what)); i++)
        add(a, "%-17s: %8llu %s\n", name, (unsigned long long)*limit, what);
    return 0;
}

static int set_quota(struct request *r, struct answer *a, char **arg) {
    uint64_t *limit = quota_limit_by_name(&r->store->quota.guest, arg[1]);
    uint32_t value;
    if (!limit || request_number(arg[2], &value) < 0)
        return -EINVAL;
    *limit = value;
    save_limit(r->store->journal, arg[1], value);
    add(a, "OK");
    return 0;
}

static const struct conn *guest_conn(const struct store *s, int domid) {
    const struct conn *c = s->conns;
    while (c && (c->is_socket || c->who.domid != domid))
        c = c->next;
    return c;
}

static int show_quota(struct request *r, struct answer *a, const char *text) {
    int domid = perm_parse_domid(text);
    if (domid < 0)
        return domid;
    const struct account *account = quota_find(&r->store->quota, (uint16_t)domid);
    const struct conn *c = guest_conn(r->store, domid);
    if (!account && !c)
        return -ENOENT;
    add(a, "Domain %d:\n", domid);
    add(a, "%-17s: %8llu\n", "nodes", (unsigned long long)(account ? account->nodes : 0));
    add(a, "%-17s: %8llu\n", "watches", (unsigned long long)(c ? c->watch_count : 0));
    add(a, "%-17s: %8llu\n", "transactions", (unsigned long long)(c ? c->txn_count : 0));
    add(a, "%-17s: %8llu\n", "outstanding", (unsigned long long)(c ? c->replies : 0));
    add(a, "%-17s: %8llu\n", "memory",
        (unsigned long long)((account ? account->memory : 0) + (c ? conn_memory(c) : 0)));
    if (c && c->fault)
        add(a, "%-17s: %8d\n", "cut off", c->fault);
    return 0;
}

static int control_quota(struct request *r, struct answer *a, char **arg, int count) {
    if (count == 0)
        return list_quota(r, a);
    if (count == 3 && strcmp(arg[0], "set") == 0)
        return set_quota(r, a, arg);
    return count == 1 ? show_quota(r, a, arg[0]) : -EINVAL;
}

/* Lines "DOMID KIND USED LIMIT HITS", USED being - for what is not held, for domains from a number on; "more
 * DOMID" at the end if they do not all fit. For programs: words may be added at the ends of lines, never
 * changed. */
static void list_usage(struct answer *a, const struct conn *c) {
    for (unsigned int kind = 0; kind < QUOTA_KINDS; kind++) {
        char used[24] = "-";
        uint64_t now = usage_now(c, kind);
        if (now != UINT64_MAX)
            snprintf(used, sizeof(used), "%llu", (unsigned long long)now);
        add(a, "%u %s %s %llu %u\n", c->who.domid, quota_kind_name(kind), used,
            (unsigned long long)quota_kind_limit(c->limits, kind), domain_of(c)->usage.hits[kind]);
    }
}

#define USAGE_ROOM (QUOTA_KINDS * 80) /* for the lines of one domain, and "more" */

/* The connected guest with the least number that is at least from; NULL: none. */
static const struct conn *next_guest(const struct store *s, uint32_t from) {
    const struct conn *found = NULL;
    for (const struct conn *c = s->conns; c; c = c->next)
        if (c->lasting && c->who.domid >= from && (!found || c->who.domid < found->who.domid))
            found = c;
    return found;
}

static int control_usage(struct request *r, struct answer *a, char **arg, int count) {
    uint32_t from = 1;
    if (count > 1 || (count == 1 && request_number(arg[0], &from) < 0))
        return -EINVAL;
    const struct conn *c = next_guest(r->store, from ? from : 1);
    for (; c && XENSTORE_PAYLOAD_MAX - a->used > USAGE_ROOM; c = next_guest(r->store, c->who.domid + 1u))
        list_usage(a, c);
    if (c)
        add(a, "more %u\n", c->who.domid);
    return 0;
}

static int control_memreport(struct request *r, struct answer *a, char **arg, int count) {
    uint64_t conns = 0, held = 0;
    for (const struct conn *c = r->store->conns; c; c = c->next, conns++)
        held += conn_memory(c);
    add(a, "nodes %u, watches %u, accounts %u, connections %llu holding %llu bytes\n",
        r->store->tree.nodes.count, r->store->watches.by_path.count, r->store->quota.accounts.count,
        (unsigned long long)conns, (unsigned long long)held);
    return 0;
}

/* For a toolstack that sees a domain shut down, but not yet go: what Xen's own store notices by itself. */
static int control_notify_release(struct request *r, struct answer *a, char **arg, int count) {
    store_fire_special(r->store, "@releaseDomain");
    add(a, "OK");
    return 0;
}

static int control_help(struct request *r, struct answer *a, char **arg, int count);

static const struct {
    const char *name, *arguments;
    int (*handler)(struct request *r, struct answer *a, char **arg, int count);
} commands[] = {
    { "check", "", control_check },
    { "help", "", control_help },
    { "log", "on|off", control_log },
    { "memreport", "", control_memreport },
    { "notify-release", "", control_notify_release },
    { "print", "<text>", control_print },
    { "quota", "[set <name> <value>|<domid>]", control_quota },
    { "usage", "[<from domid>]", control_usage },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int control_help(struct request *r, struct answer *a, char **arg, int count) {
    for (unsigned int i = 0; i < COMMANDS; i++)
        add(a, "%-15s %s\n", commands[i].name, commands[i].arguments);
    return 0;
}

int op_control(struct request *r) {
    struct answer a = { .text = r->reply };
    char *vec[4];
    int rc = -EINVAL, count = request_texts(r, vec, 1, 4);
    if (count < 0)
        return count;
    r->reply[0] = '\0';
    for (unsigned int i = 0; i < COMMANDS; i++)
        if (strcmp(vec[0], commands[i].name) == 0) {
            rc = commands[i].handler(r, &a, vec + 1, count - 1);
            break;
        }
    return rc < 0 ? rc : request_reply(r, a.used + 1);
}
