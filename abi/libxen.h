/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For programs in dom0: the client libraries beside our own headers. Include this one in place of
 * <xencall.h>, <xenevtchn.h>, <xengnttab.h> and <xenforeignmemory.h>.
 *
 * Those headers pull in <xen/xen.h>, <xen/event_channel.h> and <xen/grant_table.h>, which declare what ours
 * declare. They need only a few typedefs from there, which ours have too, so we claim the include guards of
 * these three.
 */
#ifndef HAUCH_ABI_LIBXEN_H
#define HAUCH_ABI_LIBXEN_H

#ifdef __XEN_PUBLIC_XEN_H__
#error "include <abi/libxen.h> in place of xencall.h, xenevtchn.h, xengnttab.h, xenforeignmemory.h"
#endif

#include <abi/event.h>
#include <abi/grant.h>
#include <abi/xen.h>

#define __XEN_PUBLIC_XEN_H__
#define __XEN_PUBLIC_EVENT_CHANNEL_H__
#define __XEN_PUBLIC_GRANT_TABLE_H__

#include <xencall.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>

#endif
