/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's files, journal_file.h. Every page of them is allocated when the room is made, so that a full
 * file system is an error here and never a signal at a store.
 */
#define _GNU_SOURCE
#include "dom0/store/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME     "journal"
#define NAME_NEW "journal.new"

static int extend(int fd, size_t from, size_t size) {
    int rc;
    do
        rc = fallocate(fd, 0, (off_t)from, (off_t)(size - from));
    while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        rc = -errno;
        return ftruncate(fd, (off_t)from) < 0 ? -errno : rc;
    }
    return 0;
}

static int file_grow(struct journal *j, size_t size) {
    struct journal_file *f = j->ctx;
    int rc = extend(f->fd, j->size, size);
    if (rc < 0)
        return rc;
    void *base = mremap(j->base, j->size, size, MREMAP_MAYMOVE);
    if (base == MAP_FAILED)
        return -errno;
    j->base = base;
    j->size = size;
    return 0;
}

static int drop_new(struct journal_file *f, int fd, int rc) {
    if (fd >= 0)
        close(fd);
    unlinkat(f->folder, NAME_NEW, 0);
    return rc;
}

static int file_renew(struct journal *j, size_t size) {
    struct journal_file *f = j->ctx;
    unlinkat(f->folder, NAME_NEW, 0);
    int fd = openat(f->folder, NAME_NEW, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int rc = fd < 0 ? -errno : extend(fd, 0, size);
    if (rc < 0)
        return drop_new(f, fd, rc);
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return drop_new(f, fd, -errno);
    f->old_fd = f->fd;
    f->old_base = j->base;
    f->old_size = j->size;
    f->fd = fd;
    j->base = base;
    j->size = size;
    return 0;
}

static void drop_old(struct journal_file *f) {
    if (f->old_base)
        munmap(f->old_base, f->old_size);
    if (f->old_fd >= 0)
        close(f->old_fd);
    f->old_base = NULL;
    f->old_fd = -1;
}

static int file_settle(struct journal *j, bool good) {
    struct journal_file *f = j->ctx;
    int rc = good && renameat(f->folder, NAME_NEW, f->folder, NAME) < 0 ? -errno : 0;
    if (good && rc == 0) {
        drop_old(f);
        return 0;
    }
    munmap(j->base, j->size);
    drop_new(f, f->fd, 0);
    j->base = f->old_base;
    j->size = f->old_size;
    f->fd = f->old_fd;
    f->old_base = NULL;
    f->old_fd = -1;
    return rc;
}

static uint64_t file_now(void *ctx) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const struct journal_ops file_ops = { file_grow, file_renew, file_settle, file_now };

static int make_folder(const char *path) {
    char part[4096];
    if (strlen(path) >= sizeof(part))
        return -ENAMETOOLONG;
    strcpy(part, path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int own(int folder, uid_t uid, gid_t gid) {
    if (uid == (uid_t)-1)
        return 0;
    if (fchown(folder, uid, gid) < 0)
        return -errno;
    if (fchownat(folder, NAME, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
        return -errno;
    return 0;
}

int journal_file_open(struct journal_file *f, const char *path, uid_t uid, gid_t gid) {
    *f = (struct journal_file){ .folder = -1, .fd = -1, .old_fd = -1 };
    f->journal.ops = &file_ops;
    f->journal.ctx = f;
    int rc = make_folder(path);
    if (rc < 0)
        return rc;
    f->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->folder < 0)
        return -errno;
    if (flock(f->folder, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return own(f->folder, uid, gid);
}

int journal_file_map_last(struct journal_file *f, const char **base, size_t *size) {
    struct stat st;
    *base = NULL;
    *size = 0;
    int fd = openat(f->folder, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    bool empty = rc == 0 && st.st_size == 0;
    void *at = rc < 0 || empty ? NULL : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        rc = -errno;
    close(fd);
    if (rc == 0 && !empty) {
        *base = at;
        *size = (size_t)st.st_size;
    }
    return rc;
}

void journal_file_close(struct journal_file *f) {
    if (f->journal.base)
        munmap(f->journal.base, f->journal.size);
    drop_old(f);
    if (f->fd >= 0)
        close(f->fd);
    if (f->folder >= 0)
        close(f->folder);
    *f = (struct journal_file){ .folder = -1, .fd = -1, .old_fd = -1 };
}
