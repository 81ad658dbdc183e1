# SPDX-License-Identifier: BSD-2-Clause
## make install   programs, pages, units into $(DESTDIR), for a distribution with systemd
# Nothing is started or enabled. An `xl` of ours lies in /usr/lib/hauch/bin, where only those who want it find it:
#   update-alternatives --install /usr/sbin/xl xl /usr/lib/hauch/bin/xl 10

DESTDIR ?=
PREFIX  ?= /usr

.PHONY: install
install: hv dom0
	install -D -m 644 $(O)/hv/hauch.elf $(DESTDIR)/boot/hauch.elf
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/hauch/bin $(DESTDIR)/etc/hauch/domains
	install -m 755 $(addprefix $(O)/dom0/,hauch hauchd hauch-store hauch-console) $(DESTDIR)$(PREFIX)/sbin
	ln -sf ../../../sbin/hauch $(DESTDIR)$(PREFIX)/lib/hauch/bin/xl
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/man/*.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man5 docs/man/*.5
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/bash-completion/completions pkg/completion/hauch
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system pkg/systemd/*.service
	$(if $(wildcard pkg/sysusers.d/*.conf),install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/sysusers.d $(wildcard pkg/sysusers.d/*.conf))
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/modules-load.d pkg/modules-load.d/*.conf
