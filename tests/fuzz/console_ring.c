/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes what a guest can do to the console: the input is a list of steps, each of which writes an index or
 * lets the daemon read or write; what is read goes through last screen and viewer queue. The sanitizers
 * judge.
 */
#include "dom0/console/queue.h"
#include "dom0/console/replay.h"
#include "dom0/console/ring.h"

#include "abi/console.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct machine {
    struct xencons_interface *page;
    struct ring ring;
    struct replay replay;
    struct queue queue;
};

static void take(struct machine *machine, size_t size)
{
    char buf[2048], screen[REPLAY_SIZE];
    const char *bytes;
    int n = ring_read(&machine->ring, buf, size < sizeof(buf) ? size : sizeof(buf));

    if (n < 0) {
        if (ring_open(&machine->ring, machine->page) < 0)
            machine->page->out_prod = machine->page->out_cons;
        return;
    }
    ring_publish(&machine->ring);
    replay_append(&machine->replay, buf, (size_t)n);
    if (replay_copy(&machine->replay, screen) > REPLAY_SIZE)
        abort();
    queue_push(&machine->queue, buf, (size_t)n);
    queue_consume(&machine->queue, queue_peek(&machine->queue, &bytes) / 2);
}

/* A step is four bytes: what, where and a value. */
static void step(struct machine *machine, const uint8_t *data)
{
    uint32_t *const fields[] = { &machine->page->in_cons, &machine->page->in_prod,
                                 &machine->page->out_cons, &machine->page->out_prod };
    uint32_t value = data[2] | (uint32_t)data[3] << 8;

    switch (data[0] % 5) {
    case 0: *fields[data[1] % 4] = value * 0x10001u; break;
    case 1: *fields[data[1] % 4] += value % 2049; break;
    case 2: take(machine, value); break;
    case 3: ring_write(&machine->ring, (const char *)data, 4); break;
    case 4: memset(machine->page->out + value % 2045, data[1], 3); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine machine = { .page = calloc(1, sizeof(*machine.page)) };

    queue_init(&machine.queue, 256);
    ring_open(&machine.ring, machine.page);
    for (; size >= 4; data += 4, size -= 4)
        step(&machine, data);
    queue_free(&machine.queue);
    replay_free(&machine.replay);
    free(machine.page);
    return 0;
}
