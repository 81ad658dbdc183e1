/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up privileges: see privilege.h. */
#define _GNU_SOURCE
#include "dom0/console/privilege.h"

#include "dom0/console/report.h"

#include "lib/privilege.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

int privilege_user(const char *name, uid_t *uid, gid_t *gid)
{
    int r = privilege_find(name, uid, gid);

    if (r < 0)
        report("there is no user '%s'; make it (adduser --system --group %s, or systemd-sysusers) or leave "
               "out "
               "--user", name, name);
    return r;
}

int privilege_drop(uid_t uid, gid_t gid)
{
    int r = privilege_become(uid, gid);

    if (r < 0)
        report("cannot become user %u: %s (start it as root)", uid, strerror(-r));
    return r;
}

/* What may still be called once the daemon serves. Nothing that starts, traces or signals another process. */
static const unsigned allowed[] = {
    /* bytes: sockets, terminals, logs, event channels */
    SYS_read, SYS_write, SYS_sendto, SYS_recvfrom, SYS_close, SYS_fcntl, SYS_accept4,
    /* waiting, and the time that a period takes */
    SYS_epoll_wait, SYS_epoll_ctl, SYS_poll, SYS_clock_gettime, SYS_restart_syscall,
    /* rings: map and unmap grants, bind ports; terminals: number, lock, mode */
    SYS_ioctl, SYS_mmap, SYS_munmap,
    /* logs and their rotation, the slave of a terminal, the size of a ring file; the socket at the end */
    SYS_openat, SYS_newfstatat, SYS_fstat, SYS_rename, SYS_lseek, SYS_unlink,
    /* who opens a terminal */
    SYS_inotify_add_watch, SYS_inotify_rm_watch,
    /* memory of the C library */
    SYS_brk, SYS_mremap, SYS_madvise, SYS_getrandom, SYS_futex,
    /* signal handlers return; the end, also by abort() */
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_getpid, SYS_gettid, SYS_tgkill, SYS_exit_group,
};

int privilege_seal(void)
{
    int r = privilege_keep_calls(allowed, sizeof(allowed) / sizeof(allowed[0]));

    if (r < 0)
        report("cannot give up system calls: %s (a kernel without seccomp filters?)", strerror(-r));
    return r;
}
