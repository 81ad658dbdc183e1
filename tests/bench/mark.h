/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mark for tests/bench/insn.c: one long NOP that carries a number in its displacement, so that user
 * programs, kernels and the hypervisor can all say "here" to the instruction counter. Without the plugin it
 * does nothing.
 */
#pragma once

/* number: a constant from 0 to 254; 255 is the plugin's own, at the end. */
#define BENCH_MARK(number) \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, %c0, 'H', 'A', 'U'" : : "i"(number) : "memory")
