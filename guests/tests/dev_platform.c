/* SPDX-License-Identifier: BSD-2-Clause */
/* platform_op: version, firmware questions, processors and their registers; sleep states that are none are
 * refused. */
#include "rt.h"

TEST("dev: platform_op");

static struct xen_platform_op op;

/* As sysctl tells it too. */
static uint32_t processors(void)
{
    static struct xen_sysctl s;

    CHECK_EQ(sysctl(XEN_SYSCTL_physinfo, &s), 0);
    return s.u.physinfo.nr_cpus;
}

static long platform(uint32_t cmd)
{
    op.cmd = cmd;
    op.interface_version = XENPF_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_platform_op, &op, 0, 0, 0);
}

/* Entries are done in order; the first that is not for us ends the call and holds its error. */
static void registers(void)
{
    static struct xenpf_resource_entry e[3];
    const int cases[][2] = { /* command, error */
        { XEN_RESOURCE_OP_MSR_READ, -XEN_EPERM },
        { XEN_RESOURCE_OP_MSR_WRITE, -XEN_EPERM },
        { 7, -XEN_EOPNOTSUPP },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&op, 0, sizeof op);
        memset(e, 0, sizeof e);
        op.u.resource_op.nr_entries = 3;
        op.u.resource_op.entries.va = (uint64_t)e;
        e[0].idx = e[2].idx = 0x10;             /* the time stamp: answered with the system time */
        e[1].u.cmd = (uint32_t)cases[i][0];
        e[1].idx = 0x122;                       /* TSX_CTRL */
        CHECK_EQ(platform(XENPF_resource_op), 1);
        CHECK_EQ(e[0].u.ret, 0);
        CHECK(e[0].val && e[0].val <= system_time());
        CHECK_EQ(e[1].u.ret, cases[i][1]);
        CHECK_EQ(e[2].val, 0);
    }
    op.u.resource_op.cpu = 4095;
    CHECK_EQ(platform(XENPF_resource_op), -XEN_ENODEV);
    op.u.resource_op.nr_entries = 0;
    CHECK_EQ(platform(XENPF_resource_op), -XEN_EINVAL);
}

void test_main(void)
{
    long r;

    op.interface_version = XENPF_INTERFACE_VERSION + 1;
    op.cmd = XENPF_firmware_info;
    CHECK_EQ(hypercall(__HYPERVISOR_platform_op, &op, 0, 0, 0), -XEN_EACCES);
    CHECK_EQ(hypercall(__HYPERVISOR_platform_op, 0x1000, 0, 0, 0), -XEN_EFAULT);
    CHECK_EQ(platform(9999), -XEN_ENOSYS);

    op.u.firmware_info.type = XEN_FW_KBD_SHIFT_FLAGS;
    r = platform(XENPF_firmware_info);
    CHECK(r == 0 || r == -XEN_ESRCH);
    op.u.firmware_info.type = XEN_FW_DISK_INFO;
    op.u.firmware_info.index = 200;
    CHECK_EQ(platform(XENPF_firmware_info), -XEN_ESRCH);
    op.u.firmware_info.type = 99;
    CHECK(platform(XENPF_firmware_info) < 0);
    memset(&op, 0, sizeof op);
    CHECK_EQ(platform(XENPF_get_cpuinfo), 0);
    CHECK_EQ(op.u.pcpu_info.max_present, processors() - 1);
    CHECK_EQ(op.u.pcpu_info.flags & XEN_PCPU_FLAGS_ONLINE, XEN_PCPU_FLAGS_ONLINE);
    registers();
    memset(&op, 0, sizeof op);
    op.u.settime64.secs = 1700000000;
    op.u.settime64.system_time = system_time();
    CHECK_EQ(platform(XENPF_settime64), 0);
    CHECK(shared->wc_sec <= 1700000000u && shared->wc_sec > 1699990000u);
    op.u.settime64.mbz = 1;
    CHECK(platform(XENPF_settime64) < 0);
    memset(&op, 0, sizeof op);
    op.u.enter_acpi_sleep.sleep_state = 99;
    CHECK(platform(XENPF_enter_acpi_sleep) < 0);
    op.u.cpu_ol.cpuid = 999;
    CHECK(platform(XENPF_cpu_offline) < 0);
    op.u.efi_runtime_call.function = 999;
    CHECK(platform(XENPF_efi_runtime_call) < 0);
}
