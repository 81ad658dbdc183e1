/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which PIRQ of which domain is which line. Changes here are rare and come from dom0; one lock guards them
 * all. Binding and interrupts only read a domain's table, whose entries change by single stores: who finds a
 * line there looks, with the line locked, whether the domain is still a user of it.
 */
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pci.h>
#include <hv/print.h>

#include "irq_line.h"

#define RESERVED 0xffffu        /* set aside by irq_reserve() */

static spinlock_t map_lock = SPINLOCK(LOCK_DOMAIN);

void irq_map_lock(void) { spin_lock(&map_lock); }
void irq_map_unlock(void) { spin_unlock(&map_lock); }

static uint16_t entry_of(const struct domain *d, uint32_t pirq)
{
    const uint16_t *table = __atomic_load_n(&d->irqs.line, __ATOMIC_ACQUIRE);

    return table && pirq < MAX_PIRQS ? __atomic_load_n(&table[pirq], __ATOMIC_ACQUIRE) : 0;
}

static void entry_set(struct domain *d, uint32_t pirq, unsigned value)
{
    __atomic_store_n(&d->irqs.line[pirq], (uint16_t)value, __ATOMIC_RELEASE);
}

struct irq_line *irq_line_of(struct domain *d, uint32_t pirq)
{
    uint16_t e = entry_of(d, pirq);

    return e && e != RESERVED ? &irq_lines[e - 1] : NULL;
}

/* ---- choosing numbers: map locked ---- */

/* What dies gets nothing more: irq_domain_release() comes after `dying` is set, and takes the lock too. */
static int table_ready(struct domain *d)
{
    if (__atomic_load_n(&d->dying, __ATOMIC_ACQUIRE) != DOMAIN_ALIVE)
        return -XEN_EINVAL;
    if (!d->irqs.line)
        __atomic_store_n(&d->irqs.line, kalloc(MAX_PIRQS * sizeof(uint16_t)), __ATOMIC_RELEASE);
    return d->irqs.line ? 0 : -XEN_ENOMEM;
}

static bool pirqs_free(struct domain *d, uint32_t first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (entry_of(d, first + i))
            return false;
    return true;
}

/* count free PIRQs in a row, above those that are GSIs of dom0. */
static int pirqs_find(struct domain *d, unsigned count)
{
    for (uint32_t p = irq_gsi_count(); p + count <= MAX_PIRQS; p++)
        if (pirqs_free(d, p, count))
            return (int)p;
    return -XEN_ENOSPC;
}

/* The PIRQ to use: the wanted one if it is free or set aside, or any. */
static int pirq_choose(struct domain *d, int32_t wanted, int32_t preferred, unsigned count)
{
    if (wanted < 0) {
        if (preferred >= 0 && !entry_of(d, (uint32_t)preferred))
            return preferred;
        return pirqs_find(d, count);
    }
    if ((uint32_t)wanted + count > MAX_PIRQS)
        return -XEN_EINVAL;
    if (count == 1 && entry_of(d, (uint32_t)wanted) == RESERVED)
        return wanted;
    return pirqs_free(d, (uint32_t)wanted, count) ? wanted : -XEN_EEXIST;
}

int irq_reserve(struct domain *d)
{
    int p;

    irq_map_lock();
    p = table_ready(d);
    if (!p)
        p = pirqs_find(d, 1);
    if (p >= 0)
        entry_set(d, (uint32_t)p, RESERVED);
    irq_map_unlock();
    return p;
}

/* ---- GSIs ---- */

/* A pin keeps its vector while anybody has it mapped. */
static int pin_ready(struct irq_line *l)
{
    int rc = l->vector ? 0 : irq_vectors_take(l, 1);

    if (rc)
        return rc;
    spin_lock(&l->lock);
    ioapic_pin_set(l);
    spin_unlock(&l->lock);
    return 0;
}

static int user_add(struct irq_line *l, struct domain *d, uint32_t pirq)
{
    int rc;

    spin_lock(&l->lock);
    rc = irq_user_add(l, d, pirq);
    spin_unlock(&l->lock);
    return rc;
}

/* A second user: from now on the line needs its timer, for good. */
static int late_ready(struct irq_line *l)
{
    bool second = false;

    for (unsigned i = 0; i < IRQ_SHARERS; i++)
        second |= l->user[i].d != NULL;
    if (!second || l->may_be_late)
        return 0;
    if (timer_reserve(1))
        return -XEN_ENOMEM;
    timer_init(&l->late, irq_late, l, 0);
    l->may_be_late = true;
    return 0;
}

/* The PIRQ by which d has this line already, or -1. */
static int pirq_of_line(struct domain *d, const struct irq_line *l)
{
    for (unsigned i = 0; i < IRQ_SHARERS; i++)
        if (l->user[i].d == d)
            return l->user[i].pirq;
    return -1;
}

static int map_gsi(struct domain *d, struct irq_line *l, int32_t wanted)
{
    int p = pirq_of_line(d, l), rc = table_ready(d);

    if (rc)
        return rc;
    if (p >= 0)
        return wanted < 0 || wanted == p ? p : -XEN_EEXIST;
    p = pirq_choose(d, wanted, (int32_t)(l - irq_lines), 1);
    if (p < 0)
        return p;
    rc = pin_ready(l);
    if (!rc)
        rc = late_ready(l);
    if (!rc)
        rc = user_add(l, d, (uint32_t)p);
    if (rc)
        return rc;
    entry_set(d, (uint32_t)p, (unsigned)(l - irq_lines) + 1);
    return p;
}

int irq_map_gsi(struct domain *d, unsigned gsi, int32_t pirq)
{
    struct irq_line *l = irq_gsi_line(gsi);
    int rc;

    if (!l)
        return -XEN_EINVAL;
    irq_map_lock();
    rc = map_gsi(d, l, pirq);
    irq_map_unlock();
    return rc;
}

/* ---- MSIs ---- */

static struct irq_line *msi_lines_find(unsigned count)
{
    for (unsigned n = irq_gsi_count(); n + count <= MAX_IRQS; n++) {
        unsigned i = 0;

        while (i < count && !irq_lines[n + i].device)
            i++;
        if (i == count)
            return &irq_lines[n];
    }
    return NULL;
}

static void msi_line_init(struct irq_line *l, struct pci_device *p, bool msix, unsigned entry, unsigned count)
{
    spin_lock(&l->lock);
    l->level = l->low = l->open = false;
    l->cpu = 0;
    l->count = 0;
    l->device = p;
    l->msix = msix;
    l->entry = (uint16_t)entry;
    l->group = (uint8_t)count;
    spin_unlock(&l->lock);
}

static void msi_lines_give(struct domain *d, uint32_t pirq, struct irq_line *l, struct pci_device *p,
                           bool msix, unsigned entry, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        msi_line_init(&l[i], p, msix, msix ? entry : i, count);
        BUG_ON(user_add(&l[i], d, pirq + i));
        entry_set(d, pirq + i, (unsigned)(&l[i] - irq_lines) + 1);
    }
    msi_write(l);
}

static bool msi_in_use(const struct pci_device *p, bool msix, unsigned entry)
{
    for (unsigned n = irq_gsi_count(); n < MAX_IRQS; n++)
        if (irq_lines[n].device == p && (irq_lines[n].msix != msix || !msix || irq_lines[n].entry == entry))
            return true;
    return false;
}

static int map_msi(struct domain *d, struct pci_device *p, bool msix, unsigned entry, unsigned count,
                   int32_t wanted)
{
    struct irq_line *l;
    int pirq, rc = table_ready(d);

    if (rc)
        return rc;
    if (msi_in_use(p, msix, entry))
        return -XEN_EEXIST;
    pirq = pirq_choose(d, wanted, -1, count);
    if (pirq < 0)
        return pirq;
    l = msi_lines_find(count);
    if (!l || irq_vectors_take(l, count))
        return -XEN_ENOSPC;
    msi_lines_give(d, (uint32_t)pirq, l, p, msix, entry, count);
    return pirq;
}

int irq_map_msi(struct domain *d, struct pci_device *p, bool msix, unsigned entry, unsigned count,
                int32_t pirq)
{
    int rc;

    irq_map_lock();
    rc = map_msi(d, p, msix, entry, count, pirq);
    irq_map_unlock();
    return rc;
}

static void msi_line_end(struct irq_line *l)
{
    spin_lock(&l->lock);
    msi_mask(l, true);
    for (unsigned i = 0; i < IRQ_SHARERS; i++) {
        if (!l->user[i].d)
            continue;
        entry_set(l->user[i].d, l->user[i].pirq, 0);
        irq_user_remove(l, l->user[i].d, l->user[i].pirq);
    }
    l->device = NULL;
    spin_unlock(&l->lock);
    irq_vectors_drop(l, 1);
}

/* All messages of what l is the first of. */
static void msi_end(struct irq_line *l)
{
    unsigned count = l->msix ? 1 : l->group;

    for (unsigned i = 0; i < count; i++)
        msi_line_end(&l[i]);
}

void irq_msi_drop(struct pci_device *p)
{
    irq_map_lock();
    for (unsigned n = irq_gsi_count(); n < MAX_IRQS; n++)
        if (irq_lines[n].device == p)
            msi_line_end(&irq_lines[n]);
    irq_map_unlock();
}

void irq_msi_restore(struct pci_device *p)
{
    irq_map_lock();
    for (unsigned n = irq_gsi_count(); n < MAX_IRQS; n++) {
        struct irq_line *l = &irq_lines[n];

        if (l->device != p)
            continue;
        spin_lock(&l->lock);
        if (l->msix || l->entry == 0)
            msi_write(l);
        if (l->open)
            msi_mask(l, false);
        spin_unlock(&l->lock);
    }
    irq_map_unlock();
}

/* ---- the end of a mapping ---- */

static bool line_unused(const struct irq_line *l)
{
    for (unsigned i = 0; i < IRQ_SHARERS; i++)
        if (l->user[i].d)
            return false;
    return !l->own;
}

static void unmap_gsi(struct domain *d, struct irq_line *l, uint32_t pirq)
{
    bool unused;

    entry_set(d, pirq, 0);
    spin_lock(&l->lock);
    irq_user_remove(l, d, pirq);
    unused = line_unused(l);
    spin_unlock(&l->lock);
    if (unused)
        irq_vectors_drop(l, 1);
}

static int unmap(struct domain *d, uint32_t pirq)
{
    struct irq_line *l = irq_line_of(d, pirq);

    if (entry_of(d, pirq) == RESERVED)
        entry_set(d, pirq, 0);
    else if (!l || (l->device && !l->msix && l->entry != 0))
        return -XEN_EINVAL;
    else if (l->device)
        msi_end(l);
    else
        unmap_gsi(d, l, pirq);
    return 0;
}

int irq_unmap(struct domain *d, uint32_t pirq)
{
    int rc;

    irq_map_lock();
    rc = unmap(d, pirq);
    irq_map_unlock();
    return rc;
}

static void eoi_page_drop(struct domain *d)
{
    if (!d->irqs.has_eoi_page)
        return;
    d->irqs.has_eoi_page = false;
    frame_put_writable(d->irqs.eoi_page);
}

void irq_domain_release(struct domain *d)
{
    uint16_t *table;

    irq_map_lock();
    table = d->irqs.line;
    for (uint32_t p = 0; table && p < MAX_PIRQS; p++)
        (void)unmap(d, p);          /* what is not mapped, or went with the first of its group */
    eoi_page_drop(d);
    irq_map_unlock();
}

void irq_domain_free(struct domain *d)
{
    kfree(d->irqs.line);
    d->irqs.line = NULL;
}
