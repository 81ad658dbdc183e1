/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of server.h. Sources only wake connections; all serving, and all freeing, is done by store_run().
 */
#define _GNU_SOURCE
#include "dom0/store/server.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX   4096
#define FDS_KEPT_BACK 32
#define EVENTS        64

struct client {
    struct source src;
    struct server *server;
    bool blocked; /* waits for room to write, and takes no requests until there is */
    struct conn conn;
};

static struct client *of_conn(struct conn *c) {
    return (struct client *)((char *)c - offsetof(struct client, conn));
}

static ssize_t client_read(struct conn *c, void *buf, size_t len) {
    ssize_t n = recv(of_conn(c)->src.fd, buf, len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n == 0 ? -EPIPE : n;
}

static ssize_t client_write(struct conn *c, const void *buf, size_t len) {
    ssize_t n = send(of_conn(c)->src.fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n;
}

static void client_wait_for(struct client *cl, bool blocked) {
    struct epoll_event ev = { .events = blocked ? EPOLLOUT : EPOLLIN, .data.ptr = &cl->src };
    if (cl->blocked == blocked)
        return;
    cl->blocked = blocked;
    epoll_ctl(cl->server->epoll, EPOLL_CTL_MOD, cl->src.fd, &ev);
}

static void client_blocked(struct conn *c) {
    client_wait_for(of_conn(c), true);
}

static void client_failed(struct conn *c) {
    struct client *cl = of_conn(c);
    if (c->fault == XENSTORE_ERROR_PROTO)
        store_logf(c->store, "a socket client sent a message longer than %d bytes: disconnected",
                   XENSTORE_PAYLOAD_MAX);
    conn_destroy(c);
    close(cl->src.fd);
    cl->server->clients--;
    free(cl);
}

static const struct conn_transport client_transport = { .read = client_read,
                                                        .write = client_write,
                                                        .blocked = client_blocked,
                                                        .failed = client_failed };

static void client_ready(struct source *src, uint32_t events) {
    struct client *cl = (struct client *)src;
    client_wait_for(cl, false);
    conn_wake(&cl->conn);
}

static int add_client(struct server *srv, int fd, bool read_only) {
    struct client *cl = srv->clients < srv->client_limit ? malloc(sizeof(*cl)) : NULL;
    if (!cl)
        return -ENOMEM;
    cl->src = (struct source){ fd, client_ready };
    cl->server = srv;
    cl->blocked = false;
    int rc = server_add(srv, &cl->src);
    if (rc < 0) {
        free(cl);
        return rc;
    }
    conn_init(&cl->conn, srv->store, &client_transport, 0);
    cl->conn.is_socket = true;
    cl->conn.read_only = read_only;
    srv->clients++;
    return 0;
}

static void welcome(struct server *srv, int listener, bool read_only) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0 && add_client(srv, fd, read_only) < 0) {
        store_logf(srv->store, "a client was turned away: %u are connected, the limit is %u; raise "
                               "LimitNOFILE= of hauch-store", srv->clients,
                   srv->client_limit);
        close(fd);
    }
}

static void listener_ready(struct source *src, uint32_t events) {
    welcome((struct server *)((char *)src - offsetof(struct server, listener)), src->fd, false);
}

static void reader_listener_ready(struct source *src, uint32_t events) {
    welcome((struct server *)((char *)src - offsetof(struct server, reader_listener)), src->fd, true);
}

/* As many descriptors as we may have. */
static unsigned int raise_fd_limit(void) {
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
        return 512;
    lim.rlim_cur = lim.rlim_max < CLIENTS_MAX + FDS_KEPT_BACK ? lim.rlim_max : CLIENTS_MAX + FDS_KEPT_BACK;
    setrlimit(RLIMIT_NOFILE, &lim);
    return lim.rlim_cur > FDS_KEPT_BACK ? (unsigned int)lim.rlim_cur - FDS_KEPT_BACK : 1;
}

static bool someone_answers(int fd, const struct sockaddr_un *addr) {
    return connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0;
}

static int listen_at(const char *path) {
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(addr.sun_path))
        return -ENAMETOOLONG;
    strcpy(addr.sun_path, path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool taken = probe >= 0 && someone_answers(probe, &addr);
    close(probe);
    if (taken)
        return -EADDRINUSE;
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    int rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&addr, sizeof(addr));
    umask(mask);
    if (rc < 0 || listen(fd, 128) < 0) {
        rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    return fd;
}

static int listen_for_readers(struct server *srv) {
    size_t room = sizeof(srv->reader_path);
    if ((size_t)snprintf(srv->reader_path, room, "%s_ro", srv->path) >= room)
        return -ENAMETOOLONG;
    int fd = listen_at(srv->reader_path);
    if (fd < 0)
        return fd;
    srv->reader_listener = (struct source){ fd, reader_listener_ready };
    const struct group *readers = getgrnam(SERVER_READERS);
    if (readers && chown(srv->reader_path, (uid_t)-1, readers->gr_gid) == 0 &&
        chmod(srv->reader_path, 0660) < 0)
        return -errno;
    return server_add(srv, &srv->reader_listener);
}

/* ---- another store on the same path ---- */
/* Xen's own xenstored unlinks whatever has its name before it binds, whoever answers there. Clients that
 * come from then on would reach it, while domains stay with us. */

static bool name_of(const struct server *srv, struct stat *st) {
    return stat(srv->path, st) == 0 && S_ISSOCK(st->st_mode);
}

bool server_check_name(struct server *srv) {
    struct stat st;
    bool there = name_of(srv, &st), ours = there && st.st_dev == srv->device && st.st_ino == srv->inode;
    if (!ours && !srv->replaced)
        store_logf(srv->store,
                   "%s %s: programs that connect from now on do not reach this store, which all domains "
                   "use. Stop the other store if one was started (xenstored?), then: systemctl restart "
                   "hauch-store. It takes up all nodes and domains",
                   srv->path, there ? "was taken by another program" : "was removed");
    srv->replaced = !ours;
    return ours;
}

static void lookout_ready(struct source *src, uint32_t events) {
    char changes[4096];
    while (read(src->fd, changes, sizeof(changes)) > 0)
        ;
    server_check_name((struct server *)((char *)src - offsetof(struct server, lookout)));
}

/* Without inotify we serve all the same. */
static void look_out(struct server *srv) {
    struct stat st;
    char folder[108];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (!name_of(srv, &st))
        st = (struct stat){ 0 };
    srv->device = st.st_dev;
    srv->inode = st.st_ino;
    srv->lookout = (struct source){ fd, lookout_ready };
    snprintf(folder, sizeof(folder), "%s", srv->path);
    if (fd >= 0 && (inotify_add_watch(fd, dirname(folder), IN_CREATE | IN_DELETE | IN_MOVE) < 0 ||
                    server_add(srv, &srv->lookout) < 0)) {
        close(fd);
        srv->lookout.fd = -1;
    }
}

static const char *remedy(int rc) {
    switch (rc) {
    case -EADDRINUSE: return "another store serves there; stop it, or ";
    case -ENOENT: return "make that folder, or ";
    case -ENAMETOOLONG: return "a path of a socket has at most 107 bytes; ";
    default: return "";
    }
}

int server_open(struct server *srv, struct store *s, const char *path) {
    *srv = (struct server){ .store = s, .listener.fd = -1, .reader_listener.fd = -1, .lookout.fd = -1 };
    srv->path = path;
    srv->client_limit = raise_fd_limit();
    srv->epoll = epoll_create1(EPOLL_CLOEXEC);
    int fd = srv->epoll < 0 ? -errno : listen_at(path);
    if (fd < 0) {
        fprintf(stderr, "hauch-store: cannot listen at %s: %s (%schoose another path with --socket)\n", path,
                strerror(-fd), remedy(fd));
        return fd;
    }
    srv->listener = (struct source){ fd, listener_ready };
    int rc = server_add(srv, &srv->listener);
    int readers = rc < 0 ? rc : listen_for_readers(srv);
    if (readers < 0)
        fprintf(stderr, "hauch-store: cannot listen at %s_ro: %s; clients that only read are not served\n",
                path, strerror(-readers));
    look_out(srv);
    return rc;
}

static void drop_clients(struct server *srv) {
    for (struct conn *c = srv->store->conns; c; c = c->next)
        if (c->transport == &client_transport)
            conn_fail(c, XENSTORE_ERROR_COMM);
    store_reap(srv->store);
}

void server_close(struct server *srv) {
    drop_clients(srv);
    bool ours = srv->listener.fd >= 0 && server_check_name(srv);
    if (srv->listener.fd >= 0) {
        close(srv->listener.fd);
        if (ours)
            unlink(srv->path);
    }
    if (srv->reader_listener.fd >= 0) {
        close(srv->reader_listener.fd);
        if (ours)
            unlink(srv->reader_path);
    }
    if (srv->lookout.fd >= 0)
        close(srv->lookout.fd);
    if (srv->epoll >= 0)
        close(srv->epoll);
}

int server_add(struct server *srv, struct source *src) {
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = src };
    return epoll_ctl(srv->epoll, EPOLL_CTL_ADD, src->fd, &ev) < 0 ? -errno : 0;
}

static uint64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void server_run(struct server *srv) {
    srv->store->clock = clock_ms;
    struct epoll_event events[EVENTS];
    bool more = store_run(srv->store);
    while (!srv->stop) {
        int n = epoll_wait(srv->epoll, events, EVENTS, more ? 0 : srv->store->parked ? STORE_PARK_MS : -1);
        for (int i = 0; i < n; i++) {
            struct source *src = events[i].data.ptr;
            src->ready(src, events[i].events);
        }
        more = store_run(srv->store);
    }
}
