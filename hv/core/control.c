/* SPDX-License-Identifier: BSD-2-Clause */
/* What several control operations need: bit maps and lists in the memory of tools. */
#include <hv/domain.h>
#include <hv/guest.h>

#include "control.h"

#define MAP_BITS_MAX 65536u     /* a longer map is a mistake of the tool's */

/* ---- bit maps ---- */
int bits_read(const struct xenctl_bitmap *map, unsigned n, struct control_bits *out)
{
    unsigned bits = MIN(MIN(map->nr_bits, n), CONTROL_BITS);

    *out = (struct control_bits){ 0 };
    if (guest_read(out->byte, map->bitmap, DIV_ROUND_UP(bits, 8)))
        return -XEN_EFAULT;
    if (bits % 8)
        out->byte[bits / 8] &= (uint8_t)((1u << bits % 8) - 1);
    return 0;
}

static int zeros_write(gaddr_t at, size_t len)
{
    static const uint8_t zeros[64];
    int r = 0;

    for (size_t done = 0; r == 0 && done < len; done += sizeof zeros)
        r = guest_write(GADDR(at.va + done), zeros, MIN(len - done, sizeof zeros));
    return r;
}

int bits_write(const struct xenctl_bitmap *map, unsigned n, const struct control_bits *in)
{
    struct control_bits out = { 0 };
    size_t room = DIV_ROUND_UP((size_t)map->nr_bits, 8), len = MIN(room, sizeof out.byte);

    if (map->nr_bits > MAP_BITS_MAX)
        return -XEN_E2BIG;
    for (unsigned i = 0; i < MIN(MIN(n, map->nr_bits), CONTROL_BITS); i++)
        if (bits_have(in, i))
            out.byte[i / 8] |= (uint8_t)(1u << i % 8);
    if (guest_write(map->bitmap, out.byte, len))
        return -XEN_EFAULT;
    return zeros_write(GADDR(map->bitmap.va + len), room - len);
}

void bits_fill(struct control_bits *b, unsigned n)
{
    *b = (struct control_bits){ 0 };
    for (unsigned i = 0; i < MIN(n, CONTROL_BITS); i++)
        b->byte[i / 8] |= (uint8_t)(1u << i % 8);
}

struct vcpu *control_vcpu(const struct domain *d, uint32_t id)
{
    return domain_vcpu(d, id);
}

/* ---- CPU policies ---- */
/* MSRs that a policy tells about; PV guests have none of what they would announce. */
static const struct xen_msr_entry policy_msr[CPUID_MSRS] = { { .idx = 0xce }, { .idx = 0x10a } };

/*
 * Tools unpack the list into a form of their own, edit it, and pack it again into as many rows as they were
 * given; their form has rows for empty leaves too. So the rest of their room is filled with a row that says
 * nothing: the hypervisor's own first leaf, empty.
 */
static int leaves_pad(gaddr_t leaves, uint32_t from, uint32_t to)
{
    static const struct xen_cpuid_leaf nothing = { .leaf = XEN_CPUID_FIRST_LEAF,
                                                   .subleaf = XEN_CPUID_NO_SUBLEAF };

    for (uint32_t i = from; i < to; i++)
        if (guest_write(gaddr_index(leaves, i, sizeof nothing), &nothing, sizeof nothing))
            return -XEN_EFAULT;
    return 0;
}

int policy_write(const struct cpu_policy *p, gaddr_t leaves, uint32_t *nr_leaves, gaddr_t msrs,
                 uint32_t *nr_msrs)
{
    bool ask = !leaves.va && !msrs.va;
    uint32_t room_leaves = *nr_leaves, room_msrs = *nr_msrs;

    *nr_leaves = ask ? CPUID_LEAVES_ANSWERED : MAX(p->count, MIN(room_leaves, CPUID_LEAVES_ANSWERED));
    *nr_msrs = CPUID_MSRS;
    if (ask)
        return 0;
    if ((leaves.va && room_leaves < p->count) || (msrs.va && room_msrs < CPUID_MSRS))
        return -XEN_ENOBUFS;
    if (leaves.va && guest_write(leaves, p->leaf, p->count * sizeof p->leaf[0]))
        return -XEN_EFAULT;
    if (leaves.va && leaves_pad(leaves, p->count, *nr_leaves))
        return -XEN_EFAULT;
    if (msrs.va && guest_write(msrs, policy_msr, sizeof policy_msr))
        return -XEN_EFAULT;
    return 0;
}
