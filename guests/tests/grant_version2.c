/* SPDX-License-Identifier: BSD-2-Clause */
/* Version 2 is left out on purpose: refused cleanly, version 1 goes on. */
#include "rt.h"

TEST("grant: version 2 refused");

void test_main(void)
{
    struct gnttab_set_version set = { .version = 2 };
    struct gnttab_get_version get = { .dom = DOMID_SELF };

    if (!on_hauch())
        skip("Xen has version 2");
    CHECK(grant_op(GNTTABOP_set_version, &set, 1) < 0);
    CHECK_EQ(grant_op(GNTTABOP_get_version, &get, 1), 0);
    CHECK_EQ(get.version, 1);
}
