/* SPDX-License-Identifier: BSD-2-Clause */
/* Core files: see core_dump.h.
 *
 * The file is an ELF64 core without program headers. Its sections: a note that names hypervisor and format,
 * the registers of each vCPU, the page shared with the hypervisor, a list of pairs (guest frame, machine
 * frame), and the pages in the order of that list. Which frames there are is found the way the guest's kernel
 * tells it: shared_info names a page of pages of pages with its P2M. What cannot be mapped has been given
 * back meanwhile and is left out, so the list is made first, and pages that fail later are zeros. */
#define _GNU_SOURCE
#include "lib/core_dump.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <abi/version.h>

enum {
    PAGE = 4096,
    PER_PAGE = PAGE / 8,
    BATCH = 256,
    NOTE_NONE = 0x2000000,
    NOTE_HEADER = 0x2000001,
    NOTE_VERSION = 0x2000002,
    NOTE_FORMAT = 0x2000003,
    SECTIONS = 7,
};

#define CORE_MAGIC  UINT64_C(0xf00febed)
#define NO_FRAME    (~UINT64_C(0))
#define FOREIGN_BIT (UINT64_C(3) << 62)      /* Linux marks frames that are not the domain's own */

struct pair {
    uint64_t pfn, mfn;
};

struct core {
    struct xc   *xc;
    uint16_t     domid;
    int          fd;
    struct fault *f;
    struct xen_domctl_getdomaininfo info;
    unsigned     vcpus;
    struct pair *pairs;
    uint64_t     pages, room;
    uint8_t     *note;
    size_t       note_bytes;
};

/* ---- where the memory is ---- */
/* A copy of one page of the domain. */
static int page_read(struct core *c, uint64_t mfn, void *out)
{
    const void *p = xc_map_read(c->xc, c->domid, &mfn, 1, NULL, c->f);

    if (!p)
        return -EFAULT;
    memcpy(out, p, PAGE);
    xc_unmap(c->xc, (void *)p, 1);
    return 0;
}

static int pair_add(struct core *c, uint64_t pfn, uint64_t mfn)
{
    if (c->pages == c->room) {
        uint64_t     room = c->room ? c->room * 2 : 4096;
        struct pair *more = realloc(c->pairs, room * sizeof(*more));

        if (!more)
            return fault_memory(c->f);
        c->pairs = more;
        c->room = room;
    }
    c->pairs[c->pages++] = (struct pair){ pfn, mfn };
    return 0;
}

/* One page of the P2M: 512 frames from @pfn on. */
static int leaf_read(struct core *c, uint64_t mfn, uint64_t pfn, uint64_t max_pfn)
{
    uint64_t leaf[PER_PAGE];
    int      rc = page_read(c, mfn, leaf);

    for (unsigned i = 0; !rc && i < PER_PAGE && pfn + i < max_pfn; i++)
        if (leaf[i] != NO_FRAME && !(leaf[i] & FOREIGN_BIT))
            rc = pair_add(c, pfn + i, leaf[i]);
    return rc;
}

static int middle_read(struct core *c, uint64_t mfn, uint64_t pfn, uint64_t max_pfn)
{
    uint64_t middle[PER_PAGE];
    int      rc = page_read(c, mfn, middle);

    for (unsigned i = 0; !rc && i < PER_PAGE && pfn < max_pfn; i++, pfn += PER_PAGE)
        rc = leaf_read(c, middle[i], pfn, max_pfn);
    return rc;
}

static int memory_find(struct core *c, const struct shared_info *shared)
{
    uint64_t top[PER_PAGE], max_pfn = shared->arch.max_pfn, pfn = 0;
    int      rc;

    if (!max_pfn || !shared->arch.pfn_to_mfn_frame_list_list || max_pfn > c->info.max_pages + (1 << 20))
        return fault_set(c->f, -ENODATA,
                         "the kernel of domain %u has not told where its memory is: it did not come that far",
                         c->domid);
    rc = page_read(c, shared->arch.pfn_to_mfn_frame_list_list, top);
    for (unsigned i = 0; !rc && i < PER_PAGE && pfn < max_pfn; i++, pfn += PER_PAGE * PER_PAGE)
        rc = middle_read(c, top[i], pfn, max_pfn);
    return rc;
}

/* ---- the note ---- */
static void note_add(struct core *c, uint32_t type, const void *data, uint32_t size)
{
    Elf64_Nhdr head = { 4, size, type };
    uint8_t   *more = realloc(c->note, c->note_bytes + sizeof(head) + 4 + size + 4);

    if (!more)
        return;
    c->note = more;
    memcpy(more + c->note_bytes, &head, sizeof(head));
    memcpy(more + c->note_bytes + sizeof(head), "Xen", 4);
    if (size)
        memcpy(more + c->note_bytes + sizeof(head) + 4, data, size);
    c->note_bytes += sizeof(head) + 4 + size;
}

static int note_make(struct core *c)
{
    uint64_t header[4] = { CORE_MAGIC, c->vcpus, c->pages, PAGE }, format = 1;
    struct {
        uint64_t                major, minor;
        xen_extraversion_t      extra;
        struct xen_compile_info compile;
        char                    caps[1024];
        char                    changeset[64];
        uint64_t                virt_start, page_bytes;
    } version;
    struct xc_version v;
    int               rc = xc_host_version(c->xc, &v, c->f);

    if (rc)
        return rc;
    memset(&version, 0, sizeof(version));
    version.major = v.major;
    version.minor = v.minor;
    memcpy(version.extra, v.extra, sizeof(version.extra));
    memcpy(version.caps, v.caps, sizeof(version.caps));
    memcpy(version.changeset, v.changeset, sizeof(version.changeset));
    version.virt_start = v.virt_start;
    version.page_bytes = v.page_bytes;
    note_add(c, NOTE_NONE, NULL, 0);
    note_add(c, NOTE_HEADER, header, sizeof(header));
    note_add(c, NOTE_VERSION, &version, sizeof(version));
    note_add(c, NOTE_FORMAT, &format, sizeof(format));
    return c->note ? 0 : fault_memory(c->f);
}

/* ---- the file ---- */
static const char names[] = "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0.xen_p2m\0.xen_pages";

static uint32_t name_at(const char *name)
{
    for (uint32_t i = 1; i < sizeof(names); i += strlen(names + i) + 1)
        if (!strcmp(names + i, name))
            return i;
    return 0;
}

static int put(struct core *c, const void *data, size_t size, uint64_t at)
{
    const char *p = data;

    while (size) {
        ssize_t n = pwrite(c->fd, p, size, at);

        if (n <= 0)
            return fault_errno(c->f, n ? -errno : -ENOSPC, "cannot write the core of domain %u (make room "
                                                           "there)", c->domid);
        p += n;
        at += n;
        size -= n;
    }
    return 0;
}

/* Places one behind the other; pages begin at a page. */
static void sections_lay(const struct core *c, Elf64_Shdr s[SECTIONS])
{
    uint64_t at = sizeof(Elf64_Ehdr) + SECTIONS * sizeof(Elf64_Shdr);
    const struct {
        const char *name;
        uint32_t    type;
        uint64_t    size, unit;
    } plan[SECTIONS] = {
        { "", SHT_NULL, 0, 0 },
        { ".shstrtab", SHT_STRTAB, sizeof(names), 0 },
        { ".note.Xen", SHT_NOTE, c->note_bytes, 0 },
        { ".xen_prstatus", SHT_PROGBITS, c->vcpus * sizeof(struct vcpu_guest_context),
          sizeof(struct vcpu_guest_context) },
        { ".xen_shared_info", SHT_PROGBITS, PAGE, PAGE },
        { ".xen_p2m", SHT_PROGBITS, c->pages * sizeof(struct pair), sizeof(struct pair) },
        { ".xen_pages", SHT_PROGBITS, c->pages * PAGE, PAGE },
    };

    memset(s, 0, SECTIONS * sizeof(*s));
    for (unsigned i = 1; i < SECTIONS; i++) {
        at = plan[i].unit == PAGE ? (at + PAGE - 1) / PAGE * PAGE : (at + 7) / 8 * 8;
        s[i] = (Elf64_Shdr){ .sh_name = name_at(plan[i].name), .sh_type = plan[i].type, .sh_offset = at,
                             .sh_size = plan[i].size, .sh_addralign = plan[i].unit == PAGE ? PAGE : 8,
                             .sh_entsize = plan[i].unit };
        at += plan[i].size;
    }
}

static int head_write(struct core *c, const Elf64_Shdr s[SECTIONS])
{
    Elf64_Ehdr e = { .e_type = ET_CORE, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
                     .e_shoff = sizeof(e), .e_ehsize = sizeof(e), .e_shentsize = sizeof(Elf64_Shdr),
                     .e_shnum = SECTIONS, .e_shstrndx = 1 };
    int        rc;

    memcpy(e.e_ident, ELFMAG, SELFMAG);
    e.e_ident[EI_CLASS] = ELFCLASS64;
    e.e_ident[EI_DATA] = ELFDATA2LSB;
    e.e_ident[EI_VERSION] = EV_CURRENT;
    rc = put(c, &e, sizeof(e), 0);
    rc = rc ? rc : put(c, s, SECTIONS * sizeof(*s), sizeof(e));
    rc = rc ? rc : put(c, names, sizeof(names), s[1].sh_offset);
    return rc ? rc : put(c, c->note, c->note_bytes, s[2].sh_offset);
}

/* A vCPU that was never brought up has no registers: zeros. */
static int registers_write(struct core *c, uint64_t at)
{
    struct vcpu_guest_context *ctx = malloc(sizeof(*ctx));
    int                        rc = ctx ? 0 : fault_memory(c->f);

    for (unsigned i = 0; !rc && i < c->vcpus; i++) {
        memset(ctx, 0, sizeof(*ctx));
        xc_vcpu_context(c->xc, c->domid, i, ctx, NULL);
        rc = put(c, ctx, sizeof(*ctx), at + i * sizeof(*ctx));
    }
    free(ctx);
    return rc;
}

/* Frames that do not map stay holes: zeros. */
static int pages_write(struct core *c, uint64_t at)
{
    uint64_t mfns[BATCH];
    int      errors[BATCH], rc = 0;

    for (uint64_t i = 0; !rc && i < c->pages; i += BATCH) {
        unsigned    n = c->pages - i < BATCH ? c->pages - i : BATCH;
        const char *map;

        for (unsigned j = 0; j < n; j++)
            mfns[j] = c->pairs[i + j].mfn;
        map = xc_map_read(c->xc, c->domid, mfns, n, errors, c->f);
        for (unsigned j = 0; !rc && map && j < n; j++)
            if (!errors[j])
                rc = put(c, map + j * PAGE, PAGE, at + (i + j) * PAGE);
        xc_unmap(c->xc, (void *)map, n);
    }
    if (!rc && ftruncate(c->fd, at + c->pages * PAGE))
        rc = fault_errno(c->f, -errno, "cannot write the core of domain %u (make room there)", c->domid);
    return rc;
}

int core_dump(struct xc *xc, uint16_t domid, int fd, struct fault *f)
{
    struct core  c = { .xc = xc, .domid = domid, .fd = fd, .f = f };
    Elf64_Shdr   s[SECTIONS];
    union {
        struct shared_info info;
        uint8_t            bytes[PAGE];
    } *shared = malloc(sizeof(*shared));
    int rc = shared ? xc_domain_info(xc, domid, &c.info, f) : fault_memory(f);

    c.vcpus = c.info.max_vcpu_id + 1;
    rc = rc ? rc : page_read(&c, c.info.shared_info_frame, shared);
    rc = rc ? rc : memory_find(&c, &shared->info);
    rc = rc ? rc : note_make(&c);
    if (!rc) {
        sections_lay(&c, s);
        rc = head_write(&c, s);
    }
    rc = rc ? rc : registers_write(&c, s[3].sh_offset);
    rc = rc ? rc : put(&c, shared, PAGE, s[4].sh_offset);
    rc = rc ? rc : put(&c, c.pairs, c.pages * sizeof(*c.pairs), s[5].sh_offset);
    rc = rc ? rc : pages_write(&c, s[6].sh_offset);
    free(shared);
    free(c.pairs);
    free(c.note);
    return rc;
}
