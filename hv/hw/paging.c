/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own page tables. start.S mapped the first 4 GiB; here the direct map grows to all memory,
 * device ranges in it become uncached, and the machine-to-physical table appears where guests read it.
 *
 * All roots share what idle_l4 points to, so a later change below it is seen in every address space.
 */
#include <hv/boot_memory.h>
#include <hv/frame.h>
#include <hv/machine.h>
#include <hv/print.h>
#include <hw/hw.h>
#include <hw/layout.h>

#include "cpu.h"
#include "insn.h"

#define PTE_P   0x001ull
#define PTE_W   0x002ull
#define PTE_U   0x004ull
#define PTE_PWT 0x008ull
#define PTE_PCD 0x010ull
#define PTE_A   0x020ull
#define PTE_D   0x040ull
#define PTE_PS  0x080ull
#define PTE_NX  (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define TABLE   (PTE_P | PTE_W | PTE_A)
#define RAM     (PTE_P | PTE_W | PTE_A | PTE_D)

#define LARGE   (2ull << 20)
#define BELOW_4G (4ull << 30)

extern uint64_t idle_l4[512];
extern uint8_t  text_end[], image_start[], rodata_end[];
static bool     early = true;

static void *phys(uint64_t pa) { return (void *)(DIRECT_MAP + pa); }

static uint64_t table_take(void)
{
    uint64_t pa;

    if (early) {
        pa = boot_memory_take(PAGE_SIZE, PAGE_SIZE, BELOW_4G);
    } else {
        mfn_t m = frames_alloc(0, ALLOC_ZERO);

        pa = mfn_valid_number(m) ? m.n << PAGE_SHIFT : 0;
    }
    if (!pa)
        panic("no memory for the hypervisor's page tables");
    __builtin_memset(phys(pa), 0, PAGE_SIZE);
    return pa;
}

static uint64_t *below(uint64_t *entry, uint64_t flags)
{
    if (!(*entry & PTE_P))
        *entry = table_take() | flags;
    return phys(*entry & PTE_ADDRESS);
}

static uint64_t *entry_of_large(uint64_t va, uint64_t flags)
{
    uint64_t *l3 = below(&idle_l4[va >> 39 & 511], flags);
    uint64_t *l2 = below(&l3[va >> 30 & 511], flags);

    return &l2[va >> 21 & 511];
}

/* Every 2 MiB that hold some RAM are mapped cached; in the first 4 GiB the rest is devices, uncached. */
static void direct_map_all(uint64_t end)
{
    for (uint64_t pa = 0; pa < MAX(end, BELOW_4G); pa += LARGE) {
        bool ram = memmap_has(&machine.boot.memmap, pa, pa + LARGE, MEMMAP_RAM);

        if (ram)
            *entry_of_large(DIRECT_MAP + pa, TABLE) = pa | RAM | PTE_PS | PTE_NX;
        else if (pa < BELOW_4G)
            *entry_of_large(DIRECT_MAP + pa, TABLE) = pa | RAM | PTE_PS | PTE_NX | PTE_PCD | PTE_PWT;
    }
}

void *map_device(uint64_t pa, size_t len)
{
    for (uint64_t p = pa & ~(LARGE - 1); p < pa + len; p += LARGE) {
        uint64_t *e = entry_of_large(DIRECT_MAP + p, TABLE);

        if (!(*e & PTE_P))
            *e = p | RAM | PTE_PS | PTE_NX | PTE_PCD | PTE_PWT;
    }
    return phys(pa);
}

static void m2p_init(uint64_t frames)
{
    uint64_t bytes = ALIGN_UP(frames * 8, LARGE), pa = boot_memory_take(bytes, LARGE, ~0ull);

    if (!pa)
        panic("no memory for the machine-to-physical table: %lu KiB wanted", bytes >> 10);
    m2p = phys(pa);
    __builtin_memset(m2p, 0xff, bytes);
    for (uint64_t off = 0; off < bytes; off += LARGE)
        *entry_of_large(M2P_GUEST + off, TABLE | PTE_U) = (pa + off) | PTE_P | PTE_U | PTE_A | PTE_PS |
                                                          PTE_NX;
}

static void frame_table_take(uint64_t frames)
{
    uint64_t pa = boot_memory_take(frames * sizeof(struct frame), PAGE_SIZE, ~0ull);

    if (!pa)
        panic("no memory for the frame table: %lu KiB wanted", frames * sizeof(struct frame) >> 10);
    frame_table_init(phys(pa), frames);
}

/* The image: text is read and run, constants are read, the rest is written; nothing is two of these. */
static void protect_image(void)
{
    uint64_t *l3 = phys(idle_l4[IMAGE_BASE >> 39 & 511] & PTE_ADDRESS);
    uint64_t l2pa = table_take(), *l2 = phys(l2pa);
    uint64_t end = ALIGN_UP((uint64_t)rodata_end - IMAGE_BASE, LARGE) + 8 * LARGE;

    for (uint64_t pa = 0; pa < end; pa += PAGE_SIZE) {
        uint64_t va = IMAGE_BASE + pa, flags = RAM | PTE_NX;
        uint64_t *l1 = below(&l2[pa >> 21], TABLE);

        if (va >= (uint64_t)image_start && va < (uint64_t)text_end)
            flags = PTE_P | PTE_A;
        else if (va >= (uint64_t)text_end && va < (uint64_t)rodata_end)
            flags = PTE_P | PTE_A | PTE_NX;
        l1[pa >> 12 & 511] = pa | flags;
    }
    l3[IMAGE_BASE >> 30 & 511] = l2pa | TABLE;
}

void paging_init_boot(void)
{
    uint64_t frames = machine.max_frame + 1;

    direct_map_all(frames << PAGE_SHIFT);
    tlb_flush_local();
    frame_table_take(frames);
    m2p_init(frames);
    protect_image();
    idle_l4[0] = 0;
    tlb_flush_local();
}

void paging_tables_from_heap(void) { early = false; }
