/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of message types and the helpers of request.h. */
#include "dom0/store/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dom0/store/store.h"
#include "dom0/store/usage.h"

#define PRIVILEGED 1
#define IN_TXN     2 /* works inside a transaction; other types ignore tx_id */
#define CHANGES    4 /* the store: not for readers */

static const struct {
    const char *name;
    int (*handler)(struct request *r);
    unsigned int flags;
} types[XS_TYPE_COUNT] = {
    [XS_CONTROL] = { "CONTROL", op_control, PRIVILEGED | CHANGES },
    [XS_DIRECTORY] = { "DIRECTORY", op_directory, IN_TXN },
    [XS_READ] = { "READ", op_read, IN_TXN },
    [XS_GET_PERMS] = { "GET_PERMS", op_get_perms, IN_TXN },
    [XS_WATCH] = { "WATCH", op_watch, 0 },
    [XS_UNWATCH] = { "UNWATCH", op_unwatch, 0 },
    [XS_TRANSACTION_START] = { "TRANSACTION_START", op_transaction_start, IN_TXN },
    [XS_TRANSACTION_END] = { "TRANSACTION_END", op_transaction_end, IN_TXN },
    [XS_INTRODUCE] = { "INTRODUCE", op_introduce, PRIVILEGED | CHANGES },
    [XS_RELEASE] = { "RELEASE", op_release, PRIVILEGED | CHANGES },
    [XS_GET_DOMAIN_PATH] = { "GET_DOMAIN_PATH", op_get_domain_path, 0 },
    [XS_WRITE] = { "WRITE", op_write, IN_TXN | CHANGES },
    [XS_MKDIR] = { "MKDIR", op_mkdir, IN_TXN | CHANGES },
    [XS_RM] = { "RM", op_rm, IN_TXN | CHANGES },
    [XS_SET_PERMS] = { "SET_PERMS", op_set_perms, IN_TXN | CHANGES },
    [XS_IS_DOMAIN_INTRODUCED] = { "IS_DOMAIN_INTRODUCED", op_is_domain_introduced, PRIVILEGED },
    [XS_RESUME] = { "RESUME", op_resume, PRIVILEGED | CHANGES },
    [XS_SET_TARGET] = { "SET_TARGET", op_set_target, PRIVILEGED | CHANGES },
    [XS_RESET_WATCHES] = { "RESET_WATCHES", op_reset_watches, 0 },
    [XS_DIRECTORY_PART] = { "DIRECTORY_PART", op_directory_part, IN_TXN },
};

/* The errors that the protocol can name (xs_wire.h of Xen lists them). */
static const struct {
    int number;
    const char *name;
} errors[] = {
    { EINVAL, "EINVAL" },       { EACCES, "EACCES" },   { EEXIST, "EEXIST" }, { EISDIR, "EISDIR" },
    { ENOENT, "ENOENT" },       { ENOMEM, "ENOMEM" },   { ENOSPC, "ENOSPC" }, { EIO, "EIO" },
    { ENOTEMPTY, "ENOTEMPTY" }, { ENOSYS, "ENOSYS" },   { EROFS, "EROFS" },   { EBUSY, "EBUSY" },
    { EAGAIN, "EAGAIN" },       { EISCONN, "EISCONN" }, { E2BIG, "E2BIG" },   { EPERM, "EPERM" },
};

static const char *error_name(int number) {
    for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].number == number)
            return errors[i].name;
    return "EINVAL";
}

static void send_reply(struct request *r, uint32_t type, size_t len) {
    struct xs_message *m = &r->store->reply;
    m->header = (struct xsd_sockmsg){ type, r->header->req_id, r->header->tx_id, (uint32_t)len };
    conn_send(r->conn, m);
}

int request_reply(struct request *r, size_t len) {
    send_reply(r, r->header->type, len);
    return 0;
}

int request_ack(struct request *r) {
    memcpy(r->reply, "OK", 3);
    return request_reply(r, 3);
}

static void reply_error(struct request *r, int rc) {
    const char *name = error_name(-rc);
    size_t size = strlen(name) + 1;
    memcpy(r->reply, name, size);
    send_reply(r, XS_ERROR, size);
}

/* Each transaction is within the limit of memory by itself; all of a guest together have to be as well. */
static bool txns_too_big(struct conn *c, const struct txn *x, uint32_t type) {
    if (c->who.privileged || type == XS_TRANSACTION_END)
        return false;
    usage_within(c, QUOTA_TRANSACTION_NODES, x->count + 1); /* told here, refused in txn.c */
    return !usage_within(c, QUOTA_MEMORY, conn_memory(c));
}

static int dispatch(struct request *r) {
    uint32_t type = r->header->type;
    if (type >= XS_TYPE_COUNT || !types[type].handler)
        return -ENOSYS;
    if (types[type].flags & PRIVILEGED && !r->conn->who.privileged)
        return -EACCES;
    if (types[type].flags & CHANGES && r->conn->read_only)
        return -EROFS;
    struct txn *x = NULL;
    if (types[type].flags & IN_TXN && r->header->tx_id) {
        x = conn_find_txn(r->conn, r->header->tx_id);
        if (!x)
            return -ENOENT;
        if (txns_too_big(r->conn, x, type))
            return -ENOSPC;
    }
    r->view = store_view(r->store, x);
    return types[type].handler(r);
}

static void trace(const struct request *r, int rc) {
    uint32_t type = r->header->type;
    const char *name = type < XS_TYPE_COUNT && types[type].name ? types[type].name : "unknown type";
    char text[160];
    size_t len = r->len < sizeof(text) - 1 ? r->len : sizeof(text) - 1;
    for (size_t i = 0; i < len; i++)
        text[i] = r->data[i] >= ' ' && r->data[i] < 127 ? r->data[i] : ' ';
    text[len] = '\0';
    store_logf(r->store, "%s%u tx %u %s %s: %s", r->conn->is_socket ? "socket of domain " : "domain ",
               r->conn->who.domid, r->header->tx_id, name, text, rc < 0 ? error_name(-rc) : "OK");
}

void request_handle(struct conn *c, const struct xsd_sockmsg *header, char *payload) {
    struct request r = {
        .store = c->store,
        .conn = c,
        .header = header,
        .data = payload,
        .len = header->len,
        .reply = c->store->reply.payload,
    };
    bool traced = c->store->trace;
    int rc = dispatch(&r);
    if (rc < 0)
        reply_error(&r, rc);
    if (traced)
        trace(&r, rc);
}

int request_texts(struct request *r, char **vec, int min, int max) {
    int count = 0;
    if (r->len > 0 && r->data[r->len - 1] != '\0')
        return -EINVAL;
    for (size_t at = 0; at < r->len; at += strlen(r->data + at) + 1) {
        if (count == max)
            return -EINVAL;
        vec[count++] = r->data + at;
    }
    return count < min ? -EINVAL : count;
}

int request_parse_path(const struct request *r, struct path *out, const char *text) {
    int rc = path_parse(out, text, r->conn->who.domid);
    return rc == 0 && out->len > r->conn->limits->path_max ? -EINVAL : rc;
}

int request_path(struct request *r, struct path *out) {
    char *text;
    int rc = request_texts(r, &text, 1, 1);
    if (rc >= 0)
        rc = request_parse_path(r, out, text);
    return rc < 0 || path_is_special(out->text) ? -EINVAL : 0;
}

static int nearest_error(const struct request *r, const struct path *p, unsigned int need) {
    struct view_node n;
    size_t len = p->len;
    int rc = -ENOENT;
    while (rc == -ENOENT && (len = path_parent_len(p->text, len)))
        rc = view_get(&r->view, p->text, len, TXN_PERMS, &n);
    if (rc == 0)
        return (perms_allowed(n.perms, &r->conn->who) & need) == need ? -ENOENT : -EACCES;
    return rc;
}

int request_get(const struct request *r, const struct path *p, unsigned int need, uint8_t seen,
                struct view_node *out) {
    int rc = view_get(&r->view, p->text, p->len, seen | TXN_PERMS, out);
    if (rc == 0)
        return (perms_allowed(out->perms, &r->conn->who) & need) == need ? 0 : -EACCES;
    return rc == -ENOENT ? nearest_error(r, p, need) : rc;
}

int request_number(const char *text, uint32_t *out) {
    uint64_t n = 0;
    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        n = n * 10 + (uint64_t)(*text - '0');
        if (n > UINT32_MAX)
            return -EINVAL;
    }
    *out = (uint32_t)n;
    return 0;
}
