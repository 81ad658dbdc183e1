/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge: see pt_recount.h. It shares no code with what it judges but the layout of the words. */
#include "pt_recount.h"

#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hw/hw.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t recount_tables[5];

static uint64_t refs[MODEL_FRAMES], types[MODEL_FRAMES], used_linear[MODEL_FRAMES], has_linear[MODEL_FRAMES];

/* What a processor may still remember of each frame since the last flush. */
static bool     seen_writable[MODEL_FRAMES], seen_mapped[MODEL_FRAMES], seen_table[MODEL_FRAMES];
static domid_t  seen_owner[MODEL_FRAMES];

static void wrong(uint64_t n, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "frame %lu: ", (unsigned long)n);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, " (refs %016lx type %016lx)\n", (unsigned long)frame_table[n].refs,
            (unsigned long)frame_table[n].type);
    abort();
}

void recount_forget(void)
{
    memset(seen_writable, 0, sizeof seen_writable);
    memset(seen_mapped, 0, sizeof seen_mapped);
    memset(seen_table, 0, sizeof seen_table);
}

void recount_reset(void) { recount_forget(); }

static void both(mfn_t m) { refs[m.n]++; types[m.n]++; }

static enum frame_type type_at(uint64_t n) { return type_of(frame_table[n].type); }
static bool in_use(uint64_t n) { return (frame_table[n].type & TYPE_COUNT_MASK) != 0; }

/* ---- entries of one table ---- */
static void count_l1(uint64_t n, uint64_t e)
{
    uint64_t target = pte_mfn(e).n;

    if (target >= frame_count)
        return;
    refs[target]++;
    seen_mapped[target] = true;
    seen_owner[target] = frame_owner_id(&frame_table[target]);
    if (frame_table[target].refs & FRAME_FREE)
        wrong(target, "free, but mapped by L1 %lu", (unsigned long)n);
    if (!(e & PTE_RW))
        return;
    types[target]++;
    seen_writable[target] = true;
    if (type_at(target) != TYPE_WRITABLE)
        wrong(target, "mapped writable by L1 %lu", (unsigned long)n);
}

static void count_upper(uint64_t n, enum frame_type t, uint64_t e, bool validated)
{
    uint64_t target = pte_mfn(e).n;

    if (target == n) {
        if (e & PTE_RW)
            wrong(n, "maps itself writable");
        return;
    }
    both(MFN(target));
    if (type_at(target) == t) {
        if (e & PTE_RW)
            wrong(n, "writable linear entry to %lu", (unsigned long)target);
        used_linear[target]++;
        has_linear[n]++;
    } else if (type_at(target) != (enum frame_type)(t - 1)) {
        wrong(n, "entry to %lu which is no table of the level below", (unsigned long)target);
    }
    if (validated && !(frame_table[target].type & TYPE_VALIDATED))
        wrong(n, "entry to %lu which is not validated", (unsigned long)target);
    if (frame_owner_id(&frame_table[target]) != frame_owner_id(&frame_table[n]))
        wrong(n, "entry to %lu of another owner", (unsigned long)target);
}

static void count_table(uint64_t n)
{
    uint64_t word = frame_table[n].type, *table = page_of_mfn(MFN(n));
    enum frame_type t = type_of(word);
    unsigned filled = 0;

    if (word & TYPE_VALIDATED)
        filled = PT_ENTRIES;
    else if (word & TYPE_PARTIAL)
        filled = (unsigned)((word & TYPE_PROGRESS_MASK) >> TYPE_PROGRESS_SHIFT);
    if (word & TYPE_BUSY)
        wrong(n, "busy with nobody at work");
    recount_tables[t - TYPE_L1 + 1] += (word & TYPE_VALIDATED) != 0;
    seen_table[n] = true;
    for (unsigned i = 0; i < filled; i++) {
        uint64_t e = table[i];

        if (!(e & PTE_P) || (t == TYPE_L4 && i >= 256 && i <= 271))
            continue;
        if (!(e & PTE_U) || (e & PTE_G) || (t != TYPE_L1 && (e & (PTE_PS | PTE_PWT | PTE_PCD))))
            wrong(n, "entry %u has forbidden flags %lx", i, (unsigned long)e);
        if (t == TYPE_L1)
            count_l1(n, e);
        else
            count_upper(n, t, e, word & TYPE_VALIDATED);
    }
}

/* ---- who else holds ---- */
static void count_state(uint64_t n)
{
    const struct frame *f = &frame_table[n];

    if (f->refs & FRAME_ALLOCATED)
        refs[n]++;
    if ((f->refs & FRAME_HYP) && type_at(n) == TYPE_NONE)
        types[n] =
            f->type & TYPE_COUNT_MASK; /* the hypervisor's own: heap pages use the word for themselves */
    if (!in_use(n) || (f->refs & FRAME_HYP))
        return;
    if (f->type & TYPE_PINNED)
        both(MFN(n));
    if (f->type & TYPE_OWN)
        both(MFN(n));
    if (type_is_table(type_at(n)))
        count_table(n);
}

static void count_vcpu(const struct vcpu *v)
{
    if (v->pv.root_kernel.n != MFN_INVALID.n)
        both(v->pv.root_kernel);
    if (v->pv.root_user.n != MFN_INVALID.n)
        both(v->pv.root_user);
    for (unsigned i = 0; i < v->pv.undo_count; i++) {
        mfn_t m = MFN(v->pv.undo[i] & ~(1ull << 63));

        both(m);
        used_linear[m.n] += v->pv.undo[i] >> 63;
    }
    for (unsigned i = 0; i < DIV_ROUND_UP(v->pv.gdt_entries, 512); i++)
        both(v->pv.gdt_frame[i]);
    for (unsigned i = 0; i < 16; i++)
        if (v->pv.ldt_mapped >> i & 1)
            both(pte_mfn(v->pv.gdt_window[WINDOW_LDT_PAGE + i]));
}

static void count_domain(struct domain *d)
{
    uint64_t frames = 0;

    for_each_vcpu(d, v)
        count_vcpu(v);
    for (uint32_t n = d->frames_head; n != FRAME_NIL; n = frame_table[n].next, frames++)
        if (frame_owner_id(&frame_table[n]) != d->id || (frame_table[n].refs & (FRAME_FREE | FRAME_HYP)))
            wrong(n, "on the list of domain %u", d->id);
    if (frames != d->frames) {
        fprintf(stderr, "domain %u: %lu frames on its list, %lu counted\n", d->id, (unsigned long)frames,
                (unsigned long)d->frames);
        abort();
    }
    if (d->pv.relinquish_step >= 2) {           /* a frame is under the cursor */
        refs[d->pv.relinquish_cursor]++;
        if (d->pv.relinquish_step == 3)
            both(MFN(d->pv.relinquish_cursor));
    }
}

/* ---- verdict ---- */
static void compare(uint64_t n)
{
    const struct frame *f = &frame_table[n];
    uint64_t linear = (f->type & TYPE_LINEAR_MASK & ~TYPE_HAS_LINEAR) >> TYPE_LINEAR_SHIFT;

    if (f->refs & FRAME_FREE) {
        if (refs[n] || types[n])
            wrong(n, "free, but %lu references and %lu type references were found", (unsigned long)refs[n],
                  (unsigned long)types[n]);
        return;
    }
    if ((f->refs & FRAME_COUNT_MASK) != refs[n])
        wrong(n, "%lu references were found", (unsigned long)refs[n]);
    if ((f->type & TYPE_COUNT_MASK) != types[n])
        wrong(n, "%lu type references were found", (unsigned long)types[n]);
    if (!in_use(n) || (f->refs & FRAME_HYP) || !type_is_table(type_at(n)))
        return;
    if (has_linear[n] && used_linear[n])
        wrong(n, "has linear entries and is used by some");
    if (linear != (f->type & TYPE_HAS_LINEAR ? has_linear[n] : used_linear[n]))
        wrong(n, "%lu linear entries and %lu uses were found", (unsigned long)has_linear[n],
              (unsigned long)used_linear[n]);
}

/* The processor may use every translation that it could have read since the last flush. */
static void remembered(uint64_t n)
{
    const struct frame *f = &frame_table[n];
    bool trusted = in_use(n) && (type_is_table(type_at(n)) || type_at(n) == TYPE_SEGDESC);

    if (seen_writable[n] && (trusted || (f->refs & FRAME_HYP)))
        wrong(n, "an old translation may still write it");
    if (seen_mapped[n] && !(f->refs & FRAME_FREE) && seen_owner[n] != frame_owner_id(f))
        wrong(n, "an old translation of the previous owner may still reach it");
    if (seen_table[n] && in_use(n) && type_at(n) == TYPE_WRITABLE)
        wrong(n, "writable, and the processor may still walk it as a table");
}

void recount(struct domain *const *d, unsigned domains)
{
    memset(refs, 0, sizeof refs);
    memset(types, 0, sizeof types);
    memset(used_linear, 0, sizeof used_linear);
    memset(has_linear, 0, sizeof has_linear);
    if (frame_count > MODEL_FRAMES || host_mapped) {
        fprintf(stderr, "%d frames still mapped by the hypervisor\n", host_mapped);
        abort();
    }
    for (uint64_t n = 0; n < frame_count; n++)
        remembered(n);
    for (uint64_t n = 0; n < frame_count; n++)
        count_state(n);
    for (unsigned i = 0; i < domains; i++)
        if (d[i])
            count_domain(d[i]);
    for (uint64_t n = 0; n < frame_count; n++)
        compare(n);
}
