/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which core and socket the running processor belongs to. CPUID leaf 1Fh, or 0Bh where that is missing, tells
 * how many low bits of the APIC id each level takes (Intel SDM vol. 2, CPUID); processors that have neither
 * are left alone, and count as cores of one socket.
 */
#include <hv/pcpu.h>

#include "cpu.h"
#include "insn.h"

#define LEVELS 8
#define LEVEL_SMT 1

static bool leaf_usable(uint32_t leaf)
{
    uint32_t r[4];

    cpuid(0, 0, r);
    if (r[0] < leaf)
        return false;
    cpuid(leaf, 0, r);
    return r[1] & 0xffff;
}

void topology_read(struct pcpu *c)
{
    uint32_t leaf = leaf_usable(0x1f) ? 0x1f : 0xb, r[4], smt = 0, socket = 0, id = 0;

    if (!leaf_usable(leaf))
        return;
    for (uint32_t level = 0; level < LEVELS; level++) {
        cpuid(leaf, level, r);
        if (!(r[2] >> 8 & 0xff))
            break;
        socket = r[0] & 31;
        if ((r[2] >> 8 & 0xff) == LEVEL_SMT)
            smt = socket;
        id = r[3];
    }
    c->thread_id = id & ((1u << smt) - 1);
    c->core_id = (id & ((1u << socket) - 1)) >> smt;
    c->socket_id = id >> socket;
    c->topology_known = true;
}
