/* SPDX-License-Identifier: BSD-2-Clause */
/* A small table of counters; what does not fit is counted in one row of its own (call 0xffffffff). */
#include <hv/domain.h>
#include <hv/lock.h>
#include <hv/missing.h>
#include <hv/print.h>
#include <hv/vcpu.h>

#define KINDS 64

struct missing { uint32_t call; uint64_t op, count; domid_t first; };

static struct missing kind[KINDS];
static unsigned kinds;
static spinlock_t lock = SPINLOCK(LOCK_CONSOLE);

static struct missing *row(uint32_t call, uint64_t op, domid_t by)
{
    for (unsigned i = 0; i < kinds; i++)
        if (kind[i].call == call && kind[i].op == op)
            return &kind[i];
    if (kinds == KINDS)
        return &kind[KINDS - 1];
    kind[kinds] = (struct missing){ call, op, 0, by };
    if (kinds == KINDS - 1)
        kind[kinds].call = ~0u;
    return &kind[kinds++];
}

void missing_note(struct vcpu *v, uint32_t call, uint64_t op)
{
    spin_lock(&lock);
    row(call, op, v->domain->id)->count++;
    v->domain->hypercalls_missing++;
    spin_unlock(&lock);
}

size_t missing_format(char *buf, size_t len)
{
    size_t used = 0;

    spin_lock(&lock);
    for (unsigned i = 0; i < kinds && used < len; i++)
        used += format(buf + used, len - used, "%u %lu %lu d%u\n", kind[i].call, kind[i].op, kind[i].count,
                       kind[i].first);
    spin_unlock(&lock);
    return MIN(used, len);
}
