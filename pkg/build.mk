# SPDX-License-Identifier: BSD-2-Clause
## make install   hypervisor, programs, pages, units into $(DESTDIR): docs/install.md says what comes next
# Nothing is started or enabled, and what the machine boots by itself stays what it was. An `xl` of ours lies in
# /usr/lib/hauch/bin, where only those who want it find it:
#   update-alternatives --install /usr/sbin/xl xl /usr/lib/hauch/bin/xl 10

DESTDIR     ?=
PREFIX      ?= /usr

BELOW       := $(DESTDIR)$(PREFIX)
UNITS       := $(notdir $(wildcard pkg/systemd/*.service pkg/systemd/*.mount))
SETTINGS    := $(DESTDIR)/etc/default/grub.d/hauch.cfg

# `hauch` is for the members of its group too, who have no sbin in their PATH. Settings that someone changed stay.
.PHONY: install
install: hv dom0
	install -D -m 644 $(O)/hv/hauch.elf $(DESTDIR)/boot/hauch.elf
	install -D -m 755 -t $(BELOW)/bin $(O)/dom0/hauch
	install -D -m 755 -t $(BELOW)/sbin $(addprefix $(O)/dom0/,hauchd hauch-store hauch-console)
	install -d $(BELOW)/lib/hauch/bin $(BELOW)/lib/systemd/system $(DESTDIR)/etc/hauch/domains
	ln -sf ../../../bin/hauch $(BELOW)/lib/hauch/bin/xl
	for u in $(UNITS); do sed 's,/usr/,$(PREFIX)/,g' pkg/systemd/$$u >$(BELOW)/lib/systemd/system/$$u; done
	install -D -m 644 -t $(BELOW)/lib/systemd/system/xen.service.d pkg/systemd/xen.service.d/hauch.conf
	install -D -m 644 pkg/sysusers.d/hauch.conf $(BELOW)/lib/sysusers.d/hauch.conf
	install -D -m 644 pkg/modules-load.d/hauch.conf $(BELOW)/lib/modules-load.d/hauch.conf
	install -D -m 644 -t $(BELOW)/share/man/man8 docs/man/*.8
	install -D -m 644 -t $(BELOW)/share/man/man5 docs/man/*.5
	install -D -m 644 -t $(BELOW)/share/bash-completion/completions pkg/completion/hauch
	install -D -m 755 pkg/grub.d/15_hauch $(DESTDIR)/etc/grub.d/15_hauch
	[ -e $(SETTINGS) ] || install -D -m 644 pkg/default/hauch.cfg $(SETTINGS)

# What people and domains made stays: /etc/hauch, /var/lib/hauch, /var/log/hauch, and the users of the daemons. Without
# DESTDIR the units are disabled first, which stops nothing: what runs goes on until the next boot.
.PHONY: uninstall
uninstall:
	$(if $(DESTDIR),,-systemctl disable $(filter %.service,$(UNITS)))
	rm -f $(DESTDIR)/boot/hauch.elf $(BELOW)/bin/hauch $(addprefix $(BELOW)/sbin/,hauchd hauch-store hauch-console)
	rm -rf $(BELOW)/lib/hauch
	rm -f $(addprefix $(BELOW)/lib/systemd/system/,$(UNITS))
	rm -f $(BELOW)/lib/systemd/system/xen.service.d/hauch.conf $(BELOW)/lib/sysusers.d/hauch.conf
	rm -f $(BELOW)/lib/modules-load.d/hauch.conf
	rm -f $(patsubst docs/man/%,$(BELOW)/share/man/man8/%,$(wildcard docs/man/*.8))
	rm -f $(patsubst docs/man/%,$(BELOW)/share/man/man5/%,$(wildcard docs/man/*.5))
	rm -f $(BELOW)/share/bash-completion/completions/hauch $(DESTDIR)/etc/grub.d/15_hauch $(SETTINGS)
	-rmdir --ignore-fail-on-non-empty $(BELOW)/lib/systemd/system/xen.service.d \
		$(DESTDIR)/etc/hauch/domains $(DESTDIR)/etc/hauch
