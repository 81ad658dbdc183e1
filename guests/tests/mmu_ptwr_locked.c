/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Read-modify-write instructions on a page table mapped read-only: results, memory and flags as the
 * processor has them.
 */
#include "rt.h"

TEST("mmu: writes to a page table emulated (cmpxchg, and, or, btr, bts)");

#define ZF 0x40
#define CF 1
#define OWN(e) ((e) & 0xffffffffff0ffull)       /* bits 8 and 52 may be the hypervisor's */

static uint64_t flags, rax, operand, expected;

#define RMW(name, text, ...)                                                                                 \
    static uint64_t name(void *p)                                                                            \
    {                                                                                                        \
        __asm__ volatile(text "; pushfq; popq %0"                                                            \
                         : "=&r"(flags), "+m"(*(uint64_t *)p)                                                \
                         : __VA_ARGS__                                                                       \
                         : "cc", "memory");                                                                  \
        return 0;                                                                                            \
    }
RMW(lock_and, "lock andq %2, %1", "r"(operand))
RMW(plain_and, "andq %2, %1", "r"(operand))
RMW(lock_or, "lock orq %2, %1", "r"(operand))
RMW(plain_or, "orq %2, %1", "r"(operand))
RMW(lock_btr, "lock btrq %2, %1", "i"(1))
RMW(lock_bts, "lock btsq %2, %1", "i"(1))
RMW(btr_register, "lock btrq %2, %1", "r"(operand))

static uint64_t cmpxchg(void *p)
{
    rax = expected;
    __asm__ volatile("lock cmpxchgq %3, %1; pushfq; popq %0" : "=&r"(flags), "+m"(*(uint64_t *)p), "+a"(rax)
                     : "r"(operand) : "cc", "memory");
    return 0;
}

static void swaps(volatile uint64_t *e, uint64_t good)
{
    operand = good;
    expected = 0;
    CHECK(!faults(cmpxchg, (void *)e));
    CHECK_EQ(flags & ZF, ZF);
    CHECK_EQ(OWN(*e), good);
    CHECK(!faults(cmpxchg, (void *)e));                     /* it is no longer 0: nothing happens */
    CHECK_EQ(flags & ZF, 0);
    CHECK_EQ(OWN(rax), good);
    CHECK_EQ(OWN(*e), good);
}

static void bits(volatile uint64_t *e, uint64_t good)
{
    CHECK(!faults(lock_btr, (void *)e));
    CHECK_EQ(flags & CF, CF);
    CHECK_EQ(OWN(*e), good & ~PTE_RW);
    CHECK(!faults(lock_btr, (void *)e));
    CHECK_EQ(flags & CF, 0);
    CHECK(!faults(lock_bts, (void *)e));
    CHECK_EQ(flags & CF, 0);
    CHECK_EQ(OWN(*e), good);
    operand = 6;
    CHECK(!faults(btr_register, (void *)e));
    CHECK_EQ(flags & CF, CF);
    CHECK_EQ(OWN(*e), good & ~PTE_D);
}

static void logic(volatile uint64_t *e, uint64_t good)
{
    operand = PTE_D;
    CHECK(!faults(lock_or, (void *)e));
    CHECK_EQ(OWN(*e), good);
    operand = ~PTE_RW;
    CHECK(!faults(lock_and, (void *)e));
    CHECK_EQ(flags & ZF, 0);
    CHECK_EQ(OWN(*e), good & ~PTE_RW);
    operand = PTE_RW;
    CHECK(!faults(plain_or, (void *)e));
    CHECK_EQ(OWN(*e), good);
    operand = 0;
    CHECK(!faults(plain_and, (void *)e));
    CHECK_EQ(flags & ZF, ZF);
    CHECK_EQ(*e, 0);
}

void test_main(void)
{
    struct tree t;
    uint64_t *page = page_alloc();
    uint64_t good = pte(va_to_mfn(page), PTE_KERNEL | PTE_U);
    volatile uint64_t *e;

    tree_make(&t);
    CHECK_EQ(tree_attach(&t, 300), 0);
    e = &t.l1[9];
    swaps(e, good);
    bits(e, good);
    logic(e, good);

    operand = pte(va_to_mfn(t.l1), PTE_KERNEL);             /* the rule holds here too */
    expected = 0;
    CHECK(faults(cmpxchg, (void *)e));
    CHECK(faults(lock_or, (void *)e));
    operand &= ~PTE_RW;
    CHECK(!faults(lock_or, (void *)e));
    CHECK(faults(lock_bts, (void *)e));
    CHECK_EQ(*e & PTE_RW, 0);
}
