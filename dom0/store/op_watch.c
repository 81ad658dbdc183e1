/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on watches and transactions. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dom0/store/request.h"
#include "dom0/store/store.h"
#include "dom0/store/usage.h"

/* An event carries the longest path there is and the token in one message. */
#define TOKEN_MAX (XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX - 2)

static int parse_watch(struct request *r, struct path *p, size_t *skip, const char **token) {
    char *vec[2];
    int rc = request_texts(r, vec, 2, 2);
    if (rc < 0 || request_parse_path(r, p, vec[0]) < 0)
        return -EINVAL;
    bool relative = vec[0][0] != '/' && vec[0][0] != '@';
    *skip = relative ? path_home_len(r->conn->who.domid) : 0;
    *token = vec[1];
    return 0;
}

static int check_limits(struct conn *c, const struct path *p, const char *token) {
    size_t size = sizeof(struct watch) + p->len + strlen(token) + 2;
    if (strlen(token) > TOKEN_MAX || !usage_within(c, QUOTA_WATCHES, c->watch_count + 1))
        return -E2BIG;
    return usage_within(c, QUOTA_MEMORY, conn_memory(c) + size) ? 0 : -ENOSPC;
}

/* A first event follows the answer: the client need not also look. */
int op_watch(struct request *r) {
    struct conn *c = r->conn;
    struct path p;
    size_t skip;
    const char *token;
    int rc = parse_watch(r, &p, &skip, &token);
    if (rc == 0)
        rc = check_limits(c, &p, token);
    if (rc < 0)
        return rc;
    if (watch_find(&r->store->watches, c, &p, token))
        return -EEXIST;
    struct watch *w = conn_add_watch(c, &p, skip, token);
    if (!w)
        return -ENOMEM;
    request_ack(r);
    conn_send_event(c, w->path + skip, w->token);
    return 0;
}

int op_unwatch(struct request *r) {
    struct path p;
    size_t skip;
    const char *token;
    int rc = parse_watch(r, &p, &skip, &token);
    if (rc < 0)
        return rc;
    struct watch *w = watch_find(&r->store->watches, r->conn, &p, token);
    if (!w)
        return -ENOENT;
    conn_drop_watch(r->conn, w);
    return request_ack(r);
}

int op_reset_watches(struct request *r) {
    while (r->conn->watches)
        conn_drop_watch(r->conn, r->conn->watches);
    while (r->conn->txns)
        conn_drop_txn(r->conn, r->conn->txns);
    return request_ack(r);
}

static uint32_t new_txn_id(struct conn *c) {
    do
        c->last_txn++;
    while (c->last_txn == 0 || conn_find_txn(c, c->last_txn));
    return c->last_txn;
}

int op_transaction_start(struct request *r) {
    struct conn *c = r->conn;
    if (r->view.txn)
        return -EBUSY;
    if (!usage_within(c, QUOTA_TRANSACTIONS, c->txn_count + 1))
        return -ENOSPC;
    struct txn *x = conn_add_txn(c, new_txn_id(c));
    if (!x)
        return -ENOMEM;
    return request_reply(r, (size_t)snprintf(r->reply, 16, "%u", x->id) + 1);
}

int op_transaction_end(struct request *r) {
    char *verdict;
    int rc = request_texts(r, &verdict, 1, 1);
    if (rc < 0 || (strcmp(verdict, "T") != 0 && strcmp(verdict, "F") != 0))
        return -EINVAL;
    if (!r->view.txn)
        return -ENOENT;
    rc = verdict[0] == 'T' ? view_commit(&r->view) : 0;
    conn_drop_txn(r->conn, r->view.txn);
    return rc < 0 ? rc : request_ack(r);
}
