/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a hypercall was refused: a short ring per domain, written in binary, at a bounded rate, formatted
 * only when dom0 reads it (hauch dmesg --refusals). Guests never see it.
 */
#ifndef HV_REFUSAL_H
#define HV_REFUSAL_H

#include <hv/limits.h>
#include <hv/types.h>

struct refusal {
    uint64_t time;          /* ns of system time */
    uint16_t call, op;      /* hypercall number and operation; op 0xffff: none */
    int16_t  error;         /* negative errno */
    uint16_t repeated;      /* further refusals alike */
    uint64_t a, b;          /* the two values the code thought telling; see the row */
};

struct refusals {
    struct refusal ring[REFUSAL_RING];
    uint32_t       written;
    uint64_t       window_start;
    uint32_t       in_window, dropped;
    uint8_t        busy;        /* somebody writes or reads; a writer does not wait for it; atomic */
};

/* A guest has been refused; d: whose guest. May leave it out: when there are too many, or somebody reads. */
void refusal_note(struct domain *d, uint16_t call, uint16_t op, int error, uint64_t a, uint64_t b);
/* Formats what the ring of d holds as text lines; returns the length written, at most len. */
size_t refusal_format(struct domain *d, char *buf, size_t len);

#endif
