/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every operation of each family, its structure filled with bytes that hurt, or its address bad. Those that
 * end the machine, or stop us, by their purpose are left out.
 */
#include "rt.h"

TEST("hostile: every operation with hostile structures");

struct row { unsigned nr, cmd; };
#define OP_(hypercall_nr, cmd) { hypercall_nr, cmd },
static const struct row rows[] = {
#define OP(nr, name, type, copy, who, target) OP_(__HYPERVISOR_event_channel_op, nr)
#include <abi/ops/event.def>
#undef OP
#define OP(nr, name, type, copy, who, target) OP_(__HYPERVISOR_memory_op, nr)
#include <abi/ops/memory.def>
#undef OP
#define OP(nr, name, type, copy, who, target) OP_(__HYPERVISOR_physdev_op, nr)
#include <abi/ops/physdev.def>
#undef OP
#define OP(nr, name, type, copy, who, target) OP_(__HYPERVISOR_sched_op, nr)
#include <abi/ops/sched.def>
#undef OP
#define OP(nr, name, type, copy, who, state) OP_(__HYPERVISOR_vcpu_op, nr)
#include <abi/ops/vcpu.def>
#undef OP
#define OP(nr, name, member, copy, target) OP_(__HYPERVISOR_domctl, nr)
#include <abi/ops/domctl.def>
#undef OP
#define OP(nr, name, member, copy) OP_(__HYPERVISOR_sysctl, nr)
#include <abi/ops/sysctl.def>
#undef OP
#define OP(nr, name, member, copy) OP_(__HYPERVISOR_platform_op, nr)
#include <abi/ops/platform.def>
#undef OP
};

static bool left_out(const struct row *r)
{
    switch (r->nr) {
    case __HYPERVISOR_sched_op:
        return r->cmd != SCHEDOP_yield && r->cmd != SCHEDOP_poll && r->cmd != SCHEDOP_pin_override;
    case __HYPERVISOR_vcpu_op:
        return r->cmd == VCPUOP_down || r->cmd == VCPUOP_send_nmi;
    case __HYPERVISOR_platform_op:      /* these do what they are told to the machine */
        return r->cmd == XENPF_enter_acpi_sleep || r->cmd == XENPF_resource_op ||
               r->cmd == XENPF_efi_runtime_call;
    case __HYPERVISOR_physdev_op:
        return r->cmd == PHYSDEVOP_apic_write || r->cmd == PHYSDEVOP_set_iopl || r->cmd == PHYSDEVOP_dbgp_op;
    case __HYPERVISOR_sysctl:
        return r->cmd == XEN_SYSCTL_debug_keys;
    }
    return false;
}

static uint8_t *page;

static long call(const struct row *r, void *arg)
{
    uint32_t *words = arg;
    bool readable = arg == page;

    switch (r->nr) {
    case __HYPERVISOR_domctl: case __HYPERVISOR_sysctl: case __HYPERVISOR_platform_op:
        if (readable) {
            words[0] = r->cmd;
            words[1] = r->nr == __HYPERVISOR_domctl ? XEN_DOMCTL_INTERFACE_VERSION :
                       r->nr == __HYPERVISOR_sysctl ? XEN_SYSCTL_INTERFACE_VERSION : XENPF_INTERFACE_VERSION;
            if (r->nr == __HYPERVISOR_domctl)
                words[2] = 1234;
        }
        return hypercall(r->nr, arg, 0, 0, 0);
    case __HYPERVISOR_vcpu_op:
        return vcpu_op(r->cmd, 0, arg);
    }
    return hypercall(r->nr, r->cmd, arg, 0, 0);
}

void test_main(void)
{
    static const uint8_t fill[] = { 0x00, 0xff, 0x7f, 0x80, 0x01 };
    static const uint64_t bad[] = { 0x1000, 0xffff830000000000, 0x8000000000000000, 0xfffffffffffffffc };

    page = page_alloc();
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (left_out(&rows[i]))
            continue;
        for (unsigned f = 0; f < ARRAY_LEN(fill); f++) {
            /* zero timeouts and areas are good ones */
            if (rows[i].nr == __HYPERVISOR_sched_op && fill[f] != 0xff && fill[f] != 0x80)
                continue;
            memset(page, fill[f], PAGE_SIZE);
            call(&rows[i], page);
        }
        for (unsigned b = 0; b < ARRAY_LEN(bad); b++)
            call(&rows[i], (void *)bad[b]);
        call(&rows[i], page + PAGE_SIZE - 4);
    }
    CHECK(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0) > 0);
}
