/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - reader of domain configurations in the format of xl.cfg(5).
 *
 * Two layers. A config_doc is the file as written: keys with strings, numbers and nested lists, each with its
 * place. A domain_config is what it means: every field checked, defaults filled in. Messages go to a
 * config_log: one call reports all mistakes of a file, not only the first.
 *
 *     struct config_log log = { 0 };
 *     struct config_doc *doc;
 *     struct domain_config config;
 *     int rc = config_parse("web.cfg", text, size, &doc, &log);
 *     if (rc == 0)
 *         rc = domain_config_read(doc, &config, &log);
 *     config_log_print(&log, stderr);
 *     ... domain_config_free(&config); config_doc_free(doc); config_log_free(&log);
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- limits: each of them is checked and named in the message ------------------------------------------ */
#define CONFIG_FILE_MAX      ((size_t)1 << 20)   /* bytes of a configuration */
#define CONFIG_KEYS_MAX      1024                /* assignments */
#define CONFIG_VALUES_MAX    16384               /* values, list elements included */
#define CONFIG_DEPTH_MAX     8                   /* nesting of lists */
#define CONFIG_NOTES_MAX     100                 /* messages kept in a log */
#define CONFIG_NAME_MAX      127                 /* bytes of a domain name */
#define CONFIG_VCPUS_MAX     64                  /* MAX_VCPUS of the hypervisor */
#define CONFIG_EVTCHN_MAX    131071              /* highest port: MAX_PORTS of the hypervisor, less 1 */
#define CONFIG_DISKS_MAX     256
#define CONFIG_VIFS_MAX      64
#define CONFIG_CPUS_MAX      1024                /* highest physical CPU number + 1 in a CPU list */
#define CONFIG_IFNAME_MAX    15                  /* bytes of a network interface's name (IFNAMSIZ - 1) */
#define CONFIG_CMDLINE_MAX   1023                /* bytes; start_info has room for these and a 0 */
#define CONFIG_MEMORY_MAX    ((uint64_t)16 << 20)  /* MiB */

/* ---- messages ------------------------------------------------------------------------------------------ */
struct config_pos {
    const char *source;       /* file name or "command line"; lives as long as its config_doc */
    unsigned int line;        /* from 1; 0: no place (a missing key) */
    unsigned int column;      /* from 1, in bytes */
};

enum config_severity { CONFIG_WARNING, CONFIG_ERROR };

struct config_note {
    enum config_severity severity;
    unsigned int line, column;
    char *text;               /* whole message: "web.cfg:3:7: error: ..." */
};

/* Start with { 0 }. */
struct config_log {
    struct config_note *notes;
    size_t count;
    size_t errors;            /* counted even if not kept */
    size_t dropped;           /* messages beyond CONFIG_NOTES_MAX */
};

void config_log_print(const struct config_log *log, FILE *to);
void config_log_free(struct config_log *log);

/* ---- the file as written ------------------------------------------------------------------------------- */
enum config_kind { CONFIG_STRING, CONFIG_NUMBER, CONFIG_LIST };

struct config_value {
    enum config_kind kind;
    struct config_pos pos;
    char *text;               /* string, or the number as spelled; NULL for a list */
    int64_t number;           /* CONFIG_NUMBER */
    struct config_value *items;    /* CONFIG_LIST */
    size_t count;
};

struct config_entry {
    char *key;
    struct config_pos pos;
    struct config_value value;
};

struct config_doc {
    char *name;
    struct config_entry *entries;  /* in order of appearance, one per key: a later assignment replaces */
    size_t count;
    size_t values;                 /* list elements included, to keep CONFIG_VALUES_MAX */
    unsigned int overrides;        /* the N-th override has "command line" and line N as its place */
};

/*
 * Read `text`, which need not end with 0. Syntax errors are logged, the reader goes on at the next statement.
 * 0 and a document; -EINVAL after any syntax error, -E2BIG over a limit, -ENOMEM (then *out is NULL).
 */
int config_parse(const char *name, const char *text, size_t size, struct config_doc **out,
                 struct config_log *log);
void config_doc_free(struct config_doc *doc);

/*
 * Apply `key=value` from a command line. A value may go without quotes: if it is no number, list or quoted
 * string it is taken as a string up to the end. Errors as above; the document is unchanged then.
 */
int config_override(struct config_doc *doc, const char *assignment, struct config_log *log);

/* NULL if the key is not there. */
const struct config_value *config_find(const struct config_doc *doc, const char *key);

/* ---- what it means ------------------------------------------------------------------------------------- */
enum config_action {
    CONFIG_DESTROY, CONFIG_RESTART, CONFIG_RENAME_RESTART, CONFIG_PRESERVE,
    CONFIG_COREDUMP_DESTROY, CONFIG_COREDUMP_RESTART,
};
const char *config_action_name(enum config_action action);

/* Values are those of XEN_DOMCTL_TSC_MODE_*; 1, always emulated, is refused. */
enum config_tsc_mode { CONFIG_TSC_DEFAULT = 0, CONFIG_TSC_NATIVE = 2 };

/* How a disk is served. AUTO: look at the target (block device: as is; file: through a loop device). */
enum config_disk_backend { CONFIG_DISK_AUTO, CONFIG_DISK_PHY };

struct config_disk {
    struct config_pos pos;
    char *target;             /* absolute path; NULL: empty CD drive; with `script`: what that reads */
    char *script;             /* path of a block script, or NULL */
    char *backend;            /* driver domain by name or number, or NULL for dom0 */
    char vdev[32];            /* as written: xvda1 */
    uint32_t number;          /* the virtual device number of xen-vbd-interface(7): 51713 */
    enum config_disk_backend backendtype;
    bool readonly;
    bool cdrom;
    bool discard;             /* advertise discard; default true */
    bool direct_io_safe;
    bool trusted;             /* default true */
};

struct config_vif {
    struct config_pos pos;
    uint8_t mac[6];
    bool mac_derived;         /* computed from uuid (or name) and devid: the same at each start */
    unsigned int devid;
    unsigned int mtu;         /* 0: that of the bridge */
    char bridge[CONFIG_IFNAME_MAX + 1];       /* "" : CONFIG_BRIDGE_DEFAULT applies, see bridge_given */
    bool bridge_given;
    char vifname[CONFIG_IFNAME_MAX + 1];      /* "" : vifDOMID.DEVID */
    char gatewaydev[CONFIG_IFNAME_MAX + 1];   /* "" : none */
    char *script;             /* NULL: none, the bridge is joined directly */
    char *ip;                 /* space-separated addresses, or NULL */
    char *backend;            /* driver domain by name or number, or NULL for dom0 */
    uint64_t rate_bytes;      /* credit per interval, 0: unlimited */
    uint32_t rate_interval_us;
    bool trusted;             /* default true */
};
#define CONFIG_BRIDGE_DEFAULT "xenbr0"

/* A set of physical CPUs; `all` if the configuration names none. */
struct config_cpus {
    bool all;
    uint64_t bits[CONFIG_CPUS_MAX / 64];      /* meaningful if !all */
};

struct domain_config {
    char *source;             /* where it came from, for messages */
    char *name;
    uint8_t uuid[16];         /* in textual order */
    bool uuid_given;          /* false: the creator chooses one */

    char *kernel;
    char *ramdisk;            /* NULL: none */
    char *cmdline;            /* never NULL */

    unsigned int vcpus, max_vcpus;
    uint64_t memory_kib, max_memory_kib;
    struct config_cpus *cpus; /* one per vCPU (max_vcpus of them), or NULL: no pinning */
    struct config_cpus *cpus_soft;            /* the same for preferred processors, or NULL: none */
    unsigned int cpu_weight;  /* 0: default */
    unsigned int cap;         /* percent of one CPU, 0: none */
    char *pool;               /* CPU pool by name, or NULL */

    enum config_action on_poweroff, on_reboot, on_crash, on_watchdog;

    unsigned int max_grant_frames, max_maptrack_frames;
    unsigned int max_event_channels;          /* highest port the guest may use (max_evtchn_port) */
    enum config_tsc_mode tsc_mode;
    bool driver_domain;
    bool nomigrate;

    struct config_disk *disks;
    size_t disk_count;
    struct config_vif *vifs;
    size_t vif_count;
};

/*
 * What the document says about a domain. Each key is checked against the table config_keys.def: unknown and
 * ineffective keys are warned about, unsupported ones refused with the reason. 0, -EINVAL (the log says why),
 * -ENOMEM; on error *out is empty and needs no release. Nothing on disk is looked at: whether the kernel,
 * images and bridges exist is for the creator to find out.
 */
int domain_config_read(const struct config_doc *doc, struct domain_config *out, struct config_log *log);
void domain_config_free(struct domain_config *config);

/* JSON of a configuration: the caller owns the reference (json_object_put). NULL: no memory. */
struct json_object;
struct json_object *domain_config_json(const struct domain_config *config);
struct json_object *config_doc_json(const struct config_doc *doc);

/* ---- the small languages inside strings; for hot-plug commands and tests ------------------------------- */

/* CPUs: "all", "0-3,5,^1" into `cpus`. 0 or -EINVAL (logged). `key` for messages. */
int config_cpus_parse(const char *key, const char *text, struct config_pos pos, struct config_cpus *cpus,
                      struct config_log *log);

/* One DISKSPEC or vif spec. 0, -EINVAL (logged), -ENOMEM. `pos` is the place of the string's first character
 * minus one (the quote). Release the fields with config_disk_clear(), config_vif_clear(). */
int config_disk_parse(const char *spec, struct config_pos pos, struct config_disk *out,
                      struct config_log *log);
void config_disk_clear(struct config_disk *disk);

/* `devid` is the one to use if the spec names none. The MAC stays zero if the spec has none:
 * see config_vif_derive_mac(). */
int config_vif_parse(const char *spec, struct config_pos pos, unsigned int devid, struct config_vif *out,
                     struct config_log *log);
void config_vif_clear(struct config_vif *vif);

/* 00:16:3e and 23 bits that depend on `seed` (uuid or name) and devid only. */
void config_vif_derive_mac(struct config_vif *vif, const void *seed, size_t size);

/* xvda, sdb3, hdc, d536p37, or the number itself. 0 or -EINVAL. */
int config_vdev_number(const char *vdev, uint32_t *number);

#endif
