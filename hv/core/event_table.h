/* SPDX-License-Identifier: BSD-2-Clause */
/* Between core/event.c and core/event_op.c: changing the table. */
#ifndef CORE_EVENT_TABLE_H
#define CORE_EVENT_TABLE_H

#include <hv/event.h>

bool virq_is_global(uint32_t virq);

/* With d's table locked: takes a free port. Its number, or -ENOSPC, -ENOMEM, -EINVAL (d dies). */
int  event_port_alloc(struct domain *d, struct event **e);
/* Gives it its meaning; senders see all of it or nothing. */
void event_port_set(struct event *e, enum event_kind kind, uint32_t number, domid_t remote_id,
                    struct domain *remote);
/* With the table locked: back to the free ones. What it was connected to is disconnected already. */
void event_port_release(struct domain *d, uint32_t port, struct event *e);
/* Closes every port and gives up the FIFO layout, no lock held: 0, and no port is open; or -ERESTART. */
int  event_close_all(struct domain *d);

#endif
