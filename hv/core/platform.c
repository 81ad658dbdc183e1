/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 tells and asks about the machine: clock, firmware, power, processors. Rows:
 * abi/ops/platform.def. */
#include <hv/crash.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/ops.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hw/hw.h>

#include <string.h>

/* ---- clock ---- */

int platform_op_settime32(struct vcpu *v, struct xen_platform_op *op)
{
    const struct xenpf_settime32 *t = &op->u.settime32;

    wallclock_set(t->secs, t->nsecs, t->system_time);
    return 0;
}

int platform_op_settime64(struct vcpu *v, struct xen_platform_op *op)
{
    const struct xenpf_settime64 *t = &op->u.settime64;

    if (t->mbz)
        return refuse(v, -XEN_EINVAL, t->mbz, 0);
    wallclock_set(t->secs, t->nsecs, t->system_time);
    return 0;
}

/* ---- memory types: told, never changed. Facts: Intel SDM vol. 3 section 11.11 ---- */

enum { MSR_MTRR_CAP = 0xfe, MSR_MTRR_BASE0 = 0x200 };
#define MTRR_VALID (1ull << 11)

int platform_op_add_memtype(struct vcpu *v, struct xen_platform_op *op) { return -XEN_EOPNOTSUPP; }
int platform_op_del_memtype(struct vcpu *v, struct xen_platform_op *op) { return -XEN_EOPNOTSUPP; }

static bool mtrr_read(uint32_t n, uint64_t *base, uint64_t *mask)
{
    uint64_t cap;
    uint32_t r[4];

    hw_cpuid(1, 0, r);
    return (r[3] & 1u << 12) && !hw_rdmsr(MSR_MTRR_CAP, &cap) && n < (cap & 0xff) &&
           !hw_rdmsr(MSR_MTRR_BASE0 + 2 * n, base) && !hw_rdmsr(MSR_MTRR_BASE0 + 2 * n + 1, mask);
}

/* The lowest set bit of the mask is the size; masks with holes are read by nobody we know. */
int platform_op_read_memtype(struct vcpu *v, struct xen_platform_op *op)
{
    struct xenpf_read_memtype *t = &op->u.read_memtype;
    uint64_t base, mask;

    if (!mtrr_read(t->reg, &base, &mask))
        return -XEN_EINVAL;
    t->mfn = t->nr_mfns = t->type = 0;
    if (!(mask & MTRR_VALID) || !(mask >> PAGE_SHIFT))
        return 0;
    t->mfn = base >> PAGE_SHIFT;
    t->nr_mfns = 1ull << __builtin_ctzl(mask >> PAGE_SHIFT);
    t->type = base & 0xff;
    return 0;
}

/* ---- firmware ---- */

#define BIOS_SHIFT_FLAGS 0x417          /* BIOS data area: state of the shift and lock keys */

static uint8_t shift_flags(void)
{
    const uint8_t *page = frame_map(MFN(0));
    uint8_t flags = page[BIOS_SHIFT_FLAGS];

    frame_unmap(page);
    return flags;
}

/* We never call the BIOS and never start its disk or display services: there is nothing of theirs to tell. */
int platform_op_firmware_info(struct vcpu *v, struct xen_platform_op *op)
{
    struct xenpf_firmware_info *f = &op->u.firmware_info;

    switch (f->type) {
    case XEN_FW_KBD_SHIFT_FLAGS:
        if (f->index)
            return -XEN_ESRCH;
        f->u.kbd_shift_flags = machine.boot.efi.system_table ? 0 : shift_flags();
        return 0;
    case XEN_FW_DISK_INFO:
    case XEN_FW_DISK_MBR_SIGNATURE:
    case XEN_FW_VBEDDC_INFO:
    case XEN_FW_EFI_INFO:
        return -XEN_ESRCH;
    }
    return refuse(v, -XEN_EINVAL, f->type, f->index);
}

int platform_op_efi_runtime_call(struct vcpu *v, struct xen_platform_op *op) { return -XEN_ENOSYS; }
int platform_op_platform_quirk(struct vcpu *v, struct xen_platform_op *op) { return 0; }

/* ---- power ---- */

#define SLEEP_ENABLE (1u << 13)
#define STATE_OFF    5
#define OFF_WITHIN   3000000000ull      /* ns; power supplies take their time */

/* dom0 has read in the firmware's tables what to write; the last step is ours, for it stops all
 * processors. */
int platform_op_enter_acpi_sleep(struct vcpu *v, struct xen_platform_op *op)
{
    const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

    if (s->sleep_state < 1 || s->sleep_state > STATE_OFF)
        return refuse(v, -XEN_EINVAL, s->sleep_state, STATE_OFF);
    if (s->sleep_state != STATE_OFF || s->flags)
        return refuse(v, -XEN_EOPNOTSUPP, s->sleep_state, s->flags);
    if (!machine.acpi.fadt.present || !machine.acpi.fadt.pm1a_control.addr)
        return refuse(v, -XEN_EPERM, s->sleep_state, 0);
    printk(LOG_WARNING, "dom0 turns the machine off\n");
    crash_alone();
    hw_acpi_sleep((uint16_t)(s->val_a | SLEEP_ENABLE), (uint16_t)(s->val_b | SLEEP_ENABLE));
    for (uint64_t end = now_ns() + OFF_WITHIN; now_ns() < end;)
        hw_relax();
    printk(LOG_ERROR,
           "the machine is still on: PM1 control %x %x had no effect; it may be switched off now\n", s->val_a,
           s->val_b);
    hw_halt();
}

/* Idle states and frequencies are not used: what dom0 found is accepted, so that it does not ask again. */
int platform_op_set_processor_pminfo(struct vcpu *v, struct xen_platform_op *op)
{
    switch (op->u.set_pminfo.type) {
    case XEN_PM_CX:
    case XEN_PM_PX:
    case XEN_PM_TX:
    case XEN_PM_PDC:
        return 0;
    }
    return refuse(v, -XEN_EINVAL, op->u.set_pminfo.type, op->u.set_pminfo.id);
}

/* ---- processors ---- */

/* One byte of the map, and the times it asks for. Bits of processors that are not there are cleared. */
static int idle_times(const struct xenpf_getidletime *t, unsigned first)
{
    unsigned count = MIN(8u, t->cpumap_nr_cpus - first);
    gaddr_t at = GADDR(t->cpumap_bitmap.va + first / 8);
    uint8_t map;

    if (guest_read(&map, at, 1))
        return -XEN_EFAULT;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t ns;

        if (!(map >> i & 1))
            continue;
        if (i >= count || first + i >= pcpu_count) {
            map &= (uint8_t)~(1u << i);
            continue;
        }
        ns = pcpus[first + i]->idle_ns;
        if (guest_write(gaddr_index(t->idletime, first + i, sizeof(ns)), &ns, sizeof(ns)))
            return -XEN_EFAULT;
    }
    return guest_write(at, &map, 1);
}

int platform_op_getidletime(struct vcpu *v, struct xen_platform_op *op)
{
    struct xenpf_getidletime *t = &op->u.getidletime;
    unsigned cpus = MIN(t->cpumap_nr_cpus, (uint32_t)MAX_CPUS);

    for (unsigned first = 0; first < cpus; first += 8) {
        int rc = idle_times(t, first);

        if (rc)
            return refuse(v, rc, t->cpumap_bitmap.va, t->idletime.va);
    }
    t->now = now_ns();
    return 0;
}

/* What the firmware calls the processor with that APIC. */
static uint32_t acpi_id(uint32_t apic_id)
{
    for (unsigned i = 0; i < machine.acpi.cpus; i++)
        if (machine.acpi.cpu[i].apic_id == apic_id)
            return machine.acpi.cpu[i].uid;
    return ~0u;
}

int platform_op_get_cpuinfo(struct vcpu *v, struct xen_platform_op *op)
{
    struct xenpf_pcpuinfo *i = &op->u.pcpu_info;

    i->max_present = pcpu_count - 1;
    if (i->xen_cpuid >= pcpu_count) {
        i->flags = XEN_PCPU_FLAGS_INVALID;
        return 0;
    }
    i->flags = XEN_PCPU_FLAGS_ONLINE;
    i->apic_id = pcpus[i->xen_cpuid]->apic_id;
    i->acpi_id = acpi_id(i->apic_id);
    return 0;
}

/* Family, model and stepping as leaf 1 encodes them (Intel SDM vol. 2, CPUID). All processors are alike. */
static void signature(uint32_t eax, struct xenpf_pcpu_version *out)
{
    out->family = eax >> 8 & 15;
    out->model = eax >> 4 & 15;
    out->stepping = eax & 15;
    if (out->family == 6 || out->family == 15)
        out->model |= eax >> 12 & 0xf0;
    if (out->family == 15)
        out->family += eax >> 20 & 0xff;
}

int platform_op_get_cpu_version(struct vcpu *v, struct xen_platform_op *op)
{
    struct xenpf_pcpu_version *p = &op->u.pcpu_version;
    uint32_t r[4];

    p->max_present = pcpu_count - 1;
    memset(p->vendor_id, 0, sizeof(p->vendor_id));
    p->family = p->model = p->stepping = 0;
    if (p->xen_cpuid >= pcpu_count)
        return 0;
    hw_cpuid(0, 0, r);
    memcpy(p->vendor_id, &r[1], 4);
    memcpy(p->vendor_id + 4, &r[3], 4);
    memcpy(p->vendor_id + 8, &r[2], 4);
    hw_cpuid(1, 0, r);
    signature(r[0], p);
    return 0;
}

int platform_op_cpu_online(struct vcpu *v, struct xen_platform_op *op) { return -XEN_EOPNOTSUPP; }
int platform_op_cpu_offline(struct vcpu *v, struct xen_platform_op *op) { return -XEN_EOPNOTSUPP; }

/* ---- registers of a processor: dom0 may read its time, and no other register is shown or changed ---- */

#define RESOURCE_ENTRIES 16u
#define MSR_TSC          0x10

static int resource_one(struct xenpf_resource_entry *e)
{
    if (e->rsvd)
        return -XEN_EINVAL;
    if (e->u.cmd != XEN_RESOURCE_OP_MSR_READ && e->u.cmd != XEN_RESOURCE_OP_MSR_WRITE)
        return -XEN_EOPNOTSUPP;
    if (e->u.cmd == XEN_RESOURCE_OP_MSR_WRITE || e->idx != MSR_TSC)
        return -XEN_EPERM;
    e->val = now_ns();
    return 0;
}

/* Answers how many entries were done; the one that was not holds its error. */
int platform_op_resource_op(struct vcpu *v, struct xen_platform_op *op)
{
    const struct xenpf_resource_op *r = &op->u.resource_op;

    if (!r->nr_entries || r->nr_entries > RESOURCE_ENTRIES)
        return refuse(v, -XEN_EINVAL, r->nr_entries, RESOURCE_ENTRIES);
    if (r->cpu >= pcpu_count)
        return -XEN_ENODEV;
    for (unsigned i = 0; i < r->nr_entries; i++) {
        gaddr_t at = gaddr_index(r->entries, i, sizeof(struct xenpf_resource_entry));
        struct xenpf_resource_entry e;

        if (guest_read(&e, at, sizeof(e)))
            return -XEN_EFAULT;
        e.u.ret = resource_one(&e);
        if (guest_write(at, &e, sizeof(e)))
            return -XEN_EFAULT;
        if (e.u.ret)
            return (int)i;
    }
    return (int)r->nr_entries;
}

/* Our symbols stand in the file hauch.elf, not in memory: the list ends where it begins. */
int platform_op_get_symbol(struct vcpu *v, struct xen_platform_op *op)
{
    op->u.symdata.namelen = 0;
    op->u.symdata.address = 0;
    return 0;
}
