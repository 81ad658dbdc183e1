/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain can end while no store runs. Its nodes there belong to dom0, so the store, which keeps them over
 * its restart, does not take them away by itself. A note outlives hauchd: the domain's state, renamed to
 * NUMBER-UUID.left; its name says all that is needed. Number and UUID may both belong to another domain by
 * the time a store is there: then its nodes stay. */
#define _GNU_SOURCE
#include "dom0/hauchd/hauchd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/dev_nodes.h"

enum { UUID_LENGTH = 36 };

void leftover_note(const struct domain *d, uint16_t domid)
{
    char state[256], note[320];
    int  fd;

    state_unmark(d->h, domid, "going");
    snprintf(state, sizeof(state), "%s/%u.json", d->h->state_dir, domid);
    snprintf(note, sizeof(note), "%s/%u-%s.left", d->h->state_dir, domid, d->uuid_text);
    if (!rename(state, note))
        return;
    fd = open(note, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        say("%s (%u): cannot write %s: %s; its nodes stay in the store, see hauch "
            "doctor", d->entry.name, domid,
            note, strerror(errno));
    else
        close(fd);
}

static bool uuid_runs(const struct hauchd *h, const char *uuid)
{
    for (struct index_entry *e = h->domains.first; e; e = e->next)
        if (e->id != INDEX_NO_ID && !strcmp(domain_of(e)->uuid_text, uuid))
            return true;
    return false;
}

/* Also that of another toolstack. */
static bool number_runs(struct hauchd *h, uint16_t domid)
{
    struct xen_domctl_getdomaininfo info;

    if (index_by_id(&h->domains, domid))
        return true;
    return !xc_domain_info(h->xc, domid, &info, NULL) && !(info.flags & XEN_DOMINF_dying);
}

static int sweep(struct hauchd *h, uint16_t domid, const char *uuid, struct fault *f)
{
    char path[64];
    int  rc;

    if (number_runs(h, domid)) {
        snprintf(path, sizeof(path), "/vm/%s", uuid);
        rc = uuid_runs(h, uuid) ? 0 : xs_client_rm(h->xs, 0, path);
        return rc ? fault_set(f, rc, "%s", xs_client_error(h->xs)) : 0;
    }
    rc = dev_domain_remove(h->xs, domid, uuid_runs(h, uuid) ? NULL : uuid, f);
    if (rc)
        return rc;
    rc = xs_client_release(h->xs, domid);
    if (rc && rc != -ENOENT && rc != -EINVAL)
        return fault_set(f, rc, "%s", xs_client_error(h->xs));
    say("domain %u ended while no store ran: its nodes are removed now", domid);
    return 0;
}

/* NUMBER-UUID.left */
static bool note_read(const char *name, uint16_t *domid, char uuid[UUID_LENGTH + 1])
{
    unsigned number;
    int      end = 0;

    if (sscanf(name, "%5u-%36[0-9a-f-].left%n", &number, uuid, &end) != 2 || !end || name[end])
        return false;
    *domid = number;
    return number < INDEX_IDS && strlen(uuid) == UUID_LENGTH;
}

void leftovers_sweep(struct hauchd *h)
{
    DIR           *dir = opendir(h->state_dir);
    struct dirent *e;
    bool           any = false;

    while (dir && h->xs && (e = readdir(dir))) {
        char         uuid[UUID_LENGTH + 1];
        struct fault f = { 0 };
        uint16_t     domid;

        if (!note_read(e->d_name, &domid, uuid))
            continue;
        any = true;
        if (sweep(h, domid, uuid, &f))
            say("domain %u: what it left in the store stays until the next try: %s", domid, f.text);
        else
            unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir)
        closedir(dir);
    if (any && !h->domains.count)
        dev_shared_prune(h->xs, NULL);
}
