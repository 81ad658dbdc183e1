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
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dom0/store/server.h"
#include "dom0/store/store.h"
#include "dom0/store/xen.h"

#define DEFAULT_SOCKET "/run/xenstored/socket"

struct options {
    const char *socket, *pid_file, *user;
    bool daemon, trace, no_xen;
};

static const char usage_text[] =
    "usage: hauch-store [options]\n"
    "  -s, --socket PATH    where clients connect (" DEFAULT_SOCKET ")\n"
    "  -p, --pid-file PATH  write the process id there\n"
    "  -u, --user NAME      give up all rights and run as this user (a name or number) once all is open\n"
    "  -b, --background     return once clients can connect\n"
    "  -t, --trace          log every request to stderr\n"
    "  -n, --no-xen         serve the socket only, even under a hypervisor\n"
    "  -h, --help\n";

static const struct option long_options[] = {
    { "socket", required_argument, NULL, 's' }, { "pid-file", required_argument, NULL, 'p' },
    { "user", required_argument, NULL, 'u' },   { "background", no_argument, NULL, 'b' },
    { "trace", no_argument, NULL, 't' },        { "no-xen", no_argument, NULL, 'n' },
    { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
};

static void parse_options(struct options *o, int argc, char **argv) {
    int c;
    *o = (struct options){ .socket = DEFAULT_SOCKET };
    while ((c = getopt_long(argc, argv, "s:p:u:btnh", long_options, NULL)) != -1) {
        switch (c) {
        case 's': o->socket = optarg; break;
        case 'p': o->pid_file = optarg; break;
        case 'u': o->user = optarg; break;
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
        fprintf(stderr, "hauch-store: cannot write the pid file %s: %s\n", path, strerror(errno));
        return -errno;
    }
    return 0;
}

/* A user by name, or a number for both user and group. */
static int find_user(const char *name, uid_t *uid, gid_t *gid) {
    struct passwd *pw = getpwnam(name);
    char *end;
    *uid = *gid = (uid_t)strtoul(name, &end, 10);
    if (pw) {
        *uid = pw->pw_uid;
        *gid = pw->pw_gid;
    } else if (*end || end == name) {
        fprintf(stderr,
                "hauch-store: there is no user '%s'; create one (adduser --system %s) or leave out --user\n",
                name, name);
        return -ENOENT;
    }
    return 0;
}

static int become(const char *name) {
    uid_t uid;
    gid_t gid;
    if (find_user(name, &uid, &gid) < 0)
        return -ENOENT;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        fprintf(stderr, "hauch-store: cannot become user '%s': %s (start it as root)\n", name,
                strerror(errno));
        return -EPERM;
    }
    return 0;
}

static int drop_rights(const struct options *o) {
    int rc = o->user ? become(o->user) : 0;
    if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        rc = -errno;
    return rc;
}

static int open_all(struct server *srv, struct xen *x, struct signals *sig, const struct options *o) {
    int rc = server_open(srv, srv->store, o->socket);
    if (rc == 0)
        rc = catch_signals(sig, srv);
    if (rc < 0 || o->no_xen)
        return rc;
    rc = xen_open(x, srv);
    if (rc == 0)
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
    struct server srv = { .store = s, .listener.fd = -1, .epoll = -1 };
    struct xen x = { .store = NULL };
    struct signals sig;
    int rc = open_all(&srv, &x, &sig, o);
    if (rc == 0 && o->pid_file)
        rc = write_pid(o->pid_file);
    if (rc == 0)
        rc = drop_rights(o);
    if (rc == 0)
        rc = tell_ready(ready);
    if (rc == 0)
        server_run(&srv);
    server_close(&srv);
    domain_release_all(s);
    xen_close(&x);
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
        rc = put_first_nodes(&s);
    s.trace = o.trace;
    if (rc == 0)
        rc = serve(&s, &o, ready);
    store_destroy(&s);
    return rc < 0 ? 1 : 0;
}
