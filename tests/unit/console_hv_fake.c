/* SPDX-License-Identifier: BSD-2-Clause */
#include "console_hv_fake.h"

#include <hv/crash.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/irq.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/task.h>
#include <hv/timer.h>
#include <hw/hw.h>

#include <stdlib.h>
#include <string.h>

struct machine machine;
uint8_t *host_memory;
uint64_t host_frames;
_Thread_local int host_mapped;
_Thread_local struct pcpu *host_cpu;

char fake_screen[1 << 20];
size_t fake_screen_len;
char fake_keys[64];
unsigned fake_virq[NR_VIRQS];
uint64_t fake_now;
bool fake_preempt, fake_no_irq;
uint64_t fake_restart[4];
unsigned fake_restarts;
struct timer *fake_timer;
struct domain fake_dom0 = { .id = 0, .privileged = true }, fake_domu = { .id = 5 }, fake_domu2 = { .id = 6 };
struct vcpu fake_v0 = { .domain = &fake_dom0 }, fake_vu = { .domain = &fake_domu },
            fake_vu2 = { .domain = &fake_domu2 };

static struct pcpu cpu;
static const char *typed = "";

void hw_console_write(const char *s, size_t len)
{
    if (fake_screen_len + len >= sizeof(fake_screen))
        abort();
    memcpy(fake_screen + fake_screen_len, s, len);
    fake_screen_len += len;
    fake_screen[fake_screen_len] = '\0';
}

int hw_console_read(void) { return *typed ? (uint8_t)*typed++ : -1; }
void hw_console_setup(const struct cmdline_options *o) { host_cpu = &cpu; }
void hw_console_release_screen(void) { }
int hw_console_input_irq(void) { return fake_no_irq ? -1 : 4; }
void hw_console_input_irq_on(void) { }
unsigned irq_isa_gsi(unsigned isa) { return isa; }
int irq_own(unsigned gsi) { return 0; }
int timer_reserve(unsigned n) { return 0; }
void timer_init(struct timer *t, void (*fn)(void *, uint64_t), void *arg, unsigned n)
{
    *t = (struct timer){ .fn = fn, .arg = arg };
}
void timer_set(struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    fake_timer = t;
}
void event_raise_global_virq(uint32_t virq) { fake_virq[virq]++; }
uint64_t now_ns(void) { return fake_now; }
void hw_relax(void) { }
void crash(const char *text, const struct regs *r) { hw_halt(); }

void hw_halt(void) { abort(); }
void host_frame_check(uint64_t n) { }
void *page_alloc(unsigned order) { return calloc(PAGE_SIZE, 1ul << order); }
bool preempt_due(struct vcpu *v) { return fake_preempt; }
int refuse(struct vcpu *v, int error, uint64_t a, uint64_t b) { return error; }

void debug_key(char key)
{
    size_t n = strlen(fake_keys);

    if (n + 1 < sizeof(fake_keys))
        fake_keys[n] = key;
}

long hypercall_restart(struct vcpu *v, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    fake_restart[0] = a1;
    fake_restart[1] = a2;
    fake_restart[2] = a3;
    fake_restart[3] = a4;
    fake_restarts++;
    return 0;
}

int guest_read(void *dst, gaddr_t src, size_t len)
{
    if (src.va < PAGE_SIZE)
        return -XEN_EFAULT;
    memcpy(dst, (const void *)src.va, len);
    return 0;
}

int guest_write(gaddr_t dst, const void *src, size_t len)
{
    if (dst.va < PAGE_SIZE)
        return -XEN_EFAULT;
    memcpy((void *)dst.va, src, len);
    return 0;
}

void fake_tasks(void) { task_run(&cpu); }

void fake_type(const char *text)
{
    typed = text;
    while (*typed)
        console_input();
    fake_tasks();
}

void fake_clear(void)
{
    fake_screen_len = 0;
    fake_screen[0] = '\0';
    memset(fake_keys, 0, sizeof(fake_keys));
    memset(fake_virq, 0, sizeof(fake_virq));
    fake_preempt = false;
    fake_restarts = 0;
}
