/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Just enough of the instruction format for the few instructions that are emulated: prefixes, opcode, ModRM.
 * Facts: AMD64 APM vol. 3, chapter 1.
 */
#ifndef HV_INSN_H
#define HV_INSN_H

#include <hv/vcpu.h>

#define INSN_MAX 15

struct insn {
    uint8_t  bytes[INSN_MAX];
    unsigned avail;             /* how many of bytes[] could be read */
    unsigned at;                /* next byte to decode */
    bool     lock, rep, opsize16;
    uint8_t  rex, segment;      /* REX byte or 0; segment override prefix or 0 */
    uint16_t opcode;            /* 0x0fxx for two-byte opcodes */
};

/* Reads the bytes at v's RIP and decodes prefixes and opcode. False if not even that can be read. */
bool insn_fetch(struct vcpu *v, struct insn *i);
/* Next byte; false at the end of what could be read. */
bool insn_byte(struct insn *i, uint8_t *b);

/* General register by its number in an encoding (0 RAX .. 15 R15). */
uint64_t *insn_register(struct regs *r, unsigned number);

#endif
