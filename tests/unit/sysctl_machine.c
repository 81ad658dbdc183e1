/* SPDX-License-Identifier: BSD-2-Clause */
/* What tools and guests may ask about the machine and about us. */
#include "domctl_machine.h"

#include <hv/console.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>

#include <abi/version.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- the machine ---- */
static void machine_is_described(void **state)
{
    struct xen_sysctl op = { 0 };
    const struct xen_sysctl_physinfo *p = &op.u.physinfo;

    assert_int_equal(system_call(XEN_SYSCTL_physinfo, &op), 0);
    assert_int_equal(p->nr_cpus, MACHINE_CPUS);
    assert_int_equal(p->max_cpu_id, MACHINE_CPUS - 1);
    assert_int_equal(p->nr_nodes, 1);
    assert_int_equal(p->cpu_khz, 2000000);
    assert_int_equal(p->total_pages, MACHINE_FRAMES);
    assert_int_equal(p->free_pages, frames_free_count());
    assert_int_equal(p->max_mfn, MACHINE_FRAMES - 1);
    assert_int_equal(p->capabilities, XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1);
}

static void free_memory(void **state)
{
    struct xen_sysctl op = { .u.availheap = { .node = -1 } };

    assert_int_equal(system_call(XEN_SYSCTL_availheap, &op), 0);
    assert_int_equal(op.u.availheap.avail_bytes, frames_free_count() * PAGE_SIZE);
    op.u.availheap = (struct xen_sysctl_availheap){ .node = 1 };
    assert_int_equal(system_call(XEN_SYSCTL_availheap, &op), 0);
    assert_int_equal(op.u.availheap.avail_bytes, 0);
    op.u.availheap = (struct xen_sysctl_availheap){ .node = -1, .max_bitwidth = 32 };
    assert_int_equal(system_call(XEN_SYSCTL_availheap, &op), -XEN_EOPNOTSUPP);
}

static void topology(void **state)
{
    struct xen_sysctl_cputopo cpu[MACHINE_CPUS + 1];
    struct xen_sysctl_meminfo mem[2];
    uint32_t distance[4] = { 0 };
    struct xen_sysctl op = { 0 };

    assert_int_equal(system_call(XEN_SYSCTL_cputopoinfo, &op), 0);
    assert_int_equal(op.u.cputopoinfo.num_cpus, MACHINE_CPUS);
    op.u.cputopoinfo = (struct xen_sysctl_cputopoinfo){ 1, GADDR((uint64_t)cpu) };
    assert_int_equal(system_call(XEN_SYSCTL_cputopoinfo, &op), -XEN_ENOBUFS);
    op.u.cputopoinfo.num_cpus = MACHINE_CPUS + 1;
    assert_int_equal(system_call(XEN_SYSCTL_cputopoinfo, &op), 0);
    assert_int_equal(op.u.cputopoinfo.num_cpus, MACHINE_CPUS);
    assert_int_equal(cpu[1].core, 1);
    op.u.numainfo = (struct xen_sysctl_numainfo){ 0 };
    assert_int_equal(system_call(XEN_SYSCTL_numainfo, &op), 0);
    assert_int_equal(op.u.numainfo.num_nodes, 1);
    op.u.numainfo = (struct xen_sysctl_numainfo){ 2, GADDR((uint64_t)mem), GADDR((uint64_t)distance) };
    assert_int_equal(system_call(XEN_SYSCTL_numainfo, &op), 0);
    assert_int_equal(mem[0].memsize, MACHINE_FRAMES * PAGE_SIZE);
    assert_int_equal(distance[0], 10);
    assert_int_equal(distance[1], 0);
}

static void devices_are_near_to_nothing(void **state)
{
    uint32_t node[3] = { 0, 0, 7 };
    struct xen_sysctl op = { .u.pcitopoinfo = { .num_devs = 2, .nodes = GADDR((uint64_t)node) } };

    assert_int_equal(system_call(XEN_SYSCTL_pcitopoinfo, &op), 0);
    assert_int_equal(node[1], XEN_INVALID_NODE_ID);
    assert_int_equal(node[2], 7);
    op.u.pcitopoinfo.num_devs = 1u << 30;
    assert_int_equal(system_call(XEN_SYSCTL_pcitopoinfo, &op), -XEN_E2BIG);
}

static void idle_times(void **state)
{
    struct xen_sysctl_cpuinfo info[4] = { [2] = { 99 } };
    struct xen_sysctl op = { .u.getcpuinfo = { .max_cpus = 4, .info = GADDR((uint64_t)info) } };

    pcpus[1]->idle_ns = 12345;
    assert_int_equal(system_call(XEN_SYSCTL_getcpuinfo, &op), 0);
    assert_int_equal(op.u.getcpuinfo.nr_cpus, MACHINE_CPUS);
    assert_int_equal(info[1].idletime, 12345);
    assert_int_equal(info[2].idletime, 99);
}

/* ---- domains ---- */
static void list_of_domains(void **state)
{
    struct xen_domctl_getdomaininfo list[8];
    domid_t a = machine_domain(1, 0), b = machine_domain(3, 2);
    struct xen_sysctl op = { .u.getdomaininfolist = { .max_domains = 8, .buffer = GADDR((uint64_t)list) } };

    assert_int_equal(system_call(XEN_SYSCTL_getdomaininfolist, &op), 0);
    assert_int_equal(op.u.getdomaininfolist.num_domains, 3);
    assert_int_equal(list[0].domain, 0);
    assert_int_equal(list[1].domain, a);
    assert_int_equal(list[2].domain, b);
    assert_int_equal(list[2].tot_pages, 2);
    assert_int_equal(list[2].max_vcpu_id, 2);
    op.u.getdomaininfolist = (struct xen_sysctl_getdomaininfolist){ a, 1, GADDR((uint64_t)list), 0 };
    assert_int_equal(system_call(XEN_SYSCTL_getdomaininfolist, &op), 0);
    assert_int_equal(op.u.getdomaininfolist.num_domains, 1);
    assert_int_equal(list[0].domain, a);
    op.u.getdomaininfolist = (struct xen_sysctl_getdomaininfolist){ b + 1, 8, GADDR((uint64_t)list), 0 };
    assert_int_equal(system_call(XEN_SYSCTL_getdomaininfolist, &op), 0);
    assert_int_equal(op.u.getdomaininfolist.num_domains, 0);
    op.u.getdomaininfolist = (struct xen_sysctl_getdomaininfolist){ 0xffff, ~0u, GADDR((uint64_t)list), 0 };
    assert_int_equal(system_call(XEN_SYSCTL_getdomaininfolist, &op), 0);
    assert_int_equal(op.u.getdomaininfolist.num_domains, 0);
    machine_destroy(a);
    machine_destroy(b);
}

static void one_pool(void **state)
{
    uint8_t cpus[2] = { 0, 0xff };
    struct xen_sysctl op = { .u.cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_INFO,
                                               .cpupool_id = XEN_SYSCTL_CPUPOOL_PAR_ANY,
                                               .cpumap = { GADDR((uint64_t)cpus), 16 } } };

    assert_int_equal(system_call(XEN_SYSCTL_cpupool_op, &op), 0);
    assert_int_equal(op.u.cpupool_op.cpupool_id, 0);
    assert_int_equal(op.u.cpupool_op.sched_id, XEN_SCHEDULER_CREDIT2);
    assert_int_equal(op.u.cpupool_op.n_dom, 1);
    assert_memory_equal(cpus, ((uint8_t[]){ 3, 0 }), 2);
    op.u.cpupool_op.cpupool_id = 1;
    assert_int_equal(system_call(XEN_SYSCTL_cpupool_op, &op), -XEN_ENOENT);
    op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_CREATE;
    assert_int_equal(system_call(XEN_SYSCTL_cpupool_op, &op), -XEN_EOPNOTSUPP);
    op.u.cpupool_op = (struct xen_sysctl_cpupool_op){ .op = XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, .domid = 0 };
    assert_int_equal(system_call(XEN_SYSCTL_cpupool_op, &op), 0);
    op.u.cpupool_op.domid = 0x12340000;
    assert_int_equal(system_call(XEN_SYSCTL_cpupool_op, &op), -XEN_ESRCH);
}

/* ---- the log ---- */
static void log_is_read(void **state)
{
    static char text[8192];
    struct xen_sysctl op = { .u.readconsole = { .buffer = GADDR((uint64_t)text), .count = sizeof text } };
    uint32_t index;

    for (unsigned i = 0; i < 100; i++)
        printk(LOG_ERROR, "line %u\n", i);
    assert_int_equal(system_call(XEN_SYSCTL_readconsole, &op), 0);
    assert_true(op.u.readconsole.count >= 790);
    assert_non_null(strstr(text, "line 0\n"));
    assert_non_null(strstr(text, "line 99\n"));
    index = op.u.readconsole.index;
    printk(LOG_ERROR, "more\n");
    memset(text, 0, sizeof text);
    op.u.readconsole = (struct xen_sysctl_readconsole){
        .incremental = 1, .index = index, .clear = 1, .buffer = GADDR((uint64_t)text), .count = sizeof text
    };
    assert_int_equal(system_call(XEN_SYSCTL_readconsole, &op), 0);
    assert_non_null(strstr(text, "more\n"));
    assert_null(strstr(text, "line 99\n"));
    op.u.readconsole =
        (struct xen_sysctl_readconsole){ .buffer = GADDR((uint64_t)text), .count = sizeof text };
    assert_int_equal(system_call(XEN_SYSCTL_readconsole, &op), 0);
    assert_int_equal(op.u.readconsole.count, 0);        /* cleared */
}

static void keys_are_pressed(void **state)
{
    char keys[65] = "h";
    struct xen_sysctl op = { .u.debug_keys = { .keys = GADDR((uint64_t)keys), .nr_keys = 1 } };
    uint32_t index = 0;
    char text[256];

    assert_int_equal(system_call(XEN_SYSCTL_debug_keys, &op), 0);
    assert_true(console_read_ring(text, sizeof text, &index, false) > 0);       /* the list of keys */
    op.u.debug_keys.nr_keys = 65;
    assert_int_equal(system_call(XEN_SYSCTL_debug_keys, &op), -XEN_E2BIG);
}

/* ---- hostile arguments: every operation with what a broken tool would give ---- */
static void every_operation_survives(void **state)
{
#define OP(nr, name, member, copy) nr,
    static const uint32_t all[] = {
#include <abi/ops/sysctl.def>
    };
#undef OP
    static const uint8_t fill[] = { 0x00, 0xff, 0x01, 0x80 };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t f = 0; f < ARRAY_LEN(fill); f++) {
            struct xen_sysctl op;

            memset(&op, fill[f], sizeof op);
            assert_true(system_call(all[i], &op) <= 0);
        }
    }
}

static void guests_may_not(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct domain *d = domain_get(id);
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };

    assert_int_equal(machine_call(d->vcpu[0], __HYPERVISOR_sysctl, (uint64_t)&op, 0, 0, 0), -XEN_EPERM);
    domain_put(d);
    machine_destroy(id);
}

/* ---- who we are ---- */
static long version(struct vcpu *v, uint64_t what, void *at)
{
    return machine_call(v, __HYPERVISOR_xen_version, what, (uint64_t)at, 0, 0);
}

static void version_answers(void **state)
{
    struct vcpu *v = dom0->vcpu[0];
    static char text[1024];
    struct xen_platform_parameters p;
    struct xen_compile_info c;

    assert_int_equal(version(v, XENVER_version, NULL), 4 << 16 | 17);
    assert_int_equal(version(v, XENVER_pagesize, NULL), 4096);
    assert_int_equal(version(v, XENVER_pagesize, text), -XEN_EINVAL);
    assert_int_equal(version(v, XENVER_extraversion, text), 0);
    assert_string_equal(text, ".0-hauch");
    assert_int_equal(version(v, XENVER_capabilities, text), 0);
    assert_string_equal(text, "xen-3.0-x86_64 ");
    assert_int_equal(version(v, XENVER_platform_parameters, &p), 0);
    assert_int_equal(p.virt_start, HYPERVISOR_VIRT_START);
    assert_int_equal(version(v, XENVER_compile_info, &c), 0);
    assert_int_equal(version(v, XENVER_changeset, (void *)16), -XEN_EFAULT);
    assert_int_equal(version(v, 99, text), -XEN_ENOSYS);
}

static void command_line_is_dom0s_business(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct domain *d = domain_get(id);
    static char text[1024];

    strcpy(machine.boot.cmdline, "com1=115200");
    assert_int_equal(version(dom0->vcpu[0], XENVER_commandline, text), 0);
    assert_string_equal(text, "com1=115200");
    assert_int_equal(version(d->vcpu[0], XENVER_commandline, text), 0);
    assert_string_equal(text, "<denied>");
    domain_put(d);
    machine_destroy(id);
}

static void features(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct domain *d = domain_get(id);
    struct xen_feature_info f = { 0 };

    assert_int_equal(version(dom0->vcpu[0], XENVER_get_features, &f), 0);
    assert_true(f.submap & 1u << XENFEAT_dom0);
    assert_true(f.submap & 1u << XENFEAT_mmu_pt_update_preserve_ad);
    assert_false(f.submap & 1u << XENFEAT_auto_translated_physmap);
    assert_int_equal(version(d->vcpu[0], XENVER_get_features, &f), 0);
    assert_false(f.submap & 1u << XENFEAT_dom0);
    f.submap_idx = 1;
    assert_int_equal(version(d->vcpu[0], XENVER_get_features, &f), -XEN_EINVAL);
    domain_put(d);
    machine_destroy(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_is_described),
        cmocka_unit_test(free_memory),
        cmocka_unit_test(topology),
        cmocka_unit_test(devices_are_near_to_nothing),
        cmocka_unit_test(idle_times),
        cmocka_unit_test(list_of_domains),
        cmocka_unit_test(one_pool),
        cmocka_unit_test(log_is_read),
        cmocka_unit_test(keys_are_pressed),
        cmocka_unit_test(every_operation_survives),
        cmocka_unit_test(guests_may_not),
        cmocka_unit_test(version_answers),
        cmocka_unit_test(command_line_is_dom0s_business),
        cmocka_unit_test(features),
    };

    machine_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
