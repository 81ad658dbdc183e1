/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon may still call once it serves: seal.h. Nothing that starts, traces or signals another
 * process, opens a socket or changes rights. */
#define _GNU_SOURCE
#include "dom0/store/seal.h"

#include <sys/syscall.h>

#include "lib/privilege.h"

static const unsigned int calls[] = {
    SYS_epoll_wait,        /* for clients and guests */
    SYS_epoll_ctl,         /* a client comes, or has to wait until it reads */
    SYS_accept4,           /* a client comes */
    SYS_recvfrom,          /* its requests */
    SYS_sendto,            /* answers and watch events */
    SYS_close,             /* it goes */
    SYS_read,              /* which event channels are pending; signals */
    SYS_write,             /* event channels unmasked; messages on stderr */
    SYS_ioctl,             /* event channels bound and notified, grants mapped */
    SYS_mmap,              /* rings of guests; the journal; memory of the C library */
    SYS_munmap,            /* the same */
    SYS_mremap,            /* the journal grows */
    SYS_openat,            /* the journal anew */
    SYS_fallocate,         /* room for it */
    SYS_ftruncate,         /* room that could not be had whole is given back */
    SYS_renameat,          /* the new one takes the old one's name */
    SYS_unlinkat,          /* a new one that failed */
    SYS_unlink,            /* the socket, at the end */
    SYS_fstat,             /* of stderr, by the C library */
    SYS_newfstatat,        /* the same */
    SYS_poll,              /* event channels, by libxenevtchn */
    SYS_fcntl,             /* the same */
    SYS_clock_gettime,     /* where the kernel does not let it be read without a call */
    SYS_brk,               /* memory of the C library */
    SYS_madvise,           /* the same */
    SYS_futex,             /* locks of the C library */
    SYS_getrandom,         /* its malloc, at the first use */
    SYS_rt_sigprocmask,    /* abort(), and what restarts a call */
    SYS_rt_sigreturn,
    SYS_restart_syscall,
    SYS_getpid,
    SYS_gettid,
    SYS_tgkill,
    SYS_exit_group,        /* the end */
};

int seal_calls(void) {
    return privilege_keep_calls(calls, sizeof(calls) / sizeof(calls[0]));
}
