/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_ask: what requests to the store cost, through lib/xs_client and the socket, ours or Xen's daemon.
 *
 *     store_ask      marks 12 and 13 around COUNT times: read, write, write that another client watches
 *     (until it has
 *                    the event), a transaction of ten writes; in this order, one pair of marks each
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/xs_client.h"
#include "tests/bench/mark.h"

#define COUNT 200

static struct xs_client *xs, *watcher;

static void must(int rc, const char *what) {
    if (rc < 0) {
        printf("bench: %s: %s\n", what, xs_client_error(xs));
        exit(1);
    }
}

static void read_one(void) {
    char *value;
    must(xs_client_read(xs, 0, "/bench/node", &value, NULL), "read");
    free(value);
}

static void write_one(void) {
    must(xs_client_write(xs, 0, "/bench/node", "a value of some length", 22), "write");
}

static void fire_one(void) {
    struct xs_client_event event;
    struct pollfd fd = { .fd = xs_client_fd(watcher), .events = POLLIN };
    must(xs_client_write(xs, 0, "/bench/watched/node", "1", 1), "write");
    while (xs_client_next_event(watcher, &event) == 0)
        poll(&fd, 1, 1000);
}

static void transaction(void) {
    char path[] = "/bench/ten/0";
    uint32_t tx;
    must(xs_client_transaction_start(xs, &tx), "start");
    for (; path[11] <= '9'; path[11]++)
        must(xs_client_write(xs, tx, path, "1", 1), "write");
    must(xs_client_transaction_end(xs, tx, true), "commit");
}

static void measure(void (*one)(void)) {
    for (int i = 0; i < 20; i++)
        one();
    BENCH_MARK(12);
    for (int i = 0; i < COUNT; i++)
        one();
    BENCH_MARK(13);
}

int main(void) {
    struct xs_client_event event;
    must(xs_client_open(&xs, NULL), "open");
    must(xs_client_open(&watcher, NULL), "open");
    must(xs_client_watch(watcher, "/bench/watched", "w"), "watch");
    while (xs_client_next_event(watcher, &event) == 0)
        ;
    write_one();
    measure(read_one);
    measure(write_one);
    measure(fire_one);
    measure(transaction);
    must(xs_client_rm(xs, 0, "/bench"), "rm");
    return 0;
}
