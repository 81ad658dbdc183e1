/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one processor asks of another: to forget translations, to put what it still holds of an idle guest
 * into memory, to write its caches back. The asker waits, and answers others meanwhile, so two that ask each
 * other both get on.
 *
 * Requests of several askers melt into one word: two pages become a whole flush, and an interrupt is sent
 * only with the first. The word counts them as well, so that whoever takes it knows how many it has answered.
 *
 * A guest runs with interrupts on and an idle processor sleeps with them on, so they answer at once; one that
 * is in the hypervisor answers when it waits for something (hw_relax), at a look for pending work, or when it
 * leaves.
 */
#include <hv/vcpu.h>
#include <hv/watchdog.h>
#include <hw/hw.h>

#include "cpu.h"

#define LOOK_TURNS  65536u          /* of waiting, between two looks for who hangs */
#define COUNT_SHIFT 48
#define PAGE_BITS   0x0000fffffffff000ull
#define FLAG_BITS   0xfffull

static uint64_t merged(uint64_t old, enum request what, uint64_t page)
{
    uint64_t word = old + (1ull << COUNT_SHIFT);

    if (what != REQUEST_PAGE)
        return word | what;
    if (!(old & REQUEST_PAGE))
        return (word & ~PAGE_BITS) | page | REQUEST_PAGE;
    return (old & PAGE_BITS) == page ? word : word | REQUEST_FLUSH;
}

/* Returns the number to wait for. */
static uint16_t ask(struct pcpu *c, enum request what, uint64_t page)
{
    struct requests *r = &hw_of(c)->requests;
    uint64_t old = __atomic_load_n(&r->word, __ATOMIC_RELAXED), word;

    do {
        word = merged(old, what, page);
    } while (!__atomic_compare_exchange_n(&r->word, &old, word, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (!(old & FLAG_BITS))
        lapic_send(c->apic_id, VECTOR_REQUEST);
    return (uint16_t)(word >> COUNT_SHIFT);
}

static bool answered(struct pcpu *c, uint16_t number)
{
    return (int16_t)(__atomic_load_n(&hw_of(c)->requests.done, __ATOMIC_ACQUIRE) - number) >= 0;
}

void request_all(const struct cpu_set *who, enum request what, uint64_t va)
{
    uint16_t number[MAX_CPUS];
    unsigned me = this_cpu()->id;

    for_each_cpu_in(who, cpu)
        if (cpu != me)
            number[cpu] = ask(pcpus[cpu], what, va & PAGE_BITS);
    for_each_cpu_in(who, cpu)
        while (cpu != me && !answered(pcpus[cpu], number[cpu]))
            hw_relax();
}

static uint64_t page_of(uint64_t word) { return (uint64_t)((int64_t)((word & PAGE_BITS) << 16) >> 16); }

/*
 * An idle processor that is asked to flush would be asked again and again. It goes to the hypervisor's own
 * root instead, where it has nothing to flush until it runs a guest.
 */
void request_answer(void)
{
    struct pcpu *c = this_cpu();
    struct requests *r = &hw_of(c)->requests;
    uint64_t word = __atomic_fetch_and(&r->word, ~(PAGE_BITS | FLAG_BITS), __ATOMIC_SEQ_CST);

    if (!(word & FLAG_BITS))
        return;
    if (word & REQUEST_CACHE)
        hw_wbinvd();
    if (vcpu_is_idle(c->current))
        space_leave();
    else if (word & REQUEST_FLUSH)
        tlb_flush_local();
    else if (word & REQUEST_PAGE)
        tlb_flush_page_local(page_of(word));
    __atomic_store_n(&r->done, (uint16_t)(word >> COUNT_SHIFT), __ATOMIC_RELEASE);
}

void hw_wbinvd_all(void)
{
    struct cpu_set all = cpu_set_first(pcpu_count);

    hw_wbinvd();
    request_all(&all, REQUEST_CACHE, 0);
}

void hw_relax(void)
{
    struct hw_cpu *h = hw_of(this_cpu());

    __builtin_ia32_pause();
    if (unlikely(++h->turns % LOOK_TURNS == 0))
        watchdog_waiting();
    if (unlikely(__atomic_load_n(&h->requests.word, __ATOMIC_RELAXED) & FLAG_BITS))
        request_answer();
}
