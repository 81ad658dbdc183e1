/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the store outlives the daemon, as entries of the journal (journal.h), and the store made from them
 * again.
 *
 * Kept are nodes, permissions, limits, and what connections by ring hold: watches, the numbers of open
 * transactions, unsent messages, how far each ring has been read and written. Clients of the socket see their
 * connection end and come again. An open transaction's changes are not kept: after the restart it goes on,
 * and its end gives EAGAIN.
 *
 * What a request of a ring did, its answer and the events that it caused are one group of the journal; the
 * indices in the guest's page are published after that (domain.c). So a request is done once and answered
 * once.
 *
 * All functions do nothing without a journal that is on.
 */
#ifndef STORE_SAVE_H
#define STORE_SAVE_H

#include "dom0/store/journal.h"
#include "dom0/store/tree.h"
#include "dom0/store/watch.h"

struct store;
struct domain;
struct conn;

void save_node(struct journal *j, const struct node *n); /* new, or all of it */
void save_value(struct journal *j, const struct node *n);
void save_perms(struct journal *j, const struct node *n);
void save_removal(struct journal *j, const struct node *n); /* with all below; before it goes */

/* Connections are told apart here: of those that do not outlive the daemon nothing is kept. */
void save_watch(const struct conn *c, const struct watch *w);
void save_unwatch(const struct conn *c, const struct watch *w);
void save_txn(const struct conn *c, uint32_t id, bool open);
void save_unsent(const struct conn *c, const void *message, size_t len, size_t sent);
void save_input(const struct conn *c, const void *bytes, size_t len); /* taken out of the ring */
void save_reset(const struct conn *c);
void save_fault(const struct conn *c);

void save_domain(const struct domain *d);
void save_gone(const struct domain *d);
void save_target(const struct conn *c);
void save_ring(const struct domain *d);
void save_limit(struct journal *j, const char *name, uint64_t value);

/* Writes all anew (journal_start() to journal_finish()). -errno or 0. */
int save_all(struct store *s);

/* Makes the store, which is as store_init() left it, from what base holds. Its domains are not connected yet
 * (domain_reconnect_all()). Returns 0; -EBADMSG if the end was damaged and left out; -ENOMEM; -EINVAL: no
 * journal. *incomplete: the predecessor could not keep all. */
int save_restore(struct store *s, const char *base, size_t size, bool *incomplete);

#endif
