/* SPDX-License-Identifier: BSD-2-Clause */
/* See port.h. Both modes of a PV guest run in ring 3, so every IN and OUT of theirs traps and comes here. */
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/pci.h>
#include <hv/port.h>
#include <hw/hw.h>

#define PCI_PORTS 0xcf8u           /* the first of eight */

bool port_access_ok(struct vcpu *v, uint16_t port, unsigned bytes)
{
    uint8_t map[2];
    uint32_t mask = (1u << bytes) - 1;

    if (v->pv.iopl >= (v->pv.kernel_mode ? 1 : 3))
        return true;
    if ((uint32_t)port + bytes > v->pv.iobmp_ports)
        return false;
    if (guest_read(map, GADDR(v->pv.iobmp.va + port / 8), 1))
        return false;
    map[1] = 0xff;
    if (port % 8 + bytes > 8 && guest_read(&map[1], GADDR(v->pv.iobmp.va + port / 8 + 1), 1))
        return false;
    return !(((uint32_t)map[0] | (uint32_t)map[1] << 8) >> (port % 8) & mask);
}

static bool owned(struct vcpu *v, uint16_t port, unsigned bytes)
{
    return ranges_have(&v->domain->pv.io_ports, port, (uint64_t)port + bytes - 1);
}

uint32_t port_read(struct vcpu *v, uint16_t port, unsigned bytes)
{
    uint32_t value;

    if (!owned(v, port, bytes))
        return bytes == 4 ? ~0u : (1u << bytes * 8) - 1;
    if (unlikely((port & ~7u) == PCI_PORTS) && pci_port_read(v->domain, port, bytes, &value))
        return value;
    return hw_port_in(port, bytes);
}

void port_write(struct vcpu *v, uint16_t port, unsigned bytes, uint32_t value)
{
    if (!owned(v, port, bytes))
        return;
    if (likely((port & ~7u) != PCI_PORTS) || !pci_port_write(v->domain, port, bytes, value))
        hw_port_out(port, bytes, value);
}
