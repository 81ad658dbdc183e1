/* SPDX-License-Identifier: BSD-2-Clause */
/* Device operations of domains (rows: abi/ops/physdev.def). What they mean stands in irq.h and pci.h. */
#include <hv/domain.h>
#include <hv/irq.h>
#include <hv/ops.h>
#include <hv/pci.h>
#include <hv/vcpu.h>

#include "irq_line.h"

#define REDIRECTION_FIRST 0x10u
#define REDIRECTION_LOW   (1u << 13)
#define REDIRECTION_LEVEL (1u << 15)

static uint16_t bdf_of(unsigned bus, unsigned devfn)
{
    return (uint16_t)((bus & 0xff) << 8 | (devfn & 0xff));
}

/* ---- end of interrupt ---- */

int physdev_op_eoi(struct vcpu *v, struct domain *d, struct physdev_eoi *arg)
{
    int rc = irq_eoi(d, arg->irq);

    if (rc)
        return refuse(v, rc, arg->irq, 0);
    if (d->irqs.eoi_unmasks && d->events.pirq_port) {
        struct evtchn_unmask unmask = { .port = d->events.pirq_port[arg->irq] };

        if (unmask.port)
            return event_op_unmask(v, d, &unmask);
    }
    return 0;
}

static int eoi_page(struct vcpu *v, struct domain *d, xen_pfn_t frame, bool unmasks)
{
    int rc = irq_eoi_page_set(d, MFN(frame), unmasks);

    return rc ? refuse(v, rc, frame, 0) : 0;
}

int physdev_op_pirq_eoi_page_v1(struct vcpu *v, struct domain *d, struct physdev_pirq_eoi_gmfn *arg)
{
    return eoi_page(v, d, arg->gmfn, true);
}

int physdev_op_pirq_eoi_page(struct vcpu *v, struct domain *d, struct physdev_pirq_eoi_gmfn *arg)
{
    return eoi_page(v, d, arg->gmfn, false);
}

int physdev_op_irq_status_query(struct vcpu *v, struct domain *d, struct physdev_irq_status_query *arg)
{
    if (arg->irq >= MAX_PIRQS)
        return refuse(v, -XEN_EINVAL, arg->irq, MAX_PIRQS);
    arg->flags = irq_status(d, arg->irq);
    return 0;
}

/* ---- I/O rights of the calling vCPU ---- */

int physdev_op_set_iopl(struct vcpu *v, struct domain *d, struct physdev_set_iopl *arg)
{
    if (arg->iopl > 3)
        return refuse(v, -XEN_EINVAL, arg->iopl, 3);
    v->pv.iopl = (uint8_t)arg->iopl;
    pv_entry_changed(v);
    return 0;
}

int physdev_op_set_iobitmap(struct vcpu *v, struct domain *d, struct physdev_set_iobitmap *arg)
{
    if (arg->nr_ports > 65536 || !guest_range_ok(arg->bitmap.va, DIV_ROUND_UP(arg->nr_ports, 8u)))
        return refuse(v, -XEN_EINVAL, arg->nr_ports, arg->bitmap.va);
    v->pv.iobmp = arg->bitmap;
    v->pv.iobmp_ports = arg->nr_ports;
    return 0;
}

/* ---- IO-APICs as dom0 may see them ---- */

int physdev_op_apic_read(struct vcpu *v, struct domain *d, struct physdev_apic *arg)
{
    int n = ioapic_at(arg->apic_physbase);

    if (n < 0 || arg->reg > 0xff)
        return refuse(v, -XEN_EINVAL, arg->apic_physbase, arg->reg);
    arg->value = ioapic_register((unsigned)n, (uint8_t)arg->reg);
    return 0;
}

/* Of a redirection entry only the shape is dom0's business; the rest, and all other registers, stays as it
 * is. */
int physdev_op_apic_write(struct vcpu *v, struct domain *d, struct physdev_apic *arg)
{
    int n = ioapic_at(arg->apic_physbase), gsi;

    if (n < 0 || arg->reg > 0xff)
        return refuse(v, -XEN_EINVAL, arg->apic_physbase, arg->reg);
    if (arg->reg < REDIRECTION_FIRST || (arg->reg & 1))
        return 0;
    gsi = ioapic_gsi((unsigned)n, (arg->reg - REDIRECTION_FIRST) / 2);
    if (gsi >= 0)
        (void)irq_shape((unsigned)gsi, arg->value & REDIRECTION_LEVEL, arg->value & REDIRECTION_LOW);
    return 0;
}

int physdev_op_setup_gsi(struct vcpu *v, struct domain *d, struct physdev_setup_gsi *arg)
{
    int rc = irq_shape((unsigned)arg->gsi, arg->triggering, arg->polarity);

    return rc ? refuse(v, rc, (uint32_t)arg->gsi, arg->triggering | arg->polarity << 1) : 0;
}

/* ---- mapping ---- */

/* Older kernels name a GSI and want a vector, which means nothing to them but "mapped". */
int physdev_op_alloc_irq_vector(struct vcpu *v, struct domain *d, struct physdev_irq *arg)
{
    int rc = irq_map_gsi(d, arg->irq, arg->irq < MAX_PIRQS ? (int32_t)arg->irq : -1);

    if (rc < 0)
        return refuse(v, rc, arg->irq, 0);
    arg->vector = arg->irq;
    return 0;
}

int physdev_op_free_irq_vector(struct vcpu *v, struct domain *d, struct physdev_irq *arg)
{
    return 0;
}

/* table_base tells MSI-X from MSI, as the ABI has it. */
static int map_msi(struct vcpu *v, struct domain *d, struct physdev_map_pirq *arg, uint16_t segment,
                   unsigned count)
{
    struct pci_device *p = pci_device_find(segment, bdf_of((unsigned)arg->bus, (unsigned)arg->devfn));
    bool msix = arg->table_base != 0;
    unsigned entry = msix ? (unsigned)arg->entry_nr : 0;
    int rc = p ? msi_check(p, msix, entry, count, arg->table_base) : -XEN_ENODEV;

    if (rc)
        return rc;
    return irq_map_msi(d, p, msix, entry, count, arg->pirq);
}

static int map_pirq(struct vcpu *v, struct domain *d, struct physdev_map_pirq *arg)
{
    uint16_t segment = (uint16_t)((uint32_t)arg->bus >> 16);

    switch (arg->type) {
    case MAP_PIRQ_TYPE_GSI:
        return arg->index < 0 ? -XEN_EINVAL : irq_map_gsi(d, (unsigned)arg->index, arg->pirq);
    case MAP_PIRQ_TYPE_MSI:
        return map_msi(v, d, arg, 0, 1);
    case MAP_PIRQ_TYPE_MSI_SEG:
        return map_msi(v, d, arg, segment, 1);
    case MAP_PIRQ_TYPE_MULTI_MSI:
        if (arg->table_base || arg->entry_nr < 1 || arg->entry_nr > 32)
            return -XEN_EDOM;
        return map_msi(v, d, arg, segment, (unsigned)arg->entry_nr);
    }
    return -XEN_EINVAL;
}

int physdev_op_map_pirq(struct vcpu *v, struct domain *d, struct physdev_map_pirq *arg)
{
    int rc = map_pirq(v, d, arg);

    if (rc < 0)
        return refuse(v, rc, (uint32_t)arg->type,
                      arg->type == MAP_PIRQ_TYPE_GSI ? (uint32_t)arg->index :
                      bdf_of((unsigned)arg->bus, (unsigned)arg->devfn));
    arg->pirq = rc;
    return 0;
}

int physdev_op_unmap_pirq(struct vcpu *v, struct domain *d, struct physdev_unmap_pirq *arg)
{
    int rc = arg->pirq < 0 ? -XEN_EINVAL : irq_unmap(d, (uint32_t)arg->pirq);

    return rc ? refuse(v, rc, (uint32_t)arg->pirq, d->id) : 0;
}

int physdev_op_get_free_pirq(struct vcpu *v, struct domain *d, struct physdev_get_free_pirq *arg)
{
    int rc = irq_reserve(d);

    if (rc < 0)
        return refuse(v, rc, (uint32_t)arg->type, 0);
    arg->pirq = (uint32_t)rc;
    return 0;
}

/* ---- devices ---- */

static int device_add(struct vcpu *v, unsigned segment, unsigned bus, unsigned devfn)
{
    int rc = pci_device_add((uint16_t)segment, bdf_of(bus, devfn));

    return rc ? refuse(v, rc, segment, bdf_of(bus, devfn)) : 0;
}

static int device_remove(struct vcpu *v, unsigned segment, unsigned bus, unsigned devfn)
{
    int rc = pci_device_remove((uint16_t)segment, bdf_of(bus, devfn));

    return rc ? refuse(v, rc, segment, bdf_of(bus, devfn)) : 0;
}

int physdev_op_manage_pci_add(struct vcpu *v, struct domain *d, struct physdev_manage_pci *arg)
{
    return device_add(v, 0, arg->bus, arg->devfn);
}

int physdev_op_manage_pci_add_ext(struct vcpu *v, struct domain *d, struct physdev_manage_pci_ext *arg)
{
    return device_add(v, 0, arg->bus, arg->devfn);
}

int physdev_op_pci_device_add(struct vcpu *v, struct domain *d, struct physdev_pci_device_add *arg)
{
    return device_add(v, arg->seg, arg->bus, arg->devfn);
}

int physdev_op_manage_pci_remove(struct vcpu *v, struct domain *d, struct physdev_manage_pci *arg)
{
    return device_remove(v, 0, arg->bus, arg->devfn);
}

int physdev_op_pci_device_remove(struct vcpu *v, struct domain *d, struct physdev_pci_device *arg)
{
    return device_remove(v, arg->seg, arg->bus, arg->devfn);
}

/* We reach configuration space by ports alone, whatever dom0 thinks of the memory-mapped way. */
int physdev_op_pci_mmcfg_reserved(struct vcpu *v, struct domain *d, struct physdev_pci_mmcfg_reserved *arg)
{
    return 0;
}

static int restore(struct vcpu *v, unsigned segment, unsigned bus, unsigned devfn)
{
    struct pci_device *p = pci_device_find((uint16_t)segment, bdf_of(bus, devfn));

    if (!p)
        return refuse(v, -XEN_ENODEV, segment, bdf_of(bus, devfn));
    irq_msi_restore(p);
    return 0;
}

int physdev_op_restore_msi(struct vcpu *v, struct domain *d, struct physdev_restore_msi *arg)
{
    return restore(v, 0, arg->bus, arg->devfn);
}

int physdev_op_restore_msi_ext(struct vcpu *v, struct domain *d, struct physdev_pci_device *arg)
{
    return restore(v, arg->seg, arg->bus, arg->devfn);
}

/* A device is about to be given to a guest, or comes back: can its MSI-X be used at all? Nothing is kept for
 * it. */
static int msix_device(struct vcpu *v, const struct physdev_pci_device *arg)
{
    struct pci_device *p = pci_device_find(arg->seg, bdf_of(arg->bus, arg->devfn));

    return p && p->msix ? 0 : refuse(v, -XEN_ENODEV, arg->seg, bdf_of(arg->bus, arg->devfn));
}

int physdev_op_prepare_msix(struct vcpu *v, struct domain *d, struct physdev_pci_device *arg)
{
    return msix_device(v, arg);
}

int physdev_op_release_msix(struct vcpu *v, struct domain *d, struct physdev_pci_device *arg)
{
    return msix_device(v, arg);
}

/* The USB debug port is not used by us: dom0 need not ask. */
int physdev_op_dbgp_op(struct vcpu *v, struct domain *d, struct physdev_dbgp_op *arg)
{
    return -XEN_ENOSYS;
}
