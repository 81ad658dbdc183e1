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
