/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn.so: a QEMU TCG plugin that counts guest instructions and writes of CR3, and reports at marks.
 *
 *     -plugin insn.so,log=FILE        appends "mark N INSTRUCTIONS CR3-WRITES" lines to FILE
 *     ...,hot=FILE,from=N,to=M        also "ADDRESS INSTRUCTIONS" of every block that ran between marks N and
 *     M, for
 *                                     tests/bench/hot, which says in which functions they are; without N from
 *                                     the start, without M to the end
 *
 * Under software emulation time says little: a CR3 write empties QEMU's own TLB and costs as much as ten
 * thousand instructions, while the host may be busy with something else. Counts repeat, so benchmarks compare
 * those. A mark is a long NOP that no compiler writes (tests/bench/mark.h): it runs at any privilege, and
 * costs one instruction.
 *
 * Instructions are counted per translated block when it is entered, so a block that faults halfway counts in
 * full. The block's own marks are exact to the length of a block. One virtual CPU only. Debian ships no
 * qemu-plugin.h, so the few declarations needed stand here; they are version 1 of the interface, of QEMU 7.2.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

enum { CB_NO_REGS = 0, INLINE_ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *counter,
                                                uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned, void *),
                                            int flags, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

#define EXPORT __attribute__((visibility("default")))
extern int qemu_plugin_version;
EXPORT int qemu_plugin_version = 1;

enum { MARK_AT_END = 255 };

static uint64_t instructions, cr3_writes;
static FILE *out;

/* Blocks are translated again now and then; each translation counts for itself. They are never freed. */
struct block { struct block *next; uint64_t address, count; };
static struct block *blocks;
static const char *hot_path;
static unsigned hot_from = MARK_AT_END, hot_to = MARK_AT_END;

static struct block *block_new(uint64_t address)
{
    struct block *b = calloc(1, sizeof *b);

    if (!b)
        abort();
    b->address = address;
    b->next = blocks;
    blocks = b;
    return b;
}

static void blocks_write(void)
{
    FILE *f = fopen(hot_path, "w");

    for (struct block *b = blocks; f && b; b = b->next)
        if (b->count)
            fprintf(f, "%" PRIx64 " %" PRIu64 "\n", b->address, b->count);
    if (f)
        fclose(f);
    hot_path = NULL;
}

static void blocks_mark(unsigned mark)
{
    if (hot_path && mark == hot_to)
        blocks_write();
    if (hot_path && mark == hot_from)
        for (struct block *b = blocks; b; b = b->next)
            b->count = 0;
}

static void report(unsigned mark)
{
    fprintf(out, "mark %u %" PRIu64 " %" PRIu64 "\n", mark, instructions, cr3_writes);
    fflush(out);
    blocks_mark(mark);
}

static void on_mark(unsigned cpu, void *data)
{
    (void)cpu;
    report((unsigned)(uintptr_t)data);
}

static void on_end(plugin_id id, void *data)
{
    (void)id;
    (void)data;
    report(MARK_AT_END);
}

/* nopl with a 32-bit displacement whose first byte is the mark's number and the rest spells "HAU" */
static bool is_mark(const uint8_t *code, size_t len)
{
    return len == 8 && memcmp(code, "\x0f\x1f\x84\x00", 4) == 0 && memcmp(code + 5, "HAU", 3) == 0;
}

/* mov %r64,%cr3, with or without a REX prefix */
static bool is_cr3_write(const uint8_t *code, size_t len)
{
    if (len == 4 && (code[0] & 0xf0) == 0x40) {
        code++;
        len--;
    }
    return len == 3 && code[0] == 0x0f && code[1] == 0x22 && (code[2] & 0xf8) == 0xd8;
}

static void on_translate(plugin_id id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);
    (void)id;

    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &instructions, n);
    if (hot_path)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64,
                                                 &block_new(qemu_plugin_tb_vaddr(tb))->count, n);
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *code = qemu_plugin_insn_data(insn);
        size_t len = qemu_plugin_insn_size(insn);

        if (is_mark(code, len))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, CB_NO_REGS, (void *)(uintptr_t)code[4]);
        else if (is_cr3_write(code, len))
            qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &cr3_writes, 1);
    }
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    out = stderr;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "log=", 4) == 0)
            out = fopen(argv[i] + 4, "w");
        else if (strncmp(argv[i], "hot=", 4) == 0)
            hot_path = strdup(argv[i] + 4);
        else if (strncmp(argv[i], "from=", 5) == 0)
            hot_from = (unsigned)atoi(argv[i] + 5);
        else if (strncmp(argv[i], "to=", 3) == 0)
            hot_to = (unsigned)atoi(argv[i] + 3);
    }
    if (!out)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
