/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See task.h. Each processor has its own queue and touches no other's, with interrupts off: no lock is
 * needed.
 */
#include <hv/pcpu.h>
#include <hv/task.h>
#include <hw/hw.h>

static struct { struct task *head, **tail; } queue[MAX_CPUS];

void task_queue(struct task *t)
{
    struct pcpu *c = this_cpu();

    if (__atomic_exchange_n(&t->queued, true, __ATOMIC_ACQ_REL))
        return;
    t->next = NULL;
    if (!queue[c->id].head)
        queue[c->id].tail = &queue[c->id].head;
    *queue[c->id].tail = t;
    queue[c->id].tail = &t->next;
    pcpu_raise(c, PENDING_TASK);
}

/* What is queued meanwhile waits for the next round. A task may free itself. */
void task_run(struct pcpu *c)
{
    struct task *t = queue[c->id].head, *next;

    queue[c->id].head = NULL;
    for (; t; t = next) {
        next = t->next;
        __atomic_store_n(&t->queued, false, __ATOMIC_RELEASE);
        t->fn(t->arg);
    }
}
