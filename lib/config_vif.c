/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_vif.c - network specs of xl-network-configuration(5): KEY=VALUE or flag, separated by commas.
 *
 * A vif without a MAC gets one computed from the domain's identity, so that it keeps it from start to start
 * without anything being stored.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "lib/config_internal.h"

#define DEVID_MAX      1023
#define MTU_MIN        68            /* what IPv4 asks of a link */
#define MTU_MAX        65535
#define RATE_INTERVAL  50000u        /* microseconds, the default */

typedef int setter(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log);

static int set_mac(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    const char *t = value;
    unsigned int any = 0;

    for (int i = 0; i < 6; i++, t += 3) {
        if (!isxdigit((unsigned char)t[0]) || !isxdigit((unsigned char)t[1]) ||
            t[2] != (i < 5 ? ':' : '\0')) {
            return config_error(log, pos,
                                "vif: \"%s\" is no MAC address: write six pairs of hexadecimal digits, for "
                                "example 00:16:3e:01:02:03",
                                value);
        }
        vif->mac[i] = (uint8_t)strtoul(t, NULL, 16);
        any |= vif->mac[i];
    }
    if (!any || (vif->mac[0] & 1)) {
        return config_error(log, pos,
                            "vif: MAC address %s is %s: choose one with an even first byte, for example "
                            "00:16:3e:01:02:03",
                            value, any ? "a multicast address" : "zero");
    }
    return 0;
}

/* Shared by the three fields that name a network interface of dom0. */
static int set_ifname(char *to, const char *what, const char *value, struct config_pos pos,
                      struct config_log *log)
{
    if (!config_ifname_ok(value)) {
        return config_error(log, pos,
                            "vif: %s \"%s\" is no name for a network interface: write 1 to %d letters, "
                            "digits, - or _",
                            what, value, CONFIG_IFNAME_MAX);
    }
    strcpy(to, value);
    return 0;
}

static int set_bridge(struct config_vif *vif, const char *value, struct config_pos pos,
                      struct config_log *log)
{
    vif->bridge_given = true;
    return set_ifname(vif->bridge, "bridge", value, pos, log);
}

static int set_vifname(struct config_vif *vif, const char *value, struct config_pos pos,
                       struct config_log *log)
{
    return set_ifname(vif->vifname, "vifname", value, pos, log);
}

static int set_gatewaydev(struct config_vif *vif, const char *value, struct config_pos pos,
                          struct config_log *log)
{
    return set_ifname(vif->gatewaydev, "gatewaydev", value, pos, log);
}

static int set_type(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    if (strcmp(value, "vif")) {
        config_warn(log, pos, "vif: type %s is for HVM domains and has no effect here: remove it", value);
    }
    return 0;
}

static int set_model(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    config_warn(log, pos, "vif: model %s is for HVM domains and has no effect here: remove it", value);
    return 0;
}

static int set_script(struct config_vif *vif, const char *value, struct config_pos pos,
                      struct config_log *log)
{
    return *value ? config_string_set(&vif->script, value) : 0;
}

static int set_backend(struct config_vif *vif, const char *value, struct config_pos pos,
                       struct config_log *log)
{
    bool dom0 = *value == '\0' || strcmp(value, "0") == 0 || strcmp(value, "Domain-0") == 0;

    return dom0 ? 0 : config_string_set(&vif->backend, value);
}

/* One address, maybe with /PREFIX. */
static bool address_ok(const char *text, size_t size)
{
    char copy[INET6_ADDRSTRLEN + 4], *slash, *end;
    uint8_t address[16];
    int family;

    if (size >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    family = strchr(copy, ':') ? AF_INET6 : AF_INET;
    slash = strchr(copy, '/');
    if (slash) {
        *slash = '\0';
        if (!isdigit((unsigned char)slash[1]) ||
            strtoul(slash + 1, &end, 10) > (family == AF_INET ? 32 : 128) || *end) {
            return false;
        }
    }
    return inet_pton(family, copy, address) == 1;
}

static int set_ip(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    for (const char *t = value + strspn(value, " "); *t; t += strspn(t, " ")) {
        size_t size = strcspn(t, " ");

        if (!address_ok(t, size)) {
            return config_error(log, pos, "vif: \"%.*s\" is no IP address: write for example 192.0.2.7 or "
                                "2001:db8::7/64", (int)size, t);
        }
        t += size;
    }
    return *value ? config_string_set(&vif->ip, value) : 0;
}

/* A decimal number at *text, which moves behind it; at most 2^40 so that products stay in 64 bits. */
static bool take_number(const char **text, uint64_t *out)
{
    uint64_t value = 0;

    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    for (; isdigit((unsigned char)**text); ++*text) {
        value = value * 10 + (uint64_t)(**text - '0');
        if (value > 1ull << 40) {
            return false;
        }
    }
    *out = value;
    return true;
}

/* 10Mb/s, 250KB/s, 1MB/s@20ms: into bytes a second and an interval in microseconds. */
static bool parse_rate(const char *t, uint64_t *bytes, uint64_t *interval)
{
    static const char prefixes[] = "KMG";
    const char *prefix;

    if (!take_number(&t, bytes)) {
        return false;
    }
    prefix = *t ? strchr(prefixes, *t) : NULL;
    for (int i = 0; prefix && i <= prefix - prefixes; i++) {
        *bytes *= 1000;
        if (*bytes > 1ull << 42) {
            return false;
        }
    }
    t += prefix != NULL;
    if ((*t != 'b' && *t != 'B') || t[1] != '/' || t[2] != 's') {
        return false;
    }
    *bytes /= *t == 'b' ? 8 : 1;
    t += 3;
    *interval = RATE_INTERVAL;
    if (*t == '\0') {
        return true;
    }
    if (*t++ != '@' || !take_number(&t, interval) || *interval > UINT32_MAX) {
        return false;
    }
    if (strcmp(t, "ms") == 0) {
        *interval *= 1000;
    } else if (strcmp(t, "s") == 0) {
        *interval *= 1000000;
    } else if (*t && strcmp(t, "us")) {
        return false;
    }
    return true;
}

static int set_rate(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    uint64_t bytes, interval;

    if (!parse_rate(value, &bytes, &interval)) {
        return config_error(log, pos,
                            "vif: \"%s\" is no rate: write for example 10Mb/s, 250KB/s or 1MB/s@20ms", value);
    }
    if (interval == 0 || interval > 60000000) {
        return config_error(
            log, pos, "vif: rate %s: the interval is not between 1us and 60s: leave it out for 50ms", value);
    }
    vif->rate_bytes = bytes * interval / 1000000;
    vif->rate_interval_us = (uint32_t)interval;
    if (vif->rate_bytes == 0 || vif->rate_bytes > UINT32_MAX) {
        return config_error(log, pos,
                            "vif: rate %s gives %llu bytes in an interval, not 1 to 4294967295: change rate "
                            "or "
                            "interval",
                            value, (unsigned long long)vif->rate_bytes);
    }
    return 0;
}

static int set_number(unsigned int *to, const char *what, unsigned int low, unsigned int high,
                      const char *value, struct config_pos pos, struct config_log *log)
{
    const char *t = value;
    uint64_t number;

    if (!take_number(&t, &number) || *t || number < low || number > high) {
        return config_error(log, pos, "vif: %s \"%s\" is not between %u and %u: write a number in that range",
                            what, value, low, high);
    }
    *to = (unsigned int)number;
    return 0;
}

static int set_devid(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    return set_number(&vif->devid, "devid", 0, DEVID_MAX, value, pos, log);
}

static int set_mtu(struct config_vif *vif, const char *value, struct config_pos pos, struct config_log *log)
{
    return set_number(&vif->mtu, "mtu", MTU_MIN, MTU_MAX, value, pos, log);
}

static int set_trusted(struct config_vif *vif, const char *value, struct config_pos pos,
                       struct config_log *log)
{
    vif->trusted = true;
    return 0;
}

static int set_untrusted(struct config_vif *vif, const char *value, struct config_pos pos,
                         struct config_log *log)
{
    vif->trusted = false;
    return 0;
}

static const struct row {
    const char *key;
    bool flag;
    setter *set;
} rows[] = {
    { "mac", false, set_mac }, { "bridge", false, set_bridge }, { "vifname", false, set_vifname },
    { "gatewaydev", false, set_gatewaydev }, { "netdev", false, set_gatewaydev }, { "type", false, set_type },
    { "model", false, set_model }, { "script", false, set_script }, { "ip", false, set_ip },
    { "backend", false, set_backend }, { "rate", false, set_rate }, { "devid", false, set_devid },
    { "mtu", false, set_mtu }, { "trusted", true, set_trusted }, { "untrusted", true, set_untrusted },
};

static int read_param(struct config_vif *vif, const struct config_param *param, unsigned int *seen,
                      struct config_log *log)
{
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(param->text, rows[i].key)) {
            continue;
        }
        if (rows[i].flag == (param->value != NULL)) {
            return config_error(log, param->pos, rows[i].flag ? "vif: %s takes no value: write %s alone"
                                                              : "vif: %s lacks its value: write %s=VALUE",
                                param->text, param->text);
        }
        if (*seen & 1u << i) {
            return config_error(log, param->pos, "vif: %s is given twice: remove one", param->text);
        }
        *seen |= 1u << i;
        return rows[i].set(vif, param->value, param->pos, log);
    }
    if (param->text[0] == '\0' && !param->value) {
        return 0;             /* '' is a vif with all defaults; so is a comma too many */
    }
    return config_error(log, param->pos, "vif: unknown parameter \"%s\": see xl-network-configuration(5)",
                        param->text);
}

void config_vif_clear(struct config_vif *vif)
{
    free(vif->script);
    free(vif->ip);
    free(vif->backend);
    memset(vif, 0, sizeof(*vif));
}

int config_vif_parse(const char *text, struct config_pos pos, unsigned int devid, struct config_vif *out,
                     struct config_log *log)
{
    struct config_spec spec = { .text = text, .next = text, .pos = pos, .log = log, .what = "vif" };
    struct config_param param;
    unsigned int seen = 0;
    int rc = 0;

    *out = (struct config_vif){ .pos = pos, .devid = devid, .trusted = true };
    strcpy(out->bridge, CONFIG_BRIDGE_DEFAULT);
    while (rc == 0 && spec.next) {
        rc = config_spec_next(&spec, &param);
        rc = rc > 0 ? read_param(out, &param, &seen, log) : rc;
    }
    if (rc) {
        config_vif_clear(out);
    }
    return rc;
}

void config_vif_derive_mac(struct config_vif *vif, const void *seed, size_t size)
{
    const uint8_t devid[2] = { (uint8_t)vif->devid, (uint8_t)(vif->devid >> 8) };
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, size, seed);
    sha256_update(&context, sizeof(devid), devid);
    sha256_digest(&context, sizeof(digest), digest);
    vif->mac[0] = 0x00;       /* the prefix that belongs to Xen; its lower half is for generated addresses */
    vif->mac[1] = 0x16;
    vif->mac[2] = 0x3e;
    vif->mac[3] = digest[0] & 0x7f;
    vif->mac[4] = digest[1];
    vif->mac[5] = digest[2];
    vif->mac_derived = true;
}
