/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal in a folder: files "journal" and, while it is being written anew, "journal.new", mapped
 * shared. */
#ifndef STORE_JOURNAL_FILE_H
#define STORE_JOURNAL_FILE_H

#include <sys/types.h>

#include "dom0/store/journal.h"

struct journal_file {
    struct journal journal;
    int folder; /* locked: one daemon keeps one journal */
    int fd, old_fd;
    char *old_base;
    size_t old_size;
};

/* Makes the folder if need be, gives it to uid and gid (unless -1), locks it. -errno (-EBUSY: another daemon
 * keeps its journal there) or 0. */
int journal_file_open(struct journal_file *f, const char *path, uid_t uid, gid_t gid);

/* What a predecessor left, mapped: *base is NULL if there is nothing. */
int journal_file_map_last(struct journal_file *f, const char **base, size_t *size);

/* The files stay. */
void journal_file_close(struct journal_file *f);

#endif
