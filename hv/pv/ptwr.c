/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page faults that the guest need not see.
 *
 * A PV kernel writes to its own page tables by ordinary instructions in some places (setting and clearing
 * accessed and dirty, taking an entry out at the end of a process). The table is mapped read-only, the write
 * faults, and here the instruction is done for it: decoded, the new value of the entry computed from the
 * value in memory, and put in by compare-exchange under the same checks as a hypercall. If the entry changed
 * meanwhile the guest runs the instruction again. Only 64-bit code of the guest kernel, only L1 tables, only
 * the instructions that kernels use for this: MOV, XCHG, CMPXCHG, AND, OR, BTR, BTS, with 1-, 4- or 8-byte
 * operands (clearing a flag by a constant is compiled to AND of one byte). Whatever else faults is the
 * guest's own fault.
 *
 * The same look at the tables finds faults that are over already: the processor used a translation from
 * before the guest widened a right, and guests need not flush for that.
 */
#include <hv/insn.h>
#include <hv/vcpu.h>
#include <hw/hw.h>

#include "pt.h"

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_USER    4u
#define PF_RESERVED 8u
#define PF_FETCH   16u

#define FLAG_CF (1ull << 0)
#define FLAG_PF (1ull << 2)
#define FLAG_AF (1ull << 4)
#define FLAG_ZF (1ull << 6)
#define FLAG_SF (1ull << 7)
#define FLAG_OF (1ull << 11)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

enum operation { OP_MOV, OP_XCHG, OP_CMPXCHG, OP_AND, OP_OR, OP_BTS, OP_BTR };

struct decoded {
    enum operation op;
    unsigned bytes;         /* 1, 4 or 8 */
    unsigned length;        /* of the instruction */
    uint64_t *reg;          /* register operand, or NULL: imm */
    unsigned reg_shift;     /* 8: the register's second byte (AH, CH, DH, BH) */
    uint64_t imm;
};

/* ---- decoding ---- */
static bool next_imm(struct insn *s, unsigned bytes, uint64_t *value)
{
    uint64_t raw = 0;
    uint8_t b;

    for (unsigned i = 0; i < bytes; i++) {
        if (!insn_byte(s, &b))
            return false;
        raw |= (uint64_t)b << 8 * i;
    }
    *value = bytes == 1 ? (uint64_t)(int8_t)raw : (uint64_t)(int32_t)raw;
    return true;
}

/* The addressing bytes only need to be passed over: where the write goes is known from the fault. */
static bool skip_address(struct insn *s, unsigned modrm)
{
    unsigned mod = modrm >> 6, rm = modrm & 7;
    unsigned skip = mod == 1 ? 1 : mod == 2 ? 4 : 0;

    if (mod == 3)
        return false;
    if (rm == 4) {
        uint8_t sib;

        if (!insn_byte(s, &sib))
            return false;
        if (mod == 0 && (sib & 7) == 5)
            skip = 4;
    } else if (mod == 0 && rm == 5) {
        skip = 4;
    }
    s->at += skip;
    return s->at <= s->avail;
}

static uint64_t width_mask(unsigned bytes) { return bytes == 8 ? ~0ull : (1ull << 8 * bytes) - 1; }

/* Opcodes whose lowest bit says "not one byte"; the bit instructions have no such form. */
static bool is_byte_form(bool two_byte, unsigned opcode)
{
    return !(opcode & 1) && !(two_byte && opcode != 0xb0);
}

/* Opcode (with the lowest bit set for the forms of one byte), whether its operand is an immediate of how
 * many bytes, and for groups which /n it must be. */
static bool opcode_find(struct decoded *i, bool two_byte, unsigned opcode, unsigned group, unsigned *imm)
{
    *imm = 0;
    switch (opcode | (two_byte ? 0x100 : 0)) {
    case 0x089: i->op = OP_MOV; return true;
    case 0x0c7: i->op = OP_MOV; *imm = 4; return group == 0;
    case 0x087: i->op = OP_XCHG; return true;
    case 0x021: i->op = OP_AND; return true;
    case 0x009: i->op = OP_OR; return true;
    case 0x081:
    case 0x083:
        *imm = opcode == 0x83 ? 1 : 4;
        i->op = group == 4 ? OP_AND : OP_OR;
        return group == 4 || group == 1;
    case 0x1b1: i->op = OP_CMPXCHG; return true;
    case 0x1ab: i->op = OP_BTS; return true;
    case 0x1b3: i->op = OP_BTR; return true;
    case 0x1ba:
        *imm = 1;
        i->op = group == 5 ? OP_BTS : OP_BTR;
        return group == 5 || group == 6;
    default:
        return false;
    }
}

/* Without REX, byte registers 4 to 7 are the second bytes of the first four registers. */
static void register_operand(struct regs *r, struct decoded *i, unsigned number, unsigned rex)
{
    bool second = i->bytes == 1 && !rex && number >= 4;

    i->reg = insn_register(r, second ? number - 4 : number | (rex & 4) << 1);
    i->reg_shift = second ? 8 : 0;
}

static bool decode(struct vcpu *v, struct decoded *i)
{
    struct insn s;
    unsigned imm;
    uint8_t modrm;
    bool two_byte, byte;

    if (!insn_fetch(v, &s) || s.rep || s.opsize16 || s.segment == 0x64 || s.segment == 0x65 ||
        !insn_byte(&s, &modrm))
        return false;
    two_byte = s.opcode >> 8 == 0x0f;
    byte = is_byte_form(two_byte, s.opcode & 0xff);
    if (!opcode_find(i, two_byte, (s.opcode & 0xffu) | byte, modrm >> 3 & 7, &imm) ||
        !skip_address(&s, modrm))
        return false;
    i->bytes = byte ? 1 : s.rex & 8 ? 8 : 4;
    if (!imm)
        register_operand(&v->regs, i, modrm >> 3 & 7, s.rex);
    if (byte && imm)
        imm = 1;
    if (imm && !next_imm(&s, imm, &i->imm))
        return false;
    i->length = s.at;
    return true;
}

/* ---- doing ---- */
static uint64_t flags_of(uint64_t result, unsigned bytes)
{
    unsigned top = bytes * 8 - 1;

    return (result == 0 ? FLAG_ZF : 0) | (result >> top & 1 ? FLAG_SF : 0) |
           (__builtin_parityll(result & 0xff) ? 0 : FLAG_PF);
}

/* Flags of comparing: left - right. */
static uint64_t flags_of_difference(uint64_t left, uint64_t right, unsigned bytes)
{
    uint64_t diff = (left - right) & width_mask(bytes);
    uint64_t overflow = (left ^ right) & (left ^ diff);

    return flags_of(diff, bytes) | (left < right ? FLAG_CF : 0) |
           ((left ^ right ^ diff) & 0x10 ? FLAG_AF : 0) | (overflow >> (bytes * 8 - 1) & 1 ? FLAG_OF : 0);
}

/*
 * From the operand in memory: what is to be there, and what the registers and flags become. A register
 * operand of a bit instruction names bits beyond the operand too; the fault address then lies where the bit
 * is, so only its low part counts.
 */
struct effect { uint64_t memory, flags, flags_mask, reg; bool write_reg; };

static struct effect compute(const struct regs *r, const struct decoded *i, uint64_t was)
{
    uint64_t mask = width_mask(i->bytes);
    uint64_t operand = (i->reg ? *i->reg >> i->reg_shift : i->imm) & mask;
    uint64_t bit = 1ull << (operand & (i->bytes * 8 - 1));
    struct effect e = { .memory = operand };

    switch (i->op) {
    case OP_MOV:
        break;
    case OP_XCHG:
        e.reg = was;
        e.write_reg = true;
        break;
    case OP_CMPXCHG:
        if (was != (r->rax & mask))
            e.memory = was;
        e.flags = flags_of_difference(r->rax & mask, was, i->bytes);
        e.flags_mask = FLAGS_ARITH;
        break;
    case OP_AND:
    case OP_OR:
        e.memory = i->op == OP_AND ? was & operand : was | operand;
        e.flags = flags_of(e.memory, i->bytes);
        e.flags_mask = FLAGS_ARITH;
        break;
    case OP_BTS:
    case OP_BTR:
        e.memory = i->op == OP_BTS ? was | bit : was & ~bit;
        e.flags = was & bit ? FLAG_CF : 0;
        e.flags_mask = FLAG_CF;
        break;
    }
    return e;
}

/* A 4-byte result clears the upper half of its register, a 1-byte result leaves the rest. */
static void register_put(uint64_t *reg, uint64_t value, unsigned bytes, unsigned shift)
{
    *reg = bytes == 1 ? (*reg & ~(0xffull << shift)) | value << shift : value;
}

static void finish(struct regs *r, const struct decoded *i, const struct effect *e, uint64_t was)
{
    if (e->write_reg)
        register_put(i->reg, e->reg, i->bytes, i->reg_shift);
    if (i->op == OP_CMPXCHG && !(e->flags & FLAG_ZF))
        register_put(&r->rax, was, i->bytes, 0);
    r->rflags = (r->rflags & ~e->flags_mask) | e->flags;
    r->rip += i->length;
}

/* The slot is held; the write goes to a byte of it, its upper or lower half, or to all of it. */
static bool emulate(struct vcpu *v, uint64_t *slot, unsigned offset)
{
    struct decoded i = { .imm = 0 };
    struct effect e;
    uint64_t entry, new_entry, was, mask;

    if (!decode(v, &i) || offset % i.bytes)
        return false;
    mask = width_mask(i.bytes) << 8 * offset;
    entry = __atomic_load_n(slot, __ATOMIC_RELAXED);
    was = (entry & mask) >> 8 * offset;
    e = compute(&v->regs, &i, was);
    new_entry = (entry & ~mask) | e.memory << 8 * offset;
    if (new_entry != entry) {
        int rc = l1_entry_replace(v->domain, slot, entry, new_entry);

        if (rc == -XEN_EAGAIN)
            return true;                /* it changed meanwhile: the guest does it again */
        if (rc)
            return false;
    }
    finish(&v->regs, &i, &e, was);
    return true;
}

/* ---- which fault it is ---- */
static bool table_write(struct vcpu *v, uint64_t cr2, const struct pt_walk *w)
{
    struct l1_place p;
    bool ok;

    if (pv_undo_pending(v))
        return true;                    /* the guest does it again */
    if (l1_place_of_entry(v, (pte_mfn(w->entry).n << PAGE_SHIFT) + (cr2 & ~PAGE_MASK & ~7ull), &p))
        return false;
    ok = emulate(v, p.slot, cr2 & 7);
    l1_place_leave(v, &p);
    return ok;
}

static bool allowed_now(const struct pt_walk *w, uint32_t error)
{
    return !((error & PF_WRITE) && !w->writable) && !((error & PF_FETCH) && w->noexec);
}

bool pv_page_fault(struct vcpu *v, uint64_t cr2, uint32_t error)
{
    struct pt_walk w;

    if (unlikely(cr2 - PERDOMAIN < MAX_VCPUS * WINDOW_PAGES * PAGE_SIZE))
        return pv_ldt_fault(v, cr2, error);
    if (!(error & PF_PRESENT) || (error & PF_RESERVED))
        return false;
    if (!pt_walk(pv_current_root(&v->pv), cr2, &w))
        return false;
    if (allowed_now(&w, error)) {
        tlb_flush_page_local(cr2);
        return true;
    }
    if (!(error & PF_WRITE) || !v->pv.kernel_mode || !frame_exists(pte_mfn(w.entry)))
        return false;
    if (type_of(__atomic_load_n(&frame_of(pte_mfn(w.entry))->type, __ATOMIC_RELAXED)) != TYPE_L1)
        return false;
    return table_write(v, cr2, &w);
}
