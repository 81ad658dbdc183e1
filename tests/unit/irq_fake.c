/* SPDX-License-Identifier: BSD-2-Clause */
#include "irq_fake.h"

#include <hv/console.h>
#include <hv/event.h>
#include <hv/frame.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/machine.h>
#include <hv/ops.h>
#include <hv/pcpu.h>
#include <hw/hw.h>

#include <stdlib.h>
#include <string.h>

#define PINS   8u
#define MASKED (1u << 16)
#define LEVEL  (1u << 15)

struct domain fake_domain[FAKE_DOMAINS];
struct vcpu fake_vcpu;
uint32_t fake_events[FAKE_DOMAINS][MAX_PIRQS];
uint32_t fake_console_inputs, fake_acks, fake_unmasked_port;
uint32_t fake_table[FAKE_ENTRIES * 4];
uint8_t fake_config[256];
uint8_t fake_eoi_page[PAGE_SIZE];
static uint32_t fake_config_latch;
unsigned fake_eoi_page_refs;

struct pin { uint32_t low, high; bool held, pending, in_service; };
static struct pin pin[2][PINS];
static struct pin *serving;
struct pcpu fake_cpu[FAKE_CPUS];

void pv_entry_changed(struct vcpu *v) { (void)v; }     /* the trap path is not here */

/* ---- IO-APICs ---- */
static struct pin *pin_of(unsigned gsi)
{
    return gsi < 8 ? &pin[0][gsi] : gsi >= 12 && gsi < FAKE_GSIS ? &pin[1][gsi - 12] : NULL;
}

uint32_t hw_ioapic_read(unsigned n, uint8_t reg)
{
    if (reg == 1)
        return (PINS - 1) << 16 | 0x20;
    if (reg < 0x10 || reg >= 0x10 + 2 * PINS)
        return 0;
    return reg & 1 ? pin[n][(reg - 0x10) / 2].high : pin[n][(reg - 0x10) / 2].low;
}

void hw_ioapic_write(unsigned n, uint8_t reg, uint32_t value)
{
    struct pin *p;

    if (reg < 0x10 || reg >= 0x10 + 2 * PINS)
        abort();
    p = &pin[n][(reg - 0x10) / 2];
    if (reg & 1)
        p->high = value;
    else
        p->low = value;
}

static bool pin_ready(const struct pin *p)
{
    return !(p->low & MASKED) && !p->in_service && (p->low & LEVEL ? p->held : p->pending);
}

/* What the processor would do with interrupts on: take one after the other until none is due. */
static void deliver(void)
{
    for (unsigned turn = 0, i = 0; turn < 1000 && i < 2 * PINS; turn++) {
        struct pin *p = &pin[i / PINS][i % PINS];

        if (!pin_ready(p)) {
            i++;
            continue;
        }
        p->pending = false;
        p->in_service = p->low & LEVEL;
        serving = p;
        irq_arrived(p->low & 0xff);
        if (p->in_service)
            abort();            /* never acknowledged: the processor would take nothing of that class again */
        i = 0;
        if (turn == 999)
            abort();            /* an interrupt storm */
    }
}

void hw_irq_ack(void)
{
    fake_acks++;
    if (serving)
        serving->in_service = false;
    serving = NULL;
}

void fake_hold(unsigned gsi, bool held)
{
    pin_of(gsi)->held = held;
    deliver();
}

void fake_pulse(unsigned gsi)
{
    struct pin *p = pin_of(gsi);

    p->pending = !(p->low & MASKED);    /* an edge that meets a masked pin is lost */
    deliver();
}

bool fake_masked(unsigned gsi) { return pin_of(gsi)->low & MASKED; }
uint32_t fake_redirection(unsigned gsi, bool upper) { return upper ? pin_of(gsi)->high : pin_of(gsi)->low; }

/* ---- the PCI function ---- */
uint32_t hw_port_in(uint16_t port, unsigned bytes)
{
    uint32_t value = ~0u;

    if (port == 0xcf8)
        return fake_config_latch;
    if (port < 0xcfc || port > 0xcff)
        abort();
    if ((fake_config_latch >> 8 & 0xffff) == FAKE_BDF)
        memcpy(&value, &fake_config[(fake_config_latch & 0xfc) + (port & 3)], bytes);
    return bytes == 4 ? value : value & ((1u << 8 * bytes) - 1);
}

void hw_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
    if (port == 0xcf8)
        fake_config_latch = value;
    else if ((fake_config_latch >> 8 & 0xffff) == FAKE_BDF)
        memcpy(&fake_config[(fake_config_latch & 0xfc) + (port & 3)], &value, bytes);
    else
        abort();
}

volatile uint32_t *hw_device_map(uint64_t phys, size_t len)
{
    return phys == 0x800001000ull && len == sizeof(fake_table) ? fake_table : NULL;
}

static void config_set(unsigned at, unsigned bytes, uint32_t value)
{
    memcpy(&fake_config[at], &value, bytes);
}

static void config_reset(void)
{
    memset(fake_config, 0, sizeof(fake_config));
    config_set(0x00, 4, 0x12341af4);
    config_set(0x04, 2, 0x0006);            /* memory and bus master on */
    config_set(0x06, 2, 0x0010);            /* has capabilities */
    config_set(0x20, 4, 0x0000000c);        /* BAR 4: 64 bits wide, prefetchable, at 8:00000000 */
    config_set(0x24, 4, 0x00000008);
    config_set(0x34, 1, 0x50);
    config_set(0x50, 4, 0x01847005);        /* MSI: four messages, 64-bit, maskable */
    config_set(0x70, 4, 0x80000011 | (FAKE_ENTRIES - 1) << 16);
    config_set(0x74, 4, 0x00001004);        /* table: BAR 4 + 0x1000 */
    for (unsigned i = 0; i < FAKE_ENTRIES; i++)
        fake_table[i * 4 + 3] = 1;
    fake_config_latch = 0;
}

static uint32_t config_get(unsigned at, unsigned bytes)
{
    uint32_t value = 0;

    memcpy(&value, &fake_config[at], bytes);
    return value;
}

bool fake_msi_send(unsigned n)
{
    uint32_t count = 1u << (config_get(0x52, 2) >> 4 & 7);

    if (n >= count || config_get(0x54, 4) >> 20 != 0xfee || (config_get(0x60, 4) >> n & 1))
        return false;
    irq_arrived(config_get(0x5c, 2) | n);
    return true;
}

bool fake_msix_send(unsigned entry)
{
    const uint32_t *e = &fake_table[entry * 4];

    if ((e[3] & 1) || e[0] >> 20 != 0xfee || e[1])
        return false;
    irq_arrived(e[2] & 0xff);
    return true;
}

/* ---- as much of the rest of the hypervisor as interrupts ask for ---- */
void event_raise_pirq(struct domain *d, uint32_t pirq) { fake_events[d - fake_domain][pirq]++; }
struct vcpu *event_pirq_vcpu(struct domain *d, uint32_t pirq) { return &fake_vcpu; }
void console_input(void) { fake_console_inputs++; }

int event_op_unmask(struct vcpu *v, struct domain *d, struct evtchn_unmask *arg)
{
    fake_unmasked_port = arg->port;
    return 0;
}

/* Frame 0 is a page of any domain that names it. */
int frame_get_typed(mfn_t m, struct domain *d, enum frame_type t)
{
    fake_eoi_page_refs += m.n == 0;
    return m.n == 0 && t == TYPE_WRITABLE ? 0 : -XEN_EINVAL;
}

void frame_put_writable(mfn_t m) { fake_eoi_page_refs--; }

uint32_t fake_random(uint32_t below)
{
    static uint64_t state = 88172645463325252ull;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 20) % below);
}

static void firmware_reset(void)
{
    struct acpi_info *a = &machine.acpi;

    memset(&machine, 0, sizeof(machine));
    a->ioapics = 2;
    a->ioapic[0] = (struct acpi_ioapic){ .id = 0, .gsi_base = 0, .addr = 0xfec00000 };
    a->ioapic[1] = (struct acpi_ioapic){ .id = 1, .gsi_base = 12, .addr = 0xfec10000 };
    a->override[a->overrides++] = (struct acpi_override){ .source = 0, .gsi = 2 };
    a->override[a->overrides++] = (struct acpi_override){ .source = 5, .gsi = 5, .polarity = ACPI_ACTIVE_LOW,
                                                          .trigger = ACPI_LEVEL };
}

void fake_reset(void)
{
    for (unsigned i = 0; i < FAKE_DOMAINS; i++) {
        irq_domain_release(&fake_domain[i]);
        irq_domain_free(&fake_domain[i]);
        memset(&fake_domain[i], 0, sizeof(fake_domain[i]));
        fake_domain[i].id = (domid_t)i;
    }
    memset(fake_events, 0, sizeof(fake_events));
    memset(pin, 0, sizeof(pin));
    memset(fake_eoi_page, 0, sizeof(fake_eoi_page));
    host_timer = NULL;
    fake_console_inputs = fake_acks = fake_unmasked_port = 0;
    host_memory = fake_eoi_page;
    for (unsigned i = 0; i < FAKE_CPUS; i++) {
        fake_cpu[i] = (struct pcpu){ .id = i, .apic_id = i == FAKE_CPUS - 1 ? 300 : 3 + 4 * i };
        pcpus[i] = &fake_cpu[i];
    }
    pcpu_count = FAKE_CPUS;
    host_cpu = &fake_cpu[0];
    fake_vcpu.cpu = &fake_cpu[0];
    fake_vcpu.domain = &fake_domain[0];
    fake_domain[0].privileged = true;
    firmware_reset();
    config_reset();
    irq_init_boot();
}
