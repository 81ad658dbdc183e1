/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions on behalf of dom0, and the ends: idle, halt, reboot, sleep. */
#include <hv/guest.h>
#include <hv/machine.h>
#include <hv/print.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

uint32_t hw_port_in(uint16_t port, unsigned bytes)
{
    return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

void hw_port_out(uint16_t port, unsigned bytes, uint32_t value)
{
    if (bytes == 1)
        outb(port, (uint8_t)value);
    else if (bytes == 2)
        outw(port, (uint16_t)value);
    else
        outl(port, value);
}

void hw_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]) { cpuid(leaf, sub, out); }
int hw_rdmsr(uint32_t msr, uint64_t *value) { return rdmsr_may_fault(msr, value) ? -XEN_EFAULT : 0; }
int hw_wrmsr(uint32_t msr, uint64_t value) { return wrmsr_may_fault(msr, value) ? -XEN_EFAULT : 0; }
void hw_wbinvd(void) { __asm__ volatile("wbinvd" : : : "memory"); }

int guest_read(void *dst, gaddr_t src, size_t len)
{
    if (!guest_range_ok(src.va, len))
        return -XEN_EFAULT;
    if (len == 8)
        return load8_may_fault((const uint64_t *)src.va, dst) ? -XEN_EFAULT : 0;
    return copy_may_fault(dst, (const void *)src.va, len) ? -XEN_EFAULT : 0;
}

int guest_write(gaddr_t dst, const void *src, size_t len)
{
    if (!guest_range_ok(dst.va, len))
        return -XEN_EFAULT;
    return copy_may_fault((void *)dst.va, src, len) ? -XEN_EFAULT : 0;
}

void hw_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* Time to read the screen. The clock may not run yet: then so many turns. */
void hw_after_panic(void)
{
    if (machine.options.noreboot)
        hw_halt();
    printk(LOG_ERROR, "the machine restarts in 5 seconds (noreboot prevents it)\n");
    for (uint64_t n = 0, t = now_ns(); n < 2000000000ull && now_ns() - t < 5000000000ull; n++)
        __builtin_ia32_pause();     /* hw_relax() would serve processors that are stopped */
    hw_reboot();
}

/* Alone, for some resets reach one processor only: the ACPI reset register, then the keyboard controller,
 * then a triple fault. */
void hw_reboot(void)
{
    const struct acpi_fadt *f = &machine.acpi.fadt;

    hw_stop_others();
    if (f->present && f->reset_supported && f->reset.space == ACPI_SPACE_IO)
        outb((uint16_t)f->reset.addr, f->reset_value);
    outb(0x64, 0xfe);
    for (unsigned i = 0; i < 100000; i++)
        inb(0x80);
    lidt(0, 0);
    __asm__ volatile("int3");
    hw_halt();
}

void hw_acpi_sleep(uint16_t a, uint16_t b)
{
    const struct acpi_fadt *f = &machine.acpi.fadt;

    if (f->pm1a_control.addr)
        outw((uint16_t)f->pm1a_control.addr, a);
    if (f->pm1b_control.addr)
        outw((uint16_t)f->pm1b_control.addr, b);
}
