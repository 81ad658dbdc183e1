/* SPDX-License-Identifier: BSD-2-Clause */
/* The requests of the control socket: see request.h. */
#include "dom0/console/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 6
#define QUOTE_MAX 40

struct word {
    const char *at;
    size_t n;
};

/* One row a request: its word, and how many words may follow. */
static const struct {
    const char *name;
    enum request_kind kind;
    unsigned least, most;
    const char *usage;
} kinds[] = {
    { "add",    REQUEST_ADD,    3, 4, "add DOMID NAME PORT [cap=BYTES]" },
    { "remove", REQUEST_REMOVE, 1, 1, "remove DOMID" },
    { "list",   REQUEST_LIST,   0, 0, "list" },
    { "tty",    REQUEST_TTY,    1, 1, "tty DOMID" },
    { "attach", REQUEST_ATTACH, 1, 1, "attach DOMID" },
    { "log",    REQUEST_LOG,    1, 1, "log DOMID" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Writes "what 'word' is wrong: rule" to error. Returns -EINVAL. */
static int fail(char *error, size_t size, const char *what, struct word word, const char *rule)
{
    char quote[QUOTE_MAX + 1];
    size_t n = word.n < QUOTE_MAX ? word.n : QUOTE_MAX;

    for (size_t i = 0; i < n; i++)
        quote[i] = word.at[i] > ' ' && word.at[i] < 0x7f ? word.at[i] : '?';
    quote[n] = 0;
    snprintf(error, size, "%s '%s'%s: %s", what, quote, n < word.n ? "..." : "", rule);
    return -EINVAL;
}

/* Cuts at spaces. Returns the number of words; more than WORDS_MAX are counted, not kept. */
static unsigned split(const char *line, size_t n, struct word *words)
{
    unsigned count = 0;

    for (size_t i = 0; i < n;) {
        if (line[i] == ' ') {
            i++;
            continue;
        }
        const char *end = memchr(line + i, ' ', n - i);
        struct word word = { line + i, end ? (size_t)(end - line) - i : n - i };
        if (count < WORDS_MAX)
            words[count] = word;
        count++;
        i += word.n;
    }
    return count;
}

static int parse_number(struct word word, uint64_t max, uint64_t *value)
{
    *value = 0;
    if (word.n == 0 || word.n > 19)
        return -EINVAL;
    for (size_t i = 0; i < word.n; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return -EINVAL;
        *value = *value * 10 + (uint64_t)(word.at[i] - '0');
    }
    return *value <= max ? 0 : -EINVAL;
}

static int parse_name(struct word word, char *name)
{
    if (word.n > LOG_NAME_MAX)
        return -EINVAL;
    for (size_t i = 0; i < word.n; i++) {
        unsigned char c = (unsigned char)word.at[i];
        if (c <= ' ' || c == 0x7f)
            return -EINVAL;
    }
    memcpy(name, word.at, word.n);
    name[word.n] = 0;
    return 0;
}

static int parse_cap(struct word word, uint64_t *cap)
{
    if (word.n < 4 || memcmp(word.at, "cap=", 4) != 0)
        return -EINVAL;
    struct word number = { word.at + 4, word.n - 4 };
    if (parse_number(number, LOG_CAP_MAX, cap) < 0)
        return -EINVAL;
    return *cap == 0 || *cap >= LOG_CAP_MIN ? 0 : -EINVAL;
}

static int parse_add(const struct word *words, unsigned count, struct request *request, char *error,
                     size_t size)
{
    uint64_t port;

    if (parse_name(words[2], request->name) < 0)
        return fail(error, size, "name", words[2], "expected at most 128 bytes without control characters");
    if (parse_number(words[3], UINT32_MAX, &port) < 0)
        return fail(error, size, "port", words[3], "expected an event channel number from 0 to 4294967295");
    request->port = (uint32_t)port;
    if (count > 4 && parse_cap(words[4], &request->cap) < 0)
        return fail(error, size, "option", words[4], "expected cap=BYTES, from 4096 to 2^40, or 0: default");
    return 0;
}

static int parse_arguments(const struct word *words, unsigned count, struct request *request, char *error,
                           size_t size)
{
    uint64_t domid;

    if (count < 2)
        return 0;
    if (parse_number(words[1], REQUEST_DOMID_MAX, &domid) < 0)
        return fail(error, size, "domain", words[1], "expected a domain id from 0 to 32751");
    request->domid = (uint16_t)domid;
    return request->kind == REQUEST_ADD ? parse_add(words, count, request, error, size) : 0;
}

int request_parse(const char *line, size_t n, struct request *request, char *error, size_t size)
{
    struct word words[WORDS_MAX] = { { line, 0 } };
    unsigned count = split(line, n, words);

    *request = (struct request){ 0 };
    for (size_t k = 0; k < KINDS; k++) {
        if (strlen(kinds[k].name) != words[0].n || memcmp(kinds[k].name, words[0].at, words[0].n) != 0)
            continue;
        if (count - 1 < kinds[k].least || count - 1 > kinds[k].most)
            return fail(error, size, "request", words[0], kinds[k].usage);
        request->kind = kinds[k].kind;
        return parse_arguments(words, count, request, error, size);
    }
    return fail(error, size, "request", words[0], "expected add, remove, list, tty, attach or log");
}
