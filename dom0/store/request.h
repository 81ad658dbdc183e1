/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: the table of message types, and what their handlers share.
 *
 * A handler answers with request_reply() or request_ack() and returns 0, or returns a negative errno and
 * leaves the answer to request_handle(). What it got from the client lies in memory of our own: nothing is
 * read twice from a ring.
 */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include <stddef.h>

#include "abi/xs_wire.h"
#include "dom0/store/conn.h"
#include "dom0/store/path.h"
#include "dom0/store/view.h"

struct request {
    struct store *store;
    struct conn *conn;
    const struct xsd_sockmsg *header;
    char *data; /* header->len bytes */
    size_t len;
    struct view view;
    char *reply; /* XENSTORE_PAYLOAD_MAX bytes to fill */
};

/* Serves one request; payload holds header->len bytes, at most XENSTORE_PAYLOAD_MAX. */
void request_handle(struct conn *c, const struct xsd_sockmsg *header, char *payload);

/* Answers with the first len bytes of r->reply. */
int request_reply(struct request *r, size_t len);
int request_ack(struct request *r);

/* Splits the payload into texts, each ended by NUL. Returns how many; -EINVAL if the last one is not ended or
 * there are fewer than min or more than max. vec has room for max. */
int request_texts(struct request *r, char **vec, int min, int max);
/* The payload is one path and nothing else. */
int request_path(struct request *r, struct path *out);
/* A path as this client may write it. */
int request_parse_path(const struct request *r, struct path *out, const char *text);

/* The node at p if the client has the PERM_ bits `need` there. Otherwise -EACCES, or -ENOENT, but the latter
 * only to who has those bits on the nearest ancestor that exists: others may not learn what is there. */
int request_get(const struct request *r, const struct path *p, unsigned int need, uint8_t seen,
                struct view_node *out);

/* A decimal number of at most 32 bits; -EINVAL. */
int request_number(const char *text, uint32_t *out);

/* op_node.c */
int op_read(struct request *r);
int op_write(struct request *r);
int op_mkdir(struct request *r);
int op_rm(struct request *r);
int op_directory(struct request *r);
int op_directory_part(struct request *r);
int op_get_perms(struct request *r);
int op_set_perms(struct request *r);

/* op_watch.c */
int op_watch(struct request *r);
int op_unwatch(struct request *r);
int op_reset_watches(struct request *r);
int op_transaction_start(struct request *r);
int op_transaction_end(struct request *r);

/* op_domain.c */
int op_introduce(struct request *r);
int op_release(struct request *r);
int op_resume(struct request *r);
int op_set_target(struct request *r);
int op_get_domain_path(struct request *r);
int op_is_domain_introduced(struct request *r);

/* op_control.c */
int op_control(struct request *r);

#endif
