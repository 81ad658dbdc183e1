/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_version: who we are and what guests may count on. Guests and tools choose their ways by the number, so
 * it names the interface spoken, 4.17; the texts say what speaks it.
 */
#include <hv/hypercall.h>
#include <hv/machine.h>

#include <abi/version.h>

#ifndef HAUCH_CHANGESET
#define HAUCH_CHANGESET "unavailable"
#endif

#define DENIED "<denied>"
#define FEATURE(name) (1u << XENFEAT_##name)

/* Text of a fixed-size field: zero-padded, always terminated. */
static long text_give(gaddr_t to, const char *text, size_t size)
{
    char field[XEN_CAPABILITIES_INFO_LEN] = "";
    size_t n = __builtin_strlen(text);

    __builtin_memcpy(field, text, MIN(n, size - 1));
    return guest_write(to, field, size);
}

static long compile_info_give(gaddr_t to)
{
    struct xen_compile_info i = { .compiler = "gcc", .compile_by = "hauch" };
    const char *compiler = "cc " __VERSION__;

    __builtin_memcpy(i.compiler, compiler, MIN(__builtin_strlen(compiler), sizeof i.compiler - 1));
    return guest_write(to, &i, sizeof i);
}

static long features_give(const struct domain *d, gaddr_t at)
{
    struct xen_feature_info f;

    if (guest_read(&f, at, sizeof f))
        return -XEN_EFAULT;
    if (f.submap_idx >= XENFEAT_NR_SUBMAPS)
        return -XEN_EINVAL;
    f.submap = FEATURE(mmu_pt_update_preserve_ad) | FEATURE(gnttab_map_avail_bits) |
               (d->privileged ? FEATURE(dom0) : 0);
    return guest_write(at, &f, sizeof f);
}

static long platform_give(gaddr_t to)
{
    struct xen_platform_parameters p = { .virt_start = HYPERVISOR_VIRT_START };

    return guest_write(to, &p, sizeof p);
}

long hc_xen_version(struct vcpu *v, uint64_t what, uint64_t arg, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct domain *d = v->domain;
    gaddr_t to = GADDR(arg);

    switch (what) {
    case XENVER_version:
        return 4 << 16 | 17;
    case XENVER_extraversion:
        return text_give(to, ".0-hauch", XEN_EXTRAVERSION_LEN);
    case XENVER_compile_info:
        return compile_info_give(to);
    case XENVER_capabilities:
        return text_give(to, "xen-3.0-x86_64 ", XEN_CAPABILITIES_INFO_LEN);
    case XENVER_changeset:
        return text_give(to, HAUCH_CHANGESET, XEN_CHANGESET_INFO_LEN);
    case XENVER_platform_parameters:
        return platform_give(to);
    case XENVER_get_features:
        return features_give(d, to);
    case XENVER_pagesize:
        return arg ? -XEN_EINVAL : (long)PAGE_SIZE;
    case XENVER_guest_handle:
        return guest_write(to, d->handle, sizeof d->handle);
    case XENVER_commandline:
        return text_give(to, d->privileged ? machine.boot.cmdline : DENIED, sizeof(xen_commandline_t));
    case XENVER_build_id:
        return d->privileged ? -XEN_ENODATA : -XEN_EPERM;
    }
    return -XEN_ENOSYS;
}
