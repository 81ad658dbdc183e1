/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hauch-store: the store daemon.
 *
 * It serves dom0's programs over a UNIX socket, and the kernels of dom0 and of guests over rings. It opens
 * what it needs, gives up its rights, and serves. Without a hypervisor it serves the socket alone, for
 * developers and tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dom0/store/journal_file.h"
#include "dom0/store/save.h"
#include "dom0/store/seal.h"
#include "dom0/store/server.h"
#include "dom0/store/store.h"
#include "dom0/store/xen.h"
#include "lib/privilege.h"

#define DEFAULT_SOCKET "/run/xenstored/socket"
#define DEFAULT_STATE  "/run/hauch/store"
#define DEFAULT_USER   "hauch-store"

struct options {
    const char *socket, *pid_file, *user, *state; /* state NULL: none */
    bool daemon, trace, no_xen, deaths;
    uid_t uid; /* of user; (uid_t)-1: nobody else */
    gid_t gid;
};

static const char usage_text[] =
    "usage: hauch-store [options]\n"
    "  -s, --socket PATH    where clients connect (" DEFAULT_SOCKET ")\n"
    "  -p, --pid-file PATH  write the process id there\n"
    "  -S, --state DIR      keep there what a restart takes up again (" DEFAULT_STATE ")\n"
    "  -N, --no-state       keep nothing: a restart begins with an empty store\n"
    "  -u, --user NAME      run as this user (a name or number) once all is open (" DEFAULT_USER ")\n"
    "  -b, --background     return once clients can connect\n"
    "  -t, --trace          log every request to stderr\n"
    "  -D, --deaths         see domains end (VIRQ_DOM_EXC): for xl, when hauchd does not run\n"
    "  -n, --no-xen         serve the socket only, even under a hypervisor\n"
    "  -h, --help\n";

static const struct option long_options[] = {
    { "socket", required_argument, NULL, 's' }, { "pid-file", required_argument, NULL, 'p' },
    { "user", required_argument, NULL, 'u' },   { "background", no_argument, NULL, 'b' },
    { "trace", no_argument, NULL, 't' },        { "no-xen", no_argument, NULL, 'n' },
    { "deaths", no_argument, NULL, 'D' },
    { "state", required_argument, NULL, 'S' },  { "no-state", no_argument, NULL, 'N' },
    { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
};

static void parse_options(struct options *o, int argc, char **argv) {
    int c;
    *o = (struct options){
        .socket = DEFAULT_SOCKET, .state = DEFAULT_STATE, .uid = (uid_t)-1, .gid = (gid_t)-1
    };
    while ((c = getopt_long(argc, argv, "s:p:u:S:NDbtnh", long_options, NULL)) != -1) {
        switch (c) {
        case 's': o->socket = optarg; break;
        case 'p': o->pid_file = optarg; break;
        case 'u': o->user = optarg; break;
        case 'S': o->state = optarg; break;
        case 'D': o->deaths = true; break;
        case 'N': o->state = NULL; break;
        case 'b': o->daemon = true; break;
        case 't': o->trace = true; break;
        case 'n': o->no_xen = true; break;
        case 'h': fputs(usage_text, stdout); exit(0);
        default: fputs(usage_text, stderr); exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "hauch-store: '%s' is not expected here\n%s", argv[optind], usage_text);
        exit(2);
    }
}

static void log_line(const char *line) {
    fprintf(stderr, "hauch-store: %s\n", line);
}

/* What clients expect to find before anything else has run: on other systems a program of its own writes
 * these, and it leaves all as it is if it finds the domain's id and name. Debian's xl will not build a domain
 * in a pool without name. */
static int put_first_nodes(struct store *s) {
    static const char *const nodes[][2] = {
        { "/tool/xenstored", "" },
        { "/local/domain/0/domid", "0" },
        { "/local/domain/0/name", "Domain-0" },
        { "/local/pool/0/name", "Pool-0" },
    };
    int rc = 0;
    for (unsigned int i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && rc == 0; i++)
        if (!tree_find(&s->tree, nodes[i][0], strlen(nodes[i][0]))) /* else as a predecessor left it */
            rc = store_put(s, nodes[i][0], nodes[i][1]);
    return rc;
}

struct signals {
    struct source source;
    struct server *server;
};

static void signal_ready(struct source *src, uint32_t events) {
    ((struct signals *)src)->server->stop = 1;
}

static int catch_signals(struct signals *sig, struct server *srv) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    sig->server = srv;
    sig->source = (struct source){ signalfd(-1, &set, SFD_CLOEXEC), signal_ready };
    return sig->source.fd < 0 ? -errno : server_add(srv, &sig->source);
}

static int write_pid(const char *path) {
    FILE *f = fopen(path, "we");
    if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f) != 0) {
        fprintf(stderr,
                "hauch-store: cannot write the pid file %s: %s (choose another path with --pid-file)\n", path,
                strerror(errno));
        return -errno;
    }
    return 0;
}

/* Who to become. Without --user: the user made for it, if we are root and it exists. */
static int find_user(struct options *o) {
    const char *name = o->user ? o->user : DEFAULT_USER;
    if (!o->user && geteuid() != 0)
        return 0;
    int rc = privilege_find(name, &o->uid, &o->gid);
    if (rc == 0)
        return 0;
    fprintf(stderr, "hauch-store: there is no user '%s'; make it (adduser --system --group %s, or "
                    "systemd-sysusers)%s\n", name, name,
            o->user ? " or leave out --user" : "; staying root until then");
    o->uid = (uid_t)-1;
    return o->user ? rc : 0;
}

static int drop_rights(const struct options *o) {
    int rc = o->uid == (uid_t)-1 ? 0 : privilege_become(o->uid, o->gid);
    if (rc < 0) {
        fprintf(stderr, "hauch-store: cannot become user %u: %s (start it as root)\n", (unsigned int)o->uid,
                strerror(-rc));
        return rc;
    }
    rc = seal_calls();
    if (rc < 0)
        fprintf(stderr, "hauch-store: cannot give up system calls: %s (a kernel without seccomp filters?)\n",
                strerror(-rc));
    return rc;
}

/* ---- what a predecessor left ---- */

static int take_up(struct store *s, const char *place, const char *base, size_t size) {
    bool incomplete = false;
    int rc = base ? save_restore(s, base, size, &incomplete) : 0;
    if (base && rc == 0 && !incomplete)
        store_logf(s, "took up %u nodes and %u domains from %s", s->tree.nodes.count, s->domains.count,
                   place);
    else if (rc == -EBADMSG)
        store_logf(s, "%s/journal is damaged; what is behind the damage is lost", place);
    else if (rc == -EINVAL)
        store_logf(s, "%s/journal was not written by this version of hauch-store; the store begins empty",
                   place);
    else if (base && rc == 0)
        store_logf(s, "the last daemon could not keep all in %s: what changed at its end is lost", place);
    return rc == -ENOMEM ? rc : 0;
}

static void complain_state(const char *place, int rc) {
    fprintf(stderr,
            "hauch-store: the store cannot be kept in %s: %s%s. It serves all the same, but a restart would "
            "lose everything\n",
            place, strerror(-rc),
            rc == -EBUSY ?
                " (another hauch-store keeps its state there; choose another folder with --state)" :
                " (make it writable, choose another folder with --state, or say --no-state)");
}

/* The store from its last state, kept from here on. Only want of memory is an error. */
static int open_state(struct store *s, struct journal_file *f, const struct options *o) {
    const char *base = NULL;
    size_t size = 0;
    if (!o->state)
        return 0;
    int rc = journal_file_open(f, o->state, o->uid, o->gid);
    if (rc == 0)
        rc = journal_file_map_last(f, &base, &size);
    if (rc < 0) {
        complain_state(o->state, rc);
        return 0;
    }
    rc = take_up(s, o->state, base, size);
    if (base) {
        f->journal.life = ((const struct journal_header *)(const void *)base)->life + 1;
        munmap((void *)base, size);
    }
    return rc;
}

static int open_all(struct server *srv, struct xen *x, struct signals *sig, const struct options *o) {
    int rc = catch_signals(sig, srv);
    if (rc < 0 || o->no_xen)
        return rc;
    rc = xen_open(x, srv);
    if (rc > 0 && o->deaths)
        rc = xen_watch_deaths(x);
    else if (rc == 0)
        log_line(
            "no hypervisor here (there is no /proc/xen/xsd_port; under one, mount -t xenfs xenfs /proc/xen): "
            "serving the socket only");
    return rc < 0 ? rc : 0;
}

/* A child that owns nothing that a fork would break (devices are opened after it) goes on; the parent leaves
 * when the child says, over a pipe, that clients can connect. */
static int go_to_background(void) {
    int pipes[2];
    char byte;
    if (pipe(pipes) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0) {
        close(pipes[1]);
        _exit(read(pipes[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(pipes[0]);
    setsid();
    return pipes[1];
}

static int tell_ready(int ready) {
    if (ready < 0)
        return 0;
    ssize_t n = write(ready, "", 1);
    close(ready);
    return n == 1 ? 0 : -EIO;
}

static int serve(struct store *s, const struct options *o, int ready) {
    struct server srv = { .store = s, .listener.fd = -1, .reader_listener.fd = -1, .epoll = -1,
                          .lookout.fd = -1 };
    struct xen x = { .store = NULL };
    struct signals sig;
    struct journal_file state = { .folder = -1, .fd = -1, .old_fd = -1 };
    int rc = server_open(&srv, s, o->socket);
    if (rc == 0)
        rc = open_state(s, &state, o);
    if (rc == 0)
        rc = put_first_nodes(s);
    if (rc == 0 && state.folder >= 0)
        store_keep(s, &state.journal, o->state);
    if (rc == 0)
        rc = open_all(&srv, &x, &sig, o);
    if (rc == 0)
        domain_reconnect_all(s);
    if (rc == 0 && o->pid_file)
        rc = write_pid(o->pid_file);
    if (rc == 0)
        rc = drop_rights(o);
    if (rc == 0)
        rc = tell_ready(ready);
    if (rc == 0)
        server_run(&srv);
    store_keep(s, NULL, NULL); /* what follows is not to be remembered */
    server_close(&srv);
    domain_release_all(s);
    xen_close(&x);
    journal_file_close(&state);
    return rc;
}

int main(int argc, char **argv) {
    struct options o;
    struct store s;
    uint32_t seed = 0;
    parse_options(&o, argc, argv);
    if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
        hash_seed(seed);
    int ready = o.daemon ? go_to_background() : -1;
    int rc = store_init(&s, log_line);
    if (rc == 0)
        rc = find_user(&o);
    s.trace = o.trace;
    if (rc == 0)
        rc = serve(&s, &o, ready);
    store_destroy(&s);
    return rc < 0 ? 1 : 0;
}
