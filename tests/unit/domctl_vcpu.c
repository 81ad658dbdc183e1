/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of vCPUs in and out, placement, bit maps of tools. */
#include "domctl_machine.h"

#include <hv/time.h>
#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static domid_t id;
static struct domain *d;
static uint64_t root, user_root, gdt;
static uint64_t free_before;

static int setup(void **state)
{
    free_before = frames_free_count();
    id = machine_domain(2, 3);
    root = machine_frame(id);
    user_root = machine_frame(id);
    gdt = machine_frame(id);
    d = domain_get(id);
    return d ? 0 : -1;
}

static int teardown(void **state)
{
    domain_put(d);
    machine_destroy(id);
    assert_int_equal(frames_free_count(), free_before);
    return 0;
}

static struct vcpu_guest_context context(void)
{
    struct vcpu_guest_context c = { .flags = VGCF_in_kernel | VGCF_online };

    c.user_regs.rip = 0xffffffff81000000;
    c.user_regs.rsp = 0xffffffff82000000;
    c.user_regs.rsi = 0x1234;
    c.user_regs.cs = FLAT_KERNEL_CS64;
    c.user_regs.ss = FLAT_KERNEL_SS64;
    c.ctrlreg[3] = xen_pfn_to_cr3(root);
    return c;
}

static long set(uint32_t vcpu, struct vcpu_guest_context *c)
{
    struct xen_domctl op = { .u.vcpucontext = { .vcpu = vcpu, .ctxt = GADDR((uint64_t)c) } };

    return control(XEN_DOMCTL_setvcpucontext, id, &op);
}

static long get(uint32_t vcpu, struct vcpu_guest_context *c)
{
    struct xen_domctl op = { .u.vcpucontext = { .vcpu = vcpu, .ctxt = GADDR((uint64_t)c) } };

    return control(XEN_DOMCTL_getvcpucontext, id, &op);
}

/* ---- contexts ---- */
static void what_is_set_is_read(void **state)
{
    struct vcpu_guest_context c = context(), back;

    c.user_regs.r15 = 15;
    c.user_regs.rax = 0xaaaa;
    c.user_regs.fs = 0x63;
    c.fs_base = 0x7fff00001000;
    c.gs_base_kernel = 0xffff888000000000;
    c.kernel_sp = 0xffffffff82001000;
    c.event_callback_eip = 0xffffffff81000100;
    c.trap_ctxt[14] =
        (struct trap_info){ .vector = 14, .flags = 4, .cs = FLAT_KERNEL_CS64, .address = 0xffffffff81000200 };
    c.gdt_ents = 512;
    c.gdt_frames[0] = gdt;
    c.ctrlreg[1] = xen_pfn_to_cr3(user_root);
    c.debugreg[0] = 0x401000;
    c.debugreg[7] = 0x401;
    c.flags |= VGCF_i387_valid;
    c.fpu_ctxt.x[0] = 0x7f;
    c.fpu_ctxt.x[24] = 0x80;
    c.fpu_ctxt.x[25] = 0x1f;
    c.fpu_ctxt.x[200] = 42;
    assert_int_equal(set(0, &c), 0);
    assert_int_equal(get(0, &back), 0);
    assert_int_equal(back.user_regs.rip, c.user_regs.rip);
    assert_int_equal(back.user_regs.r15, 15);
    assert_int_equal(back.user_regs.rax, 0xaaaa);
    assert_int_equal(back.user_regs.rsi, 0x1234);
    assert_int_equal(back.user_regs.fs, 0x63);
    assert_int_equal(back.user_regs.rflags, 0x202);
    assert_int_equal(back.ctrlreg[3], c.ctrlreg[3]);
    assert_int_equal(back.ctrlreg[1], c.ctrlreg[1]);
    assert_int_equal(back.gdt_ents, 512);
    assert_int_equal(back.gdt_frames[0], gdt);
    assert_int_equal(back.fs_base, c.fs_base);
    assert_int_equal(back.gs_base_kernel, c.gs_base_kernel);
    assert_int_equal(back.kernel_sp, c.kernel_sp);
    assert_int_equal(back.event_callback_eip, c.event_callback_eip);
    assert_int_equal(back.trap_ctxt[14].address, c.trap_ctxt[14].address);
    assert_int_equal(back.debugreg[0], 0x401000);
    assert_int_equal(back.debugreg[7], 0x401);
    assert_memory_equal(back.fpu_ctxt.x, c.fpu_ctxt.x, sizeof c.fpu_ctxt.x);
    assert_int_equal(back.flags, VGCF_i387_valid | VGCF_in_kernel | VGCF_online);
    assert_false(d->vcpu[0]->pause_flags & PAUSE_DOWN);
}

/* No way into privilege level 0 by a selector, nor to other flags than a guest's. */
static void selectors_and_flags_are_tamed(void **state)
{
    struct vcpu_guest_context c = context();
    const struct regs *g = &d->vcpu[0]->regs;

    c.user_regs.cs = 0xe008;
    c.user_regs.ss = 0xe010;
    c.user_regs.ds = 0xe010;
    c.user_regs.es = 0x10;
    c.user_regs.gs = 1;
    c.kernel_ss = 0xe010;
    c.user_regs.rflags = ~0ull;
    assert_int_equal(set(0, &c), 0);
    assert_int_equal(g->cs, 0xe00b);
    assert_int_equal(g->ss, 0xe013);
    assert_int_equal(d->vcpu[0]->pv.ds, 0xe013);
    assert_int_equal(d->vcpu[0]->pv.es, 0x13);
    assert_int_equal(d->vcpu[0]->pv.gs, 0);
    assert_int_equal(d->vcpu[0]->pv.kernel_ss, 0xe013);
    assert_int_equal(g->rflags & (3u << 12 | 1u << 17 | 3u << 19), 0);
    assert_true(g->rflags & 1u << 9);
}

/* Linux starts its further vCPUs so: they use I/O ports without asking again. */
static void io_privilege_comes_with_the_flags(void **state)
{
    struct vcpu_guest_context c = context(), back;

    c.user_regs.rflags = 1u << 12;
    assert_int_equal(set(1, &c), 0);
    assert_int_equal(d->vcpu[1]->pv.iopl, 1);
    assert_int_equal(d->vcpu[1]->regs.rflags, 0x202);
    assert_int_equal(get(1, &back), 0);
    assert_int_equal(back.user_regs.rflags, 0x1202);
}

static void mxcsr_is_made_valid(void **state)
{
    struct vcpu_guest_context c = context();
    uint32_t mxcsr;

    c.flags |= VGCF_i387_valid;
    memset(c.fpu_ctxt.x, 0xff, sizeof c.fpu_ctxt.x);
    assert_int_equal(set(0, &c), 0);
    memcpy(&mxcsr, (uint8_t *)d->vcpu[0]->pv.fpu + 24, 4);
    assert_int_equal(mxcsr, 0xffff);
}

static void refused_contexts(void **state)
{
#define AT(f) offsetof(struct vcpu_guest_context, f)
    static const struct { size_t offset; uint64_t value;
    } bad[] = {
        { AT(user_regs.rip), 0x800000000000 },
        { AT(user_regs.rip), 0x7fffull << 48 },
        { AT(fs_base), 1ull << 47 },
        { AT(gs_base_kernel), 1ull << 63 },
        { AT(gs_base_user), 0xffff000000000000 },
        { AT(kernel_sp), 0xffff830000001000 },
        { AT(event_callback_eip), 0xffff800000000000 },
        { AT(failsafe_callback_eip), 0xffff87ffffffffff },
        { AT(syscall_callback_eip), 1ull << 50 },
        { AT(trap_ctxt[3].address), 0xffff820000000000 },
        { AT(trap_ctxt[255].address), 1ull << 48 },
        { AT(gdt_ents), 7169 },
        { AT(gdt_ents), 1ull << 32 },
        { AT(ldt_ents), 8193 },
        { AT(ldt_ents), 1ull << 40 },
        { AT(gdt_ents), 1 }, /* of frame 0, which is not its own */
        { AT(ctrlreg[3]), 0 },
        { AT(ctrlreg[3]), 3 << 12 },
        { AT(ctrlreg[3]), ~0ull },
        { AT(ctrlreg[1]), 3 << 12 },
        { AT(flags), 0 }, /* user mode without a root for it */
        { AT(debugreg[0]), 0xffff830000000000 },
        { AT(debugreg[7]), 1u << 13 },
        { AT(debugreg[7]), 1u | 2u << 16 }, /* a breakpoint on I/O */
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct vcpu_guest_context c = context();

        memcpy((uint8_t *)&c + bad[i].offset, &bad[i].value, 8);
        if (set(0, &c) != -XEN_EINVAL)
            fail_msg("context %zu was accepted", i);
        assert_false(d->vcpu[0]->initialised);
    }
}

static void refused_targets(void **state)
{
    struct vcpu_guest_context c = context();
    struct xen_domctl op = { .u.vcpucontext.ctxt = GADDR((uint64_t)&c) };

    assert_int_equal(set(2, &c), -XEN_ESRCH);
    assert_int_equal(set(~0u, &c), -XEN_ESRCH);
    assert_int_equal(get(1, &c), -XEN_ENODATA);         /* has none yet */
    assert_int_equal(control(XEN_DOMCTL_setvcpucontext, 0, &op), -XEN_EINVAL);
    op.u.vcpucontext.ctxt = GADDR(64);
    assert_int_equal(control(XEN_DOMCTL_setvcpucontext, id, &op), -XEN_EFAULT);
}

/* References are given back when a context replaces another. */
static void a_context_replaces_another(void **state)
{
    struct vcpu_guest_context c = context();

    c.gdt_ents = 100;
    c.gdt_frames[0] = gdt;
    for (unsigned i = 0; i < 10; i++) {
        c.ctrlreg[3] = xen_pfn_to_cr3(i & 1 ? root : user_root);
        assert_int_equal(set(0, &c), 0);
    }
    c.gdt_ents = 0;
    assert_int_equal(set(0, &c), 0);
    assert_int_equal(type_of(frame_of(MFN(root))->type), TYPE_L4);
    assert_true(frame_get_writable(MFN(gdt), d));       /* no descriptor table any more */
    frame_put_writable(MFN(gdt));
}

/* libxl's builder clears the shared page before it sets the context. */
static void a_cleared_page_has_the_time_again(void **state)
{
    struct vcpu_guest_context c = context();

    wallclock_set(1700000000, 5, 0);
    memset(d->shared_info, 0, sizeof(*d->shared_info));
    assert_int_equal(set(0, &c), 0);
    assert_int_equal(d->shared_info->wc_sec, 1700000000);
    assert_int_equal(d->shared_info->wc_nsec, 5);
    assert_int_equal(d->shared_info->wc_version & 1, 0);
}

/* ---- extended state ---- */
static void extended_state_goes_round(void **state)
{
    static uint8_t image[4096];
    struct xen_domctl op = { 0 };
    uint64_t word;

    assert_int_equal(control(XEN_DOMCTL_getvcpuextstate, id, &op), 0);
    assert_int_equal(op.u.vcpuextstate.size, 16 + hw_fpu_size());
    op.u.vcpuextstate.buffer = GADDR((uint64_t)image);
    assert_int_equal(control(XEN_DOMCTL_getvcpuextstate, id, &op), 0);
    memcpy(&word, image, 8);
    assert_int_equal(word, 7);
    word = 7;
    memcpy(image + 16 + 512, &word, 8);
    image[16 + 600] = 77;
    assert_int_equal(control(XEN_DOMCTL_setvcpuextstate, id, &op), 0);
    assert_int_equal(((uint8_t *)d->vcpu[0]->pv.fpu)[600], 77);
    image[0] = 5;                                       /* AVX without SSE */
    assert_int_equal(control(XEN_DOMCTL_setvcpuextstate, id, &op), -XEN_EINVAL);
    image[0] = 7;
    image[16 + 512 + 8] = 1;                            /* the compacted form */
    assert_int_equal(control(XEN_DOMCTL_setvcpuextstate, id, &op), -XEN_EINVAL);
    image[16 + 512 + 8] = 0;
    image[16 + 512 + 1] = 2;                            /* a state that is not saved */
    assert_int_equal(control(XEN_DOMCTL_setvcpuextstate, id, &op), -XEN_EINVAL);
    op.u.vcpuextstate.size = 17;
    assert_int_equal(control(XEN_DOMCTL_setvcpuextstate, id, &op), -XEN_EINVAL);
    op.u.vcpuextstate.size = ~0ull;
    assert_int_equal(control(XEN_DOMCTL_setvcpuextstate, id, &op), -XEN_EINVAL);
}

/* ---- placement ---- */
static long affinity(uint32_t cmd, uint32_t flags, uint8_t *hard, uint32_t bits)
{
    struct xen_domctl op = { .u.vcpuaffinity = { .flags = flags,
                                                 .cpumap_hard = { GADDR((uint64_t)hard), bits },
                                                 .cpumap_soft = { GADDR((uint64_t)hard), bits } } };

    return control(cmd, id, &op);
}

static void affinity_of_one_or_all(void **state)
{
    uint8_t map[5] = { 2, 0, 0, 0, 0xee };

    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, 32), 0);
    assert_int_equal(d->vcpu[0]->sched.hard.word[0], 2);
    memset(map, 0xff, 4);
    assert_int_equal(affinity(XEN_DOMCTL_getvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, 32), 0);
    assert_memory_equal(map, ((uint8_t[]){ 2, 0, 0, 0, 0xee }), 5);
    map[0] = 0xff;
    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, 8), 0);
    assert_int_equal(map[0], 3);                        /* those that exist */
    assert_int_equal(d->vcpu[0]->sched.hard.word[0], 3);
}

static void refused_affinities(void **state)
{
    uint8_t map[4] = { 0xfc, 0xff, 0xff, 0xff };        /* none that exists */

    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, 32), -XEN_EINVAL);
    map[0] = 3;
    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, 0), -XEN_EINVAL);
    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, 0, map, 32), -XEN_EINVAL);
    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, 8, map, 32), -XEN_EINVAL);
    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, (uint8_t *)8, 32),
                     -XEN_EFAULT);
    assert_int_equal(affinity(XEN_DOMCTL_getvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, ~0u), -XEN_E2BIG);
}

static void maps_shorter_than_a_byte(void **state)
{
    uint8_t map[2] = { 0xff, 0xff };

    assert_int_equal(affinity(XEN_DOMCTL_setvcpuaffinity, XEN_VCPUAFFINITY_HARD, map, 1), 0);
    assert_int_equal(d->vcpu[0]->sched.hard.word[0], 1); /* bit 1 is beyond the map */
    assert_int_equal(map[0], 1);
    assert_int_equal(map[1], 0xff);
}

static void one_node(void **state)
{
    uint8_t map[2] = { 1, 0xff };
    struct xen_domctl op = { .u.nodeaffinity.nodemap = { GADDR((uint64_t)map), 16 } };

    assert_int_equal(control(XEN_DOMCTL_setnodeaffinity, id, &op), 0);
    assert_int_equal(control(XEN_DOMCTL_getnodeaffinity, id, &op), 0);
    assert_memory_equal(map, ((uint8_t[]){ 1, 0 }), 2);
    map[0] = 2;
    assert_int_equal(control(XEN_DOMCTL_setnodeaffinity, id, &op), -XEN_EINVAL);
}

static void vcpu_is_described(void **state)
{
    struct vcpu_guest_context c = context();
    struct xen_domctl op = { .u.getvcpuinfo.vcpu = 0 };

    assert_int_equal(control(XEN_DOMCTL_getvcpuinfo, id, &op), 0);
    assert_int_equal(op.u.getvcpuinfo.online, 0);
    assert_int_equal(set(0, &c), 0);
    assert_int_equal(control(XEN_DOMCTL_getvcpuinfo, id, &op), 0);
    assert_int_equal(op.u.getvcpuinfo.online, 1);
    op.u.getvcpuinfo.vcpu = 2;
    assert_int_equal(control(XEN_DOMCTL_getvcpuinfo, id, &op), -XEN_ESRCH);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_set_is_read),
        TEST(selectors_and_flags_are_tamed),
        TEST(io_privilege_comes_with_the_flags),
        TEST(mxcsr_is_made_valid),
        TEST(refused_contexts),
        TEST(refused_targets),
        TEST(a_context_replaces_another), TEST(a_cleared_page_has_the_time_again),
        TEST(extended_state_goes_round),
        TEST(affinity_of_one_or_all),
        TEST(refused_affinities),
        TEST(maps_shorter_than_a_byte),
        TEST(one_node),
        TEST(vcpu_is_described),
    };

    machine_start();
    machine_destroy(machine_domain(2, 3));              /* what is allocated once for all is allocated now */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
