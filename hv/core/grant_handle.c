/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles: the mappings that a domain holds of others' grants. A number, given out when a mapping is made,
 * names it when it is to be undone. What a handle stands for is taken off it in one step under the lock
 * before anything is undone, so two processors that unmap the same handle cannot both succeed.
 */
#include <hv/frame.h>
#include <hv/pcpu.h>
#include <hv/print.h>
#include <hw/hw.h>

#include "grant_table.h"

/* Under the lock. */
static struct grant_map *map_of(const struct grant_table *t, uint32_t handle)
{
    if (handle >= t->map_frames * MAPS_PER_FRAME)
        return NULL;
    return &t->map[handle / MAPS_PER_FRAME][handle % MAPS_PER_FRAME];
}

static bool add_page(struct grant_table *t)
{
    struct grant_map *page;
    uint32_t first = t->map_frames * MAPS_PER_FRAME;

    if (!t->map)
        t->map = kalloc(t->max_map_frames * sizeof(*t->map));
    if (!t->map || t->map_frames >= t->max_map_frames)
        return false;
    page = kalloc(PAGE_SIZE);
    if (!page)
        return false;
    for (uint32_t i = 0; i < MAPS_PER_FRAME; i++)
        page[i].ref = i + 1 < MAPS_PER_FRAME ? first + i + 1 : t->map_free;
    t->map[t->map_frames++] = page;
    t->map_free = first;
    return true;
}

uint32_t grant_handle_new(struct domain *d, const struct grant_map *m)
{
    struct grant_table *t = &d->grants;
    uint32_t handle;

    spin_lock(&t->map_lock);
    if (t->map_free == NO_HANDLE && !add_page(t)) {
        spin_unlock(&t->map_lock);
        return NO_HANDLE;
    }
    handle = t->map_free;
    t->map_free = map_of(t, handle)->ref;
    *map_of(t, handle) = *m;
    t->maps_in_use++;
    spin_unlock(&t->map_lock);
    return handle;
}

bool grant_handle_claim(struct domain *d, uint32_t handle, uint8_t flags, struct grant_map *was)
{
    struct grant_table *t = &d->grants;
    struct grant_map *m;
    bool ok;

    spin_lock(&t->map_lock);
    m = map_of(t, handle);
    ok = m && flags && (m->flags & flags) == flags;
    if (ok) {
        *was = *m;
        m->flags &= (uint8_t)~flags;
        m->claims++;
    }
    spin_unlock(&t->map_lock);
    return ok;
}

void grant_handle_restore(struct domain *d, uint32_t handle, uint8_t flags)
{
    struct grant_table *t = &d->grants;
    struct grant_map *m;

    spin_lock(&t->map_lock);
    m = map_of(t, handle);
    m->flags |= flags;
    m->claims--;
    spin_unlock(&t->map_lock);
}

bool grant_handle_done(struct domain *d, uint32_t handle)
{
    struct grant_table *t = &d->grants;
    struct grant_map *m;
    bool gone;

    spin_lock(&t->map_lock);
    m = map_of(t, handle);
    gone = --m->claims == 0 && m->flags == 0;
    if (gone) {
        *m = (struct grant_map){ .ref = t->map_free };
        t->map_free = handle;
        t->maps_in_use--;
    }
    spin_unlock(&t->map_lock);
    return gone;
}

/* ---- the domain dies ---- */

/*
 * The references of host mappings belong to page-table entries, which go down with the page tables; here
 * only the uses end. The domain does not run any more, so an entry that still stands reaches nobody.
 */
static void release_one(struct domain *d, uint32_t handle)
{
    struct grant_map was;
    uint8_t flags = 0;
    enum grant_use use;
    mfn_t frame;

    spin_lock(&d->grants.map_lock);
    flags = map_of(&d->grants, handle)->flags;
    spin_unlock(&d->grants.map_lock);
    if (!grant_handle_claim(d, handle, flags, &was))
        return;
    use = was.readonly ? GRANT_READ : GRANT_WRITE;
    if (was.flags & GNTMAP_device_map) {
        frame = grant_frame_of(was.granter, was.ref);
        grant_use_end(was.granter, was.ref, use);
        if (was.readonly)
            frame_put(frame);
        else
            frame_put_writable(frame);
    }
    if (was.flags & GNTMAP_host_map)
        grant_use_end(was.granter, was.ref, use);
    if (grant_handle_done(d, handle))
        domain_put(was.granter);
}

int grant_table_release(struct domain *d)
{
    struct grant_table *t = &d->grants;

    while (t->release_next < t->map_frames * MAPS_PER_FRAME && t->maps_in_use) {
        release_one(d, t->release_next++);
        if (t->release_next % PREEMPT_BATCH == 0 && preempt_due(this_cpu()->current))
            return -XEN_ERESTART;
    }
    return 0;
}
