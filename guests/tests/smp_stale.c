/* SPDX-License-Identifier: BSD-2-Clause */
/* smp: 2 4 */
/*
 * A page is given back while other vCPUs write to it by a translation that the kernel never flushed. Once
 * another domain owns the page, not one of those writes may reach it.
 */
#include "child.h"
#include "smp.h"

TEST("smp: a page given back is out of reach of every vCPU");

#define ROUNDS 12           /* each takes 17 pages of ours */
#define MARK 0x5a5a5a5a5a5a5a5aull

static unsigned n;
static uint8_t *at;
static volatile unsigned turn, at_work[RT_VCPUS];
static volatile bool quit;

static uint64_t hammer_word(void *va)
{
    while (!quit)                                   /* until it faults */
        *(volatile uint64_t *)va = 0xdeadull;
    return 0;
}

static void hammer(unsigned self)
{
    for (unsigned r = 1; !quit; r++) {
        AWAIT(turn == r || quit);
        if (quit)
            return;
        at_work[self] = r;
        CHECK(faults(hammer_word, at));
        CHECK_EQ(caught.vector, 14);
        at_work[self] = 0;
    }
}

/* Gives the frame to a new domain and watches it for a while. */
static void pass_on(uint64_t mfn, uint64_t *window)
{
    struct child c = { 0 };
    uint64_t frames[CHILD_PAGES];
    struct xen_memory_reservation r = { .extent_start = { (uint64_t)frames }, .nr_extents = CHILD_PAGES };
    uint64_t end = 0;
    unsigned found = CHILD_PAGES;

    if (!child_shell(&c, CHILD_PAGES))
        return;
    for (unsigned i = 0; i < CHILD_PAGES; i++)
        frames[i] = i;
    r.domid = c.id;
    CHECK_EQ(memory_op(XENMEM_populate_physmap, &r), CHILD_PAGES);
    for (unsigned i = 0; i < CHILD_PAGES; i++) {
        CHECK_EQ(foreign_map(window, frames[i], c.id, PTE_KERNEL), 0);
        for (unsigned w = 0; w < 512; w++)
            window[w] = MARK;
        if (frames[i] == mfn)
            found = i;
    }
    if (found < CHILD_PAGES) {
        CHECK_EQ(foreign_map(window, mfn, c.id, PTE_KERNEL), 0);
        while (lasts(&end, 300000))
            for (unsigned w = 0; w < 512; w++)
                if (window[w] != MARK)
                    give_up("a write of the former owner reached the page");
    }
    CHECK_EQ(update_va((uint64_t)window, pte(va_to_mfn(window), PTE_KERNEL), UVMF_INVLPG), 0);
    c.page = NULL;
    child_destroy(&c);
}

static void give(unsigned self)
{
    uint64_t *window = page_alloc(), mfn[ROUNDS];

    (void)self;
    for (unsigned r = 1; r <= ROUNDS; r++) {
        struct xen_memory_reservation back = { .extent_start = { (uint64_t)&mfn[r - 1] }, .nr_extents = 1,
                                               .domid = DOMID_SELF };

        at = page_alloc();                          /* each page once: it never comes back to us */
        mfn[r - 1] = va_to_mfn(at);
        turn = r;
        for (unsigned v = 1; v < n; v++)
            AWAIT(at_work[v] == r);
        CHECK_EQ(entry_write(pte_address(at, 1), 0), 0);
        CHECK_EQ(memory_op(XENMEM_decrease_reservation, &back), 1);
        pass_on(mfn[r - 1], window);
        mmuext_one(MMUEXT_TLB_FLUSH_ALL, 0, 0);     /* now the others must notice */
        for (unsigned v = 1; v < n; v++)
            AWAIT(at_work[v] == 0);
    }
    quit = true;
}

static void both(unsigned self)
{
    if (self)
        hammer(self);
    else
        give(self);
}

void test_main(void)
{
    n = smp_begin_all(2);
    CHECK_EQ(frames_give_back(64), 64);
    smp_run(n, both);
}
