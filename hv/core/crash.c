/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens when the hypervisor cannot go on. Each step may fail in its turn, so the most valuable come
 * first: the reason is printed and recorded before anything is tried with other processors, and a crash in
 * the midst of this ends at once.
 */
#include <hv/console.h>
#include <hv/crash.h>
#include <hv/domain.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/symbol.h>
#include <hv/time.h>
#include <hv/vcpu.h>
#include <hv/watchdog.h>
#include <hw/hw.h>

static uint32_t crashed_cpu;    /* number + 1 of the processor that crashed first */

/* Another processor came first and will stop us, unless our NMIs are off: then for good. */
static void one_at_a_time(void)
{
    uint32_t me = this_cpu()->id + 1, first = 0;

    if (__atomic_compare_exchange_n(&crashed_cpu, &first, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    if (first == me && !machine.options.noreboot)
        hw_reboot();
    hw_halt();
}

void crash_trace(uint64_t sp)
{
    const uint64_t *word;
    unsigned n = hw_stack(sp, &word), shown = 0;
    char text[SYMBOL_TEXT];

    for (unsigned i = 0; i < n && shown < CRASH_FRAMES; i++)
        if (symbol_is_text(word[i])) {
            printk(LOG_NONE, "    [%lx] %s\n", (uint64_t)&word[i], symbol_text(text, word[i]));
            shown++;
        }
}

static void show_registers(const struct regs *r)
{
    char text[SYMBOL_TEXT];

    printk(LOG_NONE, "  vector %lu error %lx at %s, cs %lx rflags %lx\n", r->vector, r->error,
           symbol_text(text, r->rip), r->cs, r->rflags);
    printk(LOG_NONE, "  rax %lx rbx %lx rcx %lx rdx %lx\n  rsi %lx rdi %lx rbp %lx rsp %lx\n", r->rax, r->rbx,
           r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp);
    printk(LOG_NONE, "  r8  %lx r9  %lx r10 %lx r11 %lx\n  r12 %lx r13 %lx r14 %lx r15 %lx\n", r->r8, r->r9,
           r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
}

static void show_vcpu(const struct vcpu *v)
{
    if (!v)
        printk(LOG_NONE, "  no vCPU yet\n");
    else if (vcpu_is_idle(v))
        printk(LOG_NONE, "  idle\n");
    else
        printk(LOG_NONE, "  runs d%uv%u: %s at %lx, rsp %lx\n", v->domain->id, v->id,
               v->pv.kernel_mode ? "kernel" : "user", v->regs.rip, v->regs.rsp);
}

void crash_show_cpu(const struct pcpu *c, const struct regs *r)
{
    char text[SYMBOL_TEXT];

    printk(LOG_NONE, "CPU %u (APIC %u): ", c->id, c->apic_id);
    if (!r)
        printk(LOG_NONE, "did not stop\n");
    else if (r->cs & 3)
        printk(LOG_NONE, "in the guest at %lx, rsp %lx\n", r->rip, r->rsp);
    else
        printk(LOG_NONE, "in the hypervisor at %s\n", symbol_text(text, r->rip));
    show_vcpu(c->current);
    if (r && !(r->cs & 3))
        crash_trace(r->rsp);
}

static void show_others(void)
{
    for (unsigned i = 0; i < pcpu_count; i++)
        if (pcpus[i] != this_cpu())
            crash_show_cpu(pcpus[i], __atomic_load_n(&pcpus[i]->stopped, __ATOMIC_ACQUIRE));
}

static void show_here(const struct regs *r)
{
    if (r)
        show_registers(r);
    show_vcpu(this_cpu()->current);
    crash_trace(r ? r->rsp : (uint64_t)__builtin_frame_address(0));
}

static void show_build(void)
{
    const uint8_t *id;
    char text[64] = "";
    size_t n = hw_build_id(&id);

    for (size_t i = 0; i < n && i < 20; i++)
        format(text + 2 * i, sizeof(text) - 2 * i, "%02x", id[i]);
    printk(LOG_NONE, "build %s, up %lu s, wall clock %lu\n", text, now_ns() / 1000000000,
           wallclock_seconds_now());
}

void crash_alone(void)
{
    watchdog_stop();
    hw_stop_others();
    console_crashed();
}

void crash(const char *text, const struct regs *r)
{
    one_at_a_time();
    watchdog_stop();
    console_crashed();
    printk(LOG_NONE, "\nPANIC on CPU %u: %s\n", this_cpu()->id, text);
    crash_record_keep();
    hw_stop_others();
    show_build();
    show_here(r);
    crash_record_keep();
    show_others();
    crash_record_keep();
    hw_after_panic();
}
