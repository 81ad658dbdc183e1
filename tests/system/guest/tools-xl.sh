# SPDX-License-Identifier: BSD-2-Clause
# Debian's own tools of Xen 4.17 in dom0: the independent judge of the hypervisor.
TOOL=xl
TOOLS_PATH=/usr/lib/xen-4.17/bin:
export LD_LIBRARY_PATH=/usr/lib/xen-4.17/lib/x86_64-linux-gnu
# XENSTORED: which of Debian's two store daemons, xenstored (in C) unless told, or oxenstored
tools_start() {
    mkdir -p /run/xen /run/xenstored /var/lib/xenstored /var/log/xen/console /var/lib/xen
    mount -t tmpfs -o mode=755 xs /var/lib/xenstored
    ${XENSTORED:-xenstored} --pid-file /run/xenstored.pid || return
    await xenstore-read -s / || return
    xen-init-dom0 >/dev/null && xenconsoled --log=guest && await xl list
}
console_log() { cat "/var/log/xen/console/guest-$1.log"; }
tools_log() { tail -n 20 /var/log/xen/xen-hotplug.log /var/log/xen/*.log 2>/dev/null; }
