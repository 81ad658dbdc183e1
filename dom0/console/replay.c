/* SPDX-License-Identifier: BSD-2-Clause */
/* The last screen of a console: see replay.h. */
#include "dom0/console/replay.h"

#include <stdlib.h>
#include <string.h>

void replay_append(struct replay *replay, const char *buf, size_t n)
{
    if (!replay->bytes)
        replay->bytes = malloc(REPLAY_SIZE);
    if (!replay->bytes)
        return;                 /* without memory there is no last screen; the log has it */
    if (n > REPLAY_SIZE) {
        buf += n - REPLAY_SIZE;
        n = REPLAY_SIZE;
        replay->wrapped = 1;
    }
    size_t first = n < REPLAY_SIZE - replay->next ? n : REPLAY_SIZE - replay->next;
    memcpy(replay->bytes + replay->next, buf, first);
    memcpy(replay->bytes, buf + first, n - first);
    if (replay->next + n >= REPLAY_SIZE)
        replay->wrapped = 1;
    replay->next = (replay->next + n) % REPLAY_SIZE;
}

void replay_free(struct replay *replay)
{
    free(replay->bytes);
    *replay = (struct replay){ 0 };
}

/*
 * Where the last REPLAY_LINES lines begin; if the text has lost its beginning, never in the middle of a
 * line.
 */
static size_t first_line(const char *text, size_t n, int cut)
{
    int lines = 0;

    for (size_t i = n; i > 0; i--) {
        if (text[i - 1] == '\n' && i < n && ++lines == REPLAY_LINES)
            return i;
    }
    if (!cut)
        return 0;
    const char *newline = memchr(text, '\n', n);
    return newline && newline + 1 < text + n ? (size_t)(newline + 1 - text) : 0;
}

size_t replay_copy(const struct replay *replay, char *out)
{
    size_t n = replay->next;

    if (!replay->bytes)
        return 0;
    if (replay->wrapped) {
        size_t old = REPLAY_SIZE - replay->next;
        memcpy(out, replay->bytes + replay->next, old);
        memcpy(out + old, replay->bytes, replay->next);
        n = REPLAY_SIZE;
    } else {
        memcpy(out, replay->bytes, n);
    }
    size_t start = first_line(out, n, replay->wrapped);
    memmove(out, out + start, n - start);
    return replay_quiet(out, n - start);
}

/*
 * Length of the string that starts with ESC P, ESC ] and their like and ends with BEL or ESC \, else of the
 * rest.
 */
static size_t string_length(const char *text, size_t n)
{
    for (size_t i = 2; i < n; i++) {
        if (text[i] == '\a')
            return i + 1;
        if (text[i] == '\033')
            return i + 1 < n && text[i + 1] == '\\' ? i + 2 : i;
    }
    return n;
}

/*
 * Length of the control sequence ESC [ parameters final; its final byte goes to *final, 0 if it is cut off
 * or broken (then the byte that breaks it is not part of it: it may be the ESC of another).
 */
static size_t control_length(const char *text, size_t n, char *final)
{
    size_t i = 2;

    while (i < n && text[i] >= 0x20 && text[i] <= 0x3f)
        i++;
    *final = 0;
    if (i == n || text[i] < 0x40 || text[i] == 0x7f)
        return i;
    *final = text[i];
    return i + 1;
}

/* Final bytes of the sequences that make a terminal answer: attributes, status, parameters, window, mode. */
static int final_asks(const char *text, size_t length, char final)
{
    if (final == 'c' || final == 'n' || final == 'x' || final == 't' || final == 0)
        return 1;
    return final == 'p' && memchr(text, '$', length) != NULL;
}

/* Returns how many bytes at text (n > 0) belong together, and whether they ask something. */
static size_t unit_length(const char *text, size_t n, int *asks)
{
    char final;

    *asks = text[0] == 0x05;                    /* ENQ */
    if (text[0] != '\033')
        return 1;
    *asks = 1;                                  /* ESC alone at the end may be half a question */
    if (n == 1)
        return 1;
    if (text[1] == '[') {
        size_t length = control_length(text, n, &final);
        *asks = final_asks(text, length, final);
        return length;
    }
    if (text[1] && strchr("P]_^X", text[1]))    /* titles, colours, set or asked: nothing of it is screen */
        return string_length(text, n);
    *asks = text[1] == 'Z' || text[1] == '\033';
    return text[1] == '\033' ? 1 : 2;
}

size_t replay_quiet(char *text, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n;) {
        int asks;
        size_t length = unit_length(text + i, n - i, &asks);
        if (!asks) {
            memmove(text + kept, text + i, length);
            kept += length;
        }
        i += length;
    }
    return kept;
}
