/* SPDX-License-Identifier: BSD-2-Clause */
/* config_load.c - a configuration from a file and a command line. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config_internal.h"

static int fail(struct config_log *log, const char *path, int code, const char *remedy)
{
    config_error(log, ((struct config_pos){ path, 0, 0 }), "cannot read the configuration: %s: %s",
                 strerror(-code), remedy);
    return code;
}

/* A whole file of at most CONFIG_FILE_MAX bytes, malloc'ed. Pipes are fine: <(generate) works. */
static int read_text(const char *path, char **text, size_t *size, struct config_log *log)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    ssize_t got = 1;

    if (fd < 0) {
        return fail(log, path, -errno, "check the path and its permissions");
    }
    *size = 0;
    *text = malloc(CONFIG_FILE_MAX + 1);
    while (*text && got > 0 && *size <= CONFIG_FILE_MAX) {
        got = read(fd, *text + *size, CONFIG_FILE_MAX + 1 - *size);
        if (got < 0 && errno == EINTR) {
            got = 1;
        } else if (got > 0) {
            *size += (size_t)got;
        }
    }
    if (!*text || got < 0) {
        rc = fail(log, path, *text ? -errno : -ENOMEM, "give the path of a text file");
        free(*text);
    }
    close(fd);
    return rc;
}

int config_load(const char *path, const char *const *overrides, size_t count, struct domain_config *out,
                struct config_log *log)
{
    struct config_doc *doc = NULL;
    char *text = NULL;
    size_t size = 0;
    int rc, worst;

    memset(out, 0, sizeof(*out));
    rc = read_text(path, &text, &size, log);
    if (rc) {
        return rc;
    }
    worst = config_parse(path, text, size, &doc, log);
    free(text);
    for (size_t i = 0; doc && i < count; i++) {
        worst = config_worst(config_override(doc, overrides[i], log), worst);
    }
    if (worst == 0) {
        worst = domain_config_read(doc, out, log);
    }
    config_doc_free(doc);
    return worst;
}
