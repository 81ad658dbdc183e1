/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileged instructions of guests, which trap because both modes of a guest run in ring 3. A kernel that
 * knows it is paravirtual executes few of them: control registers, MSRs, CPUID by the forced prefix, and
 * dom0's port I/O.
 *
 * Each handler returns true if it did the instruction; then RIP moves on. False: the guest gets its #GP.
 */
#include <hv/cpuid.h>
#include <hv/domain.h>
#include <hv/guest.h>
#include <hv/hypercall.h>
#include <hv/insn.h>
#include <hv/msr.h>
#include <hv/port.h>
#include <hv/print.h>
#include <hw/hw.h>

#include <abi/sched.h>

#include "pt.h"

#define CR0_SHOWN   0x80050033ull       /* PG AM WP NE ET MP PE */
#define CR0_TS      0x8ull
#define CR4_SHOWN   0x6f0ull            /* OSXMMEXCPT OSFXSR PGE? MCE PAE PSE as a kernel expects them */
#define CR4_OSXSAVE (1ull << 18)
#define CR4_TSD     (1ull << 2)
#define CR4_DE      (1ull << 3)
#define FLAG_DF     (1ull << 10)

/* ---- port I/O ---- */
static unsigned io_bytes(const struct insn *i) { return !(i->opcode & 1) ? 1 : i->opsize16 ? 2 : 4; }

static void io_result(struct vcpu *v, unsigned bytes, uint32_t value)
{
    uint64_t mask = bytes == 1 ? 0xff : 0xffff;

    v->regs.rax = bytes == 4 ? value : (v->regs.rax & ~mask) | (value & mask);
}

static bool in_out(struct vcpu *v, struct insn *i)
{
    unsigned bytes = io_bytes(i);
    uint8_t imm;
    uint16_t port = (uint16_t)v->regs.rdx;

    if (i->opcode < 0xe8) {
        if (!insn_byte(i, &imm))
            return false;
        port = imm;
    }
    if (!port_access_ok(v, port, bytes))
        return false;
    if (i->opcode & 2)
        port_write(v, port, bytes, (uint32_t)v->regs.rax);
    else
        io_result(v, bytes, port_read(v, port, bytes));
    return true;
}

/* INS and OUTS: one element a trap; with REP the instruction stays until RCX is used up. */
static bool string_io(struct vcpu *v, struct insn *i)
{
    struct regs *g = &v->regs;
    unsigned bytes = io_bytes(i);
    uint16_t port = (uint16_t)g->rdx;
    bool out = i->opcode & 2;
    uint64_t *index = out ? &g->rsi : &g->rdi, step = g->rflags & FLAG_DF ? -(uint64_t)bytes : bytes;
    uint32_t value = 0;

    if (i->segment == 0x64 || i->segment == 0x65 || !port_access_ok(v, port, bytes))
        return false;
    if (i->rep && g->rcx == 0)
        return true;
    if (out) {
        if (guest_read(&value, GADDR(*index), bytes))
            return false;
        port_write(v, port, bytes, value);
    } else {
        value = port_read(v, port, bytes);
        if (guest_write(GADDR(*index), &value, bytes))
            return false;
    }
    *index += step;
    if (i->rep && --g->rcx)
        i->at = 0;                      /* RIP stays: the next element traps again */
    return true;
}

/* ---- control and debug registers: register forms only ---- */
static bool cr_read(struct vcpu *v, unsigned n, uint64_t *value)
{
    switch (n) {
    case 0:
        *value = CR0_SHOWN | (v->pv.ctrlreg_cr0_ts ? CR0_TS : 0);
        return true;
    case 2:
        *value = v->info->arch.cr2;
        return true;
    case 3:
        *value = pv_current_root(&v->pv).n << PAGE_SHIFT;
        return true;
    case 4:
        *value = v->pv.cr4;
        return true;
    case 8:
        *value = 0;
        return true;
    }
    return false;
}

static bool cr_write(struct vcpu *v, struct insn *i, unsigned n, uint64_t value)
{
    int rc;

    switch (n) {
    case 0:
        if ((value ^ CR0_SHOWN) & ~CR0_TS)
            return false;
        hc_fpu_taskswitch(v, (value & CR0_TS) != 0, 0, 0, 0, 0);
        return true;
    case 2:
        v->info->arch.cr2 = value;
        return true;
    case 3:
        rc = pv_undo_pending(v);
        if (rc == 0)
            rc = pv_root_kernel(v, MFN(value >> PAGE_SHIFT));
        if (rc == -XEN_ERESTART)        /* a tree of tables takes long to check: others may run in between */
            i->at = 0;                  /* RIP stays: the instruction traps again, and goes on where it was */
        return rc == 0 || rc == -XEN_ERESTART;
    case 4:
        v->pv.cr4 = value;              /* kept for the guest's own reading; the processor's is ours */
        return true;
    }
    return false;
}

static bool move_special(struct vcpu *v, struct insn *i)
{
    uint8_t modrm;
    unsigned n;
    uint64_t *g, value;

    if (!insn_byte(i, &modrm) || modrm < 0xc0)
        return false;
    n = (modrm >> 3 & 7) | (i->rex & 4 ? 8u : 0);
    g = insn_register(&v->regs, (modrm & 7u) | (i->rex & 1 ? 8u : 0));
    switch (i->opcode) {
    case 0x0f20:
        return cr_read(v, n, g);
    case 0x0f22:
        return cr_write(v, i, n, *g);
    case 0x0f21:
        value = n < 8 ? v->pv.debugreg[n == 4 ? 6 : n == 5 ? 7 : n] : 0;
        *g = value;
        return n < 8;
    }
    if (n > 7 || pv_set_debugreg(v, n, *g))
        return false;
    hw_set_debugreg(n, *g);
    return true;
}

/* ---- the rest ---- */
static bool model_specific(struct vcpu *v, bool write)
{
    uint32_t msr = (uint32_t)v->regs.rcx;
    uint64_t value = v->regs.rdx << 32 | (uint32_t)v->regs.rax;

    if (write)
        return msr_write(v, msr, value) == 0;
    if (msr_read(v, msr, &value))
        return false;
    v->regs.rax = (uint32_t)value;
    v->regs.rdx = value >> 32;
    return true;
}

static bool emulate_cpuid(struct vcpu *v)
{
    uint32_t out[4];

    cpuid_for(v, (uint32_t)v->regs.rax, (uint32_t)v->regs.rcx, out);
    v->regs.rax = out[0];
    v->regs.rbx = out[1];
    v->regs.rcx = out[2];
    v->regs.rdx = out[3];
    return true;
}

static bool set_xcr(struct vcpu *v, struct insn *i)
{
    uint8_t modrm;
    uint64_t value = v->regs.rdx << 32 | (uint32_t)v->regs.rax;

    if (!insn_byte(i, &modrm) || modrm != 0xd1 || (uint32_t)v->regs.rcx)
        return false;
    if (!(value & 1) || (value & ~hw_xcr0()) || ((value & 4) && !(value & 2)))
        return false;
    if ((value & 0xe0) && (value & 0xe6) != 0xe6)
        return false;
    v->pv.xcr0 = value;
    hw_write_xcr0(value);
    return true;
}

static bool one_of_kernel(struct vcpu *v, struct insn *i)
{
    switch (i->opcode) {
    case 0xf4:                          /* HLT */
        hc_sched_op(v, SCHEDOP_block, 0, 0, 0, 0);
        return true;
    case 0xfa: case 0xfb:           /* CLI, STI: what IOPL 1 would allow changes nothing for a PV kernel */
        return v->pv.iopl >= 1;
    case 0x0f01:
        return set_xcr(v, i);
    case 0x0f06:
        hc_fpu_taskswitch(v, 0, 0, 0, 0, 0);
        return true;
    case 0x0f08: case 0x0f09:           /* INVD, WBINVD: only who has device memory needs it */
        if (v->domain->pv.io_frames.used)
            hw_wbinvd();
        return true;
    case 0x0f20: case 0x0f21: case 0x0f22: case 0x0f23:
        return move_special(v, i);
    case 0x0f30:
        return model_specific(v, true);
    case 0x0f32:
        return model_specific(v, false);
    case 0x0fa2:
        return emulate_cpuid(v);
    }
    return false;
}

bool pv_emulate_privileged(struct vcpu *v)
{
    struct insn i;
    bool done;

    if (!insn_fetch(v, &i) || i.lock)
        return false;
    if ((i.opcode >= 0xe4 && i.opcode <= 0xe7) || (i.opcode >= 0xec && i.opcode <= 0xef))
        done = in_out(v, &i);
    else if (i.opcode >= 0x6c && i.opcode <= 0x6f)
        done = string_io(v, &i);
    else
        done = v->pv.kernel_mode && one_of_kernel(v, &i);
    if (done)
        v->regs.rip += i.at;
    return done;
}

/* UD2, the letters "xen", CPUID: how a PV guest asks for CPUID where the processor would answer itself. */
bool pv_emulate_invalid(struct vcpu *v)
{
    static const uint8_t prefix[7] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
    uint8_t code[sizeof prefix];

    if (guest_read(code, GADDR(v->regs.rip), 2) || code[0] != 0x0f || code[1] != 0x0b)
        return false;
    if (guest_read(code, GADDR(v->regs.rip), sizeof code) || __builtin_memcmp(code, prefix, sizeof prefix))
        return false;
    emulate_cpuid(v);
    v->regs.rip += sizeof prefix;
    return true;
}
