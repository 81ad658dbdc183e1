/* SPDX-License-Identifier: BSD-2-Clause */
/* Fetching and splitting an instruction of a guest. Each byte is read once. */
#include <hv/guest.h>
#include <hv/insn.h>

static void fetch(struct vcpu *v, struct insn *i)
{
    uint64_t rip = v->regs.rip;
    unsigned in_page = (unsigned)(PAGE_SIZE - (rip & ~PAGE_MASK));
    unsigned first = in_page < INSN_MAX ? in_page : INSN_MAX;

    i->avail = 0;
    if (guest_read(i->bytes, GADDR(rip), first))
        return;
    i->avail = first;
    if (first < INSN_MAX && !guest_read(i->bytes + first, GADDR(rip + first), INSN_MAX - first))
        i->avail = INSN_MAX;
}

bool insn_byte(struct insn *i, uint8_t *b)
{
    if (i->at >= i->avail)
        return false;
    *b = i->bytes[i->at++];
    return true;
}

static bool prefix(struct insn *i, uint8_t b)
{
    switch (b) {
    case 0x66: i->opsize16 = true; return true;
    case 0xf0: i->lock = true; return true;
    case 0xf2: case 0xf3: i->rep = true; return true;
    case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65: i->segment = b; return true;
    case 0x67: return true;
    }
    return false;
}

bool insn_fetch(struct vcpu *v, struct insn *i)
{
    uint8_t b;

    __builtin_memset(i, 0, sizeof *i);
    fetch(v, i);
    do {
        if (!insn_byte(i, &b))
            return false;
    } while (prefix(i, b));
    if ((b & 0xf0) == 0x40) {
        i->rex = b;
        if (!insn_byte(i, &b))
            return false;
    }
    i->opcode = b;
    if (b == 0x0f) {
        if (!insn_byte(i, &b))
            return false;
        i->opcode = (uint16_t)(0x0f00 | b);
    }
    return true;
}

uint64_t *insn_register(struct regs *r, unsigned number)
{
    switch (number & 15) {
    case 0: return &r->rax;
    case 1: return &r->rcx;
    case 2: return &r->rdx;
    case 3: return &r->rbx;
    case 4: return &r->rsp;
    case 5: return &r->rbp;
    case 6: return &r->rsi;
    case 7: return &r->rdi;
    case 8: return &r->r8;
    case 9: return &r->r9;
    case 10: return &r->r10;
    case 11: return &r->r11;
    case 12: return &r->r12;
    case 13: return &r->r13;
    case 14: return &r->r14;
    }
    return &r->r15;
}
