# SPDX-License-Identifier: BSD-2-Clause
# hauchd's host tests.

$(eval $(call host_test,hauchd_build,tests/unit/hauchd_build.c lib/build_layout.c lib/build_tables.c lib/xc_err.c,))
$(eval $(call host_test,hauchd_step,tests/unit/hauchd_step.c dom0/hauchd/step.c lib/xc_err.c,))
