/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of a test's own, and user mode. A page may become a page table only while nothing maps it
 * writable: so the test writes its entries first, then protects the page, then hands it over.
 */
#include "rt.h"

static long protect(void *p, uint64_t flags)
{
    return update_va((uint64_t)p, pte(va_to_mfn(p), flags), UVMF_INVLPG);
}

long page_protect(void *p) { return protect(p, PTE_KERNEL & ~PTE_RW); }
long page_unprotect(void *p) { return protect(p, PTE_KERNEL); }

long mmuext_one(unsigned cmd, uint64_t arg1, uint64_t arg2)
{
    struct mmuext_op op = { .cmd = cmd, .arg1.mfn = arg1, .arg2.src_mfn = arg2 };
    unsigned done = 77;
    long r = mmuext(&op, 1, &done, DOMID_SELF);

    CHECK_EQ(done, r ? 0 : 1);
    return r;
}

long table_pin(unsigned level, const void *table)
{
    return mmuext_one(MMUEXT_PIN_L1_TABLE + level - 1, va_to_mfn(table), 0);
}

long table_unpin(const void *table) { return mmuext_one(MMUEXT_UNPIN_TABLE, va_to_mfn(table), 0); }

long entry_write(uint64_t machine_address, uint64_t entry)
{
    struct mmu_update u = { machine_address, entry };
    unsigned done = 77;
    long r = mmu_update(&u, 1, &done, DOMID_SELF);

    CHECK_EQ(done, r ? 0 : 1);
    return r;
}

long table_write(const void *table, unsigned index, uint64_t entry)
{
    return entry_write((va_to_mfn(table) << 12) + index * 8, entry);
}

uint64_t root_mfn(void) { return va_to_mfn((void *)start_info_pointer->pt_base); }

void tree_make(struct tree *t)
{
    t->l1 = page_alloc();
    t->l2 = page_alloc();
    t->l3 = page_alloc();
    t->l2[0] = pte(va_to_mfn(t->l1), PTE_TABLE);
    t->l3[0] = pte(va_to_mfn(t->l2), PTE_TABLE);
    CHECK_EQ(page_protect(t->l1), 0);
    CHECK_EQ(page_protect(t->l2), 0);
    CHECK_EQ(page_protect(t->l3), 0);
}

long tree_attach(const struct tree *t, unsigned slot)
{
    return entry_write((root_mfn() << 12) + slot * 8, pte(va_to_mfn(t->l3), PTE_TABLE));
}

long tree_detach(unsigned slot)
{
    long r = entry_write((root_mfn() << 12) + slot * 8, 0);

    CHECK_EQ(mmuext_one(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
    return r;
}

/* Unlinked from everything, the three pages are ordinary ones again. */
void tree_free(const struct tree *t)
{
    CHECK_EQ(page_unprotect(t->l3), 0);
    CHECK_EQ(page_unprotect(t->l2), 0);
    CHECK_EQ(page_unprotect(t->l1), 0);
}

bool on_hauch(void)
{
    char extra[XEN_EXTRAVERSION_LEN + 1] = { 0 };

    hypercall(__HYPERVISOR_xen_version, XENVER_extraversion, extra, 0, 0);
    for (unsigned i = 0; i + 5 <= XEN_EXTRAVERSION_LEN; i++)
        if (memcmp(extra + i, "hauch", 5) == 0)
            return true;
    return false;
}

/* ---- user mode ---- */
static uint64_t user_result;

static void user_syscall(struct trap_frame *f)
{
    user_result = f->rdi;
    rt_leave_user();
}

uint64_t run_user(void (*fn)(void))
{
    static uint8_t *stack;

    if (!stack) {
        stack = page_alloc();
        CHECK_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, root_mfn(), 0), 0);
    }
    if (!on_syscall)
        on_syscall = user_syscall;
    rt_user((uint64_t)fn, (uint64_t)stack + PAGE_SIZE - 8);
    return user_result;
}

static void user_nothing(void) { user_exit(0); }

uint8_t *code32_page(const void *code, size_t len)
{
    uint8_t *page = page_alloc();
    struct tree t;

    run_user(user_nothing);             /* sets the user root */
    memset(page, 0xff, PAGE_SIZE);      /* as a frame of registers: ring 3, and addresses that fault */
    memcpy(page, code, len);
    tree_make(&t);
    CHECK_EQ(page_unprotect(t.l2), 0);
    t.l2[2] = t.l2[0];                  /* 4 MiB */
    t.l2[0] = 0;
    CHECK_EQ(page_protect(t.l2), 0);
    CHECK_EQ(tree_attach(&t, 0), 0);
    CHECK_EQ(table_write(t.l1, 0, pte(va_to_mfn(page), PTE_KERNEL | PTE_U)), 0);
    return slot_va(0) + 0x400000;
}
