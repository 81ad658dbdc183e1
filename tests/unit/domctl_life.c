/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, pausing, describing and ending domains, as tools do it: by domctl. */
#include "domctl_machine.h"

#include <hv/frame.h>
#include <hw/hw.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct xen_domctl creation(void)
{
    return (
        struct xen_domctl){ .u.createdomain = { .max_vcpus = 2, .max_evtchn_port = 1023, .grant_opts = 1 } };
}

static struct xen_domctl_getdomaininfo info_of(domid_t id)
{
    struct xen_domctl op = { 0 };

    assert_int_equal(control(XEN_DOMCTL_getdomaininfo, id, &op), 0);
    assert_int_equal(op.domain, id);
    return op.u.getdomaininfo;
}

/* ---- numbers ---- */
static void number_is_chosen(void **state)
{
    struct xen_domctl a = creation(), b = creation();

    assert_int_equal(control(XEN_DOMCTL_createdomain, 0, &a), 0);
    machine_destroy(a.domain);
    assert_int_equal(control(XEN_DOMCTL_createdomain, 0, &b), 0);
    assert_int_not_equal(a.domain, b.domain);      /* an old number is not given again at once */
    machine_destroy(b.domain);
}

static void number_is_wanted(void **state)
{
    struct xen_domctl op = creation();

    assert_int_equal(control(XEN_DOMCTL_createdomain, 77, &op), 0);
    assert_int_equal(op.domain, 77);
    assert_int_equal(control(XEN_DOMCTL_createdomain, 77, &op), -XEN_EEXIST);
    machine_destroy(77);
    assert_int_equal(control(XEN_DOMCTL_createdomain, 77, &op), 0);
    machine_destroy(77);
}

static void number_beyond_all_is_no_wish(void **state)
{
    struct xen_domctl op = creation();

    assert_int_equal(control(XEN_DOMCTL_createdomain, DOMID_INVALID, &op), 0);
    assert_in_range(op.domain, 1, DOMID_FIRST_RESERVED - 1);
    machine_destroy(op.domain);
}

/* ---- refusals ---- */
static void refused_configurations(void **state)
{
    uint64_t free_before = frames_free_count();
    static const struct { size_t offset; uint32_t value;
    } bad[] = {
#define FIELD(f) offsetof(struct xen_domctl_createdomain, f)
        { FIELD(flags), XEN_DOMCTL_CDF_hvm },
        { FIELD(flags), XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap },
        { FIELD(flags), XEN_DOMCTL_CDF_iommu },
        { FIELD(flags), XEN_DOMCTL_CDF_vpmu },
        { FIELD(flags), 1u << 31 },
        { FIELD(max_vcpus), 0 },
        { FIELD(max_vcpus), MAX_VCPUS + 1 },
        { FIELD(max_vcpus), ~0u },
        { FIELD(grant_opts), 0 },
        { FIELD(grant_opts), 2 },
        { FIELD(grant_opts), 0x101 },
        { FIELD(cpupool_id), 1 },
        { FIELD(iommu_opts), 1 },
        { FIELD(vmtrace_size), 4096 },
        { FIELD(arch.emulation_flags), XEN_X86_EMU_ALL },
        { FIELD(arch.misc_flags), 2 },
        { FIELD(max_grant_frames), 0x7fffffff },
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct xen_domctl op = creation();

        memcpy((uint8_t *)&op.u.createdomain + bad[i].offset, &bad[i].value, 4);
        assert_true(control(XEN_DOMCTL_createdomain, 5, &op) < 0);
        op = (struct xen_domctl){ 0 };
        assert_int_equal(control(XEN_DOMCTL_pausedomain, 5, &op), -XEN_ESRCH);
    }
    assert_int_equal(frames_free_count(), free_before);
}

static void versions_and_callers(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct domain *d = domain_get(id);
    struct xen_domctl op = { .cmd = XEN_DOMCTL_pausedomain,
                             .interface_version = XEN_DOMCTL_INTERFACE_VERSION + 1,
                             .domain = id };

    assert_int_equal(machine_call(dom0->vcpu[0], __HYPERVISOR_domctl, (uint64_t)&op, 0, 0, 0), -XEN_EACCES);
    op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    assert_int_equal(machine_call(d->vcpu[0], __HYPERVISOR_domctl, (uint64_t)&op, 0, 0, 0), -XEN_EPERM);
    assert_int_equal(machine_call(dom0->vcpu[0], __HYPERVISOR_domctl, 8, 0, 0, 0), -XEN_EFAULT);
    assert_int_equal(control(9999, id, &op), -XEN_ENOSYS);
    domain_put(d);
    machine_destroy(id);
}

/* Each operation on a domain that is not there, and on dom0 itself: an error, never harm. */
static void every_operation_on_nobody(void **state)
{
#define OP(nr, name, member, copy, target) nr,
    static const uint32_t all[] = {
#include <abi/ops/domctl.def>
    };
#undef OP

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct xen_domctl op = { 0 };

        if (all[i] == XEN_DOMCTL_createdomain || all[i] == XEN_DOMCTL_getdomaininfo)
            continue;
        assert_int_equal(control(all[i], 0x7000, &op), -XEN_ESRCH);
    }
}

/* ---- life ---- */
static void pauses_are_counted(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct xen_domctl op = { 0 };

    assert_true(info_of(id).flags & XEN_DOMINF_paused);         /* as it was made */
    assert_int_equal(control(XEN_DOMCTL_pausedomain, id, &op), 0);
    assert_int_equal(control(XEN_DOMCTL_unpausedomain, id, &op), 0);
    assert_true(info_of(id).flags & XEN_DOMINF_paused);
    assert_int_equal(control(XEN_DOMCTL_unpausedomain, id, &op), 0);
    assert_false(info_of(id).flags & XEN_DOMINF_paused);
    assert_int_equal(control(XEN_DOMCTL_unpausedomain, id, &op), -XEN_EINVAL);
    for (unsigned i = 0; i < 255; i++)
        assert_int_equal(control(XEN_DOMCTL_pausedomain, id, &op), 0);
    assert_int_equal(control(XEN_DOMCTL_pausedomain, id, &op), -XEN_EBUSY);
    machine_destroy(id);
}

static void dom0_is_not_paused_nor_ended(void **state)
{
    struct xen_domctl op = { 0 };

    assert_int_equal(control(XEN_DOMCTL_pausedomain, 0, &op), -XEN_EINVAL);
    assert_int_equal(control(XEN_DOMCTL_destroydomain, 0, &op), -XEN_EINVAL);
    assert_int_equal(control(XEN_DOMCTL_destroydomain, DOMID_SELF, &op), -XEN_EINVAL);
    assert_int_equal(control(XEN_DOMCTL_resumedomain, 0, &op), -XEN_EINVAL);
}

static void vcpus_as_many_as_created(void **state)
{
    struct xen_domctl op = creation();
    domid_t id;

    assert_int_equal(control(XEN_DOMCTL_createdomain, 0, &op), 0);
    id = op.domain;
    assert_int_equal(info_of(id).max_vcpu_id, XEN_INVALID_MAX_VCPU_ID);
    op.u.max_vcpus.max = 3;
    assert_int_equal(control(XEN_DOMCTL_max_vcpus, id, &op), -XEN_EINVAL);
    machine_preempt_every = 2;
    op.u.max_vcpus.max = 2;
    assert_int_equal(control(XEN_DOMCTL_max_vcpus, id, &op), 0);
    machine_preempt_every = 0;
    assert_int_equal(info_of(id).max_vcpu_id, 1);
    op.u.max_vcpus.max = 2;
    assert_int_equal(control(XEN_DOMCTL_max_vcpus, id, &op), 0);        /* again: nothing more */
    machine_destroy(id);
}

static void memory_limit_holds(void **state)
{
    domid_t id = machine_domain(1, 3);
    struct xen_domctl op = { .u.max_mem.max_memkb = 4 * 4 };
    uint64_t list[4] = { 0 };
    struct xen_memory_reservation r = { .extent_start = GADDR((uint64_t)list), .nr_extents = 4, .domid = id };

    assert_int_equal(control(XEN_DOMCTL_max_mem, id, &op), 0);
    assert_int_equal(
        machine_call(dom0->vcpu[0], __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uint64_t)&r, 0, 0), 1);
    assert_int_equal(info_of(id).tot_pages, 4);
    assert_int_equal(info_of(id).max_pages, 4);
    machine_destroy(id);
}

static void ended_domain_leaves_nothing(void **state)
{
    uint64_t free_before = frames_free_count();

    for (unsigned round = 0; round < 20; round++) {
        domid_t id = machine_domain(4, 30);
        struct xen_domctl op = { 0 };

        machine_preempt_every = round % 5;
        machine_destroy(id);
        machine_preempt_every = 0;
        assert_int_equal(control(XEN_DOMCTL_pausedomain, id, &op), -XEN_ESRCH);
    }
    assert_int_equal(frames_free_count(), free_before);
}

/* What a guest's kernel registers at boot holds frames of its memory: none of it may outlive the domain. */
static void registered_pages_are_released(void **state)
{
    uint64_t free_before = frames_free_count();
    domid_t id = machine_domain(2, 4);
    struct domain *d = domain_get(id);
    struct vcpu *v = d->vcpu[0];
    struct vcpu_register_vcpu_info info = { .mfn = machine_frame(id), .offset = 64 };
    struct evtchn_init_control fifo = { .control_gfn = machine_frame(id), .vcpu = 0 };
    struct evtchn_expand_array page = { .array_gfn = machine_frame(id) };
    uint64_t gdt = machine_frame(id);

    assert_int_equal(machine_call(v, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, (uint64_t)&info, 0),
                     0);
    assert_int_equal(
        machine_call(v, __HYPERVISOR_event_channel_op, EVTCHNOP_init_control, (uint64_t)&fifo, 0, 0), 0);
    assert_int_equal(
        machine_call(v, __HYPERVISOR_event_channel_op, EVTCHNOP_expand_array, (uint64_t)&page, 0, 0), 0);
    assert_int_equal(machine_call(v, __HYPERVISOR_set_gdt, (uint64_t)&gdt, 512, 0, 0), 0);
    machine_destroy(id);
    assert_int_equal(d->frames, 0);
    domain_put(d);
    machine_call(dom0->vcpu[0], __HYPERVISOR_xen_version, 0, 0, 0, 0);      /* the last reference's work */
    assert_null(domain_get(id));
    assert_int_equal(frames_free_count(), free_before);
}

/* A reference keeps the shell; it cannot be brought back to life. */
static void dying_domain_stays_dead(void **state)
{
    domid_t id = machine_domain(1, 1);
    struct domain *d = domain_get(id);
    struct vcpu_guest_context c = { .flags = VGCF_in_kernel };
    struct xen_domctl op = { .u.vcpucontext.ctxt = GADDR((uint64_t)&c) };

    machine_destroy(id);
    assert_true(info_of(id).flags & XEN_DOMINF_dying);
    assert_int_equal(control(XEN_DOMCTL_setvcpucontext, id, &op), -XEN_EINVAL);
    op = (struct xen_domctl){ 0 };
    assert_int_equal(control(XEN_DOMCTL_unpausedomain, id, &op), -XEN_EINVAL);
    assert_int_equal(control(XEN_DOMCTL_resumedomain, id, &op), -XEN_EINVAL);
    op.u.max_vcpus.max = 1;
    assert_int_equal(control(XEN_DOMCTL_max_vcpus, id, &op), -XEN_EINVAL);
    assert_int_equal(control(XEN_DOMCTL_destroydomain, id, &op), 0);
    domain_put(d);
    machine_call(dom0->vcpu[0], __HYPERVISOR_xen_version, 0, 0, 0, 0);      /* the last reference's work */
    assert_int_equal(control(XEN_DOMCTL_destroydomain, id, &op), -XEN_ESRCH);
}

/* ---- small settings ---- */
static void scheduler_weights(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct xen_domctl op = { .u.scheduler_op = { .sched_id = XEN_SCHEDULER_CREDIT2,
                                                 .cmd = XEN_DOMCTL_SCHEDOP_putinfo,
                                                 .u.credit2 = { .weight = 1024, .cap = 0xffff } } };

    assert_int_equal(control(XEN_DOMCTL_scheduler_op, id, &op), 0);
    op.u.scheduler_op.u.credit2.weight = 0;                     /* leave it */
    assert_int_equal(control(XEN_DOMCTL_scheduler_op, id, &op), 0);
    op.u.scheduler_op.u.credit2.cap = 150;
    assert_int_equal(control(XEN_DOMCTL_scheduler_op, id, &op), 0);
    op.u.scheduler_op.u.credit2.cap = UINT16_MAX;               /* leave it */
    assert_int_equal(control(XEN_DOMCTL_scheduler_op, id, &op), 0);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    assert_int_equal(control(XEN_DOMCTL_scheduler_op, id, &op), 0);
    assert_int_equal(op.u.scheduler_op.u.credit2.weight, 1024);
    assert_int_equal(op.u.scheduler_op.u.credit2.cap, 150);
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_RTDS;
    assert_int_equal(control(XEN_DOMCTL_scheduler_op, id, &op), -XEN_EINVAL);
    machine_destroy(id);
}

static void clock_modes(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct xen_domctl op = { .u.tsc_info = { .tsc_mode = 2, .incarnation = 3 } };

    assert_int_equal(control(XEN_DOMCTL_settscinfo, id, &op), 0);
    op = (struct xen_domctl){ 0 };
    assert_int_equal(control(XEN_DOMCTL_gettscinfo, id, &op), 0);
    assert_int_equal(op.u.tsc_info.tsc_mode, 2);
    assert_int_equal(op.u.tsc_info.incarnation, 3);
    assert_int_equal(op.u.tsc_info.gtsc_khz, 2000000);
    op.u.tsc_info = (struct xen_domctl_tsc_info){ .tsc_mode = 1 };
    assert_int_equal(control(XEN_DOMCTL_settscinfo, id, &op), -XEN_EOPNOTSUPP);
    op.u.tsc_info = (struct xen_domctl_tsc_info){ .tsc_mode = 0, .gtsc_khz = 1 };
    assert_int_equal(control(XEN_DOMCTL_settscinfo, id, &op), -XEN_EOPNOTSUPP);
    machine_destroy(id);
}

static void only_own_rights_are_given(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct domain *d = domain_get(id);
    struct xen_domctl op = { .u.ioport_permission = {
                                 .first_port = 0x3f8, .nr_ports = 8, .allow_access = 1 } };

    assert_int_equal(control(XEN_DOMCTL_ioport_permission, id, &op), 0);
    assert_true(ranges_have(&d->pv.io_ports, 0x3f8, 0x3ff));
    op.u.ioport_permission.allow_access = 0;
    assert_int_equal(control(XEN_DOMCTL_ioport_permission, id, &op), 0);
    assert_false(ranges_have(&d->pv.io_ports, 0x3f8, 0x3f8));
    op.u.ioport_permission = (struct xen_domctl_ioport_permission){ .first_port = 0xffff, .nr_ports = 2 };
    assert_int_equal(control(XEN_DOMCTL_ioport_permission, id, &op), -XEN_EINVAL);
    op.u.iomem_permission = (struct xen_domctl_iomem_permission){ .first_mfn = 0x1ff0, .nr_mfns = 0x11 };
    assert_int_equal(control(XEN_DOMCTL_iomem_permission, id, &op), -XEN_EPERM);
    op.u.iomem_permission = (struct xen_domctl_iomem_permission){ .first_mfn = ~0ull, .nr_mfns = 2 };
    assert_int_equal(control(XEN_DOMCTL_iomem_permission, id, &op), -XEN_EINVAL);
    op.u.irq_permission = (struct xen_domctl_irq_permission){ .pirq = 256, .allow_access = 1 };
    assert_int_equal(control(XEN_DOMCTL_irq_permission, id, &op), -XEN_EPERM);
    domain_put(d);
    machine_destroy(id);
}

static void frame_types_are_told(void **state)
{
    domid_t id = machine_domain(1, 0);
    uint64_t list[3] = { machine_frame(id), 3, ~0ull };
    struct xen_domctl op = { .u.getpageframeinfo3 = { .num = 3, .array = GADDR((uint64_t)list) } };

    assert_int_equal(control(XEN_DOMCTL_getpageframeinfo3, id, &op), 0);
    assert_int_equal(list[0], XEN_DOMCTL_PFINFO_NOTAB);
    assert_int_equal(list[1], XEN_DOMCTL_PFINFO_XTAB);
    assert_int_equal(list[2], XEN_DOMCTL_PFINFO_XTAB);
    op.u.getpageframeinfo3.num = 1025;
    assert_int_equal(control(XEN_DOMCTL_getpageframeinfo3, id, &op), -XEN_E2BIG);
    machine_destroy(id);
}

static void hypercall_page_only_into_own_memory(void **state)
{
    domid_t id = machine_domain(1, 0);
    struct xen_domctl op = { .u.hypercall_init.gmfn = machine_frame(id) };
    const uint8_t *page = host_memory + op.u.hypercall_init.gmfn * PAGE_SIZE;

    assert_int_equal(control(XEN_DOMCTL_hypercall_init, id, &op), 0);
    assert_int_equal(page[32 * __HYPERVISOR_sched_op + 4], __HYPERVISOR_sched_op);
    op.u.hypercall_init.gmfn = 3;
    assert_int_equal(control(XEN_DOMCTL_hypercall_init, id, &op), -XEN_EACCES);
    op.u.hypercall_init.gmfn = ~0ull;
    assert_int_equal(control(XEN_DOMCTL_hypercall_init, id, &op), -XEN_EACCES);
    machine_destroy(id);
}

/* ---- two tools at one domain ---- */
static struct xen_domctl second;

/* Its call is begun again later: nothing of it has happened. */
static void second_tool(void)
{
    struct vcpu *v = dom0->vcpu[0];
    struct regs first = v->regs;
    uint64_t rip = v->regs.rip;

    v->regs.rax = __HYPERVISOR_domctl;
    v->regs.rdi = (uint64_t)&second;
    hypercall(v);
    assert_true(v->restart);
    assert_int_not_equal(v->regs.rip, rip);
    v->regs = first;
    v->restart = false;
}

static void one_operation_at_a_time_on_a_domain(void **state)
{
    domid_t id = machine_domain(1, 0);
    static struct vcpu_guest_context c;
    struct xen_domctl op = { .u.vcpucontext.ctxt = GADDR((uint64_t)&c) };
    struct domain *d = domain_get(id);

    d->vcpu[0]->initialised = true;
    second = (struct xen_domctl){ .cmd = XEN_DOMCTL_max_mem,
                                  .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                                  .domain = id,
                                  .u.max_mem.max_memkb = 400 };
    host_midway = second_tool;
    assert_int_equal(control(XEN_DOMCTL_getvcpucontext, id, &op), 0);
    assert_null(host_midway);
    assert_int_equal(info_of(id).max_pages, 1024);
    assert_int_equal(control(XEN_DOMCTL_max_mem, id, &second), 0);
    assert_int_equal(info_of(id).max_pages, 100);
    machine_destroy(id);
    domain_put(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_is_chosen),
        cmocka_unit_test(number_is_wanted),
        cmocka_unit_test(number_beyond_all_is_no_wish),
        cmocka_unit_test(refused_configurations),
        cmocka_unit_test(versions_and_callers),
        cmocka_unit_test(every_operation_on_nobody),
        cmocka_unit_test(pauses_are_counted),
        cmocka_unit_test(dom0_is_not_paused_nor_ended),
        cmocka_unit_test(vcpus_as_many_as_created),
        cmocka_unit_test(memory_limit_holds),
        cmocka_unit_test(ended_domain_leaves_nothing),
        cmocka_unit_test(registered_pages_are_released),
        cmocka_unit_test(dying_domain_stays_dead),
        cmocka_unit_test(scheduler_weights),
        cmocka_unit_test(clock_modes),
        cmocka_unit_test(only_own_rights_are_given),
        cmocka_unit_test(frame_types_are_told),
        cmocka_unit_test(hypercall_page_only_into_own_memory),
        cmocka_unit_test(one_operation_at_a_time_on_a_domain),
    };

    machine_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
