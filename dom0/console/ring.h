/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console ring that a guest shares with us (layout: abi/console.h): two byte streams, `out` from the
 * guest to us, `in` from us to the guest. The indices run freely modulo 2^32; a stream holds producer -
 * consumer bytes.
 *
 * The page belongs to the guest, which may write anything anywhere at any time. Therefore our own two
 * indices live here, not in the page (there we only publish them), and each of the guest's is read once per
 * call and checked.
 */
#ifndef HAUCH_CONSOLE_RING_H
#define HAUCH_CONSOLE_RING_H

#include <stddef.h>
#include <stdint.h>

struct xencons_interface;

struct ring {
    struct xencons_interface *shared;
    uint32_t out_cons;      /* next byte to take from the guest */
    uint32_t in_prod;       /* next byte to give to the guest */
};

/*
 * Starts on a mapped page and goes on where the last user of the ring stopped (a restarted daemon loses
 * nothing). Returns 0, or -EPROTO if an index pair makes no sense; the ring must not be used then.
 */
int ring_open(struct ring *ring, struct xencons_interface *shared);

/*
 * Takes at most size bytes that the guest wrote. Returns their number, or -EPROTO. The guest, and whoever
 * opens the ring after us, learns of it by ring_publish(): call it when the bytes are safe.
 */
int ring_read(struct ring *ring, char *buf, size_t size);
void ring_publish(struct ring *ring);

/* Gives as many of the size bytes to the guest as there is space for. Returns their number, or -EPROTO. */
int ring_write(struct ring *ring, const char *buf, size_t size);

#endif
