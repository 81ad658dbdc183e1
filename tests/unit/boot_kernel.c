/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel images: ELF files with Xen notes, and the header of a Linux boot image. */
#include <hv/boot/bzimage.h>
#include <hv/boot/elf.h>

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "boot_phys.h"

#define VIRT 0xffffffff80000000ull

static uint8_t file[0x4000];
static size_t notes_at;
static struct kernel_image k;

/* A copy of exact size, so that reading past it is seen. */
static int parse(size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    int rc;

    memcpy(copy, file, len);
    rc = parse_elf(copy, len, &k);
    free(copy);
    return rc;
}

static Elf64_Ehdr *header(void)
{
    return (Elf64_Ehdr *)file;
}

static Elf64_Phdr *segment(unsigned int i)
{
    return (Elf64_Phdr *)(file + 64) + i;
}

static void add_note(uint32_t type, const void *desc, uint32_t len)
{
    put32(file + notes_at, 4);
    put32(file + notes_at + 4, len);
    put32(file + notes_at + 8, type);
    memcpy(file + notes_at + 12, "Xen", 4);
    memcpy(file + notes_at + 16, desc, len);
    notes_at += 16 + ((len + 3) & ~3u);
    segment(2)->p_filesz = notes_at - 0x3000;
}

static void add_number(uint32_t type, uint64_t n)
{
    add_note(type, &n, 8);
}

/* Two segments at 16 MiB, as Linux has them, and a block of notes. */
static void make_elf(void)
{
    memset(file, 0, sizeof(file));
    memcpy(header()->e_ident, "\177ELF\2\1\1", 7);
    header()->e_type = ET_EXEC;
    header()->e_machine = EM_X86_64;
    header()->e_entry = 0x1000000;
    header()->e_phoff = 64;
    header()->e_phentsize = sizeof(Elf64_Phdr);
    header()->e_phnum = 3;
    *segment(0) = (Elf64_Phdr){ .p_type = PT_LOAD,
                                .p_flags = 5,
                                .p_offset = 0x1000,
                                .p_vaddr = VIRT + 0x1000000,
                                .p_paddr = 0x1000000,
                                .p_filesz = 0x1000,
                                .p_memsz = 0x2000 };
    *segment(1) = (Elf64_Phdr){ .p_type = PT_LOAD,
                                .p_flags = 6,
                                .p_offset = 0x2000,
                                .p_vaddr = 0,
                                .p_paddr = 0x1002000,
                                .p_filesz = 0x800,
                                .p_memsz = 0x1000 };
    *segment(2) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x3000 };
    notes_at = 0x3000;
    add_number(3, VIRT);
    add_number(4, 0);
    add_number(1, VIRT + 0x1000010);
}

static void make_linux(void)
{
    const uint64_t valid[2] = { 1, 1 };
    uint32_t features = 0x8801, one = 1;

    make_elf();
    add_note(6, "linux", 6);
    add_note(7, "2.6", 4);
    add_note(5, "xen-3.0", 8);
    add_number(15, 0x8000000000);
    add_note(10, "!writable_page_tables|pae_pgdir_above_4gb", 42);
    add_note(17, &features, 4);
    add_note(9, "yes", 4);
    add_note(8, "generic", 8);
    add_note(13, valid, 16);
    add_note(14, &one, 4);
    add_note(16, &one, 4);
    add_number(12, 0xffff800000000000);
    add_number(2, VIRT + 0x1001000);
}

static void linux_is_read(void **state)
{
    make_linux();
    assert_int_equal(parse(sizeof(file)), 0);
    assert_int_equal(k.segments, 2);
    assert_int_equal(k.segment[0].vaddr, VIRT + 0x1000000);
    assert_int_equal(k.segment[1].vaddr, VIRT + 0x1002000); /* from paddr, though p_vaddr is 0 */
    assert_int_equal(k.segment[1].file_off, 0x2000);
    assert_int_equal(k.segment[1].file_len, 0x800);
    assert_int_equal(k.segment[1].mem_len, 0x1000);
    assert_int_equal(k.virt_start, VIRT + 0x1000000);
    assert_int_equal(k.virt_end, VIRT + 0x1003000);
    assert_int_equal(k.entry, VIRT + 0x1000010);
    assert_int_equal(k.virt_base, VIRT);
    assert_true(k.has_xen_notes && k.has_init_p2m && k.has_hypercall_page && k.has_hv_start_low);
    assert_int_equal(k.init_p2m, 0x8000000000);
    assert_int_equal(k.hypercall_page, VIRT + 0x1001000);
    assert_int_equal(k.l1_mfn_mask, 1);
    assert_int_equal(k.l1_mfn_value, 1);
    assert_true(k.mod_start_pfn && k.suspend_cancel && k.pae_extended_cr3);
    assert_int_equal(k.features_required, 1 << KERNEL_WRITABLE_PAGE_TABLES);
    assert_int_equal(k.features_supported, 0x8801 | 1 << KERNEL_PAE_PGDIR_ABOVE_4GB);
    assert_false(k.feature_unknown);
    assert_string_equal(k.guest_os, "linux");
    assert_string_equal(k.guest_version, "2.6");
    assert_string_equal(k.xen_version, "xen-3.0");
    assert_string_equal(k.loader, "generic");
}

static void notes_in_a_section(void **state)
{
    Elf64_Shdr *s = (Elf64_Shdr *)(file + 0x3800);

    make_elf();
    add_note(11, "yes", 4);
    segment(2)->p_type = PT_NULL;
    header()->e_shoff = 0x3800;
    header()->e_shentsize = sizeof(*s);
    header()->e_shnum = 1;
    *s = (Elf64_Shdr){ .sh_type = SHT_NOTE, .sh_offset = 0x3000, .sh_size = notes_at - 0x3000 };
    assert_int_equal(parse(sizeof(file)), 0);
    assert_true(k.has_xen_notes);
    assert_true(k.bsd_symtab);
    assert_int_equal(k.entry, VIRT + 0x1000010);
}

static void features_of_all_sorts(void **state)
{
    make_elf();
    add_note(10, "|!|dom0|!no_such_thing|other|!auto_translated_physmap", 53);
    assert_int_equal(parse(sizeof(file)), 0);
    assert_true(k.feature_unknown);
    assert_int_equal(k.features_required, 1 << KERNEL_AUTO_TRANSLATED_PHYSMAP);
    assert_int_equal(k.features_supported, 1 << KERNEL_AUTO_TRANSLATED_PHYSMAP | 1 << KERNEL_DOM0);
}

static void no_notes_at_all(void **state)
{
    make_elf();
    header()->e_phnum = 2;
    assert_int_equal(parse(sizeof(file)), 0);
    assert_false(k.has_xen_notes);
    assert_int_equal(k.entry, 0x1000000);
    assert_int_equal(k.segment[0].vaddr, 0x1000000);
}

static void not_a_kernel(void **state)
{
    make_elf();
    assert_int_equal(parse(0), -XEN_ENOEXEC);
    assert_int_equal(parse(63), -XEN_ENOEXEC);
    header()->e_ident[4] = 1;
    assert_int_equal(parse(sizeof(file)), -XEN_ENOEXEC);
    make_elf();
    header()->e_machine = EM_386;
    assert_int_equal(parse(sizeof(file)), -XEN_ENOEXEC);
    make_elf();
    header()->e_type = ET_REL;
    assert_int_equal(parse(sizeof(file)), -XEN_ENOEXEC);
}

/* Applies one change to a sound file and expects it to be refused. */
#define REFUSED(error, change)                           \
    do {                                                 \
        make_linux();                                    \
        change;                                          \
        assert_int_equal(parse(sizeof(file)), -(error)); \
    } while (0)

static void broken_headers(void **state)
{
    REFUSED(XEN_EINVAL, header()->e_phnum = 0);
    REFUSED(XEN_EINVAL, header()->e_phentsize = 32);
    REFUSED(XEN_EINVAL, header()->e_phoff = UINT64_MAX - 10);
    REFUSED(XEN_EINVAL, segment(0)->p_filesz = 0x2001);
    REFUSED(XEN_EINVAL, segment(1)->p_offset = sizeof(file) - 0x7ff);
    REFUSED(XEN_EINVAL, segment(1)->p_offset = UINT64_MAX);
    REFUSED(XEN_EINVAL, segment(1)->p_paddr = 0x1001fff);
    REFUSED(XEN_EINVAL, segment(1)->p_paddr = UINT64_MAX - 0xffe);
    REFUSED(XEN_EINVAL, segment(1)->p_paddr = 0x80000000);
    REFUSED(XEN_EINVAL, segment(2)->p_filesz = sizeof(file));
    REFUSED(XEN_EINVAL, segment(2)->p_offset = UINT64_MAX - 7);
    REFUSED(XEN_EINVAL,
            segment(0)->p_memsz = segment(1)->p_memsz = segment(0)->p_filesz = segment(1)->p_filesz = 0);
    REFUSED(XEN_EINVAL, add_number(1, VIRT));
    REFUSED(XEN_EINVAL, add_number(2, VIRT + 0x1002800));
    REFUSED(XEN_EINVAL, add_number(2, VIRT + 0x1003000));
    REFUSED(XEN_EINVAL, add_number(15, VIRT + 0x1001000));
    REFUSED(XEN_EINVAL, add_number(15, 1));
    REFUSED(XEN_EINVAL, put32(file + 0x3004, 0xfffffff8));
    REFUSED(XEN_EINVAL, put32(file + 0x3000, 0xffffffff));
    REFUSED(XEN_EINVAL, add_number(4, 0x1000001));
}

static void too_many_segments(void **state)
{
    make_elf();
    header()->e_phnum = KERNEL_MAX_SEGMENTS + 1;
    for (unsigned int i = 0; i <= KERNEL_MAX_SEGMENTS; i++)
        *segment(i) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_paddr = i * 0x1000, .p_memsz = 0x1000 };
    assert_int_equal(parse(sizeof(file)), -XEN_E2BIG);
}

static void every_truncation_is_safe(void **state)
{
    make_linux();
    for (size_t len = 0; len < sizeof(file); len += len < 0x300 ? 1 : 0x101)
        assert_int_not_equal(parse(len), len >= notes_at ? -1 : 0);
}

/* ---- boot image ---------------------------------------------------------------------------------------- */

static void make_bzimage(void)
{
    memset(file, 0, sizeof(file));
    file[0x1f1] = 3;
    put16(file + 0x1fe, 0xaa55);
    memcpy(file + 0x202, "HdrS", 4);
    put16(file + 0x206, 0x20f);
    put32(file + 0x248, 0x100);
    put32(file + 0x24c, 0x1000);
    put32(file + 0x260, 0x3000000);
    memcpy(file + 0x900,
           "\xfd"
           "7zXZ\0",
           6);
}

static void bzimage_is_read(void **state)
{
    struct bzimage b;

    make_bzimage();
    assert_int_equal(parse_bzimage(file, sizeof(file), &b), 0);
    assert_int_equal(b.payload, 0x900);
    assert_int_equal(b.payload_len, 0x1000);
    assert_int_equal(b.init_size, 0x3000000);
    assert_int_equal(b.kind, PAYLOAD_XZ);
    file[0x1f1] = 0;
    assert_int_equal(parse_bzimage(file, sizeof(file), &b), 0);
    assert_int_equal(b.payload, 0xb00);
    assert_int_equal(b.kind, PAYLOAD_UNKNOWN);
}

static void bzimage_mistakes(void **state)
{
    struct bzimage b;

    make_bzimage();
    assert_int_equal(parse_bzimage(file, 0x18ff, &b), -XEN_EINVAL);
    assert_int_equal(parse_bzimage(file, 0x1900, &b), 0);
    assert_int_equal(parse_bzimage(file, 0x24f, &b), -XEN_ENOEXEC);
    put32(file + 0x248, 0xffffffff);
    assert_int_equal(parse_bzimage(file, sizeof(file), &b), -XEN_EINVAL);
    make_bzimage();
    put32(file + 0x24c, 0);
    assert_int_equal(parse_bzimage(file, sizeof(file), &b), -XEN_EINVAL);
    make_bzimage();
    put16(file + 0x206, 0x207);
    assert_int_equal(parse_bzimage(file, sizeof(file), &b), -XEN_EOPNOTSUPP);
    file[0x202] = 'h';
    assert_int_equal(parse_bzimage(file, sizeof(file), &b), -XEN_ENOEXEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linux_is_read),         cmocka_unit_test(notes_in_a_section),
        cmocka_unit_test(features_of_all_sorts), cmocka_unit_test(no_notes_at_all),
        cmocka_unit_test(not_a_kernel),          cmocka_unit_test(broken_headers),
        cmocka_unit_test(too_many_segments),     cmocka_unit_test(every_truncation_is_safe),
        cmocka_unit_test(bzimage_is_read),       cmocka_unit_test(bzimage_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
