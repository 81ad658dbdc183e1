/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second, unprivileged domain, built by the test: one vCPU in kernel mode that makes the hypercalls it
 * finds in a page shared with us, and writes the results there. So what it does is data of the test. Several
 * vCPUs of ours may have a child each; one child is for one of them at a time.
 */
#ifndef CHILD_H
#define CHILD_H

#include "rt.h"

#define CHILD_PAGES 16
/* Frames of ours given up for it: its own, and what the hypervisor keeps about it, generously. */
#define CHILD_FRAMES 40
/* Its address of the shared page; calls and their buffers are in it. */
#define CHILD_SHARED (VIRT_BASE + 0x1000)
#define CHILD_CALLS 36
#define CHILD_RSP 0x2f00        /* its stack pointer, in page 2: what iret finds there is up to the test */
/* offset in the shared page from which tests may place buffers */
#define CHILD_BUFFER (32 + CHILD_CALLS * 56)

struct child_call {
    uint64_t nr, arg[5];
    int64_t result;
};
struct child_page {
    volatile uint64_t state;    /* 1: calls wait, 2: done, 3: it counts up spins, with no hypercall */
    uint64_t count;
    volatile uint64_t again;    /* how often more it makes them all; it counts this down */
    volatile uint64_t spins;
    struct child_call call[CHILD_CALLS];
    uint8_t buffer[PAGE_SIZE - CHILD_BUFFER];
};
_Static_assert(offsetof(struct child_page, buffer) == CHILD_BUFFER && sizeof(struct child_page) == PAGE_SIZE,
               "one page");
struct child {
    domid_t id;
    /* 0 code, 1 shared, 2 stack, 3 to 6 its page tables L4 to L1, the others free */
    uint64_t mfn[CHILD_PAGES];
    struct child_page *page;
    /* of ours, kept from one domain to the next: where its pages are mapped, room for a context */
    void *windows[CHILD_PAGES + 1], *context;
};

/* Gives pages of ours back, creates, builds and starts it. Failures are failed checks; false then. */
bool child_create(struct child *c);
/* The domain alone, with no vCPU, no memory but the limit in pages. */
bool child_shell(struct child *c, unsigned pages);
/* Adds a call to the list of the next run; buffers are addressed by child_buffer(offset). */
void child_add(struct child *c, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e);
static inline uint64_t child_buffer(unsigned offset) { return CHILD_SHARED + CHILD_BUFFER + offset; }
/* Starts the list, rounds times over; state says when it is done. */
void child_begin(struct child *c, uint64_t rounds);
/* Runs the list, waits for it, at most a second of machine time; false: it did not come to an end. */
bool child_run(struct child *c);
/* One call. */
int64_t child_call(struct child *c, uint64_t nr, uint64_t a, uint64_t b, uint64_t d, uint64_t e);
/* Runs the list, which the domain does not survive: waits until it has crashed. */
bool child_run_crash(struct child *c);
/* Unmaps and destroys it, waits until it is gone; the test may have ordered its destruction already. */
void child_destroy(struct child *c);
/* Maps a frame of a domain at a page of our own address space; 0 or the error. */
long foreign_map(void *va, uint64_t mfn, domid_t owner, uint64_t flags);
/* Returns n of our unmapped frames to the hypervisor: the count that it took. */
long frames_give_back(unsigned n);
uint64_t free_pages(void);      /* of the machine */
/* Waits ns of machine time, other domains running. */
void nap(uint64_t ns);

#endif
