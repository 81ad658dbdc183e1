/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on nodes: read, write, make, remove, list, permissions. Limits of unprivileged clients are checked
 * here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dom0/store/request.h"
#include "dom0/store/store.h"
#include "dom0/store/usage.h"

int op_read(struct request *r) {
    struct path p;
    struct view_node n;
    int rc = request_path(r, &p);
    if (rc == 0)
        rc = request_get(r, &p, PERM_READ, TXN_VALUE, &n);
    if (rc < 0)
        return rc;
    if (n.value->len > XENSTORE_PAYLOAD_MAX)
        return -E2BIG;
    memcpy(r->reply, n.value->bytes, n.value->len);
    return request_reply(r, n.value->len);
}

/* Would a node of this size be within the client's limits, and the memory that `more` bytes take within its
 * owner's? */
static int check_size(const struct request *r, const struct perms *perms, size_t value_len, size_t more) {
    if (r->conn->who.privileged)
        return 0;
    if (!usage_within(r->conn, QUOTA_NODE_SIZE, value_len + perms->count * sizeof(perms->entry[0])))
        return -ENOSPC;
    const struct account *a = perms_owner(perms) ? quota_find(&r->store->quota, perms_owner(perms)) : NULL;
    uint64_t held = (a ? a->memory : 0) + conn_memory(r->conn);
    return usage_within(r->conn, QUOTA_MEMORY, held + more) ? 0 : -ENOSPC;
}

struct creation {
    size_t have;    /* length of the nearest ancestor's path */
    uint64_t count; /* nodes to make */
    size_t bytes;
    struct perms *perms;
};

static int find_ancestor(const struct request *r, const struct path *p, struct creation *c,
                         struct view_node *n) {
    int rc = -ENOENT;
    c->have = p->len;
    c->count = 0;
    c->bytes = 0;
    while (rc == -ENOENT) {
        c->count++;
        c->bytes += sizeof(struct node) + c->have + 1;
        c->have = path_parent_len(p->text, c->have);
        rc = view_get(&r->view, p->text, c->have, TXN_PERMS, n);
    }
    return rc;
}

static int check_count(const struct request *r, uint64_t count) {
    const struct account *a = quota_find(&r->store->quota, r->conn->who.domid);
    int64_t owned = (int64_t)(a ? a->nodes : 0) + (r->view.txn ? r->view.txn->created : 0);
    if (r->conn->who.privileged)
        return 0;
    int64_t wanted = owned + (int64_t)count;
    return usage_within(r->conn, QUOTA_NODES, wanted > 0 ? (uint64_t)wanted : 0) ? 0 : -ENOSPC;
}

/* p is known to be absent and its nearest ancestor writable. New nodes inherit that one's permissions, but
 * what an unprivileged domain makes is its own. */
static int create(const struct request *r, const struct path *p, const void *value, size_t len) {
    struct creation c;
    struct view_node above;
    int rc = find_ancestor(r, p, &c, &above);
    if (rc == 0)
        rc = check_count(r, c.count);
    if (rc < 0)
        return rc;
    c.perms =
        r->conn->who.privileged ? perms_get(above.perms) : perms_with_owner(above.perms, r->conn->who.domid);
    struct blob *b = blob_new(value, len);
    rc = b && c.perms ? check_size(r, c.perms, len, c.bytes + len) : -ENOMEM;
    if (rc == 0)
        rc = view_create(&r->view, p, c.have, b, c.perms);
    blob_put(b);
    perms_put(c.perms);
    return rc;
}

static int overwrite(const struct request *r, const struct view_node *n, const void *value, size_t len) {
    size_t more = len > n->value->len ? len - n->value->len : 0;
    int rc = check_size(r, n->perms, len, more);
    return rc < 0 ? rc : view_set_value(&r->view, n, value, len);
}

int op_write(struct request *r) {
    const char *end = memchr(r->data, '\0', r->len);
    struct path p;
    struct view_node n;
    if (!end || request_parse_path(r, &p, r->data) < 0 || path_is_special(p.text))
        return -EINVAL;
    const char *value = end + 1;
    size_t len = r->len - (size_t)(value - r->data);
    int rc = request_get(r, &p, PERM_WRITE, TXN_VALUE, &n);
    if (rc == 0)
        rc = overwrite(r, &n, value, len);
    else if (rc == -ENOENT)
        rc = create(r, &p, value, len);
    return rc < 0 ? rc : request_ack(r);
}

int op_mkdir(struct request *r) {
    struct path p;
    struct view_node n;
    int rc = request_path(r, &p);
    if (rc < 0)
        return rc;
    rc = request_get(r, &p, PERM_WRITE, 0, &n);
    if (rc == -ENOENT)
        rc = create(r, &p, "", 0);
    return rc < 0 ? rc : request_ack(r);
}

/* Removing what is not there is success if its parent is. */
static int rm_absent(const struct request *r, const struct path *p) {
    struct view_node parent;
    return view_get(&r->view, p->text, path_parent_len(p->text, p->len), 0, &parent);
}

int op_rm(struct request *r) {
    struct path p;
    struct view_node n;
    int rc = request_path(r, &p);
    if (rc < 0 || path_is_root(&p))
        return -EINVAL;
    rc = request_get(r, &p, PERM_WRITE, 0, &n);
    if (rc == 0)
        rc = view_remove(&r->view, &n);
    else if (rc == -ENOENT)
        rc = rm_absent(r, &p);
    return rc < 0 ? rc : request_ack(r);
}

/* A window on the list of all names, each with its NUL. */
struct listing {
    char *out;
    size_t room, used;
    size_t at;   /* bytes of names so far */
    size_t from; /* where the window begins */
    bool full;
};

static int list_child(void *arg, const char *name, size_t len) {
    struct listing *l = arg;
    size_t at = l->at;
    l->at += len + 1;
    if (at < l->from || l->full)
        return 0;
    if (len + 1 > l->room - l->used) {
        l->full = true;
        return 0;
    }
    memcpy(l->out + l->used, name, len);
    l->out[l->used + len] = '\0';
    l->used += len + 1;
    return 0;
}

int op_directory(struct request *r) {
    struct listing l = { .out = r->reply, .room = XENSTORE_PAYLOAD_MAX };
    struct path p;
    struct view_node n;
    int rc = request_path(r, &p);
    if (rc == 0)
        rc = request_get(r, &p, PERM_READ, TXN_CHILDREN, &n);
    if (rc == 0)
        rc = view_children(&r->view, &n, list_child, &l);
    if (rc < 0 || l.full)
        return rc < 0 ? rc : -E2BIG;
    return request_reply(r, l.used);
}

/* The reply is the generation, then names from an offset that an earlier part ended at; an empty name ends
 * the last part. Room for that is kept back. */
int op_directory_part(struct request *r) {
    char *vec[2];
    struct path p;
    struct view_node n;
    uint32_t from;
    int rc = request_texts(r, vec, 2, 2);
    if (rc < 0 || request_parse_path(r, &p, vec[0]) < 0 || path_is_special(p.text) ||
        request_number(vec[1], &from) < 0)
        return -EINVAL;
    rc = request_get(r, &p, PERM_READ, TXN_CHILDREN, &n);
    if (rc < 0)
        return rc;
    size_t head = (size_t)snprintf(r->reply, 32, "%llu", (unsigned long long)n.children_generation) + 1;
    struct listing l = { .out = r->reply + head, .room = XENSTORE_PAYLOAD_MAX - head - 1, .from = from };
    rc = view_children(&r->view, &n, list_child, &l);
    if (rc < 0)
        return rc;
    if (!l.full)
        l.out[l.used++] = '\0';
    return request_reply(r, head + l.used);
}

/* Permissions of the special paths can be read and set as well. */
static int perms_path(const struct request *r, struct path *out, const char *text) {
    return request_parse_path(r, out, text) < 0 ? -EINVAL : 0;
}

int op_get_perms(struct request *r) {
    char *text;
    struct path p;
    struct view_node n;
    int rc = request_texts(r, &text, 1, 1);
    if (rc >= 0)
        rc = perms_path(r, &p, text);
    if (rc == 0)
        rc = request_get(r, &p, PERM_READ, 0, &n);
    if (rc == 0)
        rc = perms_format(n.perms, r->reply, XENSTORE_PAYLOAD_MAX);
    return rc < 0 ? rc : request_reply(r, (size_t)rc);
}

static int set_perms(const struct request *r, const struct path *p, struct perms *perms) {
    struct view_node n;
    if (perms->count > r->conn->limits->permissions)
        return -ENOSPC;
    /* The limit of size concerns value and permissions together: whom it binds has looked at both. */
    uint8_t seen = r->conn->who.privileged ? 0 : TXN_VALUE;
    int rc = request_get(r, p, PERM_WRITE | PERM_OWNER, seen, &n);
    if (rc < 0)
        return rc;
    if (!r->conn->who.privileged && perms_owner(perms) != perms_owner(n.perms))
        return -EPERM;
    rc = check_size(r, perms, n.value->len, perms->count * sizeof(perms->entry[0]));
    return rc < 0 ? rc : view_set_perms(&r->view, &n, perms);
}

int op_set_perms(struct request *r) {
    const char *end = memchr(r->data, '\0', r->len);
    struct perms *perms;
    struct path p;
    if (!end || perms_path(r, &p, r->data) < 0)
        return -EINVAL;
    const char *list = end + 1;
    int rc = perms_parse(&perms, list, r->len - (size_t)(list - r->data));
    if (rc < 0)
        return rc;
    rc = set_perms(r, &p, perms);
    perms_put(perms);
    return rc < 0 ? rc : request_ack(r);
}
