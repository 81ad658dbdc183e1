/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up privileges: see privilege.h. */
#define _GNU_SOURCE
#include "dom0/console/privilege.h"

#include "dom0/console/report.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int privilege_user(const char *name, uid_t *uid, gid_t *gid)
{
    const struct passwd *user = getpwnam(name);

    if (!user) {
        report("--user %s: no such user; make it (adduser --system) or leave the option out", name);
        return -ENOENT;
    }
    *uid = user->pw_uid;
    *gid = user->pw_gid;
    return 0;
}

int privilege_drop(uid_t uid, gid_t gid)
{
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        int r = -errno;
        report("cannot become user %u: %m (started as root?)", uid);
        return r;
    }
    if (uid != 0 && setuid(0) == 0) {
        report("still able to become root after becoming user %u; giving up", uid);
        return -EPERM;
    }
    return 0;
}

/*
 * ---- system calls ---------------------------------------------------------------------------------------
 */

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

#define ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter answer(uint32_t action)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

/* A jump over `skip` instructions when the loaded value is k. */
static struct sock_filter skip_if(uint32_t k, size_t skip)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, (uint8_t)skip, 0);
}

static int seal_calls(void)
{
    struct sock_filter code[ALLOWED + 6];
    size_t n = 0;

    code[n++] = load(offsetof(struct seccomp_data, arch));
    code[n++] = skip_if(AUDIT_ARCH_X86_64, 1);
    code[n++] = answer(SECCOMP_RET_KILL_PROCESS);       /* other tables of calls have other numbers */
    code[n++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ALLOWED; i++)
        code[n++] = skip_if(allowed[i], ALLOWED - i);
    code[n++] = answer(SECCOMP_RET_ERRNO | EPERM);
    code[n++] = answer(SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = (unsigned short)n, .filter = code };
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int privilege_seal(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && seal_calls() == 0)
        return 0;
    int r = -errno;
    report("cannot give up system calls: %m (kernel without seccomp filters?)");
    return r;
}
