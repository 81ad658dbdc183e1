/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_domain.c - what a document says about a domain.
 *
 * One small reader a field or group of fields; all of them run, so that all mistakes are reported. Types are
 * lenient as in xl: a number may stand in quotes.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config_internal.h"

#define MEMORY_DEFAULT      32ull     /* MiB, as xl has it */
#define GRANT_DEFAULT       32
#define MAPTRACK_DEFAULT    1024
#define MAPTRACK_MAX        4096      /* what the hypervisor takes */
#define EVTCHN_DEFAULT      1023

/* What every reader here takes. */
struct reading {
    const struct config_doc *doc;
    struct domain_config *out;
    struct config_log *log;
    struct config_pos nowhere;        /* the file, for what is missing */
};

/* ---- typed access -------------------------------------------------------------------------------------- */

/* NULL in *out if the key is not there or empty. */
static int get_string(struct reading *r, const char *key, const char **out)
{
    const struct config_value *value = config_find(r->doc, key);

    *out = NULL;
    if (value && value->kind == CONFIG_LIST) {
        return config_error(r->log, value->pos, "%s is a list: write a string in quotes", key);
    }
    if (value && value->text[0]) {
        *out = value->text;
    }
    return 0;
}

static int copy_string(struct reading *r, const char *key, char **to)
{
    const char *text;
    int rc = get_string(r, key, &text);

    return rc || !text ? rc : config_string_set(to, text);
}

/* *out keeps its default if the key is not there. */
static int get_number(struct reading *r, const char *key, uint64_t low, uint64_t high, uint64_t *out)
{
    const struct config_value *value = config_find(r->doc, key);
    int64_t number;
    char *end;

    if (!value) {
        return 0;
    }
    number = value->number;
    if (value->kind == CONFIG_LIST) {
        return config_error(r->log, value->pos, "%s is a list: write a number", key);
    }
    if (value->kind == CONFIG_STRING) {
        errno = 0;
        number = strtoll(value->text, &end, 0);
        if (errno || *end || end == value->text) {
            return config_error(r->log, value->pos,
                                "%s: \"%.64s\" is no number: write a number from %llu to %llu", key,
                                value->text, (unsigned long long)low, (unsigned long long)high);
        }
    }
    if (number < 0 || (uint64_t)number < low || (uint64_t)number > high) {
        return config_error(r->log, value->pos, "%s: %lld is out of range: write a number from %llu to %llu",
                            key, (long long)number, (unsigned long long)low, (unsigned long long)high);
    }
    *out = (uint64_t)number;
    return 0;
}

static int get_unsigned(struct reading *r, const char *key, unsigned int low, unsigned int high,
                        unsigned int *out)
{
    uint64_t number = *out;
    int rc = get_number(r, key, low, high, &number);

    *out = (unsigned int)number;
    return rc;
}

static int get_bool(struct reading *r, const char *key, bool *out)
{
    uint64_t number = *out;
    int rc = get_number(r, key, 0, 1, &number);

    *out = number != 0;
    return rc;
}

static struct config_pos place_of(struct reading *r, const char *key)
{
    const struct config_value *value = config_find(r->doc, key);

    return value ? value->pos : r->nowhere;
}

/* ---- who it is ----------------------------------------------------------------------------------------- */

static int read_type(struct reading *r)
{
    const char *type, *builder;
    int rc = config_worst(get_string(r, "type", &type), get_string(r, "builder", &builder));

    if (rc) {
        return rc;
    }
    if (type && strcmp(type, "pv")) {
        bool known = strcmp(type, "hvm") == 0 || strcmp(type, "pvh") == 0;

        return config_error(r->log, place_of(r, "type"),
                            known ? "type \"%.64s\" is not supported: write \"pv\" and a "
                                    "kernel with PV support"
                                  : "unknown type \"%.64s\": write \"pv\"",
                            type);
    }
    if (!type && builder && strcmp(builder, "generic")) {
        return config_error(r->log, place_of(r, "builder"),
                            "builder \"%.64s\" is not supported: write type = \"pv\" and "
                            "a kernel with PV support",
                            builder);
    }
    return 0;
}

/* A name goes to terminals, paths of the store, names of logs, and commands, where digits are a domain's. */
static const char *name_fault(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+";

    if (strlen(name) > CONFIG_NAME_MAX) {
        return "has more than 127 bytes";
    }
    if (name[strspn(name, "0123456789")] == '\0') {
        return "has only digits, like a domain's number";
    }
    if (strcmp(name, "Domain-0") == 0) {
        return "belongs to domain 0";
    }
    if (*name == '-' || *name == '.') {
        return "begins with - or .";
    }
    return name[strspn(name, allowed)] ? "contains another character" : NULL;
}

static int read_name(struct reading *r)
{
    const char *name, *fault;
    int rc = get_string(r, "name", &name);

    if (rc) {
        return rc;
    }
    if (!name) {
        return config_error(r->log, place_of(r, "name"), "name is missing: add name = \"...\"");
    }
    fault = name_fault(name);
    if (fault) {
        return config_error(r->log, place_of(r, "name"),
                            "name \"%.140s\" %s: choose letters, digits, _, -, + and .", name, fault);
    }
    return config_string_set(&r->out->name, name);
}

/* 32 hexadecimal digits, with four dashes at the customary places or none. */
static bool uuid_parse(const char *text, uint8_t uuid[16])
{
    bool dashes = strlen(text) == 36;

    for (int i = 0; i < 16; i++) {
        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-') {
            return false;
        }
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1])) {
            return false;
        }
        uuid[i] = (uint8_t)strtoul((char[]){ text[0], text[1], '\0' }, NULL, 16);
        text += 2;
    }
    return *text == '\0';
}

static int read_uuid(struct reading *r)
{
    const char *text;
    int rc = get_string(r, "uuid", &text);

    if (rc || !text) {
        return rc;
    }
    if (!uuid_parse(text, r->out->uuid)) {
        return config_error(r->log, place_of(r, "uuid"),
                            "uuid \"%.64s\" is none: write 8-4-4-4-12 hexadecimal digits, or "
                            "leave it out for a new one",
                            text);
    }
    r->out->uuid_given = true;
    return 0;
}

static int read_pool(struct reading *r)
{
    return copy_string(r, "pool", &r->out->pool);
}

/* ---- what it starts ------------------------------------------------------------------------------------ */

static int read_path(struct reading *r, const char *key, char **to)
{
    int rc = copy_string(r, key, to);

    if (rc == 0 && *to && strlen(*to) >= PATH_MAX) {
        return config_error(r->log, place_of(r, key), "%s: path of %zu bytes is over the limit of %d: "
                                                      "shorten it", key,
                            strlen(*to), PATH_MAX - 1);
    }
    return rc;
}

static int read_kernel(struct reading *r)
{
    int rc = config_worst(read_path(r, "kernel", &r->out->kernel), read_path(r, "ramdisk", &r->out->ramdisk));

    if (rc == 0 && !r->out->kernel) {
        return config_error(r->log, place_of(r, "kernel"),
                            "kernel is missing: add kernel = \"/path/of/vmlinuz\"");
    }
    return rc;
}

/* cmdline, or root=ROOT EXTRA. */
static int read_cmdline(struct reading *r)
{
    const char *cmdline, *root, *extra;
    int rc = get_string(r, "cmdline", &cmdline);

    rc = config_worst(get_string(r, "root", &root), rc);
    rc = config_worst(get_string(r, "extra", &extra), rc);
    if (rc) {
        return rc;
    }
    if (cmdline && (root || extra)) {
        config_warn(r->log, place_of(r, root ? "root" : "extra"),
                    "%s is ignored because cmdline is set: remove one of "
                    "them",
                    root ? "root" : "extra");
    }
    if (cmdline) {
        rc = config_string_set(&r->out->cmdline, cmdline);
    } else if (asprintf(&r->out->cmdline, "%s%s%s%s", root ? "root=" : "", root ? root : "",
                        root && extra ? " " : "", extra ? extra : "") < 0) {
        r->out->cmdline = NULL;
        rc = -ENOMEM;
    }
    if (rc == 0 && strlen(r->out->cmdline) > CONFIG_CMDLINE_MAX) {
        return config_error(r->log, place_of(r, cmdline ? "cmdline" : "extra"),
                            "kernel command line of %zu bytes is over "
                            "the limit of %d: shorten it",
                            strlen(r->out->cmdline), CONFIG_CMDLINE_MAX);
    }
    return rc;
}

/* ---- what it gets -------------------------------------------------------------------------------------- */

static int read_memory(struct reading *r)
{
    uint64_t memory = MEMORY_DEFAULT, maximum = 0;
    int rc = config_worst(get_number(r, "memory", 1, CONFIG_MEMORY_MAX, &memory),
                          get_number(r, "maxmem", 1, CONFIG_MEMORY_MAX, &maximum));

    if (rc) {
        return rc;
    }
    if (!config_find(r->doc, "memory")) {
        if (maximum) {
            memory = maximum;
        } else {
            config_warn(r->log, r->nowhere, "memory is missing: the domain gets %llu MiB", MEMORY_DEFAULT);
        }
    }
    maximum = maximum ? maximum : memory;
    if (maximum < memory) {
        return config_error(r->log, place_of(r, "maxmem"),
                            "maxmem of %llu MiB is less than memory of %llu MiB: raise it "
                            "or leave it out",
                            (unsigned long long)maximum, (unsigned long long)memory);
    }
    r->out->memory_kib = memory * 1024;
    r->out->max_memory_kib = maximum * 1024;
    return 0;
}

static int read_vcpus(struct reading *r)
{
    struct domain_config *out = r->out;
    int rc;

    out->vcpus = 1;
    rc = config_worst(get_unsigned(r, "vcpus", 1, CONFIG_VCPUS_MAX, &out->vcpus),
                      get_unsigned(r, "maxvcpus", 1, CONFIG_VCPUS_MAX, &out->max_vcpus));
    if (rc) {
        return rc;
    }
    if (out->max_vcpus && !config_find(r->doc, "vcpus")) {
        out->vcpus = out->max_vcpus;
    }
    out->max_vcpus = out->max_vcpus ? out->max_vcpus : out->vcpus;
    if (out->max_vcpus < out->vcpus) {
        return config_error(r->log, place_of(r, "maxvcpus"),
                            "maxvcpus of %u is less than vcpus of %u: raise it or leave "
                            "it out",
                            out->max_vcpus, out->vcpus);
    }
    return 0;
}

/* One element of a list of CPU sets, or the string that stands for all of them. */
static int read_cpu_set(struct reading *r, const char *key, const struct config_value *item,
                        unsigned int vcpu, struct config_cpus *out)
{
    if (!item) {
        out->all = true;
        return 0;
    }
    if (item->kind == CONFIG_LIST) {
        return config_error(r->log, item->pos, "%s: element %u is a list: write a string like \"0-3\"", key,
                            vcpu + 1);
    }
    return config_cpus_parse(key, item->text, item->pos, out, r->log);
}

/* A string for all vCPUs, or a list with one string each; vCPUs beyond the list run anywhere. */
static int read_cpu_sets(struct reading *r, const char *key, struct config_cpus **out)
{
    const struct config_value *value = config_find(r->doc, key);
    unsigned int vcpus = r->out->max_vcpus;
    struct config_cpus *sets;
    int rc = 0;

    if (!value || !vcpus) {
        return 0;
    }
    if (value->kind == CONFIG_LIST && value->count > vcpus) {
        return config_error(r->log, value->pos, "%s has %zu elements for %u vCPUs: leave some out", key,
                            value->count, vcpus);
    }
    *out = sets = calloc(vcpus, sizeof(*sets));
    if (!sets) {
        return -ENOMEM;
    }
    for (unsigned int i = 0; i < vcpus && rc == 0; i++) {
        if (value->kind == CONFIG_LIST) {
            rc = read_cpu_set(r, key, i < value->count ? &value->items[i] : NULL, i, &sets[i]);
        } else if (i) {
            sets[i] = sets[0];
        } else {
            rc = read_cpu_set(r, key, value, i, &sets[i]);
        }
    }
    return rc;
}

static int read_cpus(struct reading *r)
{
    return config_worst(read_cpu_sets(r, "cpus", &r->out->cpus),
                        read_cpu_sets(r, "cpus_soft", &r->out->cpus_soft));
}

static int read_share(struct reading *r)
{
    return config_worst(
        get_unsigned(r, "cpu_weight", 1, 65535, &r->out->cpu_weight),
        get_unsigned(r, "cap", 0, 100 * (r->out->max_vcpus ? r->out->max_vcpus : 1), &r->out->cap));
}

static int read_limits(struct reading *r)
{
    struct domain_config *out = r->out;
    unsigned int version = 1;
    int rc = 0;

    out->max_grant_frames = GRANT_DEFAULT;
    out->max_maptrack_frames = MAPTRACK_DEFAULT;
    out->max_event_channels = EVTCHN_DEFAULT;
    rc = config_worst(get_unsigned(r, "max_grant_frames", 1, 4096, &out->max_grant_frames), rc);
    rc = config_worst(get_unsigned(r, "max_maptrack_frames", 0, MAPTRACK_MAX, &out->max_maptrack_frames), rc);
    rc = config_worst(get_unsigned(r, "max_event_channels", 1, CONFIG_EVTCHN_MAX, &out->max_event_channels),
                      rc);
    rc = config_worst(get_unsigned(r, "max_grant_version", 1, 2, &version), rc);
    if (version == 2) {
        config_warn(r->log, place_of(r, "max_grant_version"),
                    "max_grant_version 2 is not supported: the domain gets 1");
    }
    return rc;
}

/* ---- what happens to it -------------------------------------------------------------------------------- */

static const char *const action_names[] = {
    [CONFIG_DESTROY] = "destroy", [CONFIG_RESTART] = "restart", [CONFIG_RENAME_RESTART] = "rename-restart",
    [CONFIG_PRESERVE] = "preserve", [CONFIG_COREDUMP_DESTROY] = "coredump-destroy",
    [CONFIG_COREDUMP_RESTART] = "coredump-restart",
};
#define ACTIONS (sizeof(action_names) / sizeof(action_names[0]))

const char *config_action_name(enum config_action action)
{
    return (size_t)action < ACTIONS ? action_names[action] : "?";
}

static int read_action(struct reading *r, const char *key, enum config_action *out)
{
    const char *text;
    int rc = get_string(r, key, &text);

    if (rc || !text) {
        return rc;
    }
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(text, action_names[i]) == 0) {
            *out = (enum config_action)i;
            return 0;
        }
    }
    return config_error(r->log, place_of(r, key),
                        "%s: unknown action \"%.64s\": write destroy, restart, rename-restart, "
                        "preserve, coredump-destroy or coredump-restart",
                        key, text);
}

static int read_actions(struct reading *r)
{
    struct domain_config *out = r->out;
    int rc;

    out->on_reboot = CONFIG_RESTART;
    rc = read_action(r, "on_poweroff", &out->on_poweroff);
    rc = config_worst(read_action(r, "on_reboot", &out->on_reboot), rc);
    rc = config_worst(read_action(r, "on_crash", &out->on_crash), rc);
    return config_worst(read_action(r, "on_watchdog", &out->on_watchdog), rc);
}

static int read_tsc_mode(struct reading *r)
{
    static const char *const names[] = { "default", "always_emulate", "native", "native_paravirt" };
    const char *text;
    unsigned int mode = 0;
    int rc = get_string(r, "tsc_mode", &text);

    if (rc || !text) {
        return rc;
    }
    while (mode < 4 && strcmp(text, names[mode]) && (text[0] != (char)('0' + mode) || text[1])) {
        mode++;
    }
    if (mode == CONFIG_TSC_DEFAULT || mode == CONFIG_TSC_NATIVE) {
        r->out->tsc_mode = (enum config_tsc_mode)mode;
        return 0;
    }
    return config_error(r->log, place_of(r, "tsc_mode"),
                        "tsc_mode \"%.64s\" is %s: write \"default\" or \"native\"", text,
                        mode < 4 ? "not supported, the guest reads the processor's own counter" : "unknown");
}

static int read_flags(struct reading *r)
{
    return config_worst(get_bool(r, "nomigrate", &r->out->nomigrate),
                        get_bool(r, "driver_domain", &r->out->driver_domain));
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* Devices remember where they were written; the document's name will not live as long as they do. */
static void keep_places(const struct config_doc *doc, struct domain_config *out)
{
    for (size_t i = 0; i < out->disk_count; i++) {
        if (out->disks[i].pos.source == doc->name) {
            out->disks[i].pos.source = out->source;
        }
    }
    for (size_t i = 0; i < out->vif_count; i++) {
        if (out->vifs[i].pos.source == doc->name) {
            out->vifs[i].pos.source = out->source;
        }
    }
}

int domain_config_read(const struct config_doc *doc, struct domain_config *out, struct config_log *log)
{
    /* In this order: read_cpus() and read_share() want the vCPUs, the vifs' addresses want name and uuid. */
    static int (*const readers[])(struct reading * r) = {
        read_type,  read_name, read_uuid,  read_pool,   read_kernel,  read_cmdline,  read_memory,
        read_vcpus, read_cpus, read_share, read_limits, read_actions, read_tsc_mode, read_flags,
    };
    struct reading r = { doc, out, log, { doc->name, 0, 0 } };
    int rc;

    memset(out, 0, sizeof(*out));
    rc = config_keys_check(doc, log);
    rc = config_worst(config_string_set(&out->source, doc->name), rc);
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        rc = config_worst(readers[i](&r), rc);
    }
    rc = config_worst(config_disks_read(doc, out, log), rc);
    rc = config_worst(config_vifs_read(doc, out, log), rc);
    if (rc) {
        domain_config_free(out);
        return rc;
    }
    keep_places(doc, out);
    return 0;
}

void domain_config_free(struct domain_config *config)
{
    for (size_t i = 0; i < config->disk_count; i++) {
        config_disk_clear(&config->disks[i]);
    }
    for (size_t i = 0; i < config->vif_count; i++) {
        config_vif_clear(&config->vifs[i]);
    }
    free(config->disks);
    free(config->vifs);
    free(config->cpus);
    free(config->cpus_soft);
    free(config->source);
    free(config->name);
    free(config->kernel);
    free(config->ramdisk);
    free(config->cmdline);
    free(config->pool);
    memset(config, 0, sizeof(*config));
}
