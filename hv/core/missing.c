/* SPDX-License-Identifier: BSD-2-Clause */
/* A small table of counters; what does not fit is counted in one row of its own (call 0xffffffff). */
#include <hv/domain.h>
#include <hv/lock.h>
#include <hv/missing.h>
#include <hv/op_names.h>
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

static size_t row_format(const struct missing *m, char *buf, size_t len)
{
    const char *name = hypercall_name(m->call), *op = operation_name(m->call, (uint32_t)m->op);

    return format(buf, len, "%s %lu %s: %lu times, first by d%u\n",
                  name ? name : m->call == ~0u ? "others" : "no-name", name ? m->op : m->call, op ? op : "-",
                  m->count, m->first);
}

size_t missing_format(char *buf, size_t len)
{
    size_t used = 0;

    spin_lock(&lock);
    for (unsigned i = 0; i < kinds && used < len; i++)
        used += row_format(&kind[i], buf + used, len - used);
    spin_unlock(&lock);
    return MIN(used, len);
}
