/* SPDX-License-Identifier: BSD-2-Clause */
/* Configurations from files and words: see config_text.h. */
#define _GNU_SOURCE
#include "dom0/hauch/config_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/config.h"

static char *file_read(const char *path, const char *command, size_t *size)
{
    FILE *in = fopen(path, "re");
    char *text = malloc(CONFIG_FILE_MAX + 1);

    *size = 0;
    if (in && text)
        *size = fread(text, 1, CONFIG_FILE_MAX + 1, in);
    if (!in || !text || ferror(in)) {
        fprintf(stderr, "hauch %s: cannot read %s: %s; check the path and its permissions\n", command, path,
                strerror(errno));
        free(text);
        text = NULL;
    }
    if (in)
        fclose(in);
    if (text && *size <= CONFIG_FILE_MAX)
        text[*size] = 0;
    return text;
}

/* hauchd runs elsewhere: a path relative to here means nothing to it. */
static void make_absolute(struct config_text *t, int slot, const char *key, const char *path)
{
    char cwd[4096];

    if (!path || path[0] == '/' || t->set_count == WIRE_SET_MAX || !getcwd(cwd, sizeof(cwd)))
        return;
    if (snprintf(t->absolute[slot], sizeof(t->absolute[slot]), "%s=%s/%s", key, cwd, path) <
        (int)sizeof(t->absolute[slot]))
        t->set[t->set_count++] = t->absolute[slot];
}

/* All mistakes are shown here, warnings only once: hauchd sends them back with its answer. */
static int check(struct config_text *t, const char *text, size_t size)
{
    struct config_log    log = { 0 };
    struct config_doc   *doc = NULL;
    struct domain_config config;
    int                  rc = config_parse(t->path, text, size, &doc, &log);

    for (unsigned i = 0; !rc && i < t->set_count; i++)
        rc = config_override(doc, t->set[i], &log);
    rc = rc ? rc : domain_config_read(doc, &config, &log);
    if (rc) {
        config_log_print(&log, stderr);
    } else {
        make_absolute(t, 0, "kernel", config.kernel);
        make_absolute(t, 1, "ramdisk", config.ramdisk);
        domain_config_free(&config);
    }
    config_doc_free(doc);
    config_log_free(&log);
    return rc ? EXIT_FAILED : EXIT_DONE;
}

void config_text_settings(struct config_text *t, const struct command *cmd, int argc, char **argv)
{
    for (; optind < argc; optind++) {
        if (!strchr(argv[optind], '='))
            usage_exit(cmd, "\"%.80s\" follows the file, but is not of the form KEY=VALUE", argv[optind]);
        if (t->set_count == WIRE_SET_MAX - 3)
            usage_exit(cmd, "more than %d settings KEY=VALUE: write some into the file", WIRE_SET_MAX - 3);
        t->set[t->set_count++] = argv[optind];
    }
}

int config_text_load(struct config_text *t, const char *command)
{
    size_t size;
    int    rc;

    t->text = file_read(t->path, command, &size);
    rc = t->text ? check(t, t->text, size) : EXIT_FAILED;
    if (!rc && strlen(t->text) != size) {
        fprintf(stderr, "hauch %s: %s contains a NUL byte: give a text file\n", command, t->path);
        rc = EXIT_FAILED;
    }
    if (rc) {
        free(t->text);
        t->text = NULL;
    }
    return rc;
}

/* A value of the shell's own gets the quotes that a file needs. */
static void put_setting(FILE *out, const char *setting)
{
    size_t      key = strcspn(setting, "=");
    const char *value = setting + key + 1;
    bool        bare = *value && !value[strspn(value, "0123456789")];

    if (bare || strchr("['\"", *value ? *value : ' '))
        fprintf(out, "%.*s = %s\n", (int)key, setting, value);
    else
        fprintf(out, strchr(value, '\'') ? "%.*s = \"%s\"\n" : "%.*s = '%s'\n", (int)key, setting, value);
}

char *config_text_join(const char *text, const char *const *set, unsigned count)
{
    char  *whole = NULL;
    size_t size = 0, n = strlen(text);
    FILE  *out = open_memstream(&whole, &size);

    if (!out)
        return NULL;
    fprintf(out, "%s%s", text, n && text[n - 1] != '\n' ? "\n" : "");
    for (unsigned i = 0; i < count; i++)
        put_setting(out, set[i]);
    if (fclose(out)) {
        free(whole);
        return NULL;
    }
    return whole;
}
