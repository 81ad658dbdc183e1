/* SPDX-License-Identifier: BSD-2-Clause */
/* The console ring: see ring.h for who may be trusted with what. */
#include "dom0/console/ring.h"

#include "abi/console.h"

#include <errno.h>
#include <string.h>

#define IN_SIZE  ((uint32_t)sizeof(((struct xencons_interface *)0)->in))
#define OUT_SIZE ((uint32_t)sizeof(((struct xencons_interface *)0)->out))

/*
 * Acquire: the bytes that an index covers must not be read, or overwritten, before the index itself is read.
 */
static uint32_t index_load(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void index_store(uint32_t *index, uint32_t value)
{
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static uint32_t min32(uint32_t a, size_t b)
{
    return a < b ? a : (uint32_t)b;
}

int ring_open(struct ring *ring, struct xencons_interface *shared)
{
    ring->shared = shared;
    ring->out_cons = index_load(&shared->out_cons);
    ring->in_prod = index_load(&shared->in_prod);
    if (index_load(&shared->out_prod) - ring->out_cons > OUT_SIZE)
        return -EPROTO;
    if (ring->in_prod - index_load(&shared->in_cons) > IN_SIZE)
        return -EPROTO;
    return 0;
}

int ring_read(struct ring *ring, char *buf, size_t size)
{
    struct xencons_interface *shared = ring->shared;
    uint32_t filled = index_load(&shared->out_prod) - ring->out_cons;

    if (filled > OUT_SIZE)
        return -EPROTO;
    uint32_t n = min32(filled, size);
    uint32_t start = ring->out_cons % OUT_SIZE;
    uint32_t first = min32(n, OUT_SIZE - start);
    memcpy(buf, shared->out + start, first);
    memcpy(buf + first, shared->out, n - first);
    ring->out_cons += n;
    return (int)n;
}

void ring_publish(struct ring *ring)
{
    index_store(&ring->shared->out_cons, ring->out_cons);
}

int ring_write(struct ring *ring, const char *buf, size_t size)
{
    struct xencons_interface *shared = ring->shared;
    uint32_t filled = ring->in_prod - index_load(&shared->in_cons);

    if (filled > IN_SIZE)
        return -EPROTO;
    uint32_t n = min32(IN_SIZE - filled, size);
    uint32_t start = ring->in_prod % IN_SIZE;
    uint32_t first = min32(n, IN_SIZE - start);
    memcpy(shared->in + start, buf, first);
    memcpy(shared->in, buf + first, n - first);
    ring->in_prod += n;
    index_store(&shared->in_prod, ring->in_prod);
    return (int)n;
}
