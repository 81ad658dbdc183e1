/* SPDX-License-Identifier: BSD-2-Clause */
/* xen_version: each question, and the texts end. */
#include "rt.h"

TEST("call: xen_version");

static long ask(int what, void *arg) { return hypercall(__HYPERVISOR_xen_version, what, arg, 0, 0); }
static bool ends(const char *s, unsigned room)
{
    for (unsigned i = 0; i < room; i++)
        if (!s[i])
            return true;
    return false;
}
static bool contains(const char *s, const char *part, unsigned n)
{
    for (; *s; s++)
        if (memcmp(s, part, n) == 0)
            return true;
    return false;
}

void test_main(void)
{
    char *text = page_alloc();
    struct xen_platform_parameters p;
    struct xen_feature_info f = { 0, 0 };
    struct xen_compile_info *c = (void *)text;
    struct xen_build_id id = { .len = 0 };
    const uint32_t want = 1u << XENFEAT_dom0 | 1u << XENFEAT_mmu_pt_update_preserve_ad;
    const uint32_t not = 1u << XENFEAT_auto_translated_physmap | 1u << XENFEAT_writable_page_tables |
                         1u << XENFEAT_supervisor_mode_kernel;
    long r;

    CHECK_EQ(ask(XENVER_version, NULL), 4 << 16 | 17);
    CHECK_EQ(ask(XENVER_extraversion, text), 0);
    CHECK(ends(text, XEN_EXTRAVERSION_LEN));
    CHECK_EQ(ask(XENVER_capabilities, text), 0);
    CHECK(ends(text, XEN_CAPABILITIES_INFO_LEN));
    CHECK(contains(text, "xen-3.0-x86_64", 14));
    CHECK_EQ(ask(XENVER_changeset, text), 0);
    CHECK(ends(text, XEN_CHANGESET_INFO_LEN));
    CHECK_EQ(ask(XENVER_compile_info, text), 0);
    CHECK(ends(c->compiler, sizeof c->compiler) && ends(c->compile_date, sizeof c->compile_date));
    CHECK_EQ(ask(XENVER_platform_parameters, &p), 0);
    CHECK_EQ(p.virt_start, HYPERVISOR_VIRT_START);
    CHECK_EQ(ask(XENVER_get_features, &f), 0);
    CHECK_EQ(f.submap & want, want);
    CHECK_EQ(f.submap & not, 0);
    f.submap_idx = 77;
    ask(XENVER_get_features, &f);
    CHECK_EQ(ask(XENVER_pagesize, NULL), PAGE_SIZE);
    memset(text, 0xff, 32);
    CHECK_EQ(ask(XENVER_guest_handle, text), 0);
    CHECK_EQ(text[0], 0);                                   /* dom0's is all zero */
    CHECK_EQ(text[15], 0);
    CHECK_EQ(ask(XENVER_commandline, text), 0);
    CHECK(ends(text, 1024));
    CHECK(contains(text, "com1", 4));
    r = ask(XENVER_build_id, NULL);
    CHECK(r > 0 || r == -XEN_ENODATA || r == -XEN_ENOSYS);
    r = ask(XENVER_build_id, &id);
    CHECK(r < 0);
    CHECK_EQ(ask(99, text), -XEN_ENOSYS);
    CHECK_EQ(ask(XENVER_extraversion, (void *)0x1000), -XEN_EFAULT);
    CHECK_EQ(ask(XENVER_capabilities, (void *)0xffff830000000000), -XEN_EFAULT);
}
