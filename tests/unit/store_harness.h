/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the store: clients whose transport is a piece of memory, and a hypervisor whose guests' rings
 * are pages of this process.
 */
#ifndef TESTS_STORE_HARNESS_H
#define TESTS_STORE_HARNESS_H

#include "dom0/store/domain.h"
#include "dom0/store/store.h"

struct fake_event {
    char path[XENSTORE_ABS_PATH_MAX + 1];
    char token[64];
};

struct fake_client {
    struct conn conn;
    struct store *store;
    char *in; /* towards the store */
    size_t in_len, in_at;
    char *out; /* from it */
    size_t out_len, out_at;
    size_t room; /* bytes that the store may still send */
    bool failed;
    struct fake_event *events; /* received and not looked at */
    unsigned int event_count;
    struct xs_message reply;
};

/* domid 0: as a client of the socket. */
void fake_open(struct fake_client *f, struct store *s, uint16_t domid);
void fake_close(struct fake_client *f);

/* Puts bytes on the way to the store, without running it. */
void fake_feed(struct fake_client *f, const void *bytes, size_t len);
/* One request, as bytes. */
void fake_send(struct fake_client *f, uint32_t type, uint32_t tx, const void *payload, size_t len);
/* Takes the next message; events are put aside. False if there is none. The reply is in f->reply, NUL-ended.
 */
bool fake_receive(struct fake_client *f);

/* Sends, runs the store until it rests, receives. 0, or the negative errno that the reply names. */
int fake_call(struct fake_client *f, uint32_t type, uint32_t tx, const void *payload, size_t len);
void fake_run(struct store *s);

/* The usual requests on top of it. */
int fake_text(struct fake_client *f, uint32_t type, uint32_t tx, const char *text);
int fake_two(struct fake_client *f, uint32_t type, uint32_t tx, const char *a, const char *b);
int fake_write(struct fake_client *f, uint32_t tx, const char *path, const char *value);
uint32_t fake_start(struct fake_client *f);
int fake_end(struct fake_client *f, uint32_t tx, bool commit);
/* The value equals; -errno as the read gave, or 1 if it differs. */
int fake_expect(struct fake_client *f, uint32_t tx, const char *path, const char *value);

/* Takes in what is under way and tells how many events wait; fake_take() looks one up by path and token and
 * removes it. */
unsigned int fake_events(struct fake_client *f);
bool fake_take(struct fake_client *f, const char *path, const char *token);
void fake_forget_events(struct fake_client *f);

/* errno by its name on the wire. */
int fake_errno(const char *name);

#define FAKE_DOMAINS 16

struct fake_xen {
    struct xenstore_domain_interface ring[FAKE_DOMAINS]; /* by domid */
    bool mapped[FAKE_DOMAINS];
    bool bound[64]; /* local ports */
    uint16_t domain_of[64];
    unsigned int notified[64];
    unsigned int maps, binds; /* now */
    bool refuse_bind;
    bool gone[FAKE_DOMAINS]; /* its ports are closed */
};

extern const struct domain_ops fake_xen_ops;

#endif
