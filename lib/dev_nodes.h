/* SPDX-License-Identifier: BSD-2-Clause */
/* The store nodes of a domain and its devices, as front ends and back ends expect them (xenstore-paths(7) and
 * the io headers). One transaction a device: a back end never sees half of one. */
#ifndef LIB_DEV_NODES_H
#define LIB_DEV_NODES_H

#include "lib/config.h"
#include "lib/dev_disk.h"
#include "lib/xc_err.h"
#include "lib/xs_client.h"

struct dev_domain {
    uint16_t    domid;
    const char *name;
    const char *uuid;            /* as text */
    uint64_t    memory_kib, max_memory_kib;
    unsigned    vcpus, max_vcpus;
    uint64_t    console_mfn, store_mfn;
    uint32_t    console_port, store_port;
};

enum { DEV_PATH = 96 };

/* /local/domain/D and /vm/UUID. Undo: dev_domain_remove(), which also takes leftovers of back ends away; with
 * @uuid NULL it leaves /vm alone. */
int dev_domain_write(struct xs_client *xs, const struct dev_domain *d, struct fault *f);
int dev_domain_remove(struct xs_client *xs, uint16_t domid, const char *uuid, struct fault *f);

/* Take away the directories that all domains share, where they are empty: for when the last domain has gone.
 */
int dev_shared_prune(struct xs_client *xs, struct fault *f);

int dev_vbd_write(struct xs_client *xs, uint16_t domid, const struct dev_disk *disk, struct fault *f);
int dev_vif_write(struct xs_client *xs, uint16_t domid, const struct config_vif *vif, unsigned mtu,
                  struct fault *f);

/* A device is named by its type ("vbd", "vif"), domain and number. */
void dev_path_backend(char out[DEV_PATH], const char *type, uint16_t domid, unsigned devid);
void dev_path_frontend(char out[DEV_PATH], const char *type, uint16_t domid, unsigned devid);

/* Tell both ends that the device goes: the back end lets go and its kernel device disappears. */
int dev_close(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid, struct fault *f);
/* Ask the domain to let go of it: its front end sees the back end close, and closes if it can. */
int dev_ask_close(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid, struct fault *f);
int dev_remove(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid, struct fault *f);

/* State of the front end, 0 if unknown. */
unsigned dev_frontend_state(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid);
/* State of the back end, 0 if unknown; the error it left, if any, as malloc'ed text. */
unsigned dev_backend_state(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid);
char    *dev_backend_error(struct xs_client *xs, const char *type, uint16_t domid, unsigned devid);

#endif
