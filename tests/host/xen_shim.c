/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library to preload into a store daemon (ours, Xen's in C, Xen's in OCaml), so that it runs on a
 * developer's machine without a hypervisor and believes that there is one. In the folder $FAKE_XEN:
 *
 *   ring-N    the page that domain N shares with the store (0: dom0's kernel); it exists as long as the
 *   domain events    a FIFO; whoever writes a domain's number there (4 bytes) sends the event of that
 *   domain's ring ...       and everything that a daemon would put below /run/xenstored, /var/run or
 *   /var/lib/xenstored
 *
 * Ports are 100 + domain; the test looks at the rings by itself, so events from the store go nowhere.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define XC_WANT_COMPAT_MAP_FOREIGN_API
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#define PORT_BASE 100
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *folder(void) {
    const char *path = getenv("FAKE_XEN");
    return path ? path : "/nonexistent";
}

/* ---- paths ---- */

static const char *moved(const char *path, char *buf, size_t size) {
    static const char *const from[] = { "/run/xenstored", "/var/run/xenstored", "/var/lib/xenstored",
                                        "/proc/xen", "/var/run/xen", "/run/xen", "/dev/xen", "/var/log/xen" };
    for (size_t i = 0; path && i < sizeof(from) / sizeof(from[0]); i++) {
        size_t n = strlen(from[i]);
        if (strncmp(path, from[i], n) == 0 && (path[n] == '/' || path[n] == '\0')) {
            snprintf(buf, size, "%s%s", folder(), path + n);
            return buf;
        }
    }
    return path;
}

#define PATH(p) moved(p, (char[4096]){ 0 }, 4096)

int open(const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return REAL(open)(PATH(path), flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return REAL(open64)(PATH(path), flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags) {
    return open(path, flags);
}

int unlink(const char *path) {
    return REAL(unlink)(PATH(path));
}

int mkdir(const char *path, mode_t mode) {
    return REAL(mkdir)(PATH(path), mode);
}

int chmod(const char *path, mode_t mode) {
    return REAL(chmod)(PATH(path), mode);
}

int access(const char *path, int mode) {
    return REAL(access)(PATH(path), mode);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len) {
    struct sockaddr_un un;
    if (addr->sa_family != AF_UNIX)
        return REAL(bind)(fd, addr, len);
    memset(&un, 0, sizeof(un));
    un.sun_family = AF_UNIX;
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", PATH(((const struct sockaddr_un *)addr)->sun_path));
    return REAL(bind)(fd, (const struct sockaddr *)&un, sizeof(un));
}

/* Not ours to raise on a developer's machine. */
int setrlimit(__rlimit_resource_t what, const struct rlimit *limit) {
    return 0;
}

/* ---- event channels ---- */

struct xenevtchn_handle {
    int fd;
};

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags) {
    static struct xenevtchn_handle handle;
    char path[4096];
    snprintf(path, sizeof(path), "%s/events", folder());
    handle.fd = REAL(open)(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return handle.fd < 0 ? NULL : &handle;
}

xenevtchn_handle *xenevtchn_fdopen(struct xentoollog_logger *logger, int fd, unsigned int flags) {
    return NULL;
}

int xenevtchn_close(xenevtchn_handle *xce) {
    return xce ? close(xce->fd) : 0;
}

int xenevtchn_fd(xenevtchn_handle *xce) {
    return xce->fd;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port) {
    return 0;
}

static int domain_exists(uint32_t domid) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/ring-%u", folder(), domid);
    int fd = REAL(open)(path, O_RDONLY | O_CLOEXEC); /* a call that every store keeps for itself */
    if (fd < 0)
        return 0;
    close(fd);
    return 1;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
                                                     evtchn_port_t remote) {
    if (domain_exists(domid))
        return (xenevtchn_port_or_error_t)(PORT_BASE + domid);
    errno = ESRCH;
    return -1;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq) {
    return PORT_BASE - 1;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port) {
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce) {
    uint32_t domid;
    if (read(xce->fd, &domid, sizeof(domid)) == sizeof(domid))
        return (xenevtchn_port_or_error_t)(PORT_BASE + domid);
    return -1;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port) {
    return 0;
}

/* ---- rings ---- */

static void *map_ring(uint32_t domid) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/ring-%u", folder(), domid);
    int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        errno = EINVAL;
        return NULL;
    }
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return page == MAP_FAILED ? NULL : page;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags) {
    static int handle;
    return (xengnttab_handle *)&handle;
}

int xengnttab_close(xengnttab_handle *xgt) {
    return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t count) {
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref, int prot) {
    return map_ring(domid);
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start, uint32_t count) {
    return munmap(start, 4096u * count);
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot, unsigned long mfn) {
    return map_ring(dom);
}

/* ---- who is alive ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
                                unsigned int flags) {
    static int handle;
    return (xc_interface *)&handle;
}

int xc_interface_close(xc_interface *xch) {
    return 0;
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int max, xc_dominfo_t *info) {
    unsigned int n = 0;
    for (uint32_t domid = first; domid < 64 && n < max; domid++)
        if (domain_exists(domid)) {
            memset(&info[n], 0, sizeof(info[n]));
            info[n].domid = domid;
            info[n++].running = 1;
        }
    return (int)n;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int max, xc_domaininfo_t *info) {
    unsigned int n = 0;
    for (uint32_t domid = first; domid < 64 && n < max; domid++)
        if (domain_exists(domid)) {
            memset(&info[n], 0, sizeof(info[n]));
            info[n].domain = (domid_t)domid;
            info[n++].flags = XEN_DOMINF_running;
        }
    return (int)n;
}
