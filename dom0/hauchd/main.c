/* SPDX-License-Identifier: BSD-2-Clause */
/* hauchd: options, opening everything, the loop. See hauchd.h for the parts. */
#define _GNU_SOURCE
#include "dom0/hauchd/registry.h"
#include "dom0/hauchd/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/dev_link.h"

#define GROUP              "hauch"
#define KERNEL_CACHE_BYTES ((size_t)256 << 20)

static volatile sig_atomic_t stop_asked;

/* ---- opening ---- */
/* Members of the group, if there is one, may do what root may: whoever can make domains owns the host. */
static void group_admit(const char *path)
{
    struct group *g = getgrnam(GROUP);

    if (g && (chown(path, -1, g->gr_gid) || chmod(path, 0660)))
        say("%s: group %s is not admitted: %s; only root can use it", path, GROUP, strerror(errno));
}

static int listen_on(struct hauchd *h, struct fault *f)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (strlen(h->socket_path) >= sizeof(addr.sun_path))
        return fault_set(f, -ENAMETOOLONG, "socket path %s has %zu bytes, at most %zu are possible; choose "
                                           "another with --socket",
                         h->socket_path, strlen(h->socket_path), sizeof(addr.sun_path) - 1);
    strcpy(addr.sun_path, h->socket_path);
    /* EAGAIN: it has as many waiting as it may. */
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 || errno == EAGAIN)
        return fault_set(f, -EADDRINUSE, "another hauchd answers at %s; stop it, or choose another path "
                                         "with --socket",
                         h->socket_path);
    unlink(h->socket_path);
    umask(0177);
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 64))
        return fault_errno(f, -errno, "cannot listen at %s (choose another path with "
                                      "--socket)", h->socket_path);
    umask(022);
    group_admit(h->socket_path);
    h->listen_fd = fd;
    return loop_add(h, fd, FROM_LISTEN, NULL);
}

static int directories(struct hauchd *h, struct fault *f)
{
    char parent[256];
    char *slash;

    snprintf(parent, sizeof(parent), "%s", h->state_dir);
    slash = strrchr(parent, '/');
    if (slash && slash > parent) {
        *slash = 0;
        mkdir(parent, 0755);
    }
    if (mkdir(h->state_dir, 0700) && errno != EEXIST)
        return fault_errno(f, -errno, "cannot make %s (choose another folder with --state)", h->state_dir);
    return 0;
}

static int open_all(struct hauchd *h, struct fault *f)
{
    int rc = xc_open(&h->xc, f);

    if (rc || (rc = directories(h, f)))
        return rc;
    h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    h->images = image_cache_new(KERNEL_CACHE_BYTES, IMAGE_UNPACK_LIMIT);
    if (h->epoll_fd < 0 || !h->images)
        return fault_memory(f);
    h->link_fd = dev_link_monitor(f);
    h->uevent_fd = dev_uevent_monitor(f);
    if (h->link_fd < 0 || h->uevent_fd < 0)
        return f->code;
    rc = loop_add(h, h->link_fd, FROM_LINK, NULL);
    rc = rc ? rc : loop_add(h, h->uevent_fd, FROM_UEVENT, NULL);
    rc = rc ? rc : death_listen(h, f);
    rc = rc ? rc : worker_start(h, f);
    rc = rc ? rc : listen_on(h, f);
    return rc && !f->text[0] ? fault_errno(f, rc, "cannot watch descriptors (are too many open?)") : rc;
}

/* Each connection and each creation under way has some: the usual soft limit of 1024 is for programs that use
 * select(). */
static void descriptors_allow(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void on_signal(int sig)
{
    stop_asked = sig;
}

static void signals(void)
{
    struct sigaction sa = { .sa_handler = on_signal };

    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static const char usage[] =
    "usage: hauchd [options]\n"
    "Makes, watches and restarts domains; stays in the foreground and logs to standard error.\n"
    "  --socket PATH     listen here (" WIRE_SOCKET ")\n"
    "  --state DIR       remember running domains here (/run/hauch/domains)\n"
    "  --store PATH      the store's socket (/run/xenstored/socket)\n"
    "  --console PATH    hauch-console's socket (/run/hauch/console.sock)\n"
    "  --registry DIR    definitions of domains (/etc/hauch/domains)\n"
    "  --lib DIR         what outlives a restart of the host (/var/lib/hauch)\n"
    "  --pid-file PATH   write the process number here\n"
    "  --help            this text\n";

static int pid_write(const char *path, struct fault *f)
{
    FILE *out = path ? fopen(path, "we") : NULL;

    if (path && !out)
        return fault_errno(f, -errno, "cannot write the pid file %s (choose another path with "
                                      "--pid-file)", path);
    if (out) {
        fprintf(out, "%d\n", (int)getpid());
        fclose(out);
    }
    return 0;
}

/* -EINVAL: not understood, how it is used was shown. */
static int options(struct hauchd *h, int argc, char **argv, const char **pid)
{
    static const struct option longs[] = {
        { "socket", required_argument, NULL, 's' },
        { "state", required_argument, NULL, 'd' },
        { "store", required_argument, NULL, 'x' },
        { "console", required_argument, NULL, 'c' },
        { "registry", required_argument, NULL, 'r' },
        { "lib", required_argument, NULL, 'l' },
        { "pid-file", required_argument, NULL, 'p' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int o;

    while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (o) {
        case 's': h->socket_path = optarg; break;
        case 'd': h->state_dir = optarg; break;
        case 'x': h->store_path = optarg; break;
        case 'c': h->console_path = optarg; break;
        case 'r': h->registry_dir = optarg; break;
        case 'l': h->lib_dir = optarg; break;
        case 'p': *pid = optarg; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); return -EINVAL;
        }
    if (optind == argc)
        return 0;
    fprintf(stderr, "hauchd: '%s' is not expected here\n%s", argv[optind], usage);
    return -EINVAL;
}

int main(int argc, char **argv)
{
    static struct hauchd h = { .console_fd = -1, .listen_fd = -1, .link_fd = -1, .uevent_fd = -1,
                               .socket_path = WIRE_SOCKET, .state_dir = "/run/hauch/domains",
                               .registry_dir = "/etc/hauch/domains", .lib_dir = "/var/lib/hauch" };
    struct fault         f = { 0 };
    const char          *pid = NULL;

    if (options(&h, argc, argv, &pid))
        return 2;
    signals();
    descriptors_allow();
    if (open_all(&h, &f) || pid_write(pid, &f)) {
        say("%s", f.text);
        return 1;
    }
    registry_load(&h);
    state_restore(&h);
    peers_connect(&h);
    death_look(&h);
    say("ready at %s, %u domain%s", h.socket_path, h.domains.count, h.domains.count == 1 ? "" : "s");
    while (!stop_asked)
        loop_once(&h, -1);
    clients_close(&h);
    worker_stop(&h);
    registry_free(&h);
    unlink(h.socket_path);
    return 0;
}
