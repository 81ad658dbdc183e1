/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said when the hypervisor refuses: each call of lib/xc against libraries of which every call fails
 * with the errno of the case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include <abi/libxen.h>

#include "lib/xc.h"

static int        failing;             /* errno of each call; 0: they succeed and answer nothing */
static struct xc *xc;

/* ---- the libraries ---- */
static int failed(void)
{
    errno = failing;
    return failing ? -1 : 0;
}

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned flags)
{
    return failed() ? NULL : (xencall_handle *)&failing;
}

int xencall_close(xencall_handle *h) { return 0; }
void *xencall_alloc_buffer_pages(xencall_handle *h, size_t pages) { return calloc(pages, 4096); }
void xencall_free_buffer_pages(xencall_handle *h, void *p, size_t pages) { free(p); }
int xencall4(xencall_handle *h, unsigned op, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return failed();
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned flags)
{
    return (xenforeignmemory_handle *)&failing;
}

int xenforeignmemory_close(xenforeignmemory_handle *h) { return 0; }
int xenforeignmemory_unmap(xenforeignmemory_handle *h, void *p, size_t pages) { return 0; }

void *xenforeignmemory_map(xenforeignmemory_handle *h, uint32_t dom, int prot, size_t pages,
                           const xen_pfn_t *mfns, int *errors)
{
    failed();
    return NULL;
}

xenforeignmemory_resource_handle *
xenforeignmemory_map_resource(xenforeignmemory_handle *h, domid_t dom, unsigned type, unsigned id,
                              unsigned long frame, unsigned long count, void **out, int prot, int flags)
{
    failed();
    return NULL;
}

int xenforeignmemory_unmap_resource(xenforeignmemory_handle *h, xenforeignmemory_resource_handle *r)
{
    return 0;
}

/* ---- the calls ---- */
static struct fault f;

#define WHY(what) \
    what ": the hypervisor refuses it: Operation not permitted; hauch dmesg --refusals 5 may say why"
#define SAYS(call, words)                                                                                    \
    do {                                                                                                     \
        f = (struct fault){ 0 };                                                                             \
        assert_int_equal(call, -failing);                                                                    \
        assert_int_equal(f.code, -failing);                                                                  \
        assert_string_equal(f.text, words);                                                                  \
    } while (0)

static void test_domains(void **state)
{
    static struct vcpu_guest_context context;
    struct xc_domain_spec spec = { .vcpus = 2, .grant_frames = 64, .event_ports = 1024 };
    uint32_t port;
    uint16_t id;

    failing = EPERM;
    SAYS(xc_domain_create(xc, &spec, &id, &f), "cannot make a domain with 2 vCPUs, 64 grant frames, 1024 "
                                               "event "
                                               "channels (hauch dmesg may say why): Operation not permitted");
    SAYS(xc_domain_pause(xc, 5, &f), WHY("pausedomain of domain 5"));
    SAYS(xc_domain_max_vcpus(xc, 5, 2, &f), WHY("max_vcpus of domain 5 to 2"));
    SAYS(xc_domain_max_mem(xc, 5, 4096, &f), WHY("max_mem of domain 5 to 4096 KiB"));
    SAYS(xc_domain_hypercall_page(xc, 5, 1, &f), WHY("hypercall_init of domain 5"));
    SAYS(xc_domain_tsc_mode(xc, 5, 2, &f), WHY("tsc_mode 2 of domain 5"));
    SAYS(xc_vcpu_context(xc, 5, 1, &context, &f), WHY("getvcpucontext of domain 5 vCPU 1"));
    SAYS(xc_vcpu_set_context(xc, 5, 1, &context, &f), WHY("setvcpucontext of domain 5 vCPU 1"));
    SAYS(xc_evtchn_alloc_unbound(xc, 5, &port, &f), WHY("event channel for domain 5"));
    failing = ESRCH;
    SAYS(xc_domain_unpause(xc, 5, &f),
         "unpausedomain of domain 5: that domain is gone; hauch list shows those that are there");
}

static void test_another_interface(void **state)
{
    struct xen_sysctl_physinfo info;

    failing = EACCES;
    SAYS(xc_domain_pause(xc, 5, &f), "pausedomain of domain 5: the hypervisor speaks another version of "
                                     "the control "
                                     "interface than 0x15 (Xen 4.17): boot Hauch or Xen 4.17");
    SAYS(xc_host_physinfo(xc, &info, &f), "physinfo: the hypervisor speaks another version of the control "
                                          "interface "
                                          "than 0x15 (Xen 4.17): boot Hauch or Xen 4.17");
    failing = EPERM;
    SAYS(xc_host_physinfo(xc, &info, &f), "the hypervisor refuses physinfo (hauch dmesg --refusals 0 may "
                                          "say why): "
                                          "Operation not permitted");
}

static void test_memory(void **state)
{
    struct xc_grant grant = { 0 };
    uint64_t mfns[4] = { 0x1234 };

    failing = EPERM;
    SAYS(xc_mem_claim(xc, 5, 300, &f), WHY("claim of 300 pages for domain 5"));
    SAYS(xc_mem_populate(xc, 5, 4, mfns, &f), WHY("populate_physmap of domain 5 at page 0"));
    SAYS(xc_mem_set_map(xc, 5, 4096, &f), WHY("set_memory_map of domain 5 to 4096 KiB"));
    SAYS(xc_mem_pin_l4(xc, 5, 0x1234, &f),
         WHY("pinning the page tables of domain 5 (top table at frame 0x1234)"));
    SAYS(xc_grant_seed(xc, 5, &grant, 1, &f),
         "cannot map the grant table of domain 5 (hauch dmesg may say why): Operation not permitted");
    assert_null(xc_map(xc, 5, mfns, 2, &f));
    assert_string_equal(f.text, "cannot map 2 pages of domain 5, the first at frame 0x1234 (hauch dmesg "
                                "may say "
                                "why): Operation not permitted");
    failing = ENOMEM;
    SAYS(xc_mem_claim(xc, 5, 300, &f),
         "not enough memory for domain 5: it needs 2 MiB, the hypervisor has 0 MiB free; lower memory=, "
         "destroy a "
         "domain, or boot with a smaller dom0_mem=");
}

static void test_processors(void **state)
{
    struct xen_domctl_getvcpuinfo info;
    struct xc_affinity affinity;
    unsigned weight, cap;

    failing = EPERM;
    SAYS(xc_vcpu_info(xc, 5, 1, &info, &f), WHY("getvcpuinfo of domain 5 vCPU 1"));
    SAYS(xc_vcpu_affinity(xc, 5, 1, &affinity, &f), WHY("CPU affinity of domain 5 vCPU 1"));
    SAYS(xc_vcpu_set_affinity(xc, 5, 1, NULL, NULL, false, &f), WHY("CPU affinity of domain 5 vCPU 1"));
    SAYS(xc_domain_share(xc, 5, &weight, &cap, &f), WHY("weight and cap of domain 5"));
    SAYS(xc_domain_set_share(xc, 5, 256, 0, &f), WHY("changing weight and cap of domain 5"));
    failing = EBUSY;
    SAYS(xc_vcpu_set_affinity(xc, 5, 1, NULL, NULL, false, &f),
         "vCPU 1 of domain 5 is pinned by its own kernel for now; try again or say --force");
}

static void test_no_device(void **state)
{
    struct xc *none;

    failing = ENOENT;
    SAYS(xc_open(&none, &f), "cannot open the hypervisor's control device /dev/xen/privcmd (this must be "
                             "domain 0, as "
                             "root, with module xen-privcmd): No such file or directory");
    assert_null(none);
}

static int setup(void **state)
{
    return xc_open(&xc, &f);
}

static int teardown(void **state)
{
    xc_close(xc);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),    cmocka_unit_test(test_another_interface),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_processors),
        cmocka_unit_test(test_no_device),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
