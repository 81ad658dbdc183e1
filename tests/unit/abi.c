/* SPDX-License-Identifier: BSD-2-Clause */
/* Every constant, size and offset of abi/ equals the published one; each difference is printed by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi_row.h"

static bool row_equal(const struct abi_row *a, const struct abi_row *b)
{
    if (strcmp(a->name, b->name) || a->value != b->value || a->offset != b->offset || a->size != b->size)
        return false;
    if (!a->text || !b->text)
        return a->text == b->text;
    return !strcmp(a->text, b->text);
}

static void row_print(const char *side, const struct abi_row *r)
{
    print_error("  %-4s %s: value %#llx offset %zu size %zu%s%s\n", side, r->name,
                (unsigned long long)r->value, r->offset, r->size,
                r->text ? " text " : "", r->text ? r->text : "");
}

static void test_every_row(void **state)
{
    size_t different = 0;

    assert_int_equal(abi_ours_count, abi_xen_count);
    for (size_t i = 0; i < abi_ours_count; i++) {
        if (row_equal(&abi_ours[i], &abi_xen[i]))
            continue;
        row_print("ours", &abi_ours[i]);
        row_print("xen", &abi_xen[i]);
        different++;
    }
    assert_int_equal(different, 0);
}

/* The list is generated: see that it is whole, from the first header to the last, nested paths included. */
static void test_list_is_whole(void **state)
{
    static const char *const samples[] = {
        "FLAT_RING3_CS64", "CALLBACKF_mask_events", "struct xencons_interface.out_prod",
        "struct xen_domctl.u.createdomain", "struct xen_domctl_ext_vcpucontext.vmce", "XEN_ELFNOTE_INIT_P2M",
        "XEN_ENOSYS", "struct evtchn_status.u.interdomain.port", "struct gnttab_copy.dest", "GNTST_eagain",
        "XENMEM_exchange", "struct physdev_pci_device_add.optarr", "union xenpf_efi_info.vendor.name",
        "SHUTDOWN_crash", "struct xen_sysctl_cpupool_op.cpumap", "RUNSTATE_offline", "XENFEAT_dom0",
        "struct start_info.console.dom0.info_off", "xen_pfn_t", "XenbusStateConnected",
    };

    assert_true(abi_ours_count > 1000);
    for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++) {
        size_t i = 0;

        while (i < abi_ours_count && strcmp(abi_ours[i].name, samples[s]))
            i++;
        if (i == abi_ours_count)
            fail_msg("abi_list.h has no row %s: abi_list.py dropped it", samples[s]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_list_is_whole),
    };

    return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
