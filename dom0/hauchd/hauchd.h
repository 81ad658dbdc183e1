/* SPDX-License-Identifier: BSD-2-Clause */
/* hauchd: the one resident program that makes domains, watches them die and makes them anew.
 *
 * One loop, one epoll. Whatever takes time elsewhere (back ends) is waited for by steps (step.h); what takes
 * time here (unpacking a kernel, filling memory, taking it back) is done by two threads beside it (worker.c).
 *
 *   main.c     options, opening everything                  domain.c   what is known of a domain
 *   loop.c     waiting for events                           create.c   the list of steps that makes one
 *   client.c   connections                                  devices.c  its disks and network cards
 *   request.c  what is asked, one function each             death.c    who died, and what then
 *   report.c   what is answered: JSON of domains and host   state.c    what survives a restart of hauchd
 *   vcpus.c    vCPUs, their places and shares               request_sched.c   what is asked of these
 *   request_guest.c   what is asked of a running domain: memory, keys, configuration
 *   peer.c     hauch-store and hauch-console                index.c, step.c   pure: no descriptor
 *   registry.c   definitions, what starts with the host     request_registry.c   what is asked of them
 *   worker.c   two threads for long work                     log.c      text of the hypervisor's log
 *   dump.c     core files                              leftover.c   store nodes of domains that are gone
 *   device_list.c   which devices a domain has              hotplug.c  devices that come and go
 */
#ifndef HAUCHD_H
#define HAUCHD_H

#include <stdarg.h>
#include <stdint.h>

#include "dom0/hauchd/index.h"
#include "dom0/hauchd/step.h"
#include "lib/build_pv.h"
#include "lib/config.h"
#include "lib/dev_disk.h"
#include "lib/image.h"
#include "lib/wire_request.h"
#include "lib/xc.h"
#include "lib/xs_client.h"

struct json_object;
struct client;
struct hot;
struct dump;
struct worker;
struct task;

/* ---- the program ---- */
struct hauchd {
    struct xc           *xc;
    struct xs_client    *xs;             /* NULL while the store is away */
    int                  console_fd;     /* -1 while hauch-console is away */
    struct image_cache  *images;         /* touched by the worker only, where there is one */
    struct worker       *worker;
    void                *evtchn;         /* xenevtchn_handle */
    uint32_t             virq_port;      /* 0: deaths are told by the store instead */
    unsigned             ends;           /* domains that are being destroyed for us */
    uint64_t             last_end_ms, look_due_ms;      /* of them; 0: no look is put off */
    int                  epoll_fd, listen_fd, link_fd, uevent_fd;
    struct domain_index  domains;
    struct domain_index  definitions;    /* struct definition */
    struct client       *clients;
    uintptr_t            clients_seen;
    bool                 clients_more;   /* a request is here already: the loop does not wait */
    struct dump         *dumps;          /* core files that are being written */
    struct hot          *hots;           /* devices that are coming or going */
    uint64_t             next_peer_try_ms, store_hung_until_ms;
    bool                 stop;
    bool                 halting;        /* the host goes down: what ends is not made again */
    uint64_t             halt_deadline_ms;
    bool                 console_lost_told;

    const char *socket_path, *state_dir, *store_path, *console_path, *registry_dir, *lib_dir;
};

/* Who a descriptor belongs to, for the loop. */
enum source {
    FROM_WORKER,
    FROM_CLIENT,
    FROM_LISTEN,
    FROM_EVTCHN,
    FROM_STORE,
    FROM_CONSOLE,
    FROM_LINK,
    FROM_UEVENT
};
int      loop_add(struct hauchd *h, int fd, enum source source, struct client *c);
void     loop_want(struct hauchd *h, int fd, struct client *c, uint32_t events);

/* Wait for something (at most @limit_ms, unless negative) and deal with it. */
void     loop_once(struct hauchd *h, int limit_ms);

uint64_t now_ms(void);                   /* monotonic */
void     say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));     /* a line to the log (stderr) */

/* ---- domains ---- */
enum fate { FATE_GONE, FATE_RESTART };   /* once everything is undone */

/* A client that waits for a domain to get somewhere. */
enum wait_for { WAIT_NOTHING, WAIT_UP, WAIT_UP_PROGRESS, WAIT_GONE, WAIT_OFF };
struct waiter {
    struct waiter *next;
    struct client *client;
    enum wait_for  what;
    bool           progress;      /* wants to be told of each step */
};

/* How far the end of a device is. */
struct device_end {
    bool closing;        /* its back end has been told to let go */
    bool gone;           /* its kernel device has been removed */
};

struct vif_state {
    char              name[16];       /* of the interface in dom0, "" before it was there */
    struct device_end end;
};

struct domain {
    struct index_entry   entry;          /* first: name and number */
    struct hauchd       *h;
    struct job           job;
    enum fate            fate;
    bool                 settled;        /* this end of the job has been acted upon */

    /* what was asked for: enough to make the domain again */
    char                *source, *text, **set;
    unsigned             set_count;
    struct domain_config config;
    struct json_object  *warnings;
    bool                 start_paused;
    struct wire_request *update;         /* what the next restart is made of, or NULL: as before */

    /* what it became */
    char                 uuid_text[37];
    uint32_t             store_port, console_port;
    uint64_t             store_mfn, console_mfn;
    const struct image  *image;
    struct task         *task;           /* long work for this domain that is under way */
    int                  ramdisk_fd;
    uint64_t             ramdisk_bytes;
    struct dev_disk     *disks;
    struct device_end   *disk_ends;
    struct vif_state    *vifs;
    char               **disk_specs, **vif_specs;      /* as they were written */
    bool                 off;            /* dead but kept, as on_... says */
    bool                 half_made;      /* found so after a restart of hauchd */
    bool                 again;          /* is being made anew: it ran before */
    uint16_t             old_id;         /* its number then, while its state is kept; 0: none */
    bool                 left_nodes;     /* the store was away when its nodes should have gone */
    uint64_t             started_ms;     /* monotonic, of the last start */
    int64_t              started_at;     /* wall clock, seconds */
    struct waiter       *waiters;
};

static inline struct domain *domain_of(struct index_entry *e)
{
    return (struct domain *)e;
}

/* The domain @rq describes, not started; its name (@name, or NULL: the configuration's) is taken from here
 * on. On failure NULL, the reason in @f and the reader's messages in *notes (a JSON array, owned by the
 * caller, also on success: warnings). */
struct domain *domain_new(struct hauchd *h, const struct wire_request *rq, const char *name,
                          struct json_object **notes, struct fault *f);
void domain_free(struct domain *d);      /* after the job is down */
int  domain_rename(struct domain *d, const char *name, struct fault *f);

/* What @rq describes: only looked at. Errors as domain_new(). */
int  domain_understand(const struct wire_request *rq, struct domain_config *out, struct json_object **notes,
                       struct fault *f);

/* What @d would be with @setting ("key=value") besides: NULL for nothing besides. *doc is the caller's. */
int domain_reread(const struct domain *d, const char *setting, struct domain_config *out,
                  struct config_doc **doc, struct json_object **notes, struct fault *f);

/* From the next restart on the domain is what @rq says, with the same name and UUID. Errors as domain_new().
 */
int domain_update(struct domain *d, const struct wire_request *rq, struct json_object **notes,
                  struct fault *f);

/* Let the job go on and act if it came to an end. @d may be freed. */
void domain_poke(struct domain *d);
void domain_start(struct domain *d);
void domain_unmake(struct domain *d, enum fate fate);
void domains_poke_waiting(struct hauchd *h);
/* When somebody has to look again, at the latest; UINT64_MAX: never. */
uint64_t domains_deadline(const struct hauchd *h);
/* All guests are asked; what is half made, or kept although it is dead, goes. */
void domains_ask_all(struct hauchd *h, const char *word);
/* The time of those that were asked is over: they are removed. */
void domains_halt_late(struct hauchd *h);
/* Another domain that has one of @d's disks in a way that excludes both: 0 or -EBUSY naming both. */
int domain_disks_check(const struct domain *d, struct fault *f);

/* create.c */
extern const struct step create_steps[];
extern const unsigned    create_step_count;

/* devices.c */
int  devices_write(struct domain *d, struct fault *f);
int  devices_erase(struct domain *d, struct fault *f);
int  devices_connect(struct domain *d, struct fault *f);      /* STEP_WAIT */
int  devices_disconnect(struct domain *d, struct fault *f);   /* STEP_WAIT */
int  devices_probe(struct domain *d, struct fault *f);
int  devices_attach(struct domain *d, struct fault *f);
int  devices_detach(struct domain *d, struct fault *f);
void devices_clear(struct domain *d);
/* The same for one: @i is its place in the lists of the domain. */
enum device { DEVICE_DISK, DEVICE_VIF };
int  device_probe(struct domain *d, enum device kind, size_t i, struct fault *f);
int  device_write(struct domain *d, enum device kind, size_t i, struct fault *f);
int  device_erase(struct domain *d, enum device kind, size_t i, struct fault *f);
int  device_connect(struct domain *d, enum device kind, size_t i, struct fault *f);      /* STEP_WAIT */
int  device_disconnect(struct domain *d, enum device kind, size_t i, struct fault *f);   /* STEP_WAIT */

/* device_list.c: which devices a domain has */
/* Space for those of the configuration, and how they are written in @doc: 0 or -ENOMEM. */
int  devices_allocate(struct domain *d, const struct config_doc *doc);
void devices_free(struct domain *d);
/* One more, written @spec; @setting is the whole list with it. Probed. Its number, or negative errno. */
int  device_add(struct domain *d, enum device kind, const char *setting, const char *spec,
                struct json_object **notes, struct fault *f);
void device_forget(struct domain *d, enum device kind, size_t i);

/* hotplug.c: devices that come and go */
void hotplug_poke(struct hauchd *h);
void hotplug_end(struct domain *d);      /* the domain goes: who waits for its devices is told */
void hotplug_forget(struct hauchd *h, struct client *c);
/* Guests that have been asked to let go of a device have no more time for it. */
void hotplug_hurry(struct hauchd *h);

void devices_event(struct hauchd *h);                         /* the kernel's event descriptor is readable */

/* death.c */
int  death_listen(struct hauchd *h, struct fault *f);
void death_event(struct hauchd *h);      /* the event descriptor is readable */
void death_look(struct hauchd *h);       /* compare what runs with what should run */
void death_look_if_due(struct hauchd *h);
/* The hypervisor tells of every end twice, also of those that we asked for: around these it is looked
 * once. */
void death_expected(struct hauchd *h, bool begins);

/* Restart, remove or keep a domain that has ended; @d may be freed. */
void death_act(struct domain *d, enum config_action action);

/* dump.c: core files */
/* Of one that has crashed, then death_act(). */
void dump_after_crash(struct domain *d, enum config_action then);
/* The domain, or the client (either may be NULL), goes. */
void dumps_forget(struct hauchd *h, const struct domain *d, const struct client *c);

/* state.c */
int  state_save(const struct domain *d, struct fault *f);
void state_remember(const struct domain *d);      /* the same; a failure is only logged */
void state_drop(struct hauchd *h, uint16_t domid);
/* The domain has its number and what is known of it goes to the disk for the first time. */
void state_begin(struct domain *d);
/* It will not be made anew: what its last life left is dropped. */
void state_forget_old(struct domain *d);
/* Short words about a domain beside its state, written before something is begun whose end a hauchd that
 * is killed does not see: "going" (what then: "gone" or "restart"), "dump" (paused for a core file). */
void state_mark(struct hauchd *h, uint16_t domid, const char *mark, const char *text);
void state_unmark(struct hauchd *h, uint16_t domid, const char *mark);
void state_restore(struct hauchd *h);
/* Configuration text, source and settings in a JSON object; nothing is copied. */
struct wire_request state_request(struct json_object *o);
const char *state_text(struct json_object *o, const char *key);

/* leftover.c: what domains that ended while no store ran have left in it */
/* Instead of state_drop(): the state of @d becomes a note for the next store. */
void leftover_note(const struct domain *d, uint16_t domid);
/* A store is there: all that the notes tell of goes. */
void leftovers_sweep(struct hauchd *h);

/* peer.c */
void peers_connect(struct hauchd *h);    /* whichever is away, at most a few times a second */
void peer_store_event(struct hauchd *h); /* the store's descriptor is readable */
void peer_console_event(struct hauchd *h);
int  peer_store_need(struct hauchd *h, struct fault *f);
int  peer_console_add(struct hauchd *h, const struct domain *d, struct fault *f);
void peer_console_remove(struct hauchd *h, uint16_t domid);
int  peer_store_introduce(struct domain *d, struct fault *f);

/* ---- clients ---- */
void client_accept(struct hauchd *h);
void client_event(struct client *c, uint32_t events);
unsigned clients_count(const struct hauchd *h);
/* One request of each that has one. */
void clients_serve(struct hauchd *h);
/* The end of a turn: broken connections are closed, the others waited for. Has one of them another
 * request? */
bool clients_settle(struct hauchd *h);
/* For those who may outlive the connection: NULL when it has gone. */
uintptr_t      client_number(const struct client *c);
struct client *client_find(struct hauchd *h, uintptr_t number);
void clients_close(struct hauchd *h);
/* Answer and be done with the request; takes the reference of @answer. */
void client_answer(struct client *c, struct json_object *answer);
void client_fail(struct client *c, const struct fault *f, struct json_object *notes);
/* @c is told when @d gets there; the domain forgets clients that go. */
int  client_wait(struct client *c, struct domain *d, enum wait_for what);
/* Its request has failed after all: no domain answers it. */
void client_wait_no_more(struct client *c);
/* It is told of events from now on. */
void client_subscribe(struct client *c);
/* Tell those who want to know that @what happened: to @d, to the domain @id (not ours), or INDEX_NO_ID: to
 * the host. @detail: in words, or NULL. */
void event_emit(struct hauchd *h, const char *what, const struct domain *d, uint16_t id, const char *detail);
/* The client waits for something else than a domain; release it before it is answered. */
void client_hold(struct client *c);
void client_unhold(struct client *c);
/* Tell those who wait for @d to be up, and asked for it, how far it is. */
void waiters_progress(struct domain *d, const char *step);
void waiters_tell(struct domain *d, enum wait_for what, const struct fault *f);
void request_handle(struct hauchd *h, struct client *c, char *line);
/* Is the client waiting for something? Then its next request has to wait, too. */
bool client_busy(const struct client *c);

/* log.c: text of the hypervisor's log; the caller frees it. domid -1: of all domains. */
int log_read(struct hauchd *h, bool clear, char **text, struct fault *f);
int log_refusals(struct hauchd *h, int domid, char **text, struct fault *f);
int log_missing(struct hauchd *h, char **text, struct fault *f);
/* What the machine said before it crashed in the boot before this; "" if nothing is kept. @clear: forget it.
 */
int log_last_crash(struct hauchd *h, bool clear, char **text, struct fault *f);

/* report.c: JSON; the caller owns the reference */
/* configs: with what was asked for */
struct json_object *report_domains(struct hauchd *h, int only_id, bool configs, struct fault *f);
struct json_object *report_devices(struct domain *d);      /* NULL: of domain 0, which has none */
struct json_object *report_domain(struct hauchd *h, uint16_t domid, struct domain *d, struct fault *f);
struct json_object *report_host(struct hauchd *h, bool with_topology, struct fault *f);
struct json_object *report_vcpus(struct hauchd *h, int only_id, struct fault *f);      /* vcpus.c */
struct json_object *report_shares(struct hauchd *h, int only_id, struct fault *f);
/* Member "name": that of ours, else what the store says. */
void report_name(struct hauchd *h, uint16_t domid, struct json_object *o);
void json_text(struct json_object *o, const char *key, const char *value);
void json_number(struct json_object *o, const char *key, int64_t value);
void json_seconds(struct json_object *o, const char *key, uint64_t ns);

/* vcpus.c: vCPUs, where they run and how much */
/* Has this host the CPUs of @cpus? Else -EINVAL naming the first that is missing; @what for the sentence. */
int vcpus_check(struct hauchd *h, const char *what, const struct config_cpus *cpus, struct fault *f);
/* Affinity and shares as the configuration says; the domain has been made. */
int vcpus_place(struct domain *d, struct fault *f);

#endif
