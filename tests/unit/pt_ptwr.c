/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes of a guest kernel to its own page tables, instruction by instruction: what is in the table, in the
 * registers and in the flags afterwards is compared with what the processor of this machine makes of the same
 * instruction on ordinary memory. Then what must be refused.
 */
#include "../host/hv_host.h"

#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FRAMES 64
#define DATA_VA  0x0000ull     /* slot 0: data, writable */
#define TABLE_VA 0x1000ull     /* slot 1: the L1 itself, read-only */

static struct domain dom;
static struct vcpu  *v;
static mfn_t l1, l2, l3, l4, data, spare;

static mfn_t frame(void)
{
    mfn_t m = frames_alloc_domain(&dom, 0, 64);

    assert_true(mfn_valid_number(m));
    return m;
}

static uint64_t *slot(mfn_t table, unsigned i) { return (uint64_t *)page_of_mfn(table) + i; }

static int setup(void **state)
{
    host_machine_init(FRAMES, 4, 1);
    host_domain_init(&dom, 1, false, 40, 1);
    v = dom.vcpu[0];
    host_cpu->current = v;
    data = frame(), spare = frame(), l1 = frame(), l2 = frame(), l3 = frame(), l4 = frame();
    *slot(l1, 0) = pte_make(data, PTE_P | PTE_RW);
    *slot(l1, 1) = pte_make(l1, PTE_P);
    *slot(l2, 0) = pte_make(l1, PTE_P | PTE_RW);
    *slot(l3, 0) = pte_make(l2, PTE_P | PTE_RW);
    *slot(l4, 0) = pte_make(l3, PTE_P | PTE_RW);
    assert_int_equal(pv_roots_set(v, l4, MFN_INVALID), 0);
    return 0;
}

static int teardown(void **state)
{
    dom.dying = DOMAIN_DYING;
    assert_int_equal(pv_domain_relinquish(&dom), 0);
    assert_int_equal(dom.frames, 0);
    host_domain_free(&dom);
    host_machine_free();
    return 0;
}

#define WRITE_FAULT 7u          /* present, write, user */

/* Runs the instruction at `code` as if it had faulted at slot i of the L1; r: registers before and after. */
static bool fault(const uint8_t *code, unsigned i, struct regs *r)
{
    bool done;

    v->regs = *r;
    v->regs.rip = (uintptr_t)code;
    done = pv_page_fault(v, TABLE_VA + i * 8, WRITE_FAULT);
    r->rax = v->regs.rax, r->rcx = v->regs.rcx, r->rflags = v->regs.rflags, r->rip = v->regs.rip;
    return done;
}

/*
 * One instruction: RDX points to the memory, RCX is the register operand, RAX the accumulator. The processor
 * runs it where it stands, and the emulation decodes the same bytes.
 */
typedef void native_fn(uint64_t *mem, struct regs *r);

#define INSN(name, text) \
    extern const uint8_t code_##name[], code_##name##_end[]; \
    static __attribute__((noinline, noclone)) void native_##name(uint64_t *mem, struct regs *r) \
    { \
        uint64_t flags; \
        __asm__ volatile("code_" #name ": " text "\n code_" #name "_end: pushfq\n popq %0" \
                         : "=&r"(flags), "+a"(r->rax), "+c"(r->rcx) : "d"(mem) : "memory", "cc"); \
        r->rflags = flags; \
    }

INSN(mov, "movq %%rcx, (%%rdx)")
INSN(mov4, "movl %%ecx, (%%rdx)")
INSN(mov_imm, "movq $0x42, (%%rdx)")
INSN(mov_rax, "movq %%rax, (%%rdx)")
INSN(xchg, "xchgq %%rcx, (%%rdx)")
INSN(xchg4, "xchgl %%ecx, (%%rdx)")
INSN(cmpxchg, "cmpxchgq %%rcx, (%%rdx)")
INSN(cmpxchg_lock, "lock cmpxchgq %%rcx, (%%rdx)")
INSN(cmpxchg4, "lock cmpxchgl %%ecx, (%%rdx)")
INSN(and, "lock andq %%rcx, (%%rdx)")
INSN(and_imm1, "lock andq $-33, (%%rdx)")
INSN(and_imm4, "andq $-3971, (%%rdx)")
INSN(and4_imm1, "andl $-3, (%%rdx)")
INSN(or, "orq %%rcx, (%%rdx)")
INSN(or_imm, "lock orq $0x60, (%%rdx)")
INSN(btr_imm, "lock btrq $5, (%%rdx)")
INSN(btr4_imm, "lock btrl $6, (%%rdx)")
INSN(bts_imm, "btsq $6, (%%rdx)")
INSN(btr, "lock btrq %%rcx, (%%rdx)")
INSN(bts, "lock btsq %%rcx, (%%rdx)")
INSN(movb, "movb %%cl, (%%rdx)")
INSN(movb_second, "movb %%ch, (%%rdx)")
INSN(movb_imm, "movb $0x65, (%%rdx)")
INSN(xchgb, "xchgb %%cl, (%%rdx)")
INSN(cmpxchgb, "lock cmpxchgb %%cl, (%%rdx)")
INSN(andb_imm, "lock andb $0xdf, (%%rdx)")
INSN(orb_imm, "lock orb $0x20, (%%rdx)")
INSN(andb, "andb %%cl, (%%rdx)")

/* Not among those that are done for a guest. */
static const uint8_t code_add[15] = { 0x48, 0x01, 0x0a };

#define CF   0x001ull
#define LOGIC 0x8c5ull          /* AND and OR leave AF undefined */
#define ALL  0x8d5ull

static const struct insn {
    const char *name;
    const uint8_t *code, *end;
    native_fn *native;
    uint64_t flags;             /* those that it defines */
    bool bit;                   /* RCX is the number of a bit */
} insns[] = {
#define I(name, flags, bit) { #name, code_##name, code_##name##_end, native_##name, flags, bit }
    I(mov, 0, false), I(mov4, 0, false), I(mov_imm, 0, false), I(mov_rax, 0, false), I(xchg, 0, false),
    I(xchg4, 0, false), I(cmpxchg, ALL, false), I(cmpxchg_lock, ALL, false), I(cmpxchg4, ALL, false),
    I(and, LOGIC, false), I(and_imm1, LOGIC, false), I(and_imm4, LOGIC, false), I(and4_imm1, LOGIC, false),
    I(or, LOGIC, false), I(or_imm, LOGIC, false), I(btr_imm, CF, false), I(btr4_imm, CF, false),
    I(bts_imm, CF, false), I(btr, CF, true), I(bts, CF, true), I(movb, 0, false), I(movb_second, 0, false),
    I(movb_imm, 0, false), I(xchgb, 0, false), I(cmpxchgb, ALL, false), I(andb_imm, LOGIC, false),
    I(orb_imm, LOGIC, false), I(andb, LOGIC, false),
};

/* One instruction on one value of the entry and of the registers. */
static void compare(const struct insn *i, uint64_t was, uint64_t rcx, uint64_t rax)
{
    struct regs r = { .rcx = rcx, .rax = rax }, host = r;
    uint64_t mem = was;

    assert_int_equal(hc_update_va_mapping(v, 5ull << 12, was, UVMF_NONE, 0, 0), 0);
    assert_true(*slot(l1, 5) == was);
    i->native(&mem, &host);
    if ((mem & PTE_P) && pte_mfn(mem).n == 0) {         /* frame 0 is not this domain's */
        assert_false(fault(i->code, 5, &r));
        assert_true(*slot(l1, 5) == was);
        return;
    }
    if (mem & PTE_P)
        mem |= PTE_U;
    if (!fault(i->code, 5, &r))
        fail_msg("%s of %lx, rcx %lx was refused", i->name, (unsigned long)was, (unsigned long)rcx);
    if (*slot(l1, 5) != mem || r.rax != host.rax || r.rcx != host.rcx ||
        ((r.rflags ^ host.rflags) & i->flags))
        fail_msg("%s of %lx: entry %lx, not %lx; rax %lx, not %lx; rcx %lx, not %lx; flags %lx, not %lx",
                 i->name, (unsigned long)was, (unsigned long)*slot(l1, 5), (unsigned long)mem,
                 (unsigned long)r.rax, (unsigned long)host.rax, (unsigned long)r.rcx, (unsigned long)host.rcx,
                 (unsigned long)(r.rflags & i->flags), (unsigned long)(host.rflags & i->flags));
    assert_true(r.rip == (uintptr_t)i->end);
}

static void test_instructions(void **state)
{
    const uint64_t before[] = { 0, PTE_A, pte_make(spare, PTE_P | PTE_U),
                                pte_make(spare, PTE_P | PTE_U | PTE_A | PTE_D),
                                pte_make(spare, PTE_P | PTE_RW | PTE_U | PTE_D) };

    for (unsigned n = 0; n < ARRAY_LEN(insns); n++)
        for (unsigned b = 0; b < ARRAY_LEN(before); b++)
            for (unsigned k = 0; k < 4; k++) {
                uint64_t other = pte_make(spare, PTE_P | PTE_U | PTE_A);

                compare(&insns[n], before[b], insns[n].bit ? 5 + k % 2 : k & 1 ? before[b] : other,
                        k & 2 ? before[b] : 0x5a00);
            }
    assert_int_equal(hc_update_va_mapping(v, 5ull << 12, 0, UVMF_NONE, 0, 0), 0);
}

/* Nothing happens to the entry, and the fault is the guest's. */
static void refused(const uint8_t *code, unsigned i, uint64_t rcx)
{
    struct regs r = { .rcx = rcx };
    uint64_t was = *slot(l1, i);

    if (fault(code, i, &r))
        fail_msg("done: bytes %02x %02x %02x, rcx %lx, entry %lx", code[0], code[1], code[2],
                 (unsigned long)rcx, (unsigned long)*slot(l1, i));
    assert_true(*slot(l1, i) == was);
    assert_true(r.rip == (uintptr_t)code);
}

static void test_refused(void **state)
{
    refused(code_mov, 5, pte_make(l1, PTE_P | PTE_RW));         /* a table, writable */
    refused(code_mov, 5, pte_make(MFN(1), PTE_P));              /* the hypervisor's */
    refused(code_mov, 5, pte_make(MFN(FRAMES + 9), PTE_P));     /* device memory it may not have */
    refused(code_mov, 5, pte_make(spare, PTE_P) | 1ull << 60);  /* protection key */
    refused(code_add, 5, 0);
    v->pv.kernel_mode = false;
    v->pv.root_user = v->pv.root_kernel;
    refused(code_mov, 5, 0);                                    /* guest user mode */
    v->pv.root_user = MFN_INVALID;
    v->pv.kernel_mode = true;
}

static void test_spurious(void **state)
{
    assert_true(pv_page_fault(v, DATA_VA, WRITE_FAULT));        /* allowed by now */
    assert_false(
        pv_page_fault(v, DATA_VA, WRITE_FAULT & ~1u)); /* not present, says the processor: the guest's */
    assert_false(pv_page_fault(v, 9ull << 12, WRITE_FAULT));    /* nothing there */
    assert_int_equal(hc_update_va_mapping(v, 6ull << 12, pte_make(spare, PTE_P | PTE_NX), UVMF_NONE, 0, 0),
                     0);
    assert_false(pv_page_fault(v, 6ull << 12, WRITE_FAULT));    /* read-only data */
    assert_false(pv_page_fault(v, 6ull << 12, 0x15));           /* fetch from NX */
    assert_true(pv_page_fault(v, 6ull << 12, 5));               /* read */
    assert_false(pv_page_fault(v, HYPERVISOR_VIRT_START, WRITE_FAULT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_instructions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spurious, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
