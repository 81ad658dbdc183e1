/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed bytes. They are dom0's, until three Ctrl-A in a row turn them to the hypervisor's keys, and three
 * more back. Ctrl-A is held back until it is clear that no third one comes, then delivered like any other
 * byte.
 */
#include <hv/console.h>
#include <hv/event.h>
#include <hv/lock.h>
#include <hv/task.h>
#include <hw/hw.h>

#define SWITCH_BYTE  0x01
#define SWITCH_TIMES 3u
#define ROOM         256u       /* a power of two */
#define BURST        1024u      /* bytes taken in one go: a device stuck at "ready" must not hold us */

struct queue { uint32_t in, out; char byte[ROOM]; };

static struct queue for_dom0, for_us;
static unsigned held;           /* switch bytes in a row */
static bool to_us;
static spinlock_t lock = SPINLOCK(LOCK_DEVICE);

static void queue_put(struct queue *q, char c)
{
    if (q->in - q->out < ROOM)
        q->byte[q->in++ % ROOM] = c;
}

static size_t queue_take(struct queue *q, char *buf, size_t len)
{
    size_t n = 0;

    spin_lock(&lock);
    for (; n < len && q->out != q->in; n++)
        buf[n] = q->byte[q->out++ % ROOM];
    spin_unlock(&lock);
    return n;
}

size_t console_take_input(char *buf, size_t len) { return queue_take(&for_dom0, buf, len); }

/* True if this byte turned the input. Locked. */
static bool byte_typed(char c)
{
    struct queue *q = to_us ? &for_us : &for_dom0;

    if (c == SWITCH_BYTE && ++held == SWITCH_TIMES) {
        held = 0;
        to_us = !to_us;
        return true;
    }
    if (c == SWITCH_BYTE)
        return false;
    for (; held; held--)
        queue_put(q, SWITCH_BYTE);
    queue_put(q, c);
    return false;
}

/* Keys look at domains and locks, so they wait until the processor is on its way out. */
static void keys_run(void *arg)
{
    char c;

    while (queue_take(&for_us, &c, 1))
        if (c != SWITCH_BYTE)
            debug_key(c);
}

static struct task keys_task = { .fn = keys_run };

void console_input(void)
{
    bool turned = false, dom0_has, we_have;
    int c;

    spin_lock(&lock);
    for (unsigned i = 0; i < BURST && (c = hw_console_read()) >= 0; i++)
        turned ^= byte_typed((char)c);
    dom0_has = for_dom0.in != for_dom0.out;
    we_have = for_us.in != for_us.out;
    spin_unlock(&lock);
    if (turned)
        printk(LOG_NONE, "*** input goes to %s\n", to_us ? "Hauch: h lists the keys" : "dom0");
    if (dom0_has)
        event_raise_global_virq(VIRQ_CONSOLE);
    if (we_have)
        task_queue(&keys_task);
}
