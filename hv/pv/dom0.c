/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building dom0. The guest's pseudo-physical memory, from frame number 0 up:
 *
 *   kernel segments | start info | [P2M] | page tables | stack |   <- mapped from virt_base on, to a 4 MiB
 *   limit initrd | P2M and its page tables (kernels that say init_p2m)   <- not mapped there, or mapped
 *   elsewhere
 *
 * Page tables are written plainly and then validated like any guest's, so a mistake here is found, not
 * trusted.
 */
#include <hv/boot/bzimage.h>
#include <hv/boot/decompress.h>
#include <hv/boot/elf.h>
#include <hv/cpuid.h>
#include <hv/dom0.h>
#include <hv/domain.h>
#include <hv/machine.h>
#include <hv/pagetable.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <abi/elfnote.h>

#define MIB (1ull << 20)
#define PT_FLAGS_TABLE (PTE_P | PTE_RW | PTE_U | PTE_A)
#define PT_FLAGS_PAGE  (PTE_P | PTE_RW | PTE_U | PTE_A | PTE_D)

struct build {
    struct domain *d;
    struct kernel_image image;
    const uint8_t *elf;
    uint64_t pages;                         /* of dom0 */
    mfn_t   *p2m;                           /* temporary copy, [pages] */
    uint64_t start_info, p2m_pfn, tables, n_tables, stack, mapped;   /* frame numbers; mapped: end */
    uint64_t initrd, initrd_pages, p2m_pages, p2m_tables;
    uint64_t next_table;                    /* allocation while tables are written */
};

/* ---- the kernel file ---- */
static const uint8_t *unpack(const uint8_t *file, size_t len, size_t *out_len, unsigned *order)
{
    struct bzimage bz;
    int r = parse_bzimage(file, len, &bz);
    size_t room, scratch_len;
    uint8_t *out;
    void *scratch;

    *order = 0;
    if (r == -XEN_ENOEXEC) {
        *out_len = len;
        return file;
    }
    if (r)
        panic("dom0's kernel: damaged boot image (error %d); is the file complete?", r);
    if (bz.kind == PAYLOAD_ELF) {
        *out_len = bz.payload_len;
        return file + bz.payload;
    }
    room = decompress_hint(file + bz.payload, bz.payload_len);
    scratch_len = decompress_scratch(bz.kind);
    while ((PAGE_SIZE << *order) < room)
        ++*order;
    out = page_alloc(*order);
    scratch = page_alloc(12);
    if (!out || !scratch || scratch_len > PAGE_SIZE << 12)
        panic("dom0's kernel: no memory to unpack %lu KiB", room >> 10);
    r = decompress(bz.kind, file + bz.payload, bz.payload_len, out, PAGE_SIZE << *order, scratch,
                   scratch_len);
    page_free(scratch, 12);
    if (r < 0)
        panic("dom0's kernel: its %s payload cannot be unpacked (error %d)", payload_name(bz.kind), r);
    *out_len = (size_t)r;
    return out;
}

static void check_kernel(const struct kernel_image *k, int error)
{
    if (error)
        panic("dom0's kernel: not an x86-64 ELF file (error %d)", error);
    if (!k->has_xen_notes)
        panic("dom0's kernel has no Xen notes: it needs CONFIG_XEN_PV");
    if (k->features_required & ~(1u << KERNEL_DOM0 | 1u << KERNEL_WRITABLE_PAGE_TABLES |
                                 1u << KERNEL_PAE_PGDIR_ABOVE_4GB | 1u << KERNEL_LINUX_RSDP_UNRESTRICTED))
        panic("dom0's kernel requires features that Hauch does not have (mask %x)", k->features_required);
}

/* ---- memory ---- */
static uint64_t dom0_pages(void)
{
    const struct cmdline_options *o = &machine.options;
    uint64_t total = machine.ram_frames << PAGE_SHIFT, bytes = mem_amount_bytes(&o->dom0_mem, total), most;

    if (!o->dom0_mem.set)
        bytes = MIN(512 * MIB + total / 16, 8192 * MIB);
    if (o->dom0_mem_min.set)
        bytes = MAX(bytes, mem_amount_bytes(&o->dom0_mem_min, total));
    if (o->dom0_mem_max.set)
        bytes = MIN(bytes, mem_amount_bytes(&o->dom0_mem_max, total));
    most = frames_free_count() > 4096 ? frames_free_count() - 4096 : 0;
    if (bytes >> PAGE_SHIFT > most) {
        printk(LOG_WARNING, "dom0_mem: %lu MiB are not there, dom0 gets %lu MiB\n", bytes >> 20, most >> 8);
        bytes = most << PAGE_SHIFT;
    }
    return bytes >> PAGE_SHIFT;
}

static void memory_populate(struct build *b)
{
    unsigned order = 10;

    b->p2m = page_alloc(0);
    page_free(b->p2m, 0);
    for (unsigned o = 0;; o++) {
        if ((PAGE_SIZE << o) >= b->pages * sizeof(mfn_t)) {
            b->p2m = page_alloc(o);
            break;
        }
    }
    if (!b->p2m)
        panic("no memory for dom0's P2M");
    for (uint64_t done = 0; done < b->pages;) {
        mfn_t m = MFN_INVALID;

        while ((1ull << order) > b->pages - done)
            order--;
        while (!mfn_valid_number(m = frames_alloc_domain(b->d, order, 64)))
            if (order-- == 0)
                panic("memory for dom0 ended after %lu of %lu pages", done, b->pages);
        for (uint64_t i = 0; i < 1ull << order; i++, done++) {
            b->p2m[done] = MFN(m.n + i);
            m2p[m.n + i] = done;
        }
    }
}

/* Copies into consecutive guest frames; `at` is a byte offset in pseudo-physical memory. */
static void guest_store(struct build *b, uint64_t at, const void *src, uint64_t len)
{
    const uint8_t *s = src;

    if (at + len > b->pages << PAGE_SHIFT)
        panic("dom0_mem: %lu MiB are too little for its kernel and initrd", b->pages >> 8);
    while (len) {
        uint64_t off = at & ~PAGE_MASK, n = MIN(len, PAGE_SIZE - off);
        uint8_t *p = frame_map(b->p2m[at >> PAGE_SHIFT]);

        __builtin_memcpy(p + off, s, n);
        frame_unmap(p);
        at += n;
        s += n;
        len -= n;
    }
}

/* ---- layout ---- */
static uint64_t pages_of(uint64_t bytes) { return DIV_ROUND_UP(bytes, PAGE_SIZE); }

/* Tables to map [va, va+pages) apart from the root. */
static uint64_t tables_for(uint64_t va, uint64_t pages)
{
    uint64_t end = va + (pages << PAGE_SHIFT) - 1, n = 0;

    for (unsigned shift = 21; shift <= 39; shift += 9)
        n += (end >> shift) - (va >> shift) + 1;
    return n;
}

static void layout(struct build *b, uint64_t initrd_bytes)
{
    const struct kernel_image *k = &b->image;
    uint64_t base = k->virt_base, pfn = pages_of(k->virt_end - base), end;

    b->initrd_pages = pages_of(initrd_bytes);
    b->p2m_pages = pages_of(b->pages * 8);
    if (!k->mod_start_pfn) {
        b->initrd = pfn;
        pfn += b->initrd_pages;
    }
    b->start_info = pfn++;
    if (!k->has_init_p2m) {
        b->p2m_pfn = pfn;
        pfn += b->p2m_pages;
    }
    b->tables = pfn;
    b->n_tables = 1;
    do {                        /* the tables lie in what they map: grow until it fits */
        b->n_tables++;
        b->stack = b->tables + b->n_tables;
        end = ALIGN_UP(base + ((b->stack + 1) << PAGE_SHIFT) + MIB / 2, 4 * MIB);
        b->mapped = (end - base) >> PAGE_SHIFT;
    } while (b->n_tables < 1 + tables_for(base, b->mapped));
    pfn = b->mapped;
    if (k->mod_start_pfn) {
        b->initrd = pfn;
        pfn += b->initrd_pages;
    }
    if (k->has_init_p2m) {
        b->p2m_pfn = pfn;
        b->p2m_tables = tables_for(k->init_p2m, b->p2m_pages);
        pfn += b->p2m_pages + b->p2m_tables;
    }
    if (pfn > b->pages)
        panic("dom0_mem: %lu MiB given, its kernel and initrd need %lu MiB", b->pages >> 8, (pfn >> 8) + 1);
}

/* ---- page tables ---- */
static uint64_t *table_below(struct build *b, uint64_t *entry)
{
    if (!(*entry & PTE_P))
        *entry = pte_make(b->p2m[b->next_table++], PT_FLAGS_TABLE);
    return frame_map(pte_mfn(*entry));
}

static void map_page(struct build *b, mfn_t root, uint64_t va, uint64_t pte)
{
    uint64_t *t4 = frame_map(root), *t3 = table_below(b, &t4[pt_index(va, 4)]);
    uint64_t *t2 = table_below(b, &t3[pt_index(va, 3)]), *t1 = table_below(b, &t2[pt_index(va, 2)]);

    t1[pt_index(va, 1)] = pte;
    frame_unmap(t1);
    frame_unmap(t2);
    frame_unmap(t3);
    frame_unmap(t4);
}

static bool is_table(const struct build *b, uint64_t pfn)
{
    return pfn >= b->tables && pfn < b->tables + b->n_tables;
}

static mfn_t page_tables_write(struct build *b)
{
    mfn_t root = b->p2m[b->tables];
    uint64_t used;

    b->next_table = b->tables + 1;
    for (uint64_t pfn = 0; pfn < b->mapped && pfn < b->pages; pfn++)
        map_page(b, root, b->image.virt_base + (pfn << PAGE_SHIFT),
                 pte_make(b->p2m[pfn], is_table(b, pfn) ? PT_FLAGS_PAGE & ~PTE_RW : PT_FLAGS_PAGE));
    used = b->next_table;
    BUG_ON(used > b->tables + b->n_tables);
    if (b->image.has_init_p2m) {
        b->next_table = b->p2m_pfn + b->p2m_pages;
        for (uint64_t i = 0; i < b->p2m_pages; i++)
            map_page(b, root, b->image.init_p2m + (i << PAGE_SHIFT),
                     pte_make(b->p2m[b->p2m_pfn + i], PT_FLAGS_PAGE));
        BUG_ON(b->next_table > b->p2m_pfn + b->p2m_pages + b->p2m_tables);
    }
    return root;
}

/* ---- contents ---- */
static void segments_load(struct build *b)
{
    const struct kernel_image *k = &b->image;

    for (unsigned i = 0; i < k->segments; i++) {
        const struct kernel_segment *s = &k->segment[i];

        guest_store(b, s->vaddr - k->virt_base, b->elf + s->file_off, s->file_len);
    }
    if (k->has_hypercall_page) {
        uint64_t pfn = (k->hypercall_page - k->virt_base) >> PAGE_SHIFT;

        if (pfn >= b->mapped)
            panic("dom0's kernel: hypercall page %lx lies outside it", k->hypercall_page);
        hypercall_page_write(frame_map(b->p2m[pfn]));
    }
}

static size_t vga_info(uint8_t *at)
{
    struct dom0_vga_console_info *i = (void *)at;
    const struct boot_screen *s = &machine.boot.screen;

    if (s->kind == BOOT_SCREEN_RGB) {
        i->video_type = XEN_VGATYPE_VESA_LFB;
        i->u.vesa_lfb.width = (uint16_t)s->width;
        i->u.vesa_lfb.height = (uint16_t)s->height;
        i->u.vesa_lfb.bytes_per_line = (uint16_t)s->pitch;
        i->u.vesa_lfb.bits_per_pixel = s->bpp;
        i->u.vesa_lfb.lfb_base = (uint32_t)s->addr;
        i->u.vesa_lfb.ext_lfb_base = (uint32_t)(s->addr >> 32);
        i->u.vesa_lfb.lfb_size = (uint32_t)((uint64_t)s->pitch * s->height + 0xffff) >> 16;
        i->u.vesa_lfb.red_pos = s->red_pos;
        i->u.vesa_lfb.red_size = s->red_size;
        i->u.vesa_lfb.green_pos = s->green_pos;
        i->u.vesa_lfb.green_size = s->green_size;
        i->u.vesa_lfb.blue_pos = s->blue_pos;
        i->u.vesa_lfb.blue_size = s->blue_size;
    } else {
        i->video_type = XEN_VGATYPE_TEXT_MODE_3;
        i->u.text_mode_3.font_height = 16;
        i->u.text_mode_3.columns = 80;
        i->u.text_mode_3.rows = 25;
        i->u.text_mode_3.cursor_y = 24;     /* below what we have printed */
    }
    return sizeof *i;
}

static void start_info_write(struct build *b, const struct boot_module *kernel, uint64_t initrd_bytes)
{
    const struct kernel_image *k = &b->image;
    uint8_t *page = frame_map(b->p2m[b->start_info]);
    struct start_info *s = (void *)page;

    __builtin_memcpy(s->magic, "xen-3.0-x86_64", 15);
    s->nr_pages = b->pages;
    s->shared_info = b->d->shared_info_mfn.n << PAGE_SHIFT;
    s->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
    s->pt_base = k->virt_base + (b->tables << PAGE_SHIFT);
    s->nr_pt_frames = b->n_tables;
    s->mfn_list = k->has_init_p2m ? k->init_p2m : k->virt_base + (b->p2m_pfn << PAGE_SHIFT);
    if (k->has_init_p2m) {
        s->first_p2m_pfn = b->p2m_pfn;
        s->nr_p2m_frames = b->p2m_pages + b->p2m_tables;
    }
    if (initrd_bytes) {
        s->mod_start = k->mod_start_pfn ? b->initrd : k->virt_base + (b->initrd << PAGE_SHIFT);
        s->mod_len = initrd_bytes;
        if (k->mod_start_pfn)
            s->flags |= SIF_MOD_START_PFN;
    }
    format((char *)s->cmd_line, sizeof s->cmd_line, "%s",
           cmdline_skip_image(kernel->cmdline, machine.boot.loader));
    s->console.dom0.info_off = sizeof *s;
    s->console.dom0.info_size = (uint32_t)vga_info(page + sizeof *s);
    frame_unmap(page);
}

/* An entry with address bits that the processor does not have is a reserved-bit fault when used. */
static unsigned physical_bits(void)
{
    uint32_t r[4];

    hw_cpuid(0x80000000, 0, r);
    if (r[0] < 0x80000008)
        return 36;
    hw_cpuid(0x80000008, 0, r);
    return r[0] & 0xff;
}

/* Everything but what the hypervisor itself drives: interrupt controllers, the PIT, its serial port. */
static void permissions(struct domain *d)
{
    static const struct range ours[] = { { 0x20, 0x21 }, { 0xa0, 0xa1 }, { 0x40, 0x43 }, { 0x61, 0x61 } };
    const struct acpi_info *a = &machine.acpi;
    int r = ranges_add(&d->pv.io_ports, 0, 0xffff) | ranges_add(&d->pv.irqs, 0, 0xffff) |
            ranges_add(&d->pv.io_frames, 0, (1ull << (physical_bits() - PAGE_SHIFT)) - 1);

    for (unsigned i = 0; i < ARRAY_LEN(ours); i++)
        r |= ranges_remove(&d->pv.io_ports, ours[i].first, ours[i].last);
    if (machine.options.console & CONSOLE_COM1)
        r |= ranges_remove(&d->pv.io_ports, machine.options.com1.port, machine.options.com1.port + 7ull);
    if (machine.options.console & CONSOLE_COM2)
        r |= ranges_remove(&d->pv.io_ports, machine.options.com2.port, machine.options.com2.port + 7ull);
    r |= ranges_remove(&d->pv.io_frames, 0xfee00, 0xfee00);
    for (unsigned i = 0; i < a->ioapics; i++)
        r |= ranges_remove(&d->pv.io_frames, a->ioapic[i].addr >> PAGE_SHIFT,
                           a->ioapic[i].addr >> PAGE_SHIFT);
    if (r)
        panic("no memory for dom0's rights");
}

static void registers(struct build *b, struct vcpu *v, mfn_t root)
{
    if (pv_roots_set(v, root, MFN_INVALID) || frame_get_typed(root, b->d, TYPE_L4) || !frame_pin(root))
        panic("dom0's page tables were refused");
    v->pv.kernel_mode = true;
    v->regs.rip = b->image.entry;
    v->regs.rsi = b->image.virt_base + (b->start_info << PAGE_SHIFT);
    v->regs.rsp = b->image.virt_base + ((b->stack + 1) << PAGE_SHIFT);
    v->regs.cs = FLAT_KERNEL_CS64;
    v->regs.ss = FLAT_KERNEL_SS64;
    v->regs.rflags = 0x202;
    v->info->evtchn_upcall_mask = 1;
    v->initialised = true;
    vcpu_unpause(v, PAUSE_DOWN);
}

/* Until the frames are the allocator's again, modules are read where the loader put them. */
static const void *module_bytes(const struct boot_module *m)
{
    return page_of_mfn(MFN(m->start >> PAGE_SHIFT));
}

/* Each vCPU to a processor of its own, as far as they go. */
static void dom0_pin(struct domain *d)
{
    for_each_vcpu(d, v) {
        struct cpu_set one = cpu_set_of(v->id % pcpu_count);

        if (vcpu_affinity_set(v, &one, NULL, false))
            panic("dom0's vCPU %u cannot be pinned to processor %u", v->id, v->id % pcpu_count);
    }
}

static struct domain *dom0_create(void)
{
    struct xen_domctl_createdomain c = { .max_vcpus = 1, .max_evtchn_port = -1 };
    const struct vcpu_range *want = &machine.options.dom0_max_vcpus;
    struct domain *d;
    int error;

    c.max_grant_frames = (int32_t)machine.options.gnttab_max_frames;
    c.max_maptrack_frames = (int32_t)machine.options.gnttab_max_maptrack_frames;
    c.grant_opts = 1;
    c.max_vcpus = pcpu_count;
    if (want->set)
        c.max_vcpus = MAX(1, MIN(want->most, MAX(want->least, pcpu_count)));
    c.max_vcpus = MIN(c.max_vcpus, MAX_VCPUS);
    d = domain_create(0, &c, true, &error);
    if (!d)
        panic("dom0 cannot be created: error %d", error);
    for (unsigned i = 0; i < c.max_vcpus; i++)
        if ((error = domain_add_vcpu(d, i)))
            panic("dom0's vCPU %u cannot be created: error %d", i, error);
    if (machine.options.dom0_vcpus_pin)
        dom0_pin(d);
    return d;
}

void dom0_build(void)
{
    static struct build b;
    const struct mem_amount *max = &machine.options.dom0_mem_max;
    const struct boot_module *m = machine.boot.module;
    uint64_t initrd_bytes = machine.boot.modules > 1 ? m[1].end - m[1].start : 0;
    size_t elf_len;
    unsigned order;

    if (!machine.boot.modules)
        panic("no kernel for dom0: give it to the boot loader as the first module");
    b.elf = unpack(module_bytes(&m[0]), m[0].end - m[0].start, &elf_len, &order);
    check_kernel(&b.image, parse_elf(b.elf, elf_len, &b.image));
    b.pages = dom0_pages();
    b.d = dom0 = dom0_create();
    b.d->max_frames = b.pages;
    if (max->set)
        b.d->max_frames = mem_amount_bytes(max, machine.ram_frames << PAGE_SHIFT) >> PAGE_SHIFT;
    memory_populate(&b);
    layout(&b, initrd_bytes);
    permissions(b.d);
    segments_load(&b);
    if (order)
        page_free((void *)b.elf, order);
    if (initrd_bytes)
        guest_store(&b, b.initrd << PAGE_SHIFT, module_bytes(&m[1]), initrd_bytes);
    start_info_write(&b, &m[0], initrd_bytes);
    guest_store(&b, b.p2m_pfn << PAGE_SHIFT, b.p2m, b.pages * 8);
    registers(&b, b.d->vcpu[0], page_tables_write(&b));
    printk(LOG_INFO, "dom0: %lu MiB, %u vCPUs, kernel %lx-%lx entry %lx, initrd %lu KiB\n", b.pages >> 8,
           b.d->max_vcpus, b.image.virt_start, b.image.virt_end, b.image.entry, initrd_bytes >> 10);
    for (unsigned o = 0;; o++) {
        if ((PAGE_SIZE << o) >= b.pages * sizeof(mfn_t)) {
            page_free(b.p2m, o);
            return;
        }
    }
}
