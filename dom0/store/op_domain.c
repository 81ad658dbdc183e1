/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests about domains. */
#include <errno.h>
#include <stdio.h>

#include "dom0/store/domain.h"
#include "dom0/store/request.h"
#include "dom0/store/save.h"
#include "dom0/store/store.h"

/* A domain other than 0, which is always connected and cannot be released. */
static int parse_guest(const char *text) {
    int domid = perm_parse_domid(text);
    return domid > 0 ? domid : -EINVAL;
}

static int one_guest(struct request *r) {
    char *text;
    int rc = request_texts(r, &text, 1, 1);
    return rc < 0 ? rc : parse_guest(text);
}

/* The frame number is not needed: the ring is mapped by grant. More arguments may follow in later protocols.
 */
int op_introduce(struct request *r) {
    char *vec[4];
    uint32_t port;
    int rc = request_texts(r, vec, 3, 4);
    int domid = rc < 0 ? rc : parse_guest(vec[0]);
    if (domid < 0 || request_number(vec[2], &port) < 0 || port == 0)
        return -EINVAL;
    rc = domain_introduce(r->store, (uint16_t)domid, port);
    return rc < 0 ? rc : request_ack(r);
}

int op_release(struct request *r) {
    int domid = one_guest(r);
    int rc = domid < 0 ? domid : domain_release(r->store, (uint16_t)domid);
    return rc < 0 ? rc : request_ack(r);
}

/* Nothing to do: who sees domains stop is the toolstack, and it says so each time. */
int op_resume(struct request *r) {
    int domid = one_guest(r);
    if (domid < 0)
        return domid;
    return domain_find(r->store, (uint16_t)domid) ? request_ack(r) : -ENOENT;
}

int op_set_target(struct request *r) {
    char *vec[2];
    int rc = request_texts(r, vec, 2, 2);
    int domid = rc < 0 ? rc : parse_guest(vec[0]), target = rc < 0 ? rc : parse_guest(vec[1]);
    if (domid < 0 || target < 0)
        return -EINVAL;
    struct domain *d = domain_find(r->store, (uint16_t)domid);
    if (!d || !domain_find(r->store, (uint16_t)target))
        return -ENOENT;
    d->conn.who.target = target;
    save_target(&d->conn);
    return request_ack(r);
}

int op_get_domain_path(struct request *r) {
    char *text;
    int rc = request_texts(r, &text, 1, 1);
    int domid = rc < 0 ? rc : perm_parse_domid(text);
    if (domid < 0)
        return -EINVAL;
    return request_reply(r, (size_t)snprintf(r->reply, 64, "/local/domain/%d", domid) + 1);
}

int op_is_domain_introduced(struct request *r) {
    char *text;
    int rc = request_texts(r, &text, 1, 1);
    int domid = rc < 0 ? rc : perm_parse_domid(text);
    if (domid < 0)
        return -EINVAL;
    r->reply[0] = domid == 0 || domain_find(r->store, (uint16_t)domid) ? 'T' : 'F';
    r->reply[1] = '\0';
    return request_reply(r, 2);
}
