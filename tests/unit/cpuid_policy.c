/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests see of the processor: the sieve, the tools' policies, what follows the vCPU. */
#include "domctl_machine.h"

#include <hv/cpuid.h>

#include <abi/cpufeature.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BIT(name) (1u << (XEN_X86_FEATURE_##name % 32))
#define NO_SUB XEN_CPUID_NO_SUBLEAF

/* A processor that can everything; sizes as real ones have them. */
static const struct machine_cpuid everything[] = {
    { 0, 0, { 0x1f, 0x68747541, 0x444d4163, 0x69746e65 } },
    { 1, 0, { 0x00a20f10, 0x05100800, ~0u, ~0u } },
    { 2, 0, { 0x76036301, 0x00f0b5ff, 0, 0x00c30000 } },
    { 4, 0, { 0x1c004121, 0x01c0003f, 0x3f, 0 } },
    { 4, 1, { 0x1c004122, 0x01c0003f, 0x3f, 0 } },
    { 5, 0, { 0x40, 0x40, 3, 0x11142120 } },
    { 6, 0, { 0x77, 2, 9, 0 } },
    { 7, 0, { 2, ~0u, ~0u, ~0u } },
    { 7, 1, { ~0u, ~0u, ~0u, ~0u } },
    { 7, 2, { 0, 0, 0, ~0u } },
    { 0xa, 0, { 0x08300805, 0, 0xf, 0x8604 } },
    { 0xb, 0, { 1, 2, 0x100, 5 } },
    { 0xd, 0, { 0x2e7, 0xa88, 0xa88, 0 } },
    { 0xd, 1, { 0xf, 0xb00, 0x1800, 0 } },
    { 0xd, 2, { 256, 576, 0, 0 } },
    { 0xd, 5, { 64, 1088, 2, 0 } },
    { 0xd, 6, { 512, 1152, 0, 0 } },
    { 0xd, 7, { 1024, 1664, 0, 0 } },
    { 0xd, 9, { 8, 2688, 0, 0 } },
    { 0x80000000, 0, { 0x80000028, 0, 0, 0 } },
    { 0x80000001, 0, { 0x00a20f10, 0x20000000, ~0u, ~0u } },
    { 0x80000002, 0, { 0x20444d41, 1, 2, 3 } },
    { 0x80000007, 0, { 1, 2, 3, ~0u } },
    { 0x80000008, 0, { 0x00393934, ~0u, 0x400f, 7 } },
    { 0x8000000a, 0, { 1, 0x8000, 0, ~0u } },
    { 0x80000021, 0, { ~0u, ~0u, ~0u, ~0u } },
};

static domid_t id;
static struct domain *d;

static int setup(void **state)
{
    machine_cpuid = everything;
    machine_cpuid_count = ARRAY_LEN(everything);
    machine_xcr0 = 0xe7;
    cpuid_init_boot();
    id = machine_domain(2, 0);
    d = domain_get(id);
    return d ? 0 : -1;
}

static int teardown(void **state)
{
    domain_put(d);
    machine_destroy(id);
    return 0;
}

static uint32_t reg(const struct vcpu *v, uint32_t leaf, uint32_t sub, unsigned r)
{
    uint32_t out[4];

    cpuid_for(v, leaf, sub, out);
    return out[r];
}

enum { A, B, C, D };

/* ---- the sieve ---- */
static void nothing_unknown_passes(void **state)
{
    const struct cpu_policy *max = cpuid_policy(POLICY_PV_MAX), *host = cpuid_policy(POLICY_HOST);

    for (unsigned n = 0; n < CPUID_WORDS; n++)
        assert_int_equal(cpuid_word(max, n) & ~cpuid_word(host, n) & (n == 1 ? ~BIT(HYPERVISOR) : ~0u), 0);
    assert_int_equal(cpuid_word(max, 0) & (BIT(VME) | BIT(PSE) | BIT(SEP) | BIT(MTRR) | BIT(PGE) |
                                           BIT(PSE36) | BIT(DS) | BIT(ACPI) | BIT(HTT)),
                     0);
    assert_int_equal(cpuid_word(max, 1) & (BIT(MONITOR) | BIT(VMX) | BIT(PCID) | BIT(X2APIC) |
                                           BIT(TSC_DEADLINE) | BIT(OSXSAVE)),
                     0);
    assert_int_equal(cpuid_word(max, 2) & (BIT(PAGE1GB) | BIT(RDTSCP)), 0);
    assert_int_equal(cpuid_word(max, 3) & (BIT(SVM) | BIT(TOPOEXT)), 0);
    assert_int_equal(
        cpuid_word(max, 5) & (BIT(FSGSBASE) | BIT(SMEP) | BIT(SMAP) | BIT(INVPCID) | BIT(RTM) | BIT(MPX)), 0);
    assert_int_equal(cpuid_word(max, 6) & (BIT(UMIP) | BIT(PKU) | BIT(CET_SS) | BIT(RDPID)), 0);
    assert_int_equal(
        cpuid_word(max, 9) & (BIT(IBRSB) | BIT(STIBP) | BIT(SSBD) | BIT(ARCH_CAPS) | BIT(CET_IBT)), 0);
}

static void what_kernels_need_passes(void **state)
{
    const struct cpu_policy *p = cpuid_policy(POLICY_PV_DEFAULT);
    uint32_t edx = BIT(FPU) | BIT(TSC) | BIT(MSR) | BIT(PAE) | BIT(CX8) | BIT(APIC) | BIT(CMOV) | BIT(PAT) |
                   BIT(FXSR) | BIT(SSE) | BIT(SSE2);

    assert_int_equal(cpuid_word(p, 0) & edx, edx);
    assert_int_equal(cpuid_word(p, 2) & (BIT(SYSCALL) | BIT(NX) | BIT(LM)), BIT(SYSCALL) | BIT(NX) | BIT(LM));
    assert_true(cpuid_word(p, 1) & BIT(HYPERVISOR));
    assert_true(cpuid_word(p, 1) & BIT(XSAVE));
}

/* dom0 stays where it is: it learns that the counter never stops; others only if asked for. */
static void invariant_counter(void **state)
{
    assert_true(reg(dom0->vcpu[0], 0x80000007, 0, D) & BIT(ITSC));
    assert_false(reg(d->vcpu[0], 0x80000007, 0, D) & BIT(ITSC));
    machine_tsc_reliable = false;
    cpuid_init_boot();
    assert_false(reg(dom0->vcpu[0], 0x80000007, 0, D) & BIT(ITSC));
    machine_tsc_reliable = true;
}

static void private_leaves_are_empty(void **state)
{
    static const uint32_t leaves[] = { 5, 6, 0xa, 0xb, 0x8000000a, 0x1f, 0x7fffffff, 0x80000028, ~0u };

    for (size_t i = 0; i < ARRAY_LEN(leaves); i++)
        for (unsigned r = A; r <= D; r++)
            assert_int_equal(reg(dom0->vcpu[0], leaves[i], 0, r), 0);
    assert_int_equal(reg(dom0->vcpu[0], 0, 0, A), 0xd);
    assert_int_equal(reg(dom0->vcpu[0], 0x80000000, 0, A), 0x80000021);
    assert_int_equal(reg(dom0->vcpu[0], 4, 0, A), 0x0121);              /* shared with nobody */
    assert_int_equal(reg(dom0->vcpu[0], 0x80000008, 0, A), 0x3034);     /* linear: four levels of tables */
    assert_int_equal(reg(dom0->vcpu[0], 0x80000008, 0, C), 0);
}

/* ---- extended states ---- */
static void states_follow_what_is_saved(void **state)
{
    struct vcpu *v = d->vcpu[0];

    assert_int_equal(reg(v, 0xd, 0, A), 0xe7);
    assert_int_equal(reg(v, 0xd, 0, C), 1664 + 1024);
    assert_int_equal(reg(v, 0xd, 9, A), 0);                             /* PKRU is not */
    v->pv.xcr0 = 3;
    assert_int_equal(reg(v, 0xd, 0, B), 576);
    v->pv.xcr0 = 7;
    assert_int_equal(reg(v, 0xd, 0, B), 576 + 256);
    assert_int_equal(reg(v, 0xd, 2, A), 256);
    assert_int_equal(reg(v, 0xd, 1, A), BIT(XSAVEOPT) | BIT(XSAVEC) | BIT(XGETBV1));
    assert_int_equal(reg(v, 0xd, 1, B), 576 + 256 + 64 + 512 + 1024);   /* compacted */
}

static void without_avx_saved_no_avx(void **state)
{
    machine_xcr0 = 3;
    cpuid_init_boot();
    assert_int_equal(reg(d->vcpu[0], 1, 0, C) & (BIT(AVX) | BIT(FMA) | BIT(F16C)), 0);
    assert_true(reg(d->vcpu[0], 1, 0, C) & BIT(XSAVE));
    assert_int_equal(reg(d->vcpu[0], 7, 0, B) & (BIT(AVX2) | BIT(AVX512F)), 0);
    assert_int_equal(reg(d->vcpu[0], 0xd, 0, A), 3);
    machine_xcr0 = 0;
    cpuid_init_boot();
    assert_int_equal(reg(d->vcpu[0], 1, 0, C) & (BIT(XSAVE) | BIT(OSXSAVE) | BIT(AVX)), 0);
    assert_int_equal(reg(d->vcpu[0], 0xd, 0, A) | reg(d->vcpu[0], 0xd, 1, A) | reg(d->vcpu[0], 0xd, 0, C), 0);
}

/* ---- what follows the vCPU ---- */
static void each_vcpu_has_its_number(void **state)
{
    assert_int_equal(reg(d->vcpu[0], 1, 0, B), 0x0800);
    assert_int_equal(reg(d->vcpu[1], 1, 0, B), 0x02000800);
}

static void osxsave_for_kernels_at_once(void **state)
{
    struct vcpu *v = d->vcpu[0];

    v->pv.kernel_mode = true;
    assert_true(reg(v, 1, 0, C) & BIT(OSXSAVE));
    v->pv.kernel_mode = false;
    assert_false(reg(v, 1, 0, C) & BIT(OSXSAVE));
    v->pv.cr4 |= 1u << 18;
    assert_true(reg(v, 1, 0, C) & BIT(OSXSAVE));
}

static void hypervisor_leaves(void **state)
{
    struct vcpu *v = d->vcpu[0];
    uint32_t name[3] = { reg(v, 0x40000000, 0, B), reg(v, 0x40000000, 0, C), reg(v, 0x40000000, 0, D) };

    assert_memory_equal(name, "XenVMMXenVMM", 12);
    assert_int_equal(reg(v, 0x40000000, 0, A), 0x40000005);
    assert_int_equal(reg(v, 0x40000001, 0, A), 4 << 16 | 17);
    assert_int_equal(reg(v, 0x40000002, 0, A), 1);
    assert_int_equal(reg(v, 0x40000002, 0, C), XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD);
    assert_int_equal(reg(v, 0x40000003, 0, C), 2000000);
    assert_int_equal(reg(v, 0x40000003, 2, A), 2000000);
    assert_int_equal(reg(v, 0x40000005, 0, B), 12 + 11 + 1);
    assert_int_equal(reg(v, 0x40000006, 0, A), 0);
}

/* ---- policies by tools ---- */
static struct xen_cpuid_leaf leaves[CPUID_LEAVES_ANSWERED];
static struct xen_msr_entry msrs[CPUID_MSRS];

static struct xen_domctl policy_op(uint32_t n)
{
    return (struct xen_domctl){ .u.cpu_policy = { .nr_leaves = n, .leaves = GADDR((uint64_t)leaves),
                                                  .nr_msrs = CPUID_MSRS, .msrs = GADDR((uint64_t)msrs) } };
}

static uint32_t policy_read(void)
{
    struct xen_domctl op = policy_op(ARRAY_LEN(leaves));

    assert_int_equal(control(XEN_DOMCTL_get_cpu_policy, id, &op), 0);
    assert_int_equal(op.u.cpu_policy.nr_msrs, CPUID_MSRS);
    return op.u.cpu_policy.nr_leaves;
}

static struct xen_cpuid_leaf *leaf_in_list(uint32_t n, uint32_t leaf, uint32_t sub)
{
    for (uint32_t i = 0; i < n; i++)
        if (leaves[i].leaf == leaf && leaves[i].subleaf == sub)
            return &leaves[i];
    fail_msg("no leaf %x", leaf);
    return NULL;
}

/* Tools pack what they read into as many rows as they got, in a longer form: they get all the room. */
static void room_is_filled_with_nothing(void **state)
{
    uint32_t n = policy_read();

    assert_int_equal(n, CPUID_LEAVES_ANSWERED);
    for (uint32_t i = cpuid_policy_of(d)->count; i < n; i++) {
        assert_int_equal(leaves[i].leaf, XEN_CPUID_FIRST_LEAF);
        assert_int_equal(leaves[i].a | leaves[i].b | leaves[i].c | leaves[i].d, 0);
    }
}

static void what_was_read_can_be_set(void **state)
{
    uint32_t n = policy_read();
    struct xen_domctl op = policy_op(n);

    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), 0);
    assert_non_null(d->pv.cpuid);
    assert_int_equal(policy_read(), n);
    assert_int_equal(d->pv.cpuid->count, cpuid_policy(POLICY_PV_DEFAULT)->count);
    assert_memory_equal(d->pv.cpuid->leaf, cpuid_policy(POLICY_PV_DEFAULT)->leaf,
                        d->pv.cpuid->count * sizeof leaves[0]);
}

static void a_feature_can_be_taken(void **state)
{
    uint32_t n = policy_read();
    struct xen_domctl op = policy_op(n);

    leaf_in_list(n, 1, NO_SUB)->c &= ~BIT(AVX);
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), 0);
    assert_false(reg(d->vcpu[0], 1, 0, C) & BIT(FMA));                  /* goes with it */
    assert_false(reg(d->vcpu[0], 7, 0, B) & BIT(AVX2));
    assert_int_equal(reg(d->vcpu[0], 0xd, 0, A), 3);
    assert_int_equal(reg(d->vcpu[0], 0xd, 2, A), 0);
    assert_true(reg(dom0->vcpu[0], 1, 0, C) & BIT(AVX));
}

/* QEMU's `max,-erms` is such a machine, and a policy without ERMS such a guest; Linux's memmove() goes wrong
 * there. */
static void fast_short_moves_go_with_fast_moves(void **state)
{
    uint32_t n = policy_read();
    struct xen_domctl op = policy_op(n);

    assert_true(reg(d->vcpu[0], 7, 0, D) & BIT(FSRM));
    assert_true(reg(d->vcpu[0], 7, 1, A) & BIT(FSRS));
    leaf_in_list(n, 7, 0)->b &= ~BIT(ERMS);
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), 0);
    assert_false(reg(d->vcpu[0], 7, 0, D) & BIT(FSRM));
    assert_false(reg(d->vcpu[0], 7, 1, A) & (BIT(FZRM) | BIT(FSRS) | BIT(FSRCS)));
}

static void an_extra_can_be_asked_for(void **state)
{
    struct xen_domctl op = policy_op(1);

    leaves[0] = (struct xen_cpuid_leaf){ 0x80000007, NO_SUB, 0, 0, 0, BIT(ITSC) };
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), 0);
    assert_true(reg(d->vcpu[0], 0x80000007, 0, D) & BIT(ITSC));
    assert_true(reg(d->vcpu[0], 1, 0, D) & BIT(SSE2));                  /* what was not in the list stays */
}

static void more_than_may_be_is_refused(void **state)
{
    static const struct xen_cpuid_leaf bad[] = {
        { 1, NO_SUB, 0, 0, BIT(VMX), 0 },
        { 1, NO_SUB, 0, 0, 0, BIT(PSE) },
        { 7, 0, 0, BIT(SMEP), 0, 0 },
        { 0x80000001, NO_SUB, 0, 0, BIT(SVM), 0 },
        { 0, NO_SUB, 0xe, 0, 0, 0 },
        { 7, 0, 3, 0, 0, 0 },
        { 0x80000000, NO_SUB, 0x80000022, 0, 0, 0 },
        { 0x14, 0, 1, 0, 0, 0 },
        { 0xc0000000, NO_SUB, 1, 0, 0, 0 },
        { 1, 0, 1, 0, 0, 0 },
        { 7, NO_SUB, 1, 0, 0, 0 },
        { 0xd, 1, BIT(XSAVES), 0, 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct xen_domctl op = policy_op(2);

        leaves[0] = (struct xen_cpuid_leaf){ 1, NO_SUB, 0, 0, 0, 0 };
        leaves[1] = bad[i];
        assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), -XEN_EINVAL);
        assert_null(d->pv.cpuid);                                       /* nothing was changed */
    }
}

/* Debian's tools copy the machine's hyper-threading bits into a PV guest's policy. */
static void topology_bits_are_forgiven(void **state)
{
    struct xen_domctl op = policy_op(1);

    leaves[0] = (struct xen_cpuid_leaf){ 1, NO_SUB, 0, 0, 0, BIT(HTT) | BIT(FPU) };
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), 0);
    assert_int_equal(reg(d->vcpu[0], 1, 0, D), BIT(FPU));
}

static void lists_have_limits(void **state)
{
    struct xen_domctl op = policy_op(100000);
    uint32_t n = policy_read();

    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), -XEN_E2BIG);
    op = policy_op(cpuid_policy_of(d)->count - 1);
    assert_int_equal(control(XEN_DOMCTL_get_cpu_policy, id, &op), -XEN_ENOBUFS);
    assert_int_equal(op.u.cpu_policy.nr_leaves, cpuid_policy_of(d)->count);
    op = policy_op(n);
    op.u.cpu_policy.leaves = GADDR(16);
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), -XEN_EFAULT);
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, 0, &op), -XEN_EINVAL);
    op = policy_op(0);
    msrs[0] = (struct xen_msr_entry){ .idx = 0x10a, .val = 1 };
    assert_int_equal(control(XEN_DOMCTL_set_cpu_policy, id, &op), -XEN_EINVAL);
    msrs[0].val = 0;
}

/* ---- what tools ask of the machine ---- */
static void feature_sets(void **state)
{
    uint32_t words[CPUID_WORDS + 2] = { 0 };
    struct xen_sysctl op = { .u.cpu_featureset = { .index = XEN_SYSCTL_cpu_featureset_pv } };

    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_featureset, &op), 0);
    assert_int_equal(op.u.cpu_featureset.nr_features, CPUID_WORDS);
    op.u.cpu_featureset.features = GADDR((uint64_t)words);
    op.u.cpu_featureset.nr_features = CPUID_WORDS + 2;
    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_featureset, &op), 0);
    assert_int_equal(op.u.cpu_featureset.nr_features, CPUID_WORDS);
    assert_int_equal(words[0], cpuid_word(cpuid_policy(POLICY_PV_DEFAULT), 0));
    op.u.cpu_featureset.nr_features = 3;
    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_featureset, &op), -XEN_ENOBUFS);
    op.u.cpu_featureset.index = XEN_SYSCTL_cpu_featureset_hvm;
    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_featureset, &op), -XEN_EOPNOTSUPP);
    op.u.cpu_featureset.index = 6;
    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_featureset, &op), -XEN_EINVAL);
}

static void system_policies(void **state)
{
    struct xen_sysctl op = { .u.cpu_policy = { .index = XEN_SYSCTL_cpu_policy_pv_default } };

    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_policy, &op), 0);
    assert_true(op.u.cpu_policy.nr_leaves >= cpuid_policy(POLICY_HOST)->count);
    assert_int_equal(op.u.cpu_policy.nr_msrs, CPUID_MSRS);
    op.u.cpu_policy.leaves = GADDR((uint64_t)leaves);
    op.u.cpu_policy.msrs = GADDR((uint64_t)msrs);
    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_policy, &op), 0);
    assert_int_equal(op.u.cpu_policy.nr_leaves, CPUID_LEAVES_ANSWERED);
    op.u.cpu_policy.index = XEN_SYSCTL_cpu_policy_hvm_max;
    assert_int_equal(system_call(XEN_SYSCTL_get_cpu_policy, &op), -XEN_EOPNOTSUPP);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_unknown_passes),
        TEST(what_kernels_need_passes),
        TEST(invariant_counter),
        TEST(private_leaves_are_empty),
        TEST(states_follow_what_is_saved),
        TEST(without_avx_saved_no_avx),
        TEST(each_vcpu_has_its_number),
        TEST(osxsave_for_kernels_at_once),
        TEST(hypervisor_leaves),
        TEST(room_is_filled_with_nothing),
        TEST(what_was_read_can_be_set),
        TEST(a_feature_can_be_taken),
        TEST(fast_short_moves_go_with_fast_moves),
        TEST(an_extra_can_be_asked_for),
        TEST(more_than_may_be_is_refused),
        TEST(topology_bits_are_forgiven),
        TEST(lists_have_limits),
        TEST(feature_sets),
        TEST(system_policies),
    };

    machine_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
