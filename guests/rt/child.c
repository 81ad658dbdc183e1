/* SPDX-License-Identifier: BSD-2-Clause */
/* Building, running and destroying the second domain: see child.h. */
#include "child.h"

enum { CODE, SHARED, STACK, ROOT };
extern char child_code[], child_code_end[];
static uint64_t spare_taken;

/* The builder maps a part of our memory only; frames beyond it can go without anyone missing them. */
long frames_give_back(unsigned n)
{
    uint64_t mfn[CHILD_PAGES * 4];
    struct xen_memory_reservation r = { .extent_start = { (uint64_t)mfn },
                                        .nr_extents = n,
                                        .domid = DOMID_SELF };

    for (unsigned i = 0; i < n; i++)
        mfn[i] = pfn_to_mfn(start_info_pointer->nr_pages - 1 -
                            __atomic_fetch_add(&spare_taken, 1, __ATOMIC_RELAXED));
    return memory_op(XENMEM_decrease_reservation, &r);
}

uint64_t free_pages(void)
{
    struct xen_sysctl op = { 0 };

    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &op), 0);
    return op.u.physinfo.free_pages;
}

void nap(uint64_t ns)
{
    struct sched_poll p = { .timeout = system_time() + ns };

    CHECK_EQ(sched_op(SCHEDOP_poll, &p), 0);
}

long foreign_map(void *va, uint64_t mfn, domid_t owner, uint64_t flags)
{
    return hypercall5(__HYPERVISOR_update_va_mapping_otherdomain, (uint64_t)va, pte(mfn, flags), UVMF_INVLPG,
                      owner, 0);
}

bool child_shell(struct child *c, unsigned pages)
{
    struct xen_domctl op = { 0 };
    long r;

    op.u.createdomain.max_vcpus = 1;
    op.u.createdomain.max_evtchn_port = 1023;
    op.u.createdomain.max_grant_frames = 4;
    op.u.createdomain.max_maptrack_frames = 4;
    op.u.createdomain.grant_opts = 1;
    op.u.createdomain.handle[0] = 0xc4;
    CHECK_EQ(r = domctl(XEN_DOMCTL_createdomain, 0, &op), 0);
    if (r)
        return false;
    c->id = op.domain;
    memset(&op, 0, sizeof op);
    op.u.max_mem.max_memkb = pages * 4;
    CHECK_EQ(r = domctl(XEN_DOMCTL_max_mem, c->id, &op), 0);
    return r == 0;
}

static bool child_populate(struct child *c)
{
    struct xen_memory_reservation r = { .extent_start = { (uint64_t)c->mfn }, .nr_extents = CHILD_PAGES,
                                        .domid = c->id };
    long got;

    for (unsigned i = 0; i < CHILD_PAGES; i++)
        c->mfn[i] = i;
    CHECK_EQ(got = memory_op(XENMEM_populate_physmap, &r), CHILD_PAGES);
    return got == CHILD_PAGES;
}

/* Maps a page of the child, emptied. */
static uint64_t *window(struct child *c, unsigned i)
{
    if (!c->windows[i])
        c->windows[i] = page_alloc();
    CHECK_EQ(foreign_map(c->windows[i], c->mfn[i], c->id, PTE_KERNEL), 0);
    memset(c->windows[i], 0, PAGE_SIZE);
    return c->windows[i];
}

static void window_close(const struct child *c, unsigned i)
{
    CHECK_EQ(update_va((uint64_t)c->windows[i], pte(va_to_mfn(c->windows[i]), PTE_KERNEL), UVMF_INVLPG), 0);
}

static void child_tables(struct child *c)
{
    window(c, ROOT)[511] = pte(c->mfn[ROOT + 1], PTE_TABLE);
    window(c, ROOT + 1)[510] = pte(c->mfn[ROOT + 2], PTE_TABLE);
    window(c, ROOT + 2)[0] = pte(c->mfn[ROOT + 3], PTE_TABLE);
    window(c, ROOT + 3);
    for (unsigned i = 0; i < CHILD_PAGES; i++)
        ((uint64_t *)c->windows[ROOT + 3])[i] =
            pte(c->mfn[i], i >= ROOT && i <= ROOT + 3 ? PTE_P | PTE_A : PTE_KERNEL);
    for (unsigned i = ROOT; i <= ROOT + 3; i++)
        window_close(c, i);
}

/* It has no event handler: its events stay masked, and it polls. */
static void child_mask_events(struct child *c)
{
    struct shared_info *its = c->windows[CHILD_PAGES] ? c->windows[CHILD_PAGES] : page_alloc();
    struct xen_domctl op = { 0 };

    c->windows[CHILD_PAGES] = its;
    CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c->id, &op), 0);
    CHECK_EQ(foreign_map(its, op.u.getdomaininfo.shared_info_frame, c->id, PTE_KERNEL), 0);
    its->vcpu_info[0].evtchn_upcall_mask = 1;
    CHECK_EQ(update_va((uint64_t)its, pte(va_to_mfn(its), PTE_KERNEL), UVMF_INVLPG), 0);
}

static void child_start(struct child *c)
{
    struct vcpu_guest_context *context = c->context ? c->context : pages_alloc(2);
    struct mmuext_op pin = { .cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = c->mfn[ROOT] };
    struct xen_domctl op = { 0 };

    CHECK_EQ(mmuext(&pin, 1, NULL, c->id), 0);
    op.u.max_vcpus.max = 1;
    CHECK_EQ(domctl(XEN_DOMCTL_max_vcpus, c->id, &op), 0);
    c->context = context;
    memset(context, 0, sizeof *context);
    context->flags = VGCF_in_kernel | VGCF_online;
    context->user_regs.rip = VIRT_BASE;
    context->user_regs.cs = FLAT_KERNEL_CS64;
    context->user_regs.ss = FLAT_KERNEL_SS64;
    context->user_regs.rflags = 0x202;
    context->user_regs.rsp = VIRT_BASE + CHILD_RSP;
    context->kernel_ss = FLAT_KERNEL_SS64;
    context->kernel_sp = VIRT_BASE + 0x3000;
    context->ctrlreg[3] = xen_pfn_to_cr3(c->mfn[ROOT]);
    memset(&op, 0, sizeof op);
    op.u.vcpucontext.ctxt.va = (uint64_t)context;
    CHECK_EQ(domctl(XEN_DOMCTL_setvcpucontext, c->id, &op), 0);
    child_mask_events(c);
    CHECK_EQ(domctl(XEN_DOMCTL_unpausedomain, c->id, &op), 0);
}

bool child_create(struct child *c)
{
    CHECK_EQ(frames_give_back(CHILD_FRAMES), CHILD_FRAMES);
    if (!child_shell(c, CHILD_PAGES) || !child_populate(c))
        return false;
    memcpy(window(c, CODE), child_code, child_code_end - child_code);
    window_close(c, CODE);
    c->page = (struct child_page *)window(c, SHARED);
    child_tables(c);
    child_start(c);
    return true;
}

void child_add(struct child *c, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e)
{
    if (c->page->state == 2) {
        c->page->state = 0;
        c->page->count = 0;
    }
    c->page->call[c->page->count++] = (struct child_call){ nr, { a, b, d, e, 0 }, -9999 };
}

void child_begin(struct child *c, uint64_t times)
{
    c->page->again = times - 1;
    __atomic_store_n(&c->page->state, 1, __ATOMIC_SEQ_CST);
}

bool child_run(struct child *c)
{
    child_begin(c, 1);
    for (unsigned i = 0; i < 1000 && c->page->state != 2; i++)
        nap(1000000);
    CHECK_EQ(c->page->state, 2);
    return c->page->state == 2;
}

int64_t child_call(struct child *c, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e)
{
    child_add(c, nr, a, b, d, e);
    return child_run(c) ? c->page->call[c->page->count - 1].result : -9998;
}

bool child_run_crash(struct child *c)
{
    struct xen_domctl op = { 0 };
    const uint32_t *flags = &op.u.getdomaininfo.flags;

    c->page->state = 1;
    for (unsigned i = 0; i < 1000 && !(*flags & XEN_DOMINF_shutdown); i++) {
        nap(1000000);
        CHECK_EQ(domctl(XEN_DOMCTL_getdomaininfo, c->id, &op), 0);
    }
    CHECK_EQ(*flags & XEN_DOMINF_shutdown, XEN_DOMINF_shutdown);
    return (*flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask) == SHUTDOWN_crash;
}

void child_destroy(struct child *c)
{
    struct xen_domctl op = { 0 };
    long r;

    if (c->page)
        window_close(c, SHARED);
    c->page = NULL;
    r = domctl(XEN_DOMCTL_destroydomain, c->id, &op);
    CHECK(r == 0 || r == -XEN_ESRCH);
    for (unsigned i = 0; i < 1000; i++) {
        r = domctl(XEN_DOMCTL_getdomaininfo, c->id, &op);
        if (r || op.u.getdomaininfo.domain != c->id)
            return;
        nap(1000000);
    }
    CHECK(!"the destroyed domain is gone");
}
