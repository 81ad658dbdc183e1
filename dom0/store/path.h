/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of the store: "/" or "/name/name"; names of letters, digits, '-', '_', '@'; at most 3072 bytes.
 * Special paths ("@introduceDomain") name events, not places; they are nodes without a parent.
 */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/xs_wire.h"

struct path {
    size_t len;
    char text[XENSTORE_ABS_PATH_MAX + 1]; /* with a NUL */
};

/* Turns what a client sent into an absolute valid path; a relative one is below /local/domain/<home>.
 * -EINVAL if it is no path. Special paths are accepted as they are. */
int path_parse(struct path *out, const char *text, uint16_t home);

static inline bool path_is_special(const char *text) {
    return text[0] == '@';
}

static inline bool path_is_root(const struct path *p) {
    return p->len == 1;
}

/* Length of the parent's path: 1 for a child of the root, 0 for the root and for special paths (no parent).
 */
size_t path_parent_len(const char *text, size_t len);

/* The last name in the path. */
const char *path_name(const char *text, size_t len);

/* Length of "/local/domain/<domid>/", what a relative path leaves out. */
size_t path_home_len(uint16_t domid);

#endif
