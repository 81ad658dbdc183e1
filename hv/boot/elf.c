/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF64 kernels and their Xen notes.
 *
 * The one idea to know: a kernel's program headers give physical addresses, while a PV guest is laid out
 * virtually. The two are tied by a pair of notes: the page at physical PADDR_OFFSET is seen at virtual
 * VIRT_BASE. So the place of a segment is p_paddr - PADDR_OFFSET + VIRT_BASE, and p_vaddr is not used at all
 * (Linux's per-CPU segment has p_vaddr 0).
 */
#include <hv/boot/elf.h>

struct elf64_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf64_header) == 64, "ELF64 header");

struct elf64_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf64_segment) == 56, "ELF64 program header");

struct elf64_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t addralign, entsize;
};
_Static_assert(sizeof(struct elf64_section) == 64, "ELF64 section header");

enum { ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62, PT_LOAD = 1, PT_NOTE = 4, SHT_NOTE = 7 };

/* Types of the notes whose name is "Xen". */
enum xen_note {
    NOTE_ENTRY = 1,
    NOTE_HYPERCALL_PAGE = 2,
    NOTE_VIRT_BASE = 3,
    NOTE_PADDR_OFFSET = 4,
    NOTE_XEN_VERSION = 5,
    NOTE_GUEST_OS = 6,
    NOTE_GUEST_VERSION = 7,
    NOTE_LOADER = 8,
    NOTE_PAE_MODE = 9,
    NOTE_FEATURES = 10,
    NOTE_BSD_SYMTAB = 11,
    NOTE_HV_START_LOW = 12,
    NOTE_L1_MFN_VALID = 13,
    NOTE_SUSPEND_CANCEL = 14,
    NOTE_INIT_P2M = 15,
    NOTE_MOD_START_PFN = 16,
    NOTE_SUPPORTED_FEATURES = 17,
    NOTE_PHYS32_ENTRY = 18,
};

struct elf_file {
    const uint8_t *bytes;
    size_t len;
    struct elf64_header header;
};

/* ---- notes --------------------------------------------------------------------------------------------- */

static uint64_t note_number(const uint8_t *desc, uint32_t len)
{
    switch (len) {
    case 1:
        return desc[0];
    case 2:
        return load_le16(desc);
    case 4:
        return load_le32(desc);
    default:
        return len >= 8 ? load_le64(desc) : 0;
    }
}

static void note_string(char *to, size_t cap, const uint8_t *desc, uint32_t len)
{
    size_t n = string_length(desc, len);

    if (n >= cap)
        n = cap - 1;
    memcpy(to, desc, n);
    to[n] = 0;
}

static bool text_is(const uint8_t *text, size_t len, const char *name)
{
    return len == strlen(name) && !memcmp(text, name, len);
}

static int feature_bit(const uint8_t *name, size_t len)
{
    static const struct {
        const char *name;
        enum kernel_feature bit;
    } features[] = {
        { "writable_page_tables", KERNEL_WRITABLE_PAGE_TABLES },
        { "writable_descriptor_tables", KERNEL_WRITABLE_DESCRIPTOR_TABLES },
        { "auto_translated_physmap", KERNEL_AUTO_TRANSLATED_PHYSMAP },
        { "supervisor_mode_kernel", KERNEL_SUPERVISOR_MODE_KERNEL },
        { "pae_pgdir_above_4gb", KERNEL_PAE_PGDIR_ABOVE_4GB },
        { "hvm_callback_vector", KERNEL_HVM_CALLBACK_VECTOR },
        { "dom0", KERNEL_DOM0 },
    };

    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
        if (text_is(name, len, features[i].name))
            return (int)features[i].bit;
    return -1;
}

/* "name|!name|...": '!' before what the kernel cannot do without. */
static void note_features(struct kernel_image *k, const uint8_t *text, uint32_t cap)
{
    size_t len = string_length(text, cap);

    for (size_t at = 0, end; at < len; at = end + 1) {
        bool required = text[at] == '!';
        int bit;

        for (end = at; end < len && text[end] != '|'; end++)
            ;
        at += required;
        bit = at < end ? feature_bit(text + at, end - at) : -1;
        if (bit < 0) {
            k->feature_unknown |= required;
            continue;
        }
        k->features_supported |= 1u << bit;
        if (required)
            k->features_required |= 1u << bit;
    }
}

static void note_l1_valid(struct kernel_image *k, const uint8_t *desc, uint32_t len)
{
    /* Pairs of mask and value; a 64-bit kernel has one pair. */
    if (len < 16)
        return;
    k->l1_mfn_mask = load_le64(desc);
    k->l1_mfn_value = load_le64(desc + 8);
}

/* Notes that hold a number; others are left alone. */
static void read_number(struct kernel_image *k, uint32_t type, uint64_t number)
{
    switch (type) {
    case NOTE_ENTRY:
        k->entry = number;
        break;
    case NOTE_HYPERCALL_PAGE:
        k->hypercall_page = number;
        k->has_hypercall_page = true;
        break;
    case NOTE_VIRT_BASE:
        k->virt_base = number;
        break;
    case NOTE_PADDR_OFFSET:
        k->paddr_offset = number;
        break;
    case NOTE_HV_START_LOW:
        k->hv_start_low = number;
        k->has_hv_start_low = true;
        break;
    case NOTE_SUSPEND_CANCEL:
        k->suspend_cancel = number != 0;
        break;
    case NOTE_INIT_P2M:
        k->init_p2m = number;
        k->has_init_p2m = true;
        break;
    case NOTE_MOD_START_PFN:
        k->mod_start_pfn = number != 0;
        break;
    case NOTE_SUPPORTED_FEATURES:
        k->features_supported |= (uint32_t)number;
        break;
    case NOTE_PHYS32_ENTRY:
        k->phys32_entry = (uint32_t)number;
        k->has_phys32_entry = true;
        break;
    }
}

static void read_note(struct kernel_image *k, uint32_t type, const uint8_t *desc, uint32_t len)
{
    k->has_xen_notes = true;
    switch (type) {
    case NOTE_XEN_VERSION:
        note_string(k->xen_version, sizeof(k->xen_version), desc, len);
        break;
    case NOTE_GUEST_OS:
        note_string(k->guest_os, sizeof(k->guest_os), desc, len);
        break;
    case NOTE_GUEST_VERSION:
        note_string(k->guest_version, sizeof(k->guest_version), desc, len);
        break;
    case NOTE_LOADER:
        note_string(k->loader, sizeof(k->loader), desc, len);
        break;
    case NOTE_PAE_MODE:
        k->pae_extended_cr3 = string_length(desc, len) >= 3 && !memcmp(desc, "yes", 3);
        break;
    case NOTE_FEATURES:
        note_features(k, desc, len);
        break;
    case NOTE_BSD_SYMTAB:
        k->bsd_symtab = text_is(desc, string_length(desc, len), "yes");
        break;
    case NOTE_L1_MFN_VALID:
        note_l1_valid(k, desc, len);
        break;
    default:
        read_number(k, type, note_number(desc, len));
    }
}

/* A block of notes: name length, description length, type; then both, each padded to four bytes. */
static int read_notes(const struct elf_file *f, uint64_t off, uint64_t len, struct kernel_image *k)
{
    const uint8_t *notes;

    if (!range_inside(off, len, f->len))
        return -XEN_EINVAL;
    notes = f->bytes + off;
    for (uint64_t at = 0; range_inside(at, 12, len);) {
        uint32_t name_len = load_le32(notes + at), desc_len = load_le32(notes + at + 4);
        uint64_t name = at + 12, desc = name + (((uint64_t)name_len + 3) & ~3ull);

        if (!range_inside(name, name_len, len) || !range_inside(desc, desc_len, len))
            return -XEN_EINVAL;
        if (name_len == 4 && !memcmp(notes + name, "Xen", 4))
            read_note(k, load_le32(notes + at + 8), notes + desc, desc_len);
        at = desc + (((uint64_t)desc_len + 3) & ~3ull);
    }
    return 0;
}

/* ---- headers ------------------------------------------------------------------------------------------- */

static int read_header(struct elf_file *f)
{
    static const uint8_t magic[7] = { 0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little-endian */, 1 };
    struct elf64_header *h = &f->header;

    if (f->len < sizeof(*h) || memcmp(f->bytes, magic, sizeof(magic)))
        return -XEN_ENOEXEC;
    memcpy(h, f->bytes, sizeof(*h));
    if (h->machine != EM_X86_64 || (h->type != ET_EXEC && h->type != ET_DYN))
        return -XEN_ENOEXEC;
    if (!h->phnum || h->phentsize != sizeof(struct elf64_segment) ||
        !range_inside(h->phoff, (uint64_t)h->phnum * h->phentsize, f->len))
        return -XEN_EINVAL;
    if (h->shnum && (h->shentsize != sizeof(struct elf64_section) ||
                     !range_inside(h->shoff, (uint64_t)h->shnum * h->shentsize, f->len)))
        h->shnum = 0; /* a stripped or cut file may lack its sections: they are a second source only */
    return 0;
}

static struct elf64_segment program_header(const struct elf_file *f, unsigned int i)
{
    struct elf64_segment p;

    memcpy(&p, f->bytes + f->header.phoff + i * sizeof(p), sizeof(p));
    return p;
}

static int add_segment(const struct elf_file *f, const struct elf64_segment *p, struct kernel_image *k)
{
    if (!p->memsz)
        return 0;
    if (k->segments == KERNEL_MAX_SEGMENTS)
        return -XEN_E2BIG;
    if (p->filesz > p->memsz || !range_inside(p->offset, p->filesz, f->len) ||
        p->memsz > UINT64_MAX - p->paddr)
        return -XEN_EINVAL;
    for (unsigned int i = 0; i < k->segments; i++)
        if (p->paddr < k->segment[i].paddr + k->segment[i].mem_len &&
            k->segment[i].paddr < p->paddr + p->memsz)
            return -XEN_EINVAL;
    k->segment[k->segments++] = (struct kernel_segment){
        .paddr = p->paddr,
        .file_off = p->offset,
        .file_len = p->filesz,
        .mem_len = p->memsz,
        .flags = p->flags,
    };
    return 0;
}

static int read_segments(const struct elf_file *f, struct kernel_image *k)
{
    int rc = 0;

    for (unsigned int i = 0; i < f->header.phnum && !rc; i++) {
        struct elf64_segment p = program_header(f, i);

        if (p.type == PT_LOAD)
            rc = add_segment(f, &p, k);
        else if (p.type == PT_NOTE)
            rc = read_notes(f, p.offset, p.filesz, k);
    }
    return rc ? rc : k->segments ? 0 : -XEN_EINVAL;
}

/* NetBSD's kernels have the notes in a section only. */
static int read_note_sections(const struct elf_file *f, struct kernel_image *k)
{
    int rc = 0;

    for (unsigned int i = 0; i < f->header.shnum && !rc; i++) {
        struct elf64_section s;

        memcpy(&s, f->bytes + f->header.shoff + i * sizeof(s), sizeof(s));
        if (s.type == SHT_NOTE)
            rc = read_notes(f, s.offset, s.size, k);
    }
    return rc;
}

/* ---- layout -------------------------------------------------------------------------------------------- */

static int place_segments(struct kernel_image *k)
{
    k->virt_start = UINT64_MAX;
    k->virt_end = 0;
    for (unsigned int i = 0; i < k->segments; i++) {
        struct kernel_segment *s = &k->segment[i];
        uint64_t end;

        if (s->paddr < k->paddr_offset ||
            __builtin_add_overflow(k->virt_base, s->paddr - k->paddr_offset, &s->vaddr) ||
            __builtin_add_overflow(s->vaddr, s->mem_len, &end))
            return -XEN_EINVAL;
        if (s->vaddr < k->virt_start)
            k->virt_start = s->vaddr;
        if (end > k->virt_end)
            k->virt_end = end;
    }
    return 0;
}

static bool in_segments(const struct kernel_image *k, uint64_t vaddr, uint64_t len)
{
    for (unsigned int i = 0; i < k->segments; i++)
        if (vaddr >= k->segment[i].vaddr &&
            range_inside(vaddr - k->segment[i].vaddr, len, k->segment[i].mem_len))
            return true;
    return false;
}

/* Addresses that notes name must be where they make sense. */
static int check_layout(const struct kernel_image *k)
{
    if (!in_segments(k, k->entry, 1))
        return -XEN_EINVAL;
    if (k->has_hypercall_page && (k->hypercall_page & 4095 || !in_segments(k, k->hypercall_page, 4096)))
        return -XEN_EINVAL;
    if (k->has_init_p2m &&
        (k->init_p2m & 4095 || (k->init_p2m >= k->virt_start && k->init_p2m < k->virt_end)))
        return -XEN_EINVAL;
    return 0;
}

int parse_elf(const void *image, size_t len, struct kernel_image *out)
{
    struct elf_file f = { .bytes = image, .len = len };
    int rc = read_header(&f);

    memset(out, 0, sizeof(*out));
    if (rc)
        return rc;
    out->entry = f.header.entry;
    rc = read_segments(&f, out);
    if (!rc && !out->has_xen_notes)
        rc = read_note_sections(&f, out);
    if (!rc)
        rc = place_segments(out);
    return rc ? rc : check_layout(out);
}
