/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * TLB shootdown: a mapping is taken away while other vCPUs have it in their TLBs; after the flush has
 * returned, none of them may reach the page any more. Every way to ask for it is tried.
 */
#include "smp.h"

TEST("smp: no vCPU has a stale translation after a flush");

#define ROUNDS rounds(4)

static unsigned n;
static uint8_t *at;                         /* the address whose mapping changes */
static uint64_t *first, *second;            /* the pages it shows, with 1 and 2 in them */
static volatile unsigned filled[RT_VCPUS], looked[RT_VCPUS];
static volatile unsigned round_begun, round_changed;
static volatile bool quit;

enum way { FLUSH_ALL, PAGE_ALL, FLUSH_MULTI, PAGE_MULTI,
           VA_FLUSH_ALL, VA_PAGE_ALL, VA_PAGE_MULTI, VA_FLUSH_MULTI, WAYS };

static void change(enum way way, uint64_t entry)
{
    uint64_t mask = (1ull << n) - 1, va = (uint64_t)at;

    if (way < VA_FLUSH_ALL)
        CHECK_EQ(entry_write(pte_address(at, 1), entry), 0);
    switch (way) {
    case FLUSH_ALL:      CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0); break;
    case PAGE_ALL:       CHECK_EQ(mmuext_one(MMUEXT_INVLPG_ALL, va, 0), 0); break;
    case FLUSH_MULTI:    CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_MULTI, 0, (uint64_t)&mask), 0); break;
    case PAGE_MULTI:     CHECK_EQ(mmuext_one(MMUEXT_INVLPG_MULTI, va, (uint64_t)&mask), 0); break;
    case VA_FLUSH_ALL:   CHECK_EQ(update_va(va, entry, UVMF_TLB_FLUSH | UVMF_ALL), 0); break;
    case VA_PAGE_ALL:    CHECK_EQ(update_va(va, entry, UVMF_INVLPG | UVMF_ALL), 0); break;
    case VA_PAGE_MULTI:  CHECK_EQ(update_va(va, entry, UVMF_INVLPG | (uint64_t)&mask), 0); break;
    case VA_FLUSH_MULTI: CHECK_EQ(update_va(va, entry, UVMF_TLB_FLUSH | (uint64_t)&mask), 0); break;
    case WAYS:           break;
    }
}

/* vCPUs 1 and on: read all the time; between two words of vCPU 0 what they read is known. */
static void look(unsigned self)
{
    for (unsigned r = 1; !quit; r++) {
        AWAIT(round_begun == r || quit);
        if (quit)
            return;
        CHECK_EQ(*(volatile uint64_t *)at, 1);
        filled[self] = r;
        while (round_changed != r)
            if (faults(read_word, at))
                relax();
        if (r % 2)
            CHECK(faults(read_word, at));
        else
            CHECK_EQ(*(volatile uint64_t *)at, 2);
        looked[self] = r;
    }
}

static void change_all(unsigned self)
{
    unsigned r = 0;

    (void)self;
    for (unsigned i = 0; i < ROUNDS; i++)
        for (enum way way = 0; way < WAYS; way++) {
            CHECK_EQ(update_va((uint64_t)at, pte(va_to_mfn(first), PTE_KERNEL), UVMF_TLB_FLUSH | UVMF_ALL),
                     0);
            round_begun = ++r;
            for (unsigned v = 1; v < n; v++)
                AWAIT(filled[v] == r);
            change(way, r % 2 ? 0 : pte(va_to_mfn(second), PTE_KERNEL));
            round_changed = r;
            for (unsigned v = 1; v < n; v++)
                AWAIT(looked[v] == r);
        }
    quit = true;
}

static void both(unsigned self)
{
    if (self)
        look(self);
    else
        change_all(self);
}

void test_main(void)
{
    n = smp_begin_all(2);
    at = page_alloc();
    first = page_alloc();
    second = page_alloc();
    *first = 1;
    *second = 2;
    smp_run(n, both);
}
