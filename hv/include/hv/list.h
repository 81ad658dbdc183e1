/* SPDX-License-Identifier: BSD-2-Clause */
/* Doubly linked lists with the node inside the object. An empty list is a node that points at itself. */
#ifndef HV_LIST_H
#define HV_LIST_H

#include <hv/types.h>

struct list { struct list *next, *prev; };

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_empty(const struct list *l) { return l->next == l; }
static inline void list_insert(struct list *prev, struct list *next, struct list *n)
{
    n->next = next; n->prev = prev; prev->next = n; next->prev = n;
}
static inline void list_add_head(struct list *l, struct list *n) { list_insert(l, l->next, n); }
static inline void list_add_tail(struct list *l, struct list *n) { list_insert(l->prev, l, n); }
/* Unlinks n and leaves it empty, so that list_empty(n) tells whether it is on a list. */
static inline void list_del(struct list *n)
{
    n->prev->next = n->next; n->next->prev = n->prev; list_init(n);
}
#define list_entry(p, t, m) container_of(p, t, m)
#define list_for_each(p, l) for (struct list *p = (l)->next; p != (l); p = p->next)

#endif
