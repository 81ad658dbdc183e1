# SPDX-License-Identifier: BSD-2-Clause
# Our own tools in dom0. TOOL is what a person types.
TOOL=hauch
TOOLS_PATH=
tools_start() {
    mkdir -p /run/xenstored /run/hauch /var/log/hauch/console /var/lib/hauch
    hauch-store & 
    await test -S /run/xenstored/socket || return
    hauch-console &
    await test -S /run/hauch/console.sock || return
    hauchd &
    await hauch list
}
console_log() { cat "/var/log/hauch/console/$1.log"; }
