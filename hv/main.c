/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot path. hw/start.S comes here in 64-bit mode with interrupts off; everything below happens once, in
 * this order, on the first processor, and ends in the scheduler with dom0 ready to run. hw/smp.c brings the
 * others into the scheduler on the way.
 */
#include <hv/boot_memory.h>
#include <hv/console.h>
#include <hv/crash.h>
#include <hv/cpuid.h>
#include <hv/dom0.h>
#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/irq.h>
#include <hv/machine.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hv/time.h>
#include <hv/watchdog.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "hw/cpu.h"

/*
 * Left as it is, for dom0 to map as if it were a device: firmware's data and the start-up of processors at
 * the bottom; above, where firmware leaves tables (Linux 6.12 looks for that of iSCSI boots from 512 KiB on,
 * and does not survive when it cannot map a page there), and the screen.
 */
#define LOW_MEMORY   (64ull << 10)
#define TABLES_FIRST (512ull << 10)
#define TABLES_END   (1024ull << 10)

void hv_main(uint32_t magic, uint32_t info);

struct machine machine;
struct pcpu *pcpus[MAX_CPUS];
unsigned pcpu_count;

static struct pcpu cpu0;
static struct vcpu idle0;
extern uint8_t image_start[], image_end[];

static const void *phys_map(void *ctx, uint64_t pa, size_t len)
{
    (void)ctx;
    return pa + len <= 4ull << 30 ? (const void *)(DIRECT_MAP + pa) : NULL;
}

static const struct boot_phys phys = { phys_map, NULL };

/* ---- 1: who we are and where we print ---- */
static void option_problem(void *ctx, enum cmdline_problem what, const char *name, const char *value,
                           const char *help)
{
    static const char *const text[] = { "unknown option", "bad value", "word too long" };

    (void)ctx;
    printk(LOG_WARNING, "command line: %s: %s%s%s%s%s\n", text[what], name, *value ? "=" : "", value,
           *help ? "; wanted: " : "", help);
}

static void read_loader(uint32_t magic, uint32_t info)
{
    static const struct cmdline_report report = { option_problem, NULL };
    int r;

    parse_cmdline("", &report, &machine.options);
    console_init_early();
    r = parse_multiboot(magic, info, &phys, &machine.boot);
    if (r)
        panic("the boot loader's information cannot be used (magic %x, error %d)", magic, r);
    parse_cmdline(cmdline_skip_image(machine.boot.cmdline, machine.boot.loader), &report, &machine.options);
    console_init(&machine.options);
    printk(LOG_INFO, "Hauch, loaded by %s, command line: %s\n", machine.boot.loader, machine.boot.cmdline);
}

/* ---- 2: what the firmware tells ---- */
static void read_firmware(void)
{
    struct acpi_rsdp rsdp;
    const uint8_t *root = machine.boot.rsdp, *bios = phys_map(NULL, 0xe0000, 0x20000);
    size_t len = machine.boot.rsdp_len;
    int at;

    if (!len) {
        at = acpi_find_rsdp(bios, 0x20000);
        if (at < 0)
            panic("no ACPI tables: Hauch needs them to find interrupt controllers");
        root = bios + at;
        len = 36;
    }
    if (parse_rsdp(root, len, &rsdp) || parse_acpi(&rsdp, &phys, &machine.acpi))
        panic("the ACPI root table is damaged");
    printk(LOG_INFO, "ACPI: %u processors, %u IO-APICs, %u overrides%s\n", machine.acpi.cpus,
           machine.acpi.ioapics, machine.acpi.overrides,
           machine.acpi.bad_tables ? ", some tables damaged" : "");
}

/* ---- 3: memory ---- */
static void measure_memory(void)
{
    const struct memmap *m = &machine.boot.memmap;

    for (unsigned i = 0; i < m->count; i++) {
        const struct memmap_region *r = &m->region[i];

        printk(LOG_DEBUG, "memory %lx-%lx type %u\n", r->base, r->base + r->len, r->type);
        if (r->type != MEMMAP_RAM)
            continue;
        machine.ram_frames += r->len >> PAGE_SHIFT;
        machine.max_frame = MAX(machine.max_frame, ((r->base + r->len) >> PAGE_SHIFT) - 1);
    }
}

static void reserve_ram(uint64_t start, uint64_t end)
{
    if (start >> PAGE_SHIFT < end >> PAGE_SHIFT)
        frames_reserve(start >> PAGE_SHIFT, (end >> PAGE_SHIFT) - (start >> PAGE_SHIFT));
}

/* All RAM is the hypervisor's own until it is given away, or dom0 could map what it never saw as a device. */
static void reserve_all(void)
{
    const struct memmap *m = &machine.boot.memmap;

    for (unsigned i = 0; i < m->count; i++) {
        uint64_t start = m->region[i].base, end = start + m->region[i].len;

        if (m->region[i].type != MEMMAP_RAM)
            continue;
        reserve_ram(MAX(start, LOW_MEMORY), MIN(end, TABLES_FIRST));
        reserve_ram(MAX(start, TABLES_END), end);
    }
}

static void add_frames(uint64_t first, uint64_t count)
{
    machine.hypervisor_frames -= count;
    for (uint64_t n = first; n < first + count; n++)
        frame_table[n].type = 0;
    frames_add(first, count);
}

static void give_memory(void)
{
    uint64_t crash = crash_record_place(&machine.boot.memmap);
    uint64_t image = (uint64_t)image_start - IMAGE_BASE, image_last = (uint64_t)image_end - IMAGE_BASE;

    measure_memory();
    boot_memory_init(&machine.boot.memmap);
    boot_memory_reserve(0, LOW_MEMORY);
    boot_memory_reserve(TABLES_FIRST, TABLES_END);
    boot_memory_reserve(image, image_last);
    for (unsigned i = 0; i < machine.boot.modules; i++)
        boot_memory_reserve(machine.boot.module[i].start, machine.boot.module[i].end);
    boot_memory_reserve(crash, crash + CRASH_RECORD_SIZE);
    paging_init_boot();
    reserve_all();
    frames_share_readonly(mfn_of_page(m2p).n, DIV_ROUND_UP(frame_count * 8, PAGE_SIZE));
    machine.hypervisor_frames = machine.ram_frames;
    boot_memory_each(add_frames);
    paging_tables_from_heap();
    crash_record_init(crash ? (void *)(DIRECT_MAP + crash) : NULL);
}

/* Modules have been copied into dom0: their memory is for guests. */
static void give_modules_back(void)
{
    for (unsigned i = 0; i < machine.boot.modules; i++) {
        const struct boot_module *m = &machine.boot.module[i];

        add_frames(m->start >> PAGE_SHIFT,
                   ALIGN_UP(m->end, PAGE_SIZE) / PAGE_SIZE - (m->start >> PAGE_SHIFT));
    }
}

/* ---- 4: this processor ---- */
static void first_processor(void)
{
    pcpus[0] = &cpu0;
    pcpu_count = 1;
    cpu_init_boot(&cpu0);
    fpu_init_boot();
}

static void first_schedule(void)
{
    idle0.cpu = &cpu0;
    cpu0.idle = &idle0;
    cpu0.current = &idle0;
    timer_heap_init(&cpu0.timers);
    sched_init_cpu(&cpu0);
}

void hv_main(uint32_t magic, uint32_t info)
{
    first_processor();
    read_loader(magic, info);
    read_firmware();
    give_memory();
    clock_init_boot();
    lapic_init_boot();
    first_schedule();
    irq_init_boot();
    idle_init_boot();
    smp_start();
    cpuid_init_boot();
    wallclock_set(hw_rtc_seconds(), 0, now_ns());
    dom0_build();
    give_modules_back();
    printk(LOG_INFO, "memory: %lu MiB, %lu KiB kept by Hauch, %lu MiB free for domains\n",
           machine.ram_frames >> 8, machine.hypervisor_frames << 2, frames_free_count() >> 8);
    watchdog_start();
    console_give_to_dom0();
    domain_unpause(dom0);
    resume_on_fresh_stack(hw_of(&cpu0)->stack_top);
}
