/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines: from the vector that the processor took to the event channels of those who asked for it.
 *
 * An edge (and every MSI) is acknowledged at once and passed on. A level-triggered pin would interrupt again
 * for as long as the device holds it, and only the guest can make the device let go; so the pin is masked
 * first, then acknowledged, and opened again when each domain that got the event has said EOI
 * (PHYSDEVOP_eoi). A line nobody is bound to is masked at its source. Where several domains share a pin, one
 * of them must not be able to keep the others' device silent: after EOI_WITHIN the pin is opened without its
 * word. If its device still interrupts, so be it; that costs everybody one event in that time.
 *
 * A line interrupts the processor on which the vCPU runs that its event channel is bound to, so that nobody
 * is interrupted for another. It follows late: where an occurrence finds its vCPU elsewhere, the next one
 * will go. A vector means the same on all processors, so only the target changes, by one write; there are 192
 * of them for the machine.
 *
 * Locks: the map (irq_map.c) guards who may use a line and which vector it has; the line's own lock guards
 * who is bound and what is open, and is all that an interrupt takes.
 */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <abi/physdev.h>

#include "irq_line.h"

#define EOI_WITHIN 10000000ull      /* ns */

struct irq_line irq_lines[MAX_IRQS];
static struct irq_line *by_vector[256];     /* atomic */
static unsigned gsis;
static uint64_t strays;

unsigned irq_gsi_count(void) { return gsis; }

struct irq_line *irq_gsi_line(unsigned gsi)
{
    return gsi < gsis && irq_lines[gsi].controller != IRQ_NO_CONTROLLER ? &irq_lines[gsi] : NULL;
}

/* ---- vectors: under the map's lock ---- */

static bool vectors_free(unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (by_vector[first + i])
            return false;
    return true;
}

/* A device with several messages changes the low bits of one data word: vectors are aligned to their power of
 * two. */
int irq_vectors_take(struct irq_line *first, unsigned count)
{
    for (unsigned v = ALIGN_UP(IRQ_VECTOR_FIRST, count); v + count - 1 <= IRQ_VECTOR_LAST; v += count) {
        if (!vectors_free(v, count))
            continue;
        for (unsigned i = 0; i < count; i++) {
            first[i].vector = (uint8_t)(v + i);
            __atomic_store_n(&by_vector[v + i], &first[i], __ATOMIC_RELEASE);
        }
        return 0;
    }
    return -XEN_ENOSPC;
}

void irq_vectors_drop(struct irq_line *first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        __atomic_store_n(&by_vector[first[i].vector], NULL, __ATOMIC_RELEASE);
        first[i].vector = 0;
    }
}

/* ---- the source: line locked ---- */

static void line_open(struct irq_line *l, bool open)
{
    if (l->open == open)
        return;
    l->open = open;
    if (l->device)
        msi_mask(l, !open);
    else
        ioapic_pin_mask(l, !open);
}

static unsigned users_bound(const struct irq_line *l)
{
    unsigned n = 0;

    for (unsigned i = 0; i < IRQ_SHARERS; i++)
        n += l->user[i].bound;
    return n;
}

/* Opens the line if there is somebody to hear it and nobody still busy with the last occurrence. */
static void line_settle(struct irq_line *l)
{
    line_open(l, l->own || (users_bound(l) && !l->waiting));
}

/* ---- users: line locked ---- */

int irq_user_find(const struct irq_line *l, const struct domain *d, uint32_t pirq)
{
    for (int i = 0; i < IRQ_SHARERS; i++)
        if (l->user[i].d == d && l->user[i].pirq == pirq)
            return i;
    return -1;
}

int irq_user_add(struct irq_line *l, struct domain *d, uint32_t pirq)
{
    int n = irq_user_find(l, NULL, 0);

    if (n < 0)
        return -XEN_EBUSY;
    l->user[n] = (struct irq_user){ .d = d, .pirq = (uint16_t)pirq };
    return 0;
}

/* The bit by which a guest that gave a page of them knows that this PIRQ wants EOI. */
static void eoi_bit(struct domain *d, uint32_t pirq, bool set)
{
    uint8_t *page;

    if (!d->irqs.has_eoi_page)
        return;
    page = frame_map(d->irqs.eoi_page);
    if (set)
        __atomic_fetch_or(&page[pirq / 8], (uint8_t)(1u << pirq % 8), __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&page[pirq / 8], (uint8_t)~(1u << pirq % 8), __ATOMIC_RELAXED);
    frame_unmap(page);
}

static void user_release(struct irq_line *l, int n)
{
    struct irq_user *u = &l->user[n];

    u->bound = false;
    l->waiting &= ~(1u << n);
    eoi_bit(u->d, u->pirq, false);
    line_settle(l);
}

void irq_user_remove(struct irq_line *l, struct domain *d, uint32_t pirq)
{
    int n = irq_user_find(l, d, pirq);

    if (n < 0)
        return;
    user_release(l, n);
    l->user[n] = (struct irq_user){ .d = NULL };
}

/* ---- following ---- */

#define APIC_IDS_REACHED 255u           /* by a pin or a message; the last number means all */

/* Where the first who hears of it runs or ran last. */
static unsigned cpu_wanted(const struct irq_line *l)
{
    for (unsigned i = 0; i < IRQ_SHARERS; i++) {
        struct vcpu *v = l->user[i].bound ? event_pirq_vcpu(l->user[i].d, l->user[i].pirq) : NULL;
        const struct pcpu *c = v ? __atomic_load_n(&v->cpu, __ATOMIC_RELAXED) : NULL;

        if (c)
            return c->apic_id < APIC_IDS_REACHED ? c->id : l->cpu;
    }
    return l->cpu;
}

/* The further messages of a group go where the first one goes. */
static void line_follow(struct irq_line *l)
{
    unsigned cpu = cpu_wanted(l);

    if (likely(cpu == l->cpu) || l->own || (l->device && !l->msix && l->entry))
        return;
    l->cpu = (uint16_t)cpu;
    if (l->device)
        msi_aim(l);
    else
        ioapic_pin_aim(l);
}

void irq_follow(struct domain *d, uint32_t pirq)
{
    struct irq_line *l = irq_line_of(d, pirq);

    if (!l)
        return;
    spin_lock(&l->lock);
    if (irq_user_find(l, d, pirq) >= 0)
        line_follow(l);
    spin_unlock(&l->lock);
}

/* ---- binding ---- */

static int may_bind(const struct irq_line *l, int n, bool share)
{
    if (l->user[n].bound || l->own)
        return -XEN_EBUSY;
    for (int i = 0; i < IRQ_SHARERS; i++)
        if (l->user[i].bound && !(share && l->user[i].share))
            return -XEN_EBUSY;
    return 0;
}

static int bind_locked(struct irq_line *l, struct domain *d, uint32_t pirq, bool share)
{
    int n = irq_user_find(l, d, pirq), rc;

    if (n < 0)
        return -XEN_EINVAL;
    rc = may_bind(l, n, share);
    if (rc)
        return rc;
    l->user[n].bound = true;
    l->user[n].share = share;
    eoi_bit(d, pirq, l->level);
    line_follow(l);
    line_settle(l);
    return 0;
}

int irq_bind(struct domain *d, uint32_t pirq, uint32_t port, bool share)
{
    struct irq_line *l = irq_line_of(d, pirq);
    int rc;

    if (!l)
        return -XEN_EINVAL;
    spin_lock(&l->lock);
    rc = bind_locked(l, d, pirq, share);
    spin_unlock(&l->lock);
    return rc;
}

void irq_unbind(struct domain *d, uint32_t pirq)
{
    struct irq_line *l = irq_line_of(d, pirq);
    int n;

    if (!l)
        return;
    spin_lock(&l->lock);
    n = irq_user_find(l, d, pirq);
    if (n >= 0)
        user_release(l, n);
    spin_unlock(&l->lock);
}

/* ---- an occurrence ---- */

void irq_late(void *line, uint64_t now)
{
    struct irq_line *l = line;

    spin_lock(&l->lock);
    l->waiting = 0;
    line_settle(l);
    spin_unlock(&l->lock);
}

static void line_raise(struct irq_line *l)
{
    for (unsigned i = 0; i < IRQ_SHARERS; i++) {
        struct irq_user *u = &l->user[i];

        if (!u->bound)
            continue;
        if (l->level)
            l->waiting |= 1u << i;
        event_raise_pirq(u->d, u->pirq);
    }
    if (unlikely(l->may_be_late && (l->waiting & (l->waiting - 1))))
        timer_set(&l->late, now_ns() + EOI_WITHIN);
}

void irq_arrived(unsigned vector)
{
    struct irq_line *l = __atomic_load_n(&by_vector[vector & 0xff], __ATOMIC_ACQUIRE);
    bool own;

    if (unlikely(!l)) {
        __atomic_fetch_add(&strays, 1, __ATOMIC_RELAXED);
        hw_irq_ack();
        return;
    }
    spin_lock(&l->lock);
    l->count++;
    if (l->level)
        line_open(l, false);
    hw_irq_ack();
    line_raise(l);
    line_follow(l);
    own = l->own;
    spin_unlock(&l->lock);
    if (!own)
        return;
    console_input();
    spin_lock(&l->lock);
    line_settle(l);
    spin_unlock(&l->lock);
}

int irq_eoi(struct domain *d, uint32_t pirq)
{
    struct irq_line *l = irq_line_of(d, pirq);
    int n;

    if (!l)
        return -XEN_EINVAL;
    if (!l->level)
        return 0;
    spin_lock(&l->lock);
    n = irq_user_find(l, d, pirq);
    if (n >= 0 && (l->waiting & 1u << n)) {
        l->waiting &= ~(1u << n);
        if (l->may_be_late && !l->waiting)
            timer_stop(&l->late);
        line_settle(l);
    }
    spin_unlock(&l->lock);
    return 0;
}

uint32_t irq_status(struct domain *d, uint32_t pirq)
{
    struct irq_line *l = irq_line_of(d, pirq);
    uint32_t flags = 0;

    if (!l)
        return 0;
    spin_lock(&l->lock);
    if (l->level)
        flags |= XENIRQSTAT_needs_eoi;
    if (users_bound(l) > 1)
        flags |= XENIRQSTAT_shared;
    spin_unlock(&l->lock);
    return flags;
}

int irq_shape(unsigned gsi, bool level, bool low)
{
    struct irq_line *l = irq_gsi_line(gsi);
    int rc = 0;

    if (!l)
        return -XEN_EINVAL;
    spin_lock(&l->lock);
    if (l->level != level || l->low != low) {
        if (l->own || users_bound(l)) {
            rc = -XEN_EEXIST;
        } else {
            l->level = level;
            l->low = low;
            ioapic_pin_set(l);
        }
    }
    spin_unlock(&l->lock);
    return rc;
}

static void eoi_bits_write(struct domain *d)
{
    for (uint32_t pirq = 0; pirq < MAX_PIRQS; pirq++) {
        struct irq_line *l = irq_line_of(d, pirq);
        int n;

        if (!l)
            continue;
        spin_lock(&l->lock);
        n = irq_user_find(l, d, pirq);
        if (n >= 0 && l->user[n].bound)
            eoi_bit(d, pirq, l->level);
        spin_unlock(&l->lock);
    }
}

int irq_eoi_page_set(struct domain *d, mfn_t m, bool unmasks)
{
    int rc = -XEN_EBUSY;

    if (!frame_get_writable(m, d))
        return -XEN_EINVAL;
    irq_map_lock();
    if (!d->irqs.has_eoi_page && d->dying == DOMAIN_ALIVE) {
        d->irqs.eoi_page = m;
        d->irqs.eoi_unmasks = unmasks;
        __atomic_store_n(&d->irqs.has_eoi_page, true, __ATOMIC_RELEASE);
        eoi_bits_write(d);
        rc = 0;
    }
    irq_map_unlock();
    if (rc)
        frame_put_writable(m);
    return rc;
}

/* ---- the hypervisor's own ---- */

int irq_own(unsigned gsi)
{
    struct irq_line *l = irq_gsi_line(gsi);
    int rc = 0;

    if (!l)
        return -XEN_EINVAL;
    irq_map_lock();
    if (!l->vector)
        rc = irq_vectors_take(l, 1);
    irq_map_unlock();
    if (rc)
        return rc;
    spin_lock(&l->lock);
    if (users_bound(l)) {
        rc = -XEN_EBUSY;
    } else {
        l->own = true;
        l->cpu = 0;
        l->open = true;
        ioapic_pin_set(l);
    }
    spin_unlock(&l->lock);
    return rc;
}

/* ---- boot ---- */

unsigned irq_isa_gsi(unsigned isa)
{
    for (unsigned i = 0; i < machine.acpi.overrides; i++)
        if (machine.acpi.override[i].source == isa)
            return machine.acpi.override[i].gsi;
    return isa;
}

/* Pins of the ISA bus are edges, active high; those of PCI levels, active low; unless the firmware says
 * otherwise. */
static void shapes_init(void)
{
    const struct acpi_info *a = &machine.acpi;

    for (unsigned g = 0; g < gsis; g++)
        irq_lines[g].level = irq_lines[g].low = g >= 16;
    if (a->fadt.present && a->fadt.sci < gsis)
        irq_lines[a->fadt.sci].level = irq_lines[a->fadt.sci].low = true;
    for (unsigned i = 0; i < a->overrides; i++) {
        const struct acpi_override *o = &a->override[i];

        if (o->gsi >= gsis)
            continue;
        irq_lines[o->gsi].level = o->trigger == ACPI_LEVEL;
        irq_lines[o->gsi].low = o->polarity == ACPI_ACTIVE_LOW;
    }
}

void irq_init_boot(void)
{
    gsis = ioapic_init();
    if (gsis > MAX_IRQS / 2) {
        printk(LOG_WARNING, "IO-APICs: %u inputs, only %u are used\n", gsis, MAX_IRQS / 2);
        gsis = MAX_IRQS / 2;
    }
    for (unsigned i = 0; i < MAX_IRQS; i++)
        spin_init(&irq_lines[i].lock, LOCK_IRQ);
    for (unsigned g = 0; g < gsis; g++)
        if (!ioapic_find(g, &irq_lines[g].controller, &irq_lines[g].pin))
            irq_lines[g].controller = IRQ_NO_CONTROLLER;
    shapes_init();
    printk(LOG_INFO, "interrupts: %u IO-APIC inputs, vectors %x-%x\n", gsis, IRQ_VECTOR_FIRST,
           IRQ_VECTOR_LAST);
}

static size_t line_format(const struct irq_line *l, unsigned n, char *buf, size_t len)
{
    size_t used = format(buf, len, "irq %u vector %x cpu %u %s %lu%s%s", n, l->vector, l->cpu,
                         l->device ? l->msix ? "MSI-X" : "MSI" : l->level ? "level" : "edge", l->count,
                         l->open ? "" : " masked", l->own ? " console" : "");

    for (unsigned i = 0; i < IRQ_SHARERS && used < len; i++)
        if (l->user[i].d)
            used += format(buf + used, len - used, " d%u:%u%s%s", l->user[i].d->id, l->user[i].pirq,
                           l->user[i].bound ? "" : " unbound", l->waiting >> i & 1 ? " in service" : "");
    if (used < len)
        used += format(buf + used, len - used, "\n");
    return used;
}

size_t irq_format(char *buf, size_t len)
{
    size_t used = format(buf, len, "strays %lu\n", strays);

    for (unsigned i = 0; i < MAX_IRQS && used < len; i++) {
        struct irq_line *l = &irq_lines[i];

        spin_lock(&l->lock);
        if (l->vector)
            used += line_format(l, i, buf + used, len - used);
        spin_unlock(&l->lock);
    }
    return MIN(used, len);
}
