/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor tells and does when a key is typed for it, or sent by dom0's tools. */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/machine.h>
#include <hv/missing.h>
#include <hv/pcpu.h>
#include <hv/refusal.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <hw/hw.h>

#define TEXT_ORDER 3u
#define TEXT_SIZE  (PAGE_SIZE << TEXT_ORDER)

static void help(void)
{
    printk(LOG_NONE, "C crash: record the state of the machine and restart\nh this help\ni interrupt lines\nm memory\nM calls that are missing here, by number, operation, count\n"
           "q domains and vCPUs\nr refused calls of each domain\nR reboot at once\nt clock and timers\n");
}

static void show_vcpu(const struct vcpu *v)
{
    printk(LOG_NONE, "  vCPU %u on %u: %s, pause %x, rip %lx rsp %lx %s, upcall %s%s\n", v->id, v->cpu ? v->cpu->id : 0,
           v->running ? "runs" : v->pause_flags ? "waits" : "runnable", v->pause_flags, v->regs.rip, v->regs.rsp,
           v->pv.kernel_mode ? "kernel" : "user",
           v->info && v->info->evtchn_upcall_pending ? "pending" : "none",
           v->info && v->info->evtchn_upcall_mask ? ", masked" : "");
}

static void show_domain(struct domain *d)
{
    printk(LOG_NONE, "domain %u: %lu pages of %lu, references %u, paused %u%s%s\n", d->id, d->frames, d->max_frames,
           d->refs, d->pause_count, d->shut_down ? ", shut down" : "", d->dying ? ", dying" : "");
    for_each_vcpu(d, v)
        show_vcpu(v);
}

static void show_memory(struct domain *d)
{
    printk(LOG_NONE, "domain %u: %lu KiB, claimed %lu KiB\n", d->id, d->frames << 2, d->claimed << 2);
}

/* The formatting functions write text of many lines; the console takes a piece at a time. */
static void show_text(const char *text, size_t len)
{
    while (len) {
        size_t n = 0;

        while (n < len && n < 400 && text[n] != '\n')
            n++;
        n += n < len;
        console_emit(LOG_NONE, text, n);
        text += n;
        len -= n;
    }
}

static void show_refusals(struct domain *d)
{
    char *text = page_alloc(TEXT_ORDER);

    if (!text)
        return;
    printk(LOG_NONE, "domain %u: refused calls\n", d->id);
    show_text(text, refusal_format(d, text, TEXT_SIZE));
    page_free(text, TEXT_ORDER);
}

static void show_formatted(size_t (*fn)(char *buf, size_t len))
{
    char *text = page_alloc(TEXT_ORDER);

    if (!text)
        return;
    show_text(text, fn(text, TEXT_SIZE));
    page_free(text, TEXT_ORDER);
}

static void each_domain(void (*fn)(struct domain *d))
{
    for (struct domain *d = domain_get_from(0), *next; d; d = next) {
        fn(d);
        next = domain_get_from((domid_t)(d->id + 1));
        domain_put(d);
    }
}

void debug_key(char key)
{
    switch (key) {
    case 'C':
        panic("asked for by debug key C");
    case 'h':
        help();
        break;
    case 'i':
        show_formatted(irq_format);
        break;
    case 'm':
        printk(LOG_NONE, "memory: %lu MiB, free %lu KiB, claimed %lu KiB\n", machine.ram_frames >> 8,
               frames_free_count() << 2, frames_claimed() << 2);
        /* in the words of Xen, for scripts that look for them */
        printk(LOG_NONE, "heap[node=0] -> %lu pages\n", frames_free_count());
        each_domain(show_memory);
        break;
    case 'M':
        show_formatted(missing_format);
        break;
    case 'q':
        each_domain(show_domain);
        break;
    case 'r':
        each_domain(show_refusals);
        break;
    case 't':
        show_formatted(hw_clock_format);
        show_formatted(timer_format);
        break;
    case 'R':
        printk(LOG_NONE, "rebooting\n");
        hw_reboot();
    default:
        if (key >= ' ' && key < 0x7f)
            printk(LOG_NONE, "'%c' is no key of ours; h lists them\n", key);
    }
}
