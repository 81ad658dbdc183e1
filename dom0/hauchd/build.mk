# SPDX-License-Identifier: BSD-2-Clause
# hauchd, which makes and watches domains, and its host tests.

HAUCHD_SRCS := $(sort $(wildcard dom0/hauchd/*.c))
HAUCHD_OBJS := $(patsubst %.c,$(O)/dom0/obj/%.o,$(HAUCHD_SRCS))

$(O)/dom0/obj/dom0/hauchd/%.o: dom0/hauchd/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -c $< -o $@

$(O)/dom0/hauchd: $(HAUCHD_OBJS) $(O)/dom0/libhauch.a
	@mkdir -p $(@D)
	$(CC) -Wl,-z,relro,-z,now $^ $(LIB_LDLIBS) -o $@

dom0: $(O)/dom0/hauchd
-include $(HAUCHD_OBJS:.o=.d)

$(eval $(call host_test,hauchd_build,tests/unit/hauchd_build.c lib/build_layout.c lib/build_tables.c lib/xc_err.c,))
$(eval $(call host_test,hauchd_step,tests/unit/hauchd_step.c dom0/hauchd/step.c lib/xc_err.c,))
