/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runtime of the test kernels. A test is one file with void test_main(void); it makes checks and returns.
 * The verdict goes to the console and to QEMU's debug-exit port. Everything runs on one vCPU unless a test
 * starts more: see smp.h. Handlers run on the vCPU that was interrupted, on the stack it was using.
 */
#ifndef RT_H
#define RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/arch.h>
#include <abi/callback.h>
#include <abi/domctl.h>
#include <abi/errno.h>
#include <abi/event.h>
#include <abi/grant.h>
#include <abi/memory.h>
#include <abi/physdev.h>
#include <abi/platform.h>
#include <abi/sched.h>
#include <abi/sysctl.h>
#include <abi/vcpu.h>
#include <abi/version.h>
#include <abi/xen.h>

#define PAGE_SIZE 4096ul
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- verdicts ---- */
extern const char test_name[];          /* each test: TEST("area: what it shows"); */
#define TEST(text) const char test_name[] = text
void test_main(void);
void check_failed(const char *file, int line, const char *what, long got, long want);
#define CHECK(x) do { if (!(x)) check_failed(__FILE__, __LINE__, #x, 0, 1); } while (0)
#define CHECK_EQ(got, want) do { long g_ = (long)(got), w_ = (long)(want); \
    if (g_ != w_) check_failed(__FILE__, __LINE__, #got " == " #want, g_, w_); } while (0)
__attribute__((noreturn)) void skip(const char *why); /* the reason is printed; the run counts as skipped */
__attribute__((noreturn)) void give_up(const char *why);    /* a failure after which nothing can go on */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- hypercalls: number, up to five arguments ---- */
static inline long hypercall5(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    long r = nr;

    __asm__ volatile("syscall" : "+a"(r), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     : : "rcx", "r11", "memory");
    return r;
}
#define hypercall(nr, a, b, c, d)                                                                            \
    hypercall5((nr), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), 0)
static inline long event_op(int cmd, void *arg)
{
    return hypercall(__HYPERVISOR_event_channel_op, cmd, arg, 0, 0);
}
static inline long memory_op(int cmd, void *arg) { return hypercall(__HYPERVISOR_memory_op, cmd, arg, 0, 0); }
static inline long sched_op(int cmd, void *arg) { return hypercall(__HYPERVISOR_sched_op, cmd, arg, 0, 0); }
static inline long vcpu_op(int cmd, int v, void *arg)
{
    return hypercall(__HYPERVISOR_vcpu_op, cmd, v, arg, 0);
}
static inline long physdev_op(int cmd, void *arg)
{
    return hypercall(__HYPERVISOR_physdev_op, cmd, arg, 0, 0);
}
static inline long grant_op(int cmd, void *arg, unsigned n)
{
    return hypercall(__HYPERVISOR_grant_table_op, cmd, arg, n, 0);
}
static inline long mmu_update(struct mmu_update *u, unsigned n, unsigned *done, unsigned dom)
{
    return hypercall(__HYPERVISOR_mmu_update, u, n, done, dom);
}
static inline long mmuext(struct mmuext_op *op, unsigned n, unsigned *done, unsigned dom)
{
    return hypercall(__HYPERVISOR_mmuext_op, op, n, done, dom);
}
static inline long update_va(uint64_t va, uint64_t pte, uint64_t flags)
{
    return hypercall(__HYPERVISOR_update_va_mapping, va, pte, flags, 0);
}
long domctl(uint32_t cmd, domid_t dom, struct xen_domctl *op);      /* fills in command and version */
long sysctl(uint32_t cmd, struct xen_sysctl *op);

/* ---- memory: pfn 0.. is mapped at VIRT_BASE as the builder left it ---- */
#define VIRT_BASE 0xffffffff80000000ul
extern struct start_info *start_info_pointer;
extern struct shared_info *shared;
uint64_t pfn_to_mfn(uint64_t pfn);
static inline uint64_t va_to_pfn(const void *p) { return ((uint64_t)p - VIRT_BASE) >> 12; }
static inline uint64_t va_to_mfn(const void *p) { return pfn_to_mfn(va_to_pfn(p)); }
/* A zeroed page of our own, mapped writable; never given back. */
void *page_alloc(void);
void *pages_alloc(unsigned n);          /* without gaps */
uint64_t mapped_pages(void);
/*
 * Machine address of the L1 (level 1) to L4 entry that serves va in the initial tables; reading is by the
 * mapping.
 */
uint64_t pte_address(const void *va, unsigned level);
uint64_t pte_read(const void *va);

#define PTE_P  1ull
#define PTE_RW 2ull
#define PTE_U  4ull
#define PTE_A  0x20ull
#define PTE_D  0x40ull
#define PTE_PS 0x80ull
#define PTE_NX (1ull << 63)
#define PTE_KERNEL (PTE_P | PTE_RW | PTE_A | PTE_D)
static inline uint64_t pte(uint64_t mfn, uint64_t flags) { return mfn << 12 | flags; }

#define PTE_TABLE (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D)

/* ---- page tables of a test's own (tables.c); results as of the hypercall below ---- */
long page_protect(void *p);             /* our mapping of a page becomes read-only, */
long page_unprotect(void *p);           /* and writable again */
long mmuext_one(unsigned cmd, uint64_t arg1, uint64_t arg2);    /* also checks the count of operations done */
long table_pin(unsigned level, const void *table);
long table_unpin(const void *table);
long entry_write(uint64_t machine_address, uint64_t entry);     /* one mmu_update */
long table_write(const void *table, unsigned index, uint64_t entry);
uint64_t root_mfn(void);
/*
 * Three protected tables, each the first entry of the next; l1 is empty. Attached, L1 entry i maps
 * slot_va(slot) + i pages.
 */
struct tree { uint64_t *l1, *l2, *l3; };
void tree_make(struct tree *t);
long tree_attach(const struct tree *t, unsigned slot);
/*
 * A page with that code at 4 MiB, where a 32-bit program reaches it, and user mode is ready; what is behind
 * the code faults there. Slot 0 is taken.
 */
uint8_t *code32_page(const void *code, size_t len);
long tree_detach(unsigned slot);
void tree_free(const struct tree *t);
static inline uint8_t *slot_va(unsigned slot)
{
    return (uint8_t *)((slot >= 256 ? 0xffff000000000000ul : 0) | (uint64_t)slot << 39);
}
bool on_hauch(void);                    /* false: the real Xen, for the few deliberate differences */

/* ---- traps ---- */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
/* Runs fn(arg); false if an exception ended it: then caught says which. */
extern struct trap_frame caught;
extern bool was_caught;
uint64_t rt_try(uint64_t (*fn)(void *), void *arg);
/* On any vCPU; caught and was_caught are those of the last exception of all. */
bool faults(uint64_t (*fn)(void *), void *arg);
uint64_t read_word(void *va);           /* for faults(): plain accesses */
uint64_t write_word(void *va);
/* Called for events while handlers run; NULL: they are only counted. */
extern void (*on_event)(void);
extern volatile unsigned events_seen;
/*
 * Called for vectors 1, 2 and 128 instead of ending the try; returning goes on behind them. NULL: they are
 * exceptions.
 */
extern void (*on_interrupt)(struct trap_frame *f);
extern char trap_2[], trap_128[];       /* the entries, for tests that register them */
extern uint8_t shared_info_page[];
/* Called for system calls from user mode (vector 0x22). Returning goes back to user mode. */
extern void (*on_syscall)(struct trap_frame *f);
void rt_user(uint64_t rip, uint64_t rsp);
__attribute__((noreturn)) void rt_leave_user(void);
/* Runs fn in user mode under the kernel's own root until user_exit(value), which it must end with. */
uint64_t run_user(void (*fn)(void));
static inline __attribute__((noreturn)) void user_exit(uint64_t value)
{
    __asm__ volatile("syscall" : : "a"(0), "D"(value));
    __builtin_unreachable();
}
#define RT_VCPUS 64
#define RT_STACK (2 * PAGE_SIZE)
extern uint8_t *rt_stacks;              /* of the vCPUs from 1 on, without gaps; NULL: there is only one */
extern unsigned rt_stack_count;
/* The number of the vCPU that asks. Each has a stack of its own, so the stack pointer tells. */
static inline unsigned self(void)
{
    uint64_t at = ((uint64_t)__builtin_frame_address(0) - (uint64_t)rt_stacks) / RT_STACK;

    return rt_stacks && at < rt_stack_count ? (unsigned)at + 1 : 0;
}
struct vcpu_info *own_info(void);       /* of the vCPU that asks, wherever it is */
/* For smp.c: stacks for n vCPUs from 1 on; where an info is now; the handlers of vCPU 0 for another. */
void rt_stacks_make(unsigned n);
void rt_info_moved(unsigned vcpu, struct vcpu_info *to);
void rt_traps_fill(struct vcpu_guest_context *c);
void events_mask(void);
void events_unmask(void);
void port_clear(evtchn_port_t p);
bool port_pending(evtchn_port_t p);

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
uint64_t system_time(void);             /* ns, from the clock page of the vCPU that asks */
/* The same, and the time-stamp counter it was computed from. */
uint64_t system_time_at(uint64_t *tsc);
/* What a clock page says of a time-stamp. */
uint64_t clock_at(const volatile struct vcpu_time_info *t, uint64_t tsc);
void *memset(void *p, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int   memcmp(const void *a, const void *b, size_t n);

#endif
