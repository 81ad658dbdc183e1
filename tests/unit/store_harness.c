/* SPDX-License-Identifier: BSD-2-Clause */
/* The fakes of store_harness.h. */
#include "tests/unit/store_harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER (256u << 10)

static struct fake_client *of_conn(struct conn *c) {
    return (struct fake_client *)((char *)c - offsetof(struct fake_client, conn));
}

static ssize_t fake_read(struct conn *c, void *buf, size_t len) {
    struct fake_client *f = of_conn(c);
    size_t n = f->in_len - f->in_at < len ? f->in_len - f->in_at : len;
    memcpy(buf, f->in + f->in_at, n);
    f->in_at += n;
    return (ssize_t)n;
}

static ssize_t fake_write_out(struct conn *c, const void *buf, size_t len) {
    struct fake_client *f = of_conn(c);
    size_t n = f->room < len ? f->room : len;
    if (f->out_len + n > BUFFER)
        abort();
    memcpy(f->out + f->out_len, buf, n);
    f->out_len += n;
    f->room -= n;
    return (ssize_t)n;
}

static void fake_failed(struct conn *c) {
    of_conn(c)->failed = true;
}

static const struct conn_transport transport = { .read = fake_read,
                                                 .write = fake_write_out,
                                                 .failed = fake_failed };

void fake_open(struct fake_client *f, struct store *s, uint16_t domid) {
    memset(f, 0, sizeof(*f));
    f->store = s;
    f->in = malloc(BUFFER);
    f->out = malloc(BUFFER);
    f->room = SIZE_MAX;
    conn_init(&f->conn, s, &transport, domid);
    f->conn.is_socket = domid == 0;
}

void fake_close(struct fake_client *f) {
    conn_destroy(&f->conn);
    free(f->in);
    free(f->out);
    free(f->events);
}

void fake_feed(struct fake_client *f, const void *bytes, size_t len) {
    if (f->in_at == f->in_len)
        f->in_at = f->in_len = 0;
    if (f->in_len + len > BUFFER)
        abort();
    if (len)
        memcpy(f->in + f->in_len, bytes, len);
    f->in_len += len;
    conn_wake(&f->conn);
}

void fake_send(struct fake_client *f, uint32_t type, uint32_t tx, const void *payload, size_t len) {
    struct xsd_sockmsg header = { type, 77, tx, (uint32_t)len };
    fake_feed(f, &header, sizeof(header));
    fake_feed(f, payload, len);
}

static void keep_event(struct fake_client *f) {
    f->events = realloc(f->events, (f->event_count + 1) * sizeof(f->events[0]));
    struct fake_event *e = &f->events[f->event_count++];
    strcpy(e->path, f->reply.payload);
    strcpy(e->token, f->reply.payload + strlen(f->reply.payload) + 1);
}

static bool take_message(struct fake_client *f) {
    struct xsd_sockmsg header;
    size_t have = f->out_len - f->out_at;
    if (have < sizeof(header))
        return false;
    memcpy(&header, f->out + f->out_at, sizeof(header));
    if (have < sizeof(header) + header.len)
        return false;
    memset(&f->reply, 0, sizeof(f->reply));
    memcpy(&f->reply, f->out + f->out_at, sizeof(header) + header.len);
    f->out_at += sizeof(header) + header.len;
    if (f->out_at == f->out_len)
        f->out_at = f->out_len = 0;
    return true;
}

bool fake_receive(struct fake_client *f) {
    while (take_message(f)) {
        if (f->reply.header.type != XS_WATCH_EVENT)
            return true;
        keep_event(f);
    }
    return false;
}

void fake_run(struct store *s) {
    for (int i = 0; i < 1000 && store_run(s); i++)
        ;
}

int fake_errno(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = { { "EINVAL", EINVAL }, { "EACCES", EACCES }, { "EEXIST", EEXIST }, { "ENOENT", ENOENT },
                  { "ENOMEM", ENOMEM }, { "ENOSPC", ENOSPC }, { "EIO", EIO },       { "ENOSYS", ENOSYS },
                  { "EBUSY", EBUSY },   { "EAGAIN", EAGAIN }, { "E2BIG", E2BIG },   { "EPERM", EPERM } };
    for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].number;
    abort();
}

int fake_call(struct fake_client *f, uint32_t type, uint32_t tx, const void *payload, size_t len) {
    fake_send(f, type, tx, payload, len);
    fake_run(f->store);
    if (!fake_receive(f))
        return -EPIPE;
    if (f->reply.header.req_id != 77 || f->reply.header.tx_id != tx)
        abort();
    if (f->reply.header.type == XS_ERROR)
        return -fake_errno(f->reply.payload);
    return f->reply.header.type == type ? 0 : -EPROTO;
}

int fake_text(struct fake_client *f, uint32_t type, uint32_t tx, const char *text) {
    return fake_call(f, type, tx, text, strlen(text) + 1);
}

static size_t join(char *buf, const char *a, const char *b, bool end) {
    size_t n = strlen(a) + 1;
    memcpy(buf, a, n);
    memcpy(buf + n, b, strlen(b) + 1);
    return n + strlen(b) + end;
}

int fake_two(struct fake_client *f, uint32_t type, uint32_t tx, const char *a, const char *b) {
    char buf[8192];
    return fake_call(f, type, tx, buf, join(buf, a, b, true));
}

int fake_write(struct fake_client *f, uint32_t tx, const char *path, const char *value) {
    char buf[8192];
    return fake_call(f, XS_WRITE, tx, buf, join(buf, path, value, false));
}

uint32_t fake_start(struct fake_client *f) {
    return fake_text(f, XS_TRANSACTION_START, 0, "") == 0 ? (uint32_t)strtoul(f->reply.payload, NULL, 10) : 0;
}

int fake_end(struct fake_client *f, uint32_t tx, bool commit) {
    return fake_text(f, XS_TRANSACTION_END, tx, commit ? "T" : "F");
}

int fake_expect(struct fake_client *f, uint32_t tx, const char *path, const char *value) {
    int rc = fake_text(f, XS_READ, tx, path);
    if (rc < 0)
        return rc;
    size_t len = f->reply.header.len;
    return len == strlen(value) && memcmp(f->reply.payload, value, len) == 0 ? 0 : 1;
}

unsigned int fake_events(struct fake_client *f) {
    while (fake_receive(f))
        ;
    return f->event_count;
}

bool fake_take(struct fake_client *f, const char *path, const char *token) {
    fake_events(f);
    for (unsigned int i = 0; i < f->event_count; i++)
        if (strcmp(f->events[i].path, path) == 0 && strcmp(f->events[i].token, token) == 0) {
            f->events[i] = f->events[--f->event_count];
            return true;
        }
    return false;
}

void fake_forget_events(struct fake_client *f) {
    fake_events(f);
    f->event_count = 0;
}

static struct xenstore_domain_interface *xen_map(void *ctx, uint16_t domid) {
    struct fake_xen *x = ctx;
    if (domid >= FAKE_DOMAINS || x->mapped[domid]) {
        errno = EINVAL;
        return NULL;
    }
    x->mapped[domid] = true;
    x->maps++;
    return &x->ring[domid];
}

static void xen_unmap(void *ctx, struct xenstore_domain_interface *ring) {
    struct fake_xen *x = ctx;
    if (!x->mapped[ring - x->ring])
        abort();
    x->mapped[ring - x->ring] = false;
    x->maps--;
}

static int xen_bind(void *ctx, uint16_t domid, uint32_t remote_port) {
    struct fake_xen *x = ctx;
    if (x->refuse_bind || x->gone[domid])
        return -EINVAL;
    for (int p = 1; p < 64; p++)
        if (!x->bound[p]) {
            x->bound[p] = true;
            x->domain_of[p] = domid;
            x->binds++;
            return p;
        }
    return -ENOSPC;
}

static void xen_unbind(void *ctx, uint32_t port) {
    struct fake_xen *x = ctx;
    if (!x->bound[port])
        abort();
    x->bound[port] = false;
    x->binds--;
}

static void xen_notify(void *ctx, uint32_t port) {
    struct fake_xen *x = ctx;
    if (!x->bound[port])
        abort();
    x->notified[port]++;
}

const struct domain_ops fake_xen_ops = { xen_map, xen_unmap, xen_bind, xen_unbind, xen_notify, NULL };
