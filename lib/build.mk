# SPDX-License-Identifier: BSD-2-Clause
# out/dom0/libhauch.a: every lib/*.c, for the dom0 programs.
#
# This fragment is read after those of dom0/: name the archive literally in prerequisites there;
# $(LIB_LDLIBS) in recipes is fine. Sources say #define _GNU_SOURCE themselves where they need it.

LIB_SRCS   := $(sort $(wildcard lib/*.c))
LIB_OBJS   := $(patsubst lib/%.c,$(O)/dom0/obj/lib/%.o,$(LIB_SRCS))
LIB_CFLAGS := $(BASE) $(WARN) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2

# compression (image), hash (image cache), JSON (config); control, event, grant and mapping calls.
IMAGE_LDLIBS  := -lz -lbz2 -llzma -llzo2 -llz4 -lzstd -lnettle
CONFIG_LDLIBS := -ljson-c
LIB_LDLIBS    := $(IMAGE_LDLIBS) $(CONFIG_LDLIBS) -lxencall -lxenevtchn -lxengnttab -lxenforeignmemory

$(O)/dom0/obj/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(CC) $(LIB_CFLAGS) -c $< -o $@

$(O)/dom0/libhauch.a: $(LIB_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

-include $(LIB_OBJS:.o=.d)

dom0: $(O)/dom0/libhauch.a

# ---- tests of the image loader and the configuration reader ------------------------------------------------
IMAGE_SRCS := $(wildcard lib/image*.c)
# Where the system has to fail, a test puts itself between.
IMAGE_WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=read
$(eval $(call host_test,image_test,tests/unit/image_test.c tests/unit/image_sample.c $(IMAGE_SRCS),$(IMAGE_LDLIBS) $(IMAGE_WRAP)))
$(eval $(call fuzzer,image_elf_fuzz,tests/fuzz/image_elf_fuzz.c tests/unit/image_sample.c $(IMAGE_SRCS),$(IMAGE_LDLIBS)))
$(eval $(call fuzzer,image_unpack_fuzz,tests/fuzz/image_unpack_fuzz.c tests/unit/image_sample.c $(IMAGE_SRCS),$(IMAGE_LDLIBS),-runs=6000))

CONFIG_SRCS := $(wildcard lib/config*.c)
CONFIG_LIBS := $(CONFIG_LDLIBS) -lnettle
$(eval $(call host_test,config_test,tests/unit/config_test.c $(CONFIG_SRCS),$(CONFIG_LIBS)))
$(eval $(call host_test,config_files_test,tests/unit/config_files_test.c $(CONFIG_SRCS),$(CONFIG_LIBS)))
$(eval $(call host_test,dev_nodes_test,tests/unit/dev_nodes_test.c lib/dev_nodes.c lib/xc_err.c $(CONFIG_SRCS),$(CONFIG_LIBS)))
$(eval $(call host_test,config_device_test,tests/unit/config_device_test.c $(CONFIG_SRCS),$(CONFIG_LIBS)))
$(eval $(call fuzzer,config_doc_fuzz,tests/fuzz/config_doc_fuzz.c $(CONFIG_SRCS),$(CONFIG_LIBS)))
$(eval $(call fuzzer,config_spec_fuzz,tests/fuzz/config_spec_fuzz.c $(CONFIG_SRCS),$(CONFIG_LIBS)))

# ---- what is said when hypervisor or system refuse ----------------------------------------------------------
$(eval $(call host_test,xc_refusals,tests/unit/xc_refusals.c lib/xc.c lib/xc_domain.c lib/xc_err.c lib/xc_host.c lib/xc_mem.c lib/xc_sched.c,))
DEV_WRAP := -Wl,--wrap=open,--wrap=stat,--wrap=ioctl,--wrap=if_nametoindex,--wrap=bind,--wrap=sendto,--wrap=recv
$(eval $(call host_test,dev_refusals,tests/unit/dev_refusals.c lib/dev_disk.c lib/dev_loop.c lib/dev_link.c lib/dev_monitor.c lib/xc_err.c,$(DEV_WRAP)))
