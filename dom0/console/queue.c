/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded byte queue that forgets the oldest: see queue.h. */
#include "dom0/console/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void queue_init(struct queue *queue, size_t limit)
{
    *queue = (struct queue){ .limit = limit };
}

static void queue_release(struct queue *queue)
{
    free(queue->bytes);
    queue->bytes = NULL;
    queue->head = 0;
    queue->len = 0;
}

void queue_free(struct queue *queue)
{
    queue_release(queue);
    queue_init(queue, queue->limit);
}

static void queue_drop(struct queue *queue, size_t n)
{
    queue->head = (queue->head + n) % queue->limit;
    queue->len -= n;
    queue->dropped += n;
}

void queue_push(struct queue *queue, const char *buf, size_t n)
{
    if (!queue->bytes)
        queue->bytes = malloc(queue->limit);
    if (!queue->bytes) {            /* no memory: the bytes are lost to this reader, and it is told */
        queue->dropped += n;
        return;
    }
    if (n > queue->limit) {
        queue_drop(queue, queue->len);
        queue->dropped += n - queue->limit;
        buf += n - queue->limit;
        n = queue->limit;
    }
    if (n > queue_space(queue))
        queue_drop(queue, n - queue_space(queue));
    size_t tail = (queue->head + queue->len) % queue->limit;
    size_t first = n < queue->limit - tail ? n : queue->limit - tail;
    memcpy(queue->bytes + tail, buf, first);
    memcpy(queue->bytes, buf + first, n - first);
    queue->len += n;
}

size_t queue_space(const struct queue *queue)
{
    return queue->limit - queue->len;
}

int queue_empty(const struct queue *queue)
{
    return queue->len == 0 && queue->dropped == 0 && queue->mark_sent == queue->mark_len;
}

/*
 * The sentence may be made anew as long as its first byte is not out, so a long stall ends in one sentence.
 */
static void queue_mark(struct queue *queue)
{
    if (queue->dropped == 0 || queue->mark_sent > 0)
        return;
    queue->mark_len = (size_t)snprintf(queue->mark, sizeof(queue->mark),
                                       "\r\n[hauch-console: %llu bytes left out]\r\n",
                                       (unsigned long long)queue->dropped);
}

size_t queue_peek(struct queue *queue, const char **buf)
{
    queue_mark(queue);
    if (queue->mark_sent < queue->mark_len) {
        *buf = queue->mark + queue->mark_sent;
        return queue->mark_len - queue->mark_sent;
    }
    *buf = queue->bytes;
    if (queue->len == 0)
        return 0;
    *buf += queue->head;
    return queue->len < queue->limit - queue->head ? queue->len : queue->limit - queue->head;
}

static void queue_consume_mark(struct queue *queue, size_t n)
{
    if (queue->mark_sent == 0 && n > 0)
        queue->dropped = 0;         /* told; what is lost from here on is another gap */
    queue->mark_sent += n;
    if (queue->mark_sent == queue->mark_len) {
        queue->mark_sent = 0;
        queue->mark_len = 0;
    }
}

void queue_consume(struct queue *queue, size_t n)
{
    if (queue->mark_len > 0) {
        queue_consume_mark(queue, n);
        return;
    }
    queue->head = (queue->head + n) % queue->limit;
    queue->len -= n;
    if (queue->len == 0)
        queue_release(queue);
}
