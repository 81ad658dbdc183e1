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

char fake_screen[1 << 20];
size_t fake_screen_len;
char fake_keys[64];
unsigned fake_virq[NR_VIRQS];
uint64_t fake_now;
bool fake_preempt, fake_no_irq;
uint64_t fake_restart[4];
unsigned fake_restarts;
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
int hw_console_input_irq(void) { return fake_no_irq ? -1 : 4; }
unsigned irq_isa_gsi(unsigned isa) { return isa; }
int irq_own(unsigned gsi) { return 0; }
void event_raise_global_virq(uint32_t virq) { fake_virq[virq]++; }
uint64_t now_ns(void) { return fake_now; }

bool preempt_due(struct vcpu *v) { return fake_preempt; }

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
