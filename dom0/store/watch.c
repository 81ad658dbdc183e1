/* SPDX-License-Identifier: BSD-2-Clause */
/* The watches of watch.h. */
#include "dom0/store/watch.h"

#include <stdlib.h>
#include <string.h>

int watch_table_init(struct watch_table *t) {
    return hash_init(&t->by_path);
}

void watch_table_destroy(struct watch_table *t) {
    hash_destroy(&t->by_path);
}

size_t watch_cost(const struct watch *w) {
    return sizeof(*w) + w->len + strlen(w->token) + 2;
}

struct watch *watch_add(struct watch_table *t, struct conn *c, const struct path *p, size_t skip,
                        const char *token) {
    size_t token_size = strlen(token) + 1;
    struct watch *w = calloc(1, sizeof(*w) + p->len + 1 + token_size);
    if (!w)
        return NULL;
    w->conn = c;
    w->skip = skip;
    w->len = p->len;
    w->token = w->path + p->len + 1;
    memcpy(w->path, p->text, p->len + 1);
    memcpy(w->token, token, token_size);
    hash_insert(&t->by_path, &w->link, hash_bytes(p->text, p->len));
    return w;
}

static bool on_path(const struct watch *w, const char *path, size_t len) {
    return w->len == len && memcmp(w->path, path, len) == 0;
}

struct watch *watch_find(const struct watch_table *t, const struct conn *c, const struct path *p,
                         const char *token) {
    struct hash_link *link = hash_first(&t->by_path, hash_bytes(p->text, p->len));
    for (; link; link = hash_next(link)) {
        struct watch *w = hash_entry(link, struct watch, link);
        if (w->conn == c && on_path(w, p->text, p->len) && strcmp(w->token, token) == 0)
            return w;
    }
    return NULL;
}

void watch_remove(struct watch_table *t, struct watch *w) {
    hash_remove(&t->by_path, &w->link);
    free(w);
}

static void visit(const struct watch_table *t, uint32_t state, const char *path, size_t len, watch_fn *fn,
                  void *arg) {
    struct hash_link *link = hash_first(&t->by_path, hash_finish(state));
    while (link) {
        struct watch *w = hash_entry(link, struct watch, link);
        link = hash_next(link);
        if (on_path(w, path, len))
            fn(arg, w);
    }
}

void watch_for_each(const struct watch_table *t, const char *path, size_t len, bool exact, watch_fn *fn,
                    void *arg) {
    uint32_t state = hash_start();
    size_t done = 0;
    if (t->by_path.count == 0)
        return;
    if (!exact && path[0] == '/' && len > 1)
        visit(t, hash_step(state, "/", 1), path, 1, fn, arg);
    for (size_t i = 1; i < len && !exact; i++)
        if (path[i] == '/') {
            state = hash_step(state, path + done, i - done);
            done = i;
            visit(t, state, path, i, fn, arg);
        }
    visit(t, hash_step(state, path + done, len - done), path, len, fn, arg);
}
