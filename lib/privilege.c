/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up rights: privilege.h. The filter is a list of comparisons, made here: no library is needed for
 * it. */
#define _GNU_SOURCE
#include "lib/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CALLS_MAX 250 /* a jump is at most 255 instructions long */

int privilege_find(const char *name, uid_t *uid, gid_t *gid) {
    const struct passwd *user = getpwnam(name);
    char *end;
    *uid = *gid = (uid_t)strtoul(name, &end, 10);
    if (user) {
        *uid = user->pw_uid;
        *gid = user->pw_gid;
        return 0;
    }
    return *end || end == name ? -ENOENT : 0;
}

int privilege_become(uid_t uid, gid_t gid) {
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    return uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

static struct sock_filter load(size_t offset) {
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter answer(uint32_t action) {
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

/* A jump over `skip` instructions when the loaded value is k. */
static struct sock_filter skip_if(uint32_t k, size_t skip) {
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, (uint8_t)skip, 0);
}

int privilege_keep_calls(const unsigned int *calls, size_t count) {
    struct sock_filter code[CALLS_MAX + 6];
    size_t n = 0;
    if (count > CALLS_MAX)
        return -E2BIG;
    code[n++] = load(offsetof(struct seccomp_data, arch));
    code[n++] = skip_if(AUDIT_ARCH_X86_64, 1);
    code[n++] = answer(SECCOMP_RET_KILL_PROCESS); /* other tables of calls have other numbers */
    code[n++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++)
        code[n++] = skip_if(calls[i], count - i);
    code[n++] = answer(SECCOMP_RET_ERRNO | EPERM);
    code[n++] = answer(SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = (unsigned short)n, .filter = code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}
