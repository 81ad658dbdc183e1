/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's wire protocol: messages, and the page that carries them between a guest and the store daemon.
 *
 * A message is a struct xsd_sockmsg and len bytes; a reply bears the request's type (or XS_ERROR, with the
 * name of an errno as text) and its req_id. Paths and values are separated by 0 bytes.
 */
#ifndef HAUCH_ABI_XS_WIRE_H
#define HAUCH_ABI_XS_WIRE_H

#include <stdint.h>

#define XS_CONTROL              0
#define XS_DEBUG                0
#define XS_DIRECTORY            1
#define XS_READ                 2
#define XS_GET_PERMS            3
#define XS_WATCH                4
#define XS_UNWATCH              5
#define XS_TRANSACTION_START    6
#define XS_TRANSACTION_END      7
#define XS_INTRODUCE            8
#define XS_RELEASE              9
#define XS_GET_DOMAIN_PATH      10
#define XS_WRITE                11
#define XS_MKDIR                12
#define XS_RM                   13
#define XS_SET_PERMS            14
#define XS_WATCH_EVENT          15
#define XS_ERROR                16
#define XS_IS_DOMAIN_INTRODUCED 17
#define XS_RESUME               18
#define XS_SET_TARGET           19
#define XS_RESET_WATCHES        21 /* 20 was RESTRICT, gone */
#define XS_DIRECTORY_PART       22
#define XS_TYPE_COUNT           23
#define XS_INVALID              0xffff

#define XS_WATCH_PATH  0 /* order of the two texts in a watch event */
#define XS_WATCH_TOKEN 1

#define XENSTORE_PAYLOAD_MAX  4096 /* bytes after the header */
#define XENSTORE_ABS_PATH_MAX 3072
#define XENSTORE_REL_PATH_MAX 2048

#define XENSTORE_RING_SIZE     1024
#define MASK_XENSTORE_IDX(idx) ((idx) & (XENSTORE_RING_SIZE - 1))

#define XENSTORE_SERVER_FEATURE_RECONNECTION 1
#define XENSTORE_SERVER_FEATURE_ERROR        2

#define XENSTORE_CONNECTED 0
#define XENSTORE_RECONNECT 1 /* set by the guest: flush the ring and begin anew */

#define XENSTORE_ERROR_NONE    0
#define XENSTORE_ERROR_COMM    1
#define XENSTORE_ERROR_RINGIDX 2
#define XENSTORE_ERROR_PROTO   3

struct xsd_sockmsg {
    uint32_t type;
    uint32_t req_id;
    uint32_t tx_id; /* 0: no transaction */
    uint32_t len;
};

typedef uint32_t XENSTORE_RING_IDX;

/* Free-running indices; req flows from the guest. */
struct xenstore_domain_interface {
    char req[XENSTORE_RING_SIZE];
    char rsp[XENSTORE_RING_SIZE];
    XENSTORE_RING_IDX req_cons, req_prod;
    XENSTORE_RING_IDX rsp_cons, rsp_prod;
    uint32_t server_features;
    uint32_t connection;
    uint32_t error;
};
_Static_assert(sizeof(struct xenstore_domain_interface) == 2076, "store ring page");

/* The life of a split device, as text in its "state" node. */
enum xenbus_state {
    XenbusStateUnknown = 0,
    XenbusStateInitialising = 1,
    XenbusStateInitWait = 2,
    XenbusStateInitialised = 3,
    XenbusStateConnected = 4,
    XenbusStateClosing = 5,
    XenbusStateClosed = 6,
    XenbusStateReconfiguring = 7,
    XenbusStateReconfigured = 8,
};

#endif
