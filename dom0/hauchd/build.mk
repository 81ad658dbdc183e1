# SPDX-License-Identifier: BSD-2-Clause
# hauchd, which makes and watches domains, and its host tests.

HAUCHD_SRCS := $(sort $(wildcard dom0/hauchd/*.c))
HAUCHD_OBJS := $(patsubst %.c,$(O)/dom0/obj/%.o,$(HAUCHD_SRCS))

$(O)/dom0/obj/dom0/hauchd/%.o: dom0/hauchd/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -c $< -o $@

$(O)/dom0/hauchd: $(HAUCHD_OBJS) $(O)/dom0/libhauch.a
	@mkdir -p $(@D)
	$(CC) -Wl,-z,relro,-z,now -pthread $^ $(LIB_LDLIBS) -o $@

dom0: $(O)/dom0/hauchd
-include $(HAUCHD_OBJS:.o=.d)

$(eval $(call host_test,hauchd_build,tests/unit/hauchd_build.c lib/build_layout.c lib/build_tables.c lib/xc_err.c,))
$(eval $(call host_test,hauchd_step,tests/unit/hauchd_step.c dom0/hauchd/step.c lib/xc_err.c,))

HAUCHD_TESTED := $(filter-out dom0/hauchd/main.c,$(HAUCHD_SRCS)) lib/build_pv.c lib/build_layout.c lib/build_tables.c \
                 lib/core_dump.c lib/dev_disk.c lib/dev_nodes.c lib/wire_line.c lib/wire_request.c lib/xc_err.c $(wildcard lib/config*.c)
HAUCHD_WORLD := tests/host/hauchd_harness.c tests/host/hauchd_world.c tests/host/hauchd_peers.c
$(eval $(call host_test,hauchd_life,tests/host/hauchd_life.c $(HAUCHD_WORLD) $(HAUCHD_TESTED),-ljson-c -lnettle -pthread))
$(eval $(call host_test,hauchd_requests,tests/host/hauchd_requests.c $(HAUCHD_WORLD) $(HAUCHD_TESTED),-ljson-c -lnettle -pthread))
$(eval $(call host_test,hauchd_loop,tests/host/hauchd_loop.c $(HAUCHD_WORLD) $(HAUCHD_TESTED),-ljson-c -lnettle -pthread))

# The same with ThreadSanitizer, for the threads beside the loop.
$(O)/host-tsan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O1 -fno-omit-frame-pointer -fsanitize=thread -Ihv/include -Itests/host/include -c $< -o $@
HAUCHD_TSAN := $(patsubst %.c,$(O)/host-tsan/%.o,tests/host/hauchd_loop.c $(HAUCHD_WORLD) $(HAUCHD_TESTED))
HOST_TESTS += $(O)/host/tests/hauchd_threads
$(O)/host/tests/hauchd_threads: $(HAUCHD_TSAN)
	@mkdir -p $(@D)
	$(CC) -fsanitize=thread $^ -ljson-c -lnettle -lcmocka -pthread -o $@
-include $(HAUCHD_TSAN:.o=.d)

$(eval $(call host_test,hauchd_index,tests/unit/hauchd_index.c dom0/hauchd/index.c,))
$(eval $(call host_test,hauchd_wire,tests/unit/hauchd_wire.c lib/wire_line.c lib/wire_request.c lib/dev_monitor.c lib/xc_err.c,-ljson-c))
$(eval $(call fuzzer,hauchd_request,tests/fuzz/hauchd_request.c lib/wire_line.c lib/wire_request.c lib/xc_err.c,-ljson-c,-runs=20000 -dict=tests/fuzz/hauchd_request.dict))

# What is said when it is started wrongly, and of failures later on.
HAUCHD_START_WRAP := -Wl,--wrap=getgrnam,--wrap=chown,--wrap=epoll_ctl,--wrap=pthread_create,--wrap=eventfd
$(eval $(call host_test,hauchd_start,tests/host/hauchd_start.c tests/host/hauchd_world.c tests/host/hauchd_peers.c $(HAUCHD_TESTED),-ljson-c -lnettle -pthread $(HAUCHD_START_WRAP)))
HAUCHD_PREAD_WRAP := -Wl,--wrap=pread,--wrap=pwrite,--wrap=fsync
$(eval $(call host_test,hauchd_messages,tests/host/hauchd_messages.c $(HAUCHD_WORLD) $(HAUCHD_TESTED),-ljson-c -lnettle -pthread $(HAUCHD_PREAD_WRAP)))
