# SPDX-License-Identifier: BSD-2-Clause
# hauch-console: the console daemon, its tests and fuzzers.
CONSOLE_DIR    := dom0/console
CONSOLE_CORE   := $(addprefix $(CONSOLE_DIR)/,ring.c queue.c replay.c log.c request.c report.c)
CONSOLE_SERVER := $(CONSOLE_CORE) $(addprefix $(CONSOLE_DIR)/,loop.c viewer.c console.c control.c server.c backend_dir.c)
CONSOLE_SRCS   := $(CONSOLE_SERVER) $(addprefix $(CONSOLE_DIR)/,backend_xen.c privilege.c main.c)
CONSOLE_OBJS   := $(patsubst %.c,$(O)/dom0/obj/%.o,$(CONSOLE_SRCS))

$(O)/dom0/obj/$(CONSOLE_DIR)/%.o: $(CONSOLE_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -c $< -o $@

$(O)/dom0/hauch-console: $(CONSOLE_OBJS) $(O)/dom0/obj/lib/privilege.o
	@mkdir -p $(@D)
	$(CC) $^ -lxengnttab -lxenevtchn -o $@

dom0: $(O)/dom0/hauch-console
-include $(CONSOLE_OBJS:.o=.d)

# For tests in a running system: a client without hauchd.
$(O)/dom0/obj/tests/system/console_talk.o: tests/system/console_talk.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -c $< -o $@
$(O)/tests/console_talk: $(O)/dom0/obj/tests/system/console_talk.o $(O)/dom0/obj/lib/console_client.o
	@mkdir -p $(@D)
	$(CC) $^ -o $@

$(eval $(call host_test,console_ring,tests/unit/console_ring.c dom0/console/ring.c))
$(eval $(call host_test,console_log,tests/unit/console_log.c dom0/console/log.c))
$(eval $(call host_test,console_queue,tests/unit/console_queue.c dom0/console/queue.c dom0/console/replay.c))
$(eval $(call host_test,console_request,tests/unit/console_request.c dom0/console/request.c))
CONSOLE_SERVER_WRAP := -Wl,--wrap=open,--wrap=write,--wrap=posix_openpt
$(eval $(call host_test,console_server,tests/host/console_server.c $(CONSOLE_SERVER),$(CONSOLE_SERVER_WRAP)))
CONSOLE_START_WRAP := -Wl,--wrap=setresuid,--wrap=fchown,--wrap=prctl,--wrap=epoll_create1,--wrap=epoll_ctl,--wrap=inotify_init1 \
                      -Wl,--wrap=pipe2,--wrap=geteuid,--wrap=getpwnam
$(eval $(call host_test,console_start,tests/host/console_start.c $(CONSOLE_SERVER) $(addprefix $(CONSOLE_DIR)/,backend_xen.c privilege.c) \
           lib/privilege.c,-lxengnttab -lxenevtchn $(CONSOLE_START_WRAP)))
$(eval $(call host_test,console_client,tests/host/console_client.c lib/console_client.c))
$(eval $(call fuzzer,console_ring,tests/fuzz/console_ring.c dom0/console/ring.c dom0/console/queue.c dom0/console/replay.c))
$(eval $(call fuzzer,console_control,tests/fuzz/console_control.c $(CONSOLE_SERVER),,-runs=4000 -dict=tests/fuzz/console_control.dict))
$(eval $(call host_test,console_privilege,tests/unit/console_privilege.c dom0/console/privilege.c dom0/console/report.c \
           lib/privilege.c))
