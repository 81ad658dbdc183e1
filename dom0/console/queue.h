/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded byte queue that forgets. Between a console and each of its viewers stands one: a viewer that
 * does not read costs at most `limit` bytes, then loses the oldest ones and is told how many, where they are
 * missing. (The newest are what a person wants to see.) Also used, without forgetting, for what is typed at
 * a console.
 *
 * Memory is taken when the first byte must wait and given back when the queue is empty.
 */
#ifndef HAUCH_CONSOLE_QUEUE_H
#define HAUCH_CONSOLE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct queue {
    char *bytes;            /* limit bytes, used round and round; NULL while empty */
    size_t limit, head, len;
    uint64_t dropped;       /* bytes lost before head that the reader has not been told of */
    char mark[64];          /* the sentence that tells it ... */
    size_t mark_len, mark_sent;     /* ... of which the reader took so much; it must get the rest unchanged */
};

void queue_init(struct queue *queue, size_t limit);
void queue_free(struct queue *queue);

/* Appends all n bytes; the oldest give way. */
void queue_push(struct queue *queue, const char *buf, size_t n);

/* How many bytes queue_push() takes without dropping any. */
size_t queue_space(const struct queue *queue);

/* Whether queue_peek() would return nothing. */
int queue_empty(const struct queue *queue);

/* Points *buf at the next bytes and returns how many there are in one piece (0: none). */
size_t queue_peek(struct queue *queue, const char **buf);

/* Takes the first n of the bytes that the last queue_peek() showed. */
void queue_consume(struct queue *queue, size_t n);

#endif
