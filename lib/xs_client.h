/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the store over its UNIX socket, for the dom0 programs.
 *
 * One request is answered before the next is sent, but for batches; watch events that arrive in between are
 * kept and handed out by xs_client_next_event(). Any store that speaks the published protocol will do, ours
 * or Xen's.
 *
 * Every function that can fail returns 0 (or a count) on success and a negative errno on failure; then
 * xs_client_error() says in one line which operation on which path failed and why. After -EPIPE, -EPROTO or
 * -ETIMEDOUT the connection is dead: every later call gives -EPIPE; close it and open another.
 *
 * No threads: a client object belongs to one thread. `tx` is 0 outside a transaction.
 */
#ifndef LIB_XS_CLIENT_H
#define LIB_XS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xs_client;

/* Where stores listen unless told otherwise; $XENSTORED_PATH overrides it, as with libxenstore. */
#define XS_CLIENT_SOCKET "/run/xenstored/socket"

/* The letter is the one of the wire: 'n' no access, 'r' read, 'w' write, 'b' both. The first entry of a list
 * names the owner, and its letter is what all domains not listed may do. */
struct xs_client_perm {
    uint16_t domid;
    char letter;
};

struct xs_client_event {
    const char *path; /* valid until the next call of xs_client_next_event() */
    const char *token;
};

/* socket_path NULL: $XENSTORED_PATH, else XS_CLIENT_SOCKET. Who may not use that socket gets the one with
 * "_ro" at its end if he may: every change is refused there. On failure *xs is NULL and `errno`-like value
 * returned. */
int xs_client_open(struct xs_client **xs, const char *socket_path);
void xs_client_close(struct xs_client *xs);

/* For poll(): readable means that xs_client_next_event() may have something. */
int xs_client_fd(const struct xs_client *xs);

/* What failed last: "write /local/domain/3/name: permission denied (EACCES)". Never NULL. */
const char *xs_client_error(const struct xs_client *xs);

/* Reads a value. *value is malloc'ed, always followed by a NUL that *len (may be NULL) does not count. */
int xs_client_read(struct xs_client *xs, uint32_t tx, const char *path, char **value, size_t *len);
/* Reads a number in decimal or with 0x; -EINVAL if the value is not one. */
int xs_client_read_u64(struct xs_client *xs, uint32_t tx, const char *path, uint64_t *value);

/* Writes len bytes; creates the node and missing parents. */
int xs_client_write(struct xs_client *xs, uint32_t tx, const char *path, const void *value, size_t len);
/* The same with a formatted value (at most 4000 bytes). */
int xs_client_writef(struct xs_client *xs, uint32_t tx, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int xs_client_mkdir(struct xs_client *xs, uint32_t tx, const char *path);

/* Removes path and all below. A path that is not there is success, as is a missing parent. */
int xs_client_rm(struct xs_client *xs, uint32_t tx, const char *path);

/* 1 if the path exists and may be read, 0 if not, negative errno otherwise. */
int xs_client_exists(struct xs_client *xs, uint32_t tx, const char *path);

/* Names of the children, of any number. One free(*names) frees all. Returns how many. */
int xs_client_directory(struct xs_client *xs, uint32_t tx, const char *path, char ***names);

/* One free(*perms). Returns how many. */
int xs_client_get_perms(struct xs_client *xs, uint32_t tx, const char *path, struct xs_client_perm **perms);
int xs_client_set_perms(struct xs_client *xs, uint32_t tx, const char *path,
                        const struct xs_client_perm *perms, unsigned int count);

/* Each watch fires once when it is set. path may be "@introduceDomain" or "@releaseDomain". */
int xs_client_watch(struct xs_client *xs, const char *path, const char *token);
int xs_client_unwatch(struct xs_client *xs, const char *path, const char *token);

/* Never blocks. 1: *event filled; 0: nothing now; negative errno: connection lost. Call until it gives 0 when
 * the descriptor is readable, and also after other calls before sleeping (they may have kept events). */
int xs_client_next_event(struct xs_client *xs, struct xs_client_event *event);

/* Between the two, writes, mkdirs, removals and permissions are queued and give 0; the queue is sent, all
 * answers awaited, before any other request and at the end. The first error is that of the next such request
 * or of the end; after it nothing more of the batch is sent. */
void xs_client_batch_begin(struct xs_client *xs);
int xs_client_batch_end(struct xs_client *xs);

int xs_client_transaction_start(struct xs_client *xs, uint32_t *tx);
/* -EAGAIN: another client changed what this transaction saw; start over. The id is gone in every case. */
int xs_client_transaction_end(struct xs_client *xs, uint32_t tx, bool commit);

/* Runs body in a transaction, its requests in a batch, and commits; on -EAGAIN runs it anew, at most 64
 * times. If body returns non-zero the transaction is dropped and that value returned. body must be able to
 * run more than once. */
int xs_client_transaction(struct xs_client *xs, int (*body)(struct xs_client *xs, uint32_t tx, void *arg),
                          void *arg);

/* Domain management; for privileged clients only. port: the domain's unbound event channel for its store
 * ring. */
int xs_client_introduce(struct xs_client *xs, uint16_t domid, uint64_t gfn, uint32_t port);
/* Disconnects the domain and forgets it: nodes it owns go, permissions that name it are dropped,
 * @releaseDomain fires. Call it when the domain is destroyed, also if it was never introduced. -ENOENT: the
 * store knows nothing of it. */
int xs_client_release(struct xs_client *xs, uint16_t domid);
int xs_client_is_introduced(struct xs_client *xs, uint16_t domid);                /* 1, 0 or negative errno */
int xs_client_get_domain_path(struct xs_client *xs, uint16_t domid, char **path); /* malloc'ed */

/* A control command, e.g. "quota" or "log\0on" (arguments separated by NUL, len counts them, without the last
 * NUL). *answer is malloc'ed. */
int xs_client_control(struct xs_client *xs, const char *command, size_t len, char **answer);

#endif
