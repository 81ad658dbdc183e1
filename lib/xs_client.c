/* SPDX-License-Identifier: BSD-2-Clause */
/* The store client of xs_client.h: the wire, and the requests on top of it. */
#define _GNU_SOURCE
#include "lib/xs_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/xs_wire.h"

#define ANSWER_TIMEOUT_S    30
#define TRANSACTION_RETRIES 64

struct event {
    struct event *next;
    char text[]; /* path, NUL, token, NUL */
};

#define BATCH_REQUESTS 64 /* their answers, short ones, fit into any socket's buffer */
#define BATCH_BYTES    16384

/* Requests that wait to be sent together, and what is needed to judge their answers. */
struct batch {
    bool on;
    int error; /* of the first that failed: sticks until the end */
    unsigned int count;
    size_t used;
    struct {
        const char *verb;
        size_t at; /* of its header */
    } requests[BATCH_REQUESTS];
    char bytes[BATCH_BYTES];
};

struct xs_client {
    int fd;
    bool dead;
    uint32_t req_id;
    struct batch batch;
    struct event *events, **events_tail;
    struct event *handed_out;
    size_t have; /* bytes in buffer: received, not yet looked at */
    char buffer[2 * (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)];
    struct { /* the message being looked at, its payload ended by NUL */
        struct xsd_sockmsg header;
        char payload[XENSTORE_PAYLOAD_MAX + 1];
    } in;
    char error[512];
};

static const struct {
    const char *name, *words;
    int number;
} errors[] = {
    { "EINVAL", "the store finds the path or argument malformed", EINVAL },
    { "EACCES", "permission denied", EACCES },
    { "EEXIST", "it is there already", EEXIST },
    { "EISDIR", "is a directory", EISDIR },
    { "ENOENT", "there is no such node", ENOENT },
    { "ENOMEM", "the store has no memory left", ENOMEM },
    { "ENOSPC", "a quota of the store is used up", ENOSPC },
    { "EIO", "input/output error", EIO },
    { "ENOTEMPTY", "not empty", ENOTEMPTY },
    { "ENOSYS", "this store does not know that request", ENOSYS },
    { "EROFS", "read only", EROFS },
    { "EBUSY", "busy", EBUSY },
    { "EAGAIN", "another client changed the same nodes", EAGAIN },
    { "EISCONN", "connected already", EISCONN },
    { "E2BIG", "too long, or too many", E2BIG },
    { "EPERM", "not permitted", EPERM },
    { "EPIPE", "the connection to the store is lost", EPIPE },
    { "ETIMEDOUT", "the store does not answer", ETIMEDOUT },
    { "EPROTO", "the store's answer makes no sense", EPROTO },
};

static int note_error(struct xs_client *xs, const char *verb, const char *path, int rc) {
    for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].number == -rc) {
            snprintf(xs->error, sizeof(xs->error), "%s %s: %s (%s)", verb, path, errors[i].words,
                     errors[i].name);
            return rc;
        }
    snprintf(xs->error, sizeof(xs->error), "%s %s: %s", verb, path, strerror(-rc));
    return rc;
}

static int error_number(const char *name) {
    for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    return EPROTO;
}

static int connect_to(const char *path) {
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(addr.sun_path))
        return -ENAMETOOLONG;
    strcpy(addr.sun_path, path);
    struct timeval limit = { .tv_sec = ANSWER_TIMEOUT_S };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
        connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* Members of group hauch may read the store, by a socket of their own. */
static int connect_as_allowed(const char *path) {
    char reader[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd = connect_to(path);
    if (fd != -EACCES || (size_t)snprintf(reader, sizeof(reader), "%s_ro", path) >= sizeof(reader))
        return fd;
    fd = connect_to(reader);
    return fd == -ENOENT ? -EACCES : fd;
}

int xs_client_open(struct xs_client **out, const char *path) {
    *out = NULL;
    if (!path)
        path = getenv("XENSTORED_PATH");
    int fd = connect_as_allowed(path ? path : XS_CLIENT_SOCKET);
    if (fd < 0)
        return fd;
    struct xs_client *xs = calloc(1, sizeof(*xs));
    if (!xs) {
        close(fd);
        return -ENOMEM;
    }
    xs->fd = fd;
    xs->events_tail = &xs->events;
    strcpy(xs->error, "no error");
    *out = xs;
    return 0;
}

void xs_client_close(struct xs_client *xs) {
    if (!xs)
        return;
    for (struct event *e = xs->events, *next; e; e = next) {
        next = e->next;
        free(e);
    }
    free(xs->handed_out);
    close(xs->fd);
    free(xs);
}

int xs_client_fd(const struct xs_client *xs) {
    return xs->fd;
}

const char *xs_client_error(const struct xs_client *xs) {
    return xs->error;
}

/* Moves a whole message from the buffer to xs->in. 1: done; 0: it is not whole yet. */
static int take_message(struct xs_client *xs) {
    struct xsd_sockmsg header;
    if (xs->have < sizeof(header))
        return 0;
    memcpy(&header, xs->buffer, sizeof(header));
    if (header.len > XENSTORE_PAYLOAD_MAX)
        return -EPROTO;
    size_t len = sizeof(header) + header.len;
    if (xs->have < len)
        return 0;
    memcpy(&xs->in, xs->buffer, len);
    xs->in.payload[header.len] = '\0';
    xs->have -= len;
    memmove(xs->buffer, xs->buffer + len, xs->have);
    return 1;
}

/* The next message into xs->in, 1; 0 if flags has MSG_DONTWAIT and there is none. One system call brings in
 * all that has arrived. */
static int receive_message(struct xs_client *xs, int flags) {
    int rc;
    while ((rc = take_message(xs)) == 0) {
        ssize_t n = recv(xs->fd, xs->buffer + xs->have, sizeof(xs->buffer) - xs->have, flags);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return flags & MSG_DONTWAIT ? 0 : -ETIMEDOUT;
        if (n <= 0)
            return -EPIPE;
        xs->have += (size_t)n;
    }
    return rc;
}

static int keep_event(struct xs_client *xs) {
    size_t len = xs->in.header.len;
    struct event *e = calloc(1, sizeof(*e) + len + 2);
    if (!e)
        return -ENOMEM;
    memcpy(e->text, xs->in.payload, len);
    *xs->events_tail = e;
    xs->events_tail = &e->next;
    return 0;
}

static int die(struct xs_client *xs, int rc) {
    xs->dead = true;
    return rc;
}

/* Waits for the answer to a request; keeps events that come before it. */
static int receive_answer(struct xs_client *xs, uint32_t req_id) {
    for (;;) {
        int rc = receive_message(xs, 0);
        if (rc > 0 && xs->in.header.type != XS_WATCH_EVENT)
            return xs->in.header.req_id == req_id ? 0 : die(xs, -EPROTO);
        if (rc > 0)
            rc = keep_event(xs);
        if (rc < 0)
            return die(xs, rc);
    }
}

static int send_all(struct xs_client *xs, struct iovec *iov, int count) {
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)count };
    while (msg.msg_iovlen) {
        ssize_t n = sendmsg(xs->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return die(xs, errno == EAGAIN ? -ETIMEDOUT : -EPIPE);
        for (; msg.msg_iovlen && (size_t)n >= msg.msg_iov->iov_len; msg.msg_iov++, msg.msg_iovlen--)
            n -= (ssize_t)msg.msg_iov->iov_len;
        if (msg.msg_iovlen) {
            msg.msg_iov->iov_base = (char *)msg.msg_iov->iov_base + n;
            msg.msg_iov->iov_len -= (size_t)n;
        }
    }
    return 0;
}

struct part {
    const void *bytes;
    size_t len;
};

#define MAX_PARTS 4

/* What the answer in xs->in says to a request of that type. */
static int judge_answer(struct xs_client *xs, uint32_t type) {
    if (xs->in.header.type == XS_ERROR)
        return -error_number(xs->in.payload);
    return xs->in.header.type == type ? 0 : die(xs, -EPROTO);
}

/* The answer to one request of the batch. To remove what is not there is no error. */
static void batch_answer(struct xs_client *xs, unsigned int i) {
    struct batch *b = &xs->batch;
    struct xsd_sockmsg header;
    memcpy(&header, b->bytes + b->requests[i].at, sizeof(header));
    int rc = receive_answer(xs, header.req_id);
    if (rc == 0)
        rc = judge_answer(xs, header.type);
    if (rc < 0 && b->error == 0 && !(header.type == XS_RM && rc == -ENOENT))
        b->error = note_error(xs, b->requests[i].verb, b->bytes + b->requests[i].at + sizeof(header), rc);
}

/* Sends what waits and takes all answers in: one switch to the store and back instead of one a request. */
static int batch_flush(struct xs_client *xs) {
    struct batch *b = &xs->batch;
    struct iovec iov = { b->bytes, b->used };
    if (b->count && b->error == 0) {
        int rc = xs->dead ? -EPIPE : send_all(xs, &iov, 1);
        if (rc < 0)
            b->error = note_error(xs, "send", "requests", rc);
        for (unsigned int i = 0; rc == 0 && i < b->count && !xs->dead; i++)
            batch_answer(xs, i);
    }
    b->count = 0;
    b->used = 0;
    return b->error;
}

/* Their answers carry nothing, so nobody misses them for a while. */
static bool can_wait(uint32_t type) {
    return type == XS_WRITE || type == XS_MKDIR || type == XS_SET_PERMS || type == XS_RM;
}

/* 1: it waits in the batch; 0: it has to be asked now; or the batch's error. */
static int batch_add(struct xs_client *xs, const char *verb, const struct iovec *iov, int count) {
    const struct xsd_sockmsg *header = iov[0].iov_base;
    struct batch *b = &xs->batch;
    size_t len = sizeof(*header) + header->len;
    if (!can_wait(header->type) || len > BATCH_BYTES - b->used || b->count == BATCH_REQUESTS)
        batch_flush(xs);
    if (b->error || !can_wait(header->type))
        return b->error;
    b->requests[b->count].verb = verb;
    b->requests[b->count++].at = b->used;
    for (int i = 0; i < count; i++) {
        memcpy(b->bytes + b->used, iov[i].iov_base, iov[i].iov_len);
        b->used += iov[i].iov_len;
    }
    return 1;
}

void xs_client_batch_begin(struct xs_client *xs) {
    xs->batch.on = true;
    xs->batch.error = 0;
}

int xs_client_batch_end(struct xs_client *xs) {
    int rc = batch_flush(xs);
    xs->batch.on = false;
    return rc;
}

/* Sends a request of several parts and receives the answer into xs->in. verb and path are for the error text.
 */
static int ask(struct xs_client *xs, const char *verb, const char *path, uint32_t type, uint32_t tx,
               const struct part *parts, int count) {
    struct xsd_sockmsg header = { .type = type, .req_id = ++xs->req_id, .tx_id = tx };
    struct iovec iov[MAX_PARTS + 1] = { { &header, sizeof(header) } };
    for (int i = 0; i < count; i++) {
        iov[i + 1] = (struct iovec){ (void *)parts[i].bytes, parts[i].len };
        header.len += (uint32_t)parts[i].len;
    }
    if (header.len > XENSTORE_PAYLOAD_MAX)
        return note_error(xs, verb, path, -E2BIG);
    int rc = xs->batch.on ? batch_add(xs, verb, iov, count + 1) : 0;
    if (rc)
        return rc < 0 ? rc : 0;
    rc = xs->dead ? -EPIPE : send_all(xs, iov, count + 1);
    if (rc == 0)
        rc = receive_answer(xs, header.req_id);
    if (rc == 0)
        rc = judge_answer(xs, type);
    return rc < 0 ? note_error(xs, verb, path, rc) : 0;
}

#define TEXT(s)                                                                                              \
    { (s), strlen(s) + 1 }

static int ask_text(struct xs_client *xs, const char *verb, uint32_t type, uint32_t tx, const char *text) {
    struct part part = TEXT(text);
    return ask(xs, verb, text, type, tx, &part, 1);
}

static int copy_answer(struct xs_client *xs, const char *verb, const char *path, char **out, size_t *len) {
    size_t n = xs->in.header.len;
    *out = malloc(n + 1);
    if (!*out)
        return note_error(xs, verb, path, -ENOMEM);
    memcpy(*out, xs->in.payload, n + 1);
    if (len)
        *len = n;
    return 0;
}

int xs_client_read(struct xs_client *xs, uint32_t tx, const char *path, char **value, size_t *len) {
    *value = NULL;
    int rc = ask_text(xs, "read", XS_READ, tx, path);
    return rc < 0 ? rc : copy_answer(xs, "read", path, value, len);
}

int xs_client_read_u64(struct xs_client *xs, uint32_t tx, const char *path, uint64_t *value) {
    int rc = ask_text(xs, "read", XS_READ, tx, path);
    if (rc < 0)
        return rc;
    char *end, *text = xs->in.payload;
    bool hex = text[0] == '0' && text[1] == 'x';
    errno = 0;
    *value = strtoull(text, &end, hex ? 16 : 10);
    if (text[0] < '0' || text[0] > '9' || end != text + xs->in.header.len || errno) {
        snprintf(xs->error, sizeof(xs->error), "read %s: '%.40s' is not a number", path, text);
        return -EINVAL;
    }
    return 0;
}

int xs_client_write(struct xs_client *xs, uint32_t tx, const char *path, const void *value, size_t len) {
    struct part parts[] = { TEXT(path), { value, len } };
    return ask(xs, "write", path, XS_WRITE, tx, parts, 2);
}

int xs_client_writef(struct xs_client *xs, uint32_t tx, const char *path, const char *format, ...) {
    char text[XENSTORE_PAYLOAD_MAX];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(text))
        return note_error(xs, "write", path, -E2BIG);
    return xs_client_write(xs, tx, path, text, (size_t)n);
}

int xs_client_mkdir(struct xs_client *xs, uint32_t tx, const char *path) {
    return ask_text(xs, "mkdir", XS_MKDIR, tx, path);
}

int xs_client_rm(struct xs_client *xs, uint32_t tx, const char *path) {
    int rc = ask_text(xs, "rm", XS_RM, tx, path);
    return rc == -ENOENT ? 0 : rc;
}

int xs_client_exists(struct xs_client *xs, uint32_t tx, const char *path) {
    int rc = ask_text(xs, "look up", XS_READ, tx, path);
    return rc == -ENOENT ? 0 : rc < 0 ? rc : 1;
}

/* A list of names being received: NUL-ended texts one after the other. */
struct names {
    char *bytes;
    size_t len;
};

static int append_names(struct names *n, const char *bytes, size_t len) {
    char *grown = realloc(n->bytes, n->len + len + 1);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + n->len, bytes, len);
    n->bytes = grown;
    n->len += len;
    n->bytes[n->len] = '\0';
    return 0;
}

static int ask_part(struct xs_client *xs, uint32_t tx, const char *path, size_t offset) {
    char text[24];
    snprintf(text, sizeof(text), "%zu", offset);
    struct part parts[] = { TEXT(path), TEXT(text) };
    return ask(xs, "list", path, XS_DIRECTORY_PART, tx, parts, 2);
}

/* One pass over the parts. 1: done; 0: the directory changed meanwhile. Each part is its generation and some
 * names; an empty name ends the list. */
static int list_in_parts(struct xs_client *xs, uint32_t tx, const char *path, struct names *n) {
    char generation[24] = "";
    for (;;) {
        int rc = ask_part(xs, tx, path, n->len);
        if (rc < 0)
            return rc;
        size_t head = strlen(xs->in.payload) + 1, len = xs->in.header.len;
        if (head >= sizeof(generation) || head >= len)
            return note_error(xs, "list", path, die(xs, -EPROTO));
        if (generation[0] && strcmp(generation, xs->in.payload) != 0)
            return 0;
        strcpy(generation, xs->in.payload);
        bool last = xs->in.payload[len - 1] == '\0' && (len == head + 1 || xs->in.payload[len - 2] == '\0');
        if (append_names(n, xs->in.payload + head, len - head - last) < 0)
            return note_error(xs, "list", path, -ENOMEM);
        if (last)
            return 1;
    }
}

static int list_long(struct xs_client *xs, uint32_t tx, const char *path, struct names *n) {
    int rc = 0;
    for (int i = 0; i < TRANSACTION_RETRIES && rc == 0; i++) {
        n->len = 0;
        rc = list_in_parts(xs, tx, path, n);
    }
    return rc == 0 ? note_error(xs, "list", path, -EAGAIN) : rc;
}

/* One allocation: the array, then the texts. */
static int pack_names(const struct names *n, char ***out) {
    int count = 0;
    for (size_t i = 0; i < n->len; i++)
        count += n->bytes[i] == '\0';
    size_t table = ((size_t)count + 1) * sizeof(char *);
    char **names = malloc(table + n->len + 1);
    if (!names)
        return -ENOMEM;
    char *text = (char *)names + table;
    if (n->len)
        memcpy(text, n->bytes, n->len);
    for (int i = 0; i < count; i++, text += strlen(text) + 1)
        names[i] = text;
    names[count] = NULL;
    *out = names;
    return count;
}

int xs_client_directory(struct xs_client *xs, uint32_t tx, const char *path, char ***out) {
    struct names n = { NULL, 0 };
    *out = NULL;
    int rc = ask_text(xs, "list", XS_DIRECTORY, tx, path);
    if (rc == 0)
        rc = append_names(&n, xs->in.payload, xs->in.header.len);
    else if (rc == -E2BIG)
        rc = list_long(xs, tx, path, &n);
    if (rc >= 0)
        rc = pack_names(&n, out);
    free(n.bytes);
    return rc;
}

int xs_client_get_perms(struct xs_client *xs, uint32_t tx, const char *path, struct xs_client_perm **out) {
    *out = NULL;
    int rc = ask_text(xs, "get permissions of", XS_GET_PERMS, tx, path), count = 0;
    if (rc < 0)
        return rc;
    size_t len = xs->in.header.len;
    struct xs_client_perm *perms = malloc((len + 1) * sizeof(*perms));
    if (!perms)
        return note_error(xs, "get permissions of", path, -ENOMEM);
    for (size_t at = 0; at < len; at += strlen(xs->in.payload + at) + 1, count++) {
        perms[count].letter = xs->in.payload[at];
        perms[count].domid = (uint16_t)strtoul(xs->in.payload + at + 1, NULL, 10);
    }
    *out = perms;
    return count;
}

int xs_client_set_perms(struct xs_client *xs, uint32_t tx, const char *path,
                        const struct xs_client_perm *perms, unsigned int count) {
    char list[XENSTORE_PAYLOAD_MAX];
    size_t used = 0;
    for (unsigned int i = 0; i < count; i++) {
        if (used + 8 > sizeof(list))
            return note_error(xs, "set permissions of", path, -E2BIG);
        used += (size_t)snprintf(list + used, 8, "%c%u", perms[i].letter, perms[i].domid) + 1;
    }
    struct part parts[] = { TEXT(path), { list, used } };
    return ask(xs, "set permissions of", path, XS_SET_PERMS, tx, parts, 2);
}

int xs_client_watch(struct xs_client *xs, const char *path, const char *token) {
    struct part parts[] = { TEXT(path), TEXT(token) };
    return ask(xs, "watch", path, XS_WATCH, 0, parts, 2);
}

int xs_client_unwatch(struct xs_client *xs, const char *path, const char *token) {
    struct part parts[] = { TEXT(path), TEXT(token) };
    return ask(xs, "unwatch", path, XS_UNWATCH, 0, parts, 2);
}

/* Takes in what has arrived; between requests that can only be events. */
static int receive_events(struct xs_client *xs) {
    int rc = xs->dead ? -EPIPE : 1;
    while (rc > 0) {
        rc = receive_message(xs, MSG_DONTWAIT);
        if (rc > 0 && xs->in.header.type != XS_WATCH_EVENT)
            rc = -EPROTO;
        else if (rc > 0)
            rc = keep_event(xs) < 0 ? -ENOMEM : 1;
    }
    return rc < 0 ? note_error(xs, "wait for", "events", die(xs, rc)) : 0;
}

int xs_client_next_event(struct xs_client *xs, struct xs_client_event *event) {
    int rc = xs->events ? 0 : receive_events(xs);
    struct event *e = xs->events;
    if (!e)
        return rc;
    xs->events = e->next;
    if (!xs->events)
        xs->events_tail = &xs->events;
    free(xs->handed_out);
    xs->handed_out = e;
    event->path = e->text;
    event->token = e->text + strlen(e->text) + 1;
    return 1;
}

int xs_client_transaction_start(struct xs_client *xs, uint32_t *tx) {
    struct part part = TEXT("");
    int rc = ask(xs, "start", "a transaction", XS_TRANSACTION_START, 0, &part, 1);
    if (rc < 0)
        return rc;
    *tx = (uint32_t)strtoul(xs->in.payload, NULL, 10);
    return 0;
}

int xs_client_transaction_end(struct xs_client *xs, uint32_t tx, bool commit) {
    struct part part = TEXT(commit ? "T" : "F");
    return ask(xs, commit ? "commit" : "drop", "a transaction", XS_TRANSACTION_END, tx, &part, 1);
}

static int try_once(struct xs_client *xs, int (*body)(struct xs_client *xs, uint32_t tx, void *arg),
                    void *arg, bool *again) {
    uint32_t tx;
    int rc = xs_client_transaction_start(xs, &tx);
    *again = false;
    if (rc < 0)
        return rc;
    xs_client_batch_begin(xs);
    rc = body(xs, tx, arg);
    int late = xs_client_batch_end(xs);
    rc = rc ? rc : late;
    if (rc != 0) {
        char kept[sizeof(xs->error)];
        memcpy(kept, xs->error, sizeof(kept));
        xs_client_transaction_end(xs, tx, false);
        memcpy(xs->error, kept, sizeof(kept));
        return rc;
    }
    rc = xs_client_transaction_end(xs, tx, true);
    *again = rc == -EAGAIN;
    return rc;
}

int xs_client_transaction(struct xs_client *xs, int (*body)(struct xs_client *xs, uint32_t tx, void *arg),
                          void *arg) {
    bool again = true;
    int rc = 0;
    for (int i = 0; i < TRANSACTION_RETRIES && again; i++)
        rc = try_once(xs, body, arg, &again);
    return rc;
}

static int ask_domain(struct xs_client *xs, const char *verb, uint32_t type, uint16_t domid) {
    char text[8], what[24];
    snprintf(text, sizeof(text), "%u", domid);
    snprintf(what, sizeof(what), "domain %u", domid);
    struct part part = TEXT(text);
    return ask(xs, verb, what, type, 0, &part, 1);
}

int xs_client_introduce(struct xs_client *xs, uint16_t domid, uint64_t gfn, uint32_t port) {
    char id[8], frame[24], channel[16], what[24];
    snprintf(id, sizeof(id), "%u", domid);
    snprintf(frame, sizeof(frame), "%llu", (unsigned long long)gfn);
    snprintf(channel, sizeof(channel), "%u", port);
    snprintf(what, sizeof(what), "domain %u", domid);
    struct part parts[] = { TEXT(id), TEXT(frame), TEXT(channel) };
    return ask(xs, "introduce", what, XS_INTRODUCE, 0, parts, 3);
}

int xs_client_release(struct xs_client *xs, uint16_t domid) {
    return ask_domain(xs, "release", XS_RELEASE, domid);
}

int xs_client_is_introduced(struct xs_client *xs, uint16_t domid) {
    int rc = ask_domain(xs, "look up", XS_IS_DOMAIN_INTRODUCED, domid);
    return rc < 0 ? rc : xs->in.payload[0] == 'T';
}

int xs_client_get_domain_path(struct xs_client *xs, uint16_t domid, char **path) {
    *path = NULL;
    int rc = ask_domain(xs, "path of", XS_GET_DOMAIN_PATH, domid);
    return rc < 0 ? rc : copy_answer(xs, "path of", "a domain", path, NULL);
}

int xs_client_control(struct xs_client *xs, const char *command, size_t len, char **answer) {
    struct part parts[] = { { command, len }, { "", 1 } };
    *answer = NULL;
    int rc = ask(xs, "control", command, XS_CONTROL, 0, parts, 2);
    return rc < 0 ? rc : copy_answer(xs, "control", command, answer, NULL);
}
