# SPDX-License-Identifier: BSD-2-Clause
# hauch-store, the store daemon, and its host tests.

STORE_CORE := $(addprefix dom0/store/,blob.c hash.c path.c perm.c quota.c tree.c txn.c view.c watch.c conn.c ring.c domain.c \
              store.c request.c op_node.c op_watch.c journal.c save.c save_restore.c usage.c op_domain.c op_control.c)
STORE_OBJS := $(patsubst %.c,$(O)/dom0/obj/%.o,$(STORE_CORE) dom0/store/server.c dom0/store/journal_file.c dom0/store/seal.c \
              dom0/store/xen.c dom0/store/main.c)

$(O)/dom0/obj/dom0/store/%.o: dom0/store/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -c $< -o $@

$(O)/dom0/hauch-store: $(STORE_OBJS) $(O)/dom0/obj/lib/privilege.o
	@mkdir -p $(@D)
	$(CC) -Wl,-z,relro,-z,now $^ -lxenevtchn -lxengnttab -o $@

-include $(STORE_OBJS:.o=.d)

dom0: $(O)/dom0/hauch-store

$(eval $(call host_test,store_protocol,tests/unit/store_protocol.c tests/unit/store_harness.c $(STORE_CORE),))
$(eval $(call host_test,store_domain,tests/unit/store_domain.c tests/unit/store_harness.c $(STORE_CORE),))
$(eval $(call host_test,store_client,tests/unit/store_client.c lib/xs_client.c dom0/store/server.c $(STORE_CORE),))
$(eval $(call host_test,store_model,tests/model/store_model.c tests/unit/store_harness.c $(STORE_CORE),))
$(eval $(call fuzzer,store_fuzz,tests/fuzz/store_fuzz.c tests/unit/store_harness.c $(STORE_CORE),,-runs=30000 -max_len=512))
$(eval $(call host_test,store_core,tests/unit/store_core.c $(STORE_CORE),))

STORE_START_WRAP := -Wl,--wrap=setresuid,--wrap=prctl,--wrap=geteuid,--wrap=getpwnam,--wrap=open
$(eval $(call host_test,store_start,tests/host/store_start.c $(addprefix dom0/store/,server.c xen.c seal.c journal_file.c) lib/privilege.c $(STORE_CORE),$(STORE_START_WRAP)))

# The daemon that dies at a given basic block: its sources count them.
KILL_OBJS := $(patsubst %.c,$(O)/host/counted/%.o,$(STORE_CORE) dom0/store/journal_file.c)
$(O)/host/counted/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -fsanitize-coverage=trace-pc -c $< -o $@
HOST_TESTS += $(O)/host/tests/store_kill
$(O)/host/tests/store_kill: $(O)/host/tests/model/store_kill.o $(KILL_OBJS)
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined $^ -lcmocka -o $@
-include $(KILL_OBJS:.o=.d) $(O)/host/tests/model/store_kill.d
$(eval $(call host_test,store_journal,tests/unit/store_journal.c tests/unit/store_harness.c dom0/store/journal_file.c $(STORE_CORE),))

# For the protocol suite: any store daemon on a developer's machine.
$(O)/tests/xen_shim.so: tests/host/xen_shim.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O1 -shared -fPIC $< -ldl -o $@
host-tests: $(O)/tests/xen_shim.so
