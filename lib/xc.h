/* SPDX-License-Identifier: BSD-2-Clause */
/* Control calls: what a privileged program asks of the hypervisor, by name instead of by number.
 *
 * Each call is one hypercall (lists: one a few thousand elements), made through libxencall on structures of
 * abi/. Only memory that the kernel driver allocated may be handed to the hypervisor, so two buffers live as
 * long as the handle: one page for the structure, a larger one for the list it points at. Nothing is
 * allocated per call.
 *
 * Every function returns 0 or a positive count, or a negative errno with the call, the domain and the value
 * in @f. Domains are named by number; memory is counted in pages of 4 KiB unless the name says KiB. Not
 * thread-safe. */
#ifndef LIB_XC_H
#define LIB_XC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/domctl.h>
#include <abi/sysctl.h>

#include "lib/xc_err.h"

struct xc;

/* Opens the privileged command devices: -ENOENT or -EACCES when this is no dom0 or not root. */
int  xc_open(struct xc **out, struct fault *f);
void xc_close(struct xc *xc);

/* ---- domains (xc_domain.c) ---- */
struct xc_domain_spec {
    uint8_t  uuid[16];
    unsigned vcpus;
    unsigned event_ports;         /* how many ports the domain may have */
    int      grant_frames;        /* -1: the hypervisor's default */
    int      maptrack_frames;     /* -1: the hypervisor's default */
};

/* A 64-bit PV domain, paused, without memory; the hypervisor picks the number. */
int xc_domain_create(struct xc *xc, const struct xc_domain_spec *spec, uint16_t *domid, struct fault *f);
int xc_domain_destroy(struct xc *xc, uint16_t domid, struct fault *f);
int xc_domain_pause(struct xc *xc, uint16_t domid, struct fault *f);
int xc_domain_unpause(struct xc *xc, uint16_t domid, struct fault *f);
int xc_domain_max_vcpus(struct xc *xc, uint16_t domid, unsigned vcpus, struct fault *f);
int xc_domain_max_mem(struct xc *xc, uint16_t domid, uint64_t kib, struct fault *f);
int xc_domain_hypercall_page(struct xc *xc, uint16_t domid, uint64_t mfn, struct fault *f);
int xc_domain_tsc_mode(struct xc *xc, uint16_t domid, unsigned mode, struct fault *f);
int xc_vcpu_context(struct xc *xc, uint16_t domid, unsigned vcpu, struct vcpu_guest_context *out,
                    struct fault *f);
int xc_vcpu_set_context(struct xc *xc, uint16_t domid, unsigned vcpu, const struct vcpu_guest_context *ctx,
                        struct fault *f);
/* -ESRCH if there is no such domain. */
int xc_domain_info(struct xc *xc, uint16_t domid, struct xen_domctl_getdomaininfo *out, struct fault *f);
/* Fills up to @max entries for domains numbered @first and above, in order; returns how many (0: no more). */
int xc_domain_list(struct xc *xc, uint16_t first, struct xen_domctl_getdomaininfo *out, unsigned max,
                   struct fault *f);
/* A port of the domain that dom0 may bind to, made on its behalf. */
int xc_evtchn_alloc_unbound(struct xc *xc, uint16_t domid, uint32_t *port, struct fault *f);

/* ---- vCPUs and processors (xc_sched.c) ---- */
enum { XC_CPUS = 1024, XC_NODES = 64 };
/* Where a vCPU may run, and where it rather should; bit N is processor N. */
struct xc_affinity {
    uint64_t hard[XC_CPUS / 64], soft[XC_CPUS / 64];
};
int xc_vcpu_info(struct xc *xc, uint16_t domid, unsigned vcpu, struct xen_domctl_getvcpuinfo *out,
                 struct fault *f);
int xc_vcpu_affinity(struct xc *xc, uint16_t domid, unsigned vcpu, struct xc_affinity *out, struct fault *f);
/* Maps of XC_CPUS bits, either may be NULL: stays as it is. Processors that are not there are ignored, unless
 * none is left. -EBUSY: the domain has pinned itself; @force undoes that. */
int xc_vcpu_set_affinity(struct xc *xc, uint16_t domid, unsigned vcpu, const uint64_t *hard,
                         const uint64_t *soft, bool force, struct fault *f);
/* Weight 1 to 65535; cap in percent of a processor, 0: none. In set: -1 keeps what is. */
int xc_domain_share(struct xc *xc, uint16_t domid, unsigned *weight, unsigned *cap, struct fault *f);
int xc_domain_set_share(struct xc *xc, uint16_t domid, int weight, int cap, struct fault *f);
/* XEN_SCHEDULER_* of the machine. */
int xc_host_scheduler(struct xc *xc, unsigned *id, struct fault *f);
int xc_host_ratelimit(struct xc *xc, unsigned *us, struct fault *f);
/* Core, socket, node of each processor; XEN_INVALID_CORE_ID for one that is not there. How many. */
int xc_host_topology(struct xc *xc, struct xen_sysctl_cputopo *out, unsigned max, struct fault *f);
struct xc_numa {
    unsigned                  nodes;
    struct xen_sysctl_meminfo memory[XC_NODES];
    uint32_t                  distance[XC_NODES * XC_NODES];      /* row by row of @nodes */
};
int xc_host_numa(struct xc *xc, struct xc_numa *out, struct fault *f);

/* ---- memory (xc_mem.c) ---- */
/* Set @pages aside for the domain, so that want of memory shows before work is done; 0 gives the rest back.
 */
int xc_mem_claim(struct xc *xc, uint16_t domid, uint64_t pages, struct fault *f);
/* Give the domain its pages 0..@pages-1; mfns[pfn] is filled in. Two-MiB extents while they last. */
int xc_mem_populate(struct xc *xc, uint16_t domid, uint64_t pages, uint64_t *mfns, struct fault *f);
/* The memory map that the guest will read: one range of RAM, 0..@kib. */
int xc_mem_set_map(struct xc *xc, uint16_t domid, uint64_t kib, struct fault *f);
/* Make the frame and all tables below it page tables of the domain. */
int xc_mem_pin_l4(struct xc *xc, uint16_t domid, uint64_t mfn, struct fault *f);

/* Machine frames of the domain, writable and side by side; NULL on failure. */
void *xc_map(struct xc *xc, uint16_t domid, const uint64_t *mfns, size_t pages, struct fault *f);
/* The same, read-only, which page tables allow too. @errors (one a page, or NULL: all or nothing) gets 0 or
 * negative errno for each; the pages that failed must not be touched. */
const void *xc_map_read(struct xc *xc, uint16_t domid, const uint64_t *mfns, size_t pages, int *errors,
                        struct fault *f);
void  xc_unmap(struct xc *xc, void *addr, size_t pages);

/* Let dom0 map @mfn by grant reference @ref of the domain. Only before the domain runs. */
struct xc_grant {
    uint32_t ref;
    uint64_t mfn;
};
int xc_grant_seed(struct xc *xc, uint16_t domid, const struct xc_grant *grants, unsigned count,
                  struct fault *f);

/* ---- the host (xc_host.c) ---- */
int xc_host_physinfo(struct xc *xc, struct xen_sysctl_physinfo *out, struct fault *f);
/* The hypervisor's log from *index on; returns bytes copied and moves *index. */
int xc_host_console(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f);
/* The same of the record that a crash of the machine left, from byte *index on; only Hauch has it. 0: its
 * end, or none. */
int xc_host_last_crash(struct xc *xc, char *buf, size_t size, uint32_t *index, bool clear, struct fault *f);
/* As if @key were typed for the hypervisor at its console; what that does is its own affair. */
int xc_host_key(struct xc *xc, char key, struct fault *f);
struct xc_version {
    unsigned major, minor;
    char     extra[16], caps[1024], changeset[64], command_line[1024];
    char     compiler[65], compile_by[17], compile_domain[33], compile_date[33];
    char     build_id[2 * 64 + 1];      /* in hexadecimal */
    uint64_t virt_start;                /* of the hypervisor's addresses in a guest's address space */
    unsigned page_bytes;
};
int xc_host_version(struct xc *xc, struct xc_version *out, struct fault *f);

#endif
