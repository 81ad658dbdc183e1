/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain that maps our grant makes its L1 table serve two ranges of addresses, maps through one and reads
 * through the other. When it has unmapped the grant, and we have been told that the page is ours again, the
 * second range must not lead there either: the processor remembers that translation under an address that
 * nobody named.
 */
#include "child.h"

TEST("attack: a grant that stays reachable under another address");

#define REF    40
#define SLOT   12u                              /* which of its pages the grant is mapped over */
#define AT     (VIRT_BASE + SLOT * PAGE_SIZE)
#define ALIAS  (AT + (2ul << 20))
#define TRIES  20

static struct child c;

static void alias_make(void)
{
    struct mmu_update *u = (void *)c.page->buffer;

    *u = (struct mmu_update){ (c.mfn[5] << 12) + 8, pte(c.mfn[6], PTE_TABLE) };
    CHECK_EQ(child_call(&c, __HYPERVISOR_mmu_update, child_buffer(0), 1, 0, DOMID_SELF), 0);
}

/*
 * What stands in our page is a list of one call, which the hypervisor reads and answers there on the child's
 * behalf.
 */
static void list_make(struct multicall_entry *e)
{
    *e = (struct multicall_entry){ __HYPERVISOR_xen_version, 0x5555, { XENVER_pagesize, 0 } };
}

static bool try(struct multicall_entry *ours, volatile struct grant_entry_v1 *entry)
{
    struct gnttab_map_grant_ref *m = (void *)c.page->buffer;
    struct gnttab_unmap_grant_ref *u = (void *)(c.page->buffer + 64);
    const struct child_call *used;

    list_make(ours);
    *m = (struct gnttab_map_grant_ref){ .host_addr = AT, .flags = GNTMAP_host_map, .ref = REF, .dom = 0 };
    CHECK_EQ(child_call(&c, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, child_buffer(0), 1, 0), 0);
    CHECK_EQ(m->status, GNTST_okay);
    *u = (struct gnttab_unmap_grant_ref){ .host_addr = AT, .handle = m->handle };
    child_add(&c, __HYPERVISOR_multicall, ALIAS, 1, 0, 0);
    child_add(&c, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, child_buffer(64), 1, 0);
    child_add(&c, __HYPERVISOR_multicall, ALIAS, 1, 0, 0);
    if (!child_run(&c))
        return false;
    used = c.page->call;
    CHECK_EQ(used[0].result, 0);
    CHECK_EQ(ours->result, PAGE_SIZE);                              /* the alias does lead there */
    CHECK_EQ(u->status, GNTST_okay);
    CHECK_EQ(entry->flags, GTF_permit_access);
    CHECK_EQ(used[2].result, -XEN_EFAULT);
    return used[2].result == -XEN_EFAULT;
}

void test_main(void)
{
    struct grant_entry_v1 *table = page_alloc();
    struct multicall_entry *ours = page_alloc();
    uint64_t frame;
    struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1, .frame_list = { (uint64_t)&frame } };

    CHECK_EQ(grant_op(GNTTABOP_setup_table, &s, 1), 0);
    CHECK_EQ(s.status, GNTST_okay);
    CHECK_EQ(update_va((uint64_t)table, pte(frame, PTE_KERNEL), UVMF_INVLPG), 0);
    if (!child_create(&c))
        return;
    table[REF] = (struct grant_entry_v1){ GTF_permit_access, c.id, (uint32_t)va_to_mfn(ours) };
    alias_make();
    for (unsigned i = 0; i < TRIES && try(ours, &table[REF]); i++)
        ;
    child_destroy(&c);
    CHECK_EQ(table[REF].flags, GTF_permit_access);
}
