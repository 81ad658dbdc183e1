# SPDX-License-Identifier: BSD-2-Clause
# hauch, the command line.

HAUCH_OBJS := $(patsubst %.c,$(O)/dom0/obj/%.o,$(sort $(wildcard dom0/hauch/*.c)))

$(O)/dom0/obj/dom0/hauch/%.o: dom0/hauch/%.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(WARN) -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -c $< -o $@

$(O)/dom0/hauch: $(HAUCH_OBJS) $(O)/dom0/libhauch.a
	@mkdir -p $(@D)
	$(CC) -Wl,-z,relro,-z,now -Wl,--as-needed $^ $(LIB_LDLIBS) -o $@

dom0: $(O)/dom0/hauch
-include $(HAUCH_OBJS:.o=.d)

# The command line with a canned daemon: the test has main.c inside and stands for ask.c.
HAUCH_TESTED := $(filter-out dom0/hauch/main.c dom0/hauch/ask.c,$(sort $(wildcard dom0/hauch/*.c))) \
                lib/wire_line.c lib/wire_request.c lib/xc_err.c lib/xs_client.c lib/console_client.c $(wildcard lib/config*.c)
HAUCH_ASK_WRAP := -Wl,--wrap=connect,--wrap=mkstemp,--wrap=fopen
$(eval $(call host_test,hauch_ask,tests/host/hauch_ask.c dom0/hauch/ask.c $(HAUCH_TESTED),-ljson-c -lnettle $(HAUCH_ASK_WRAP)))
$(eval $(call host_test,hauch_cli,tests/host/hauch_cli.c $(HAUCH_TESTED),-ljson-c -lnettle))
$(eval $(call host_test,hauch_doctor,tests/host/hauch_doctor.c $(HAUCH_TESTED),-ljson-c -lnettle))
