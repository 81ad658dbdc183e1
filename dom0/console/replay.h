/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last screen of a console, kept in memory for whoever looks at it next: the last 64 lines, at most 8
 * KiB. No memory is used before the first byte.
 *
 * A replay is shown to another terminal than the one the guest was talking to, at another time. Some of what
 * a guest writes asks the terminal a question ("where is the cursor?": ESC [ 6 n, which busybox asks at each
 * prompt), and the answer would be typed into a guest that no longer waits for it. So questions are left out
 * of a replay.
 */
#ifndef HAUCH_CONSOLE_REPLAY_H
#define HAUCH_CONSOLE_REPLAY_H

#include <stddef.h>

#define REPLAY_SIZE  8192
#define REPLAY_LINES 64

struct replay {
    char *bytes;            /* REPLAY_SIZE of them, or NULL */
    size_t next;            /* where the next byte goes */
    int wrapped;            /* older bytes were overwritten */
};

void replay_append(struct replay *replay, const char *buf, size_t n);
void replay_free(struct replay *replay);

/* Copies the last screen to out (REPLAY_SIZE bytes), questions left out. Returns its length. */
size_t replay_copy(const struct replay *replay, char *out);

/* Leaves terminal questions out of the n bytes at text, in place. Returns the new length. */
size_t replay_quiet(char *text, size_t n);

#endif
