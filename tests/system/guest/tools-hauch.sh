# SPDX-License-Identifier: BSD-2-Clause
# Our own tools in dom0. TOOL is what a person types.
TOOL=hauch
TOOLS_PATH=
tools_start() {
    mkdir -p /run/xenstored /run/hauch /var/log/hauch/console /var/lib/hauch
    hauch-store --background && hauch-console --daemon || return
    hauchd 2>/var/log/hauch/hauchd.log &
    await hauch list
}
console_log() { cat "/var/log/hauch/console/$1.log"; }
tools_log() { cat /var/log/hauch/hauchd.log; }
