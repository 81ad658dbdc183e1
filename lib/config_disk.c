/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_disk.c - DISKSPEC of xl-disk-configuration(5).
 *
 *     [KEY=VALUE|FLAG,]* [TARGET,[FORMAT,[VDEV,[ACCESS]]]] [KEY=VALUE|FLAG,]* [target=REST OF THE STRING]
 *
 * Parameters without "=" that are no flag fill the four positions in order, leaving out those given by name.
 * Old spellings are understood: [PREFIX:][TARGET],VDEV[:DEVTYPE],ACCESS where a prefix names a format, a
 * script, or nothing; with a prefix the format's position does not exist.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

enum position { TARGET, FORMAT, VDEV, ACCESS, POSITIONS };
static const char *const position_names[] = { "target", "format", "vdev", "access" };

/* What is collected before it is judged as a whole. */
struct reading {
    struct config_disk *disk;
    struct config_log *log;
    struct config_pos pos;
    unsigned int seen;        /* bit N: row N of the table below was given */
    bool have[POSITIONS];     /* taken, by position or name, or left out by an old spelling */
    bool access_given, writable;
};

/* ---- values -------------------------------------------------------------------------------------------- */

static bool in_list(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word)) {
        list++;
    }
    return *list != NULL;
}

static int set_format(struct reading *r, const char *value, struct config_pos pos)
{
    static const char *const foreign[] = { "qcow", "qcow2", "vhd", "qed", NULL };
    uint32_t number;

    if (*value == '\0' || strcmp(value, "raw") == 0) {
        return 0;
    }
    if (in_list(value, foreign)) {
        return config_error(r->log, pos,
                            "disk: format %s is not served: convert the image (qemu-img convert -O raw) "
                            "and write raw",
                            value);
    }
    if (config_vdev_number(value, &number) == 0) {
        return config_error(r->log, pos, "disk: %s stands where the format does: write TARGET,,%s or "
                            "TARGET,raw,%s", value, value, value);
    }
    return config_error(r->log, pos, "disk: unknown format \"%s\": write raw", value);
}

static int set_cdrom(struct reading *r, const char *value, struct config_pos pos)
{
    if (*value && strcmp(value, "cdrom") && strcmp(value, "disk")) {
        return config_error(r->log, pos, "disk: unknown devtype \"%s\": write cdrom or leave it out", value);
    }
    r->disk->cdrom = strcmp(value, "cdrom") == 0;
    return 0;
}

/* Old: VDEV:DEVTYPE. */
static int set_vdev(struct reading *r, char *value, struct config_pos pos)
{
    char *colon = strchr(value, ':');
    int rc = 0;

    if (colon) {
        *colon = '\0';
        rc = set_cdrom(r, colon + 1, pos);
    }
    if (rc == 0 && *value &&
        (strlen(value) >= sizeof(r->disk->vdev) || config_vdev_number(value, &r->disk->number))) {
        rc = config_error(r->log, pos,
                          "disk: \"%s\" is no virtual device: write xvda, xvdb1, sda (16 disks, 15 "
                          "partitions), hda (4 disks) or d5p1",
                          value);
    }
    if (rc == 0) {
        strcpy(r->disk->vdev, value);
    }
    return rc;
}

static int set_access(struct reading *r, const char *value, struct config_pos pos)
{
    static const char *const writable[] = { "rw", "w", NULL }, *const readonly[] = { "ro", "r", NULL };

    if (*value == '\0') {
        return 0;
    }
    r->access_given = true;
    r->writable = in_list(value, writable);
    if (!r->writable && !in_list(value, readonly)) {
        return config_error(r->log, pos, "disk: unknown access \"%s\": write rw or ro", value);
    }
    return 0;
}

static int set_backendtype(struct reading *r, const char *value, struct config_pos pos)
{
    static const char *const foreign[] = { "qdisk", "standalone", "tap", NULL };

    if (in_list(value, foreign)) {
        return config_error(r->log, pos, "disk: backendtype %s is not served: leave it out or write phy",
                            value);
    }
    if (*value && strcmp(value, "phy")) {
        return config_error(r->log, pos, "disk: unknown backendtype \"%s\": leave it out or write phy",
                            value);
    }
    r->disk->backendtype = *value ? CONFIG_DISK_PHY : CONFIG_DISK_AUTO;
    return 0;
}

static int set_specification(struct reading *r, const char *value, struct config_pos pos)
{
    if (*value && strcmp(value, "xen")) {
        return config_error(r->log, pos,
                            "disk: specification \"%s\" is not served: leave it out or write xen", value);
    }
    return 0;
}

static int set_script(struct reading *r, const char *value, struct config_pos pos)
{
    return *value ? config_string_set(&r->disk->script, value) : 0;
}

static int set_backend(struct reading *r, const char *value, struct config_pos pos)
{
    bool dom0 = *value == '\0' || strcmp(value, "0") == 0 || strcmp(value, "Domain-0") == 0;

    return dom0 ? 0 : config_string_set(&r->disk->backend, value);
}

static int refuse_colo(struct reading *r, const char *value, struct config_pos pos)
{
    return config_error(r->log, pos, "disk: COLO replication is not supported: leave its parameters out");
}

/* ---- named parameters and flags ------------------------------------------------------------------------ */

static int set_discard(struct reading *r, bool value)
{
    r->disk->discard = value;
    return 0;
}

static int set_trusted(struct reading *r, bool value)
{
    r->disk->trusted = value;
    return 0;
}

static int set_direct(struct reading *r, bool value)
{
    r->disk->direct_io_safe = value;
    return 0;
}

static int set_cdrom_flag(struct reading *r, bool value)
{
    r->disk->cdrom = true;
    return 0;
}

static int refuse_colo_flag(struct reading *r, bool value)
{
    return refuse_colo(r, "", r->pos);
}

static const struct named {
    const char *key;
    int (*set)(struct reading *r, const char *value, struct config_pos pos);
} named[] = {
    { "devtype", set_cdrom }, { "backend", set_backend }, { "backendtype", set_backendtype },
    { "script", set_script }, { "specification", set_specification },
    { "colo-host", refuse_colo }, { "colo-port", refuse_colo }, { "colo-export", refuse_colo },
    { "active-disk", refuse_colo }, { "hidden-disk", refuse_colo },
};

static const struct flag {
    const char *key;
    bool value;
    int (*set)(struct reading *r, bool value);
} flags[] = {
    { "cdrom", true, set_cdrom_flag },    { "discard", true, set_discard },
    { "no-discard", false, set_discard }, { "trusted", true, set_trusted },
    { "untrusted", false, set_trusted },  { "direct-io-safe", true, set_direct },
    { "colo", true, refuse_colo_flag },
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Each parameter at most once: `row` counts named rows, then flags. */
static int see(struct reading *r, unsigned int row, const struct config_param *param)
{
    if (r->seen & 1u << row) {
        return config_error(r->log, param->pos, "disk: %s is given twice: remove one", param->text);
    }
    r->seen |= 1u << row;
    return 0;
}

static int set_position(struct reading *r, enum position at, char *value, struct config_pos pos)
{
    if (r->have[at]) {
        return config_error(r->log, pos, "disk: %s is given twice: remove one", position_names[at]);
    }
    r->have[at] = true;
    switch (at) {
    case TARGET:
        return *value ? config_string_set(&r->disk->target, value) : 0;
    case FORMAT:
        return set_format(r, value, pos);
    case VDEV:
        return set_vdev(r, value, pos);
    default:
        return set_access(r, value, pos);
    }
}

static int read_named(struct reading *r, struct config_param *param)
{
    for (unsigned int i = FORMAT; i < POSITIONS; i++) {
        if (strcmp(param->text, position_names[i]) == 0) {
            return set_position(r, i, param->value, param->pos);
        }
    }
    for (unsigned int i = 0; i < COUNT(named); i++) {
        if (strcmp(param->text, named[i].key) == 0) {
            int rc = see(r, i, param);

            return rc ? rc : named[i].set(r, param->value, param->pos);
        }
    }
    return config_error(r->log, param->pos,
                        "disk: unknown parameter \"%s\": see xl-disk-configuration(5); a path that "
                        "contains = goes last, as target=PATH",
                        param->text);
}

/* ---- positions and old spellings ----------------------------------------------------------------------- */

/* One PREFIX: off the front of the target. 1: done, look again; 0: no more. */
static int strip_prefix(struct reading *r, char **text, struct config_pos pos)
{
    static const char *const formats[] = { "raw", "qcow", "qcow2", "vhd", "qed", NULL };
    static const char *const scripts[] = { "iscsi", "nbd", "enbd", "drbd", NULL };
    static const char *const nothing[] = { "phy", "file", "tapdisk", "tap", "tap2", "aio", "ioemu", NULL };
    char *start = *text, *colon = start, script[16] = "block-";
    int rc = 1;

    while (isalnum((unsigned char)*colon)) {
        colon++;
    }
    if (*colon != ':' || colon == start) {
        return 0;
    }
    *colon = '\0';
    if (in_list(start, formats)) {
        rc = set_format(r, start, pos) ? -EINVAL : 1;
    } else if (in_list(start, scripts)) {     /* the rest is the script's to understand, colons and all */
        rc = config_string_set(&r->disk->script, strcat(script, start));
    } else if (!in_list(start, nothing)) {
        rc = config_error(r->log, pos,
                          "disk: unknown prefix \"%.64s:\": write a path, or target=%.64s:%.64s as the "
                          "last parameter if the colon belongs to it",
                          start, start, colon + 1);
    }
    r->have[FORMAT] = true;
    *text = colon + 1;
    return rc;
}

static int read_positional(struct reading *r, struct config_param *param)
{
    enum position at = TARGET;
    char *text = param->text;
    int rc = 1;

    while (at < POSITIONS && r->have[at]) {
        at++;
    }
    if (at == POSITIONS && *text == '\0') {
        return 0;             /* a comma at the end */
    }
    if (at == POSITIONS) {
        return config_error(r->log, param->pos,
                            "disk: \"%s\" is one parameter too many: a path that contains a comma "
                            "goes last, as target=PATH",
                            text);
    }
    while (at == TARGET && rc == 1) {
        rc = strip_prefix(r, &text, param->pos);
    }
    if (rc < 0) {
        return rc;
    }
    if (at == FORMAT && strchr(text, ':')) {    /* old, without a prefix: ",hdc:cdrom,r" */
        r->have[FORMAT] = true;
        at = VDEV;
    }
    return set_position(r, at, text, param->pos);
}

static int read_param(struct reading *r, struct config_param *param)
{
    if (param->value) {
        return read_named(r, param);
    }
    for (unsigned int i = 0; i < COUNT(flags); i++) {
        if (strcmp(param->text, flags[i].key) == 0) {
            int rc = see(r, (unsigned int)COUNT(named) + i, param);

            return rc ? rc : flags[i].set(r, flags[i].value);
        }
    }
    return read_positional(r, param);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* target= takes the rest of the string, commas, blanks and all. True: it was there. */
static bool read_target_rest(struct reading *r, struct config_spec *spec, int *rc)
{
    const char *start = spec->next + strspn(spec->next, " \t");
    struct config_pos pos = config_pos_in(spec->pos, (size_t)(start - spec->text));

    if (strncmp(start, "target=", 7)) {
        return false;
    }
    if (r->disk->target) {
        *rc = config_error(r->log, pos, "disk: target is given twice: remove one");
    } else {
        r->have[TARGET] = true;
        *rc = start[7] ? config_string_set(&r->disk->target, start + 7) : 0;
    }
    return true;
}

/* A path that does not begin with / is meant below /dev. */
static int complete_target(struct config_disk *disk)
{
    static const char dev[] = "/dev/";
    char *path;

    if (!disk->target || disk->script || disk->target[0] == '/') {
        return 0;
    }
    path = malloc(sizeof(dev) + strlen(disk->target));
    if (!path) {
        return -ENOMEM;
    }
    strcpy(path, dev);
    strcat(path, disk->target);
    free(disk->target);
    disk->target = path;
    return 0;
}

static int judge(struct reading *r)
{
    struct config_disk *disk = r->disk;

    if (disk->vdev[0] == '\0') {
        return config_error(r->log, r->pos,
                            "disk: no virtual device is given: write for example %.200s,,xvda",
                            disk->target ? disk->target : "/dev/vg/root");
    }
    if (!disk->target && !disk->cdrom) {
        return config_error(r->log, r->pos,
                            "disk: %s has no target: write the path of a block device or image first",
                            disk->vdev);
    }
    if (disk->cdrom && r->writable) {    /* common in the wild, and xl does the same */
        config_warn(r->log, r->pos,
                    "disk: %s is a CD drive and stays read-only: write ro or leave the access out",
                    disk->vdev);
    }
    disk->readonly = disk->cdrom || (r->access_given && !r->writable);
    return complete_target(disk);
}

void config_disk_clear(struct config_disk *disk)
{
    free(disk->target);
    free(disk->script);
    free(disk->backend);
    memset(disk, 0, sizeof(*disk));
}

int config_disk_parse(const char *text, struct config_pos pos, struct config_disk *out,
                      struct config_log *log)
{
    struct config_spec spec = { .text = text, .next = text, .pos = pos, .log = log, .what = "disk" };
    struct reading r = { .disk = out, .log = log, .pos = pos };
    struct config_param param;
    int rc = 0;

    *out = (struct config_disk){ .pos = pos, .discard = true, .trusted = true };
    while (rc == 0 && spec.next && !read_target_rest(&r, &spec, &rc)) {
        rc = config_spec_next(&spec, &param);
        rc = rc > 0 ? read_param(&r, &param) : rc;
    }
    rc = rc ? rc : judge(&r);
    if (rc) {
        config_disk_clear(out);
    }
    return rc;
}
