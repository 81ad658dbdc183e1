/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_doc_fuzz.c - hostile configurations: text as it is, or (odd first byte) a stream of words that occur
 * in configurations, which reaches the typed readers. Accepted domains must hold what their users rely on.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_domain(const struct domain_config *c)
{
    struct json_object *json = domain_config_json(c);

    require(c->name && c->name[0] && c->kernel && c->cmdline && strlen(c->cmdline) <= CONFIG_CMDLINE_MAX);
    require(c->vcpus >= 1 && c->vcpus <= c->max_vcpus && c->max_vcpus <= CONFIG_VCPUS_MAX);
    require(c->memory_kib >= 1024 && c->memory_kib <= c->max_memory_kib);
    for (size_t i = 0; i < c->disk_count; i++) {
        uint32_t number;

        require(config_vdev_number(c->disks[i].vdev, &number) == 0 && number == c->disks[i].number);
        require(c->disks[i].target ? c->disks[i].script || c->disks[i].target[0] == '/' : c->disks[i].cdrom);
    }
    for (size_t i = 0; i < c->vif_count; i++) {
        require(!(c->vifs[i].mac[0] & 1) && c->vifs[i].bridge[0]);
        for (size_t j = 0; j < i; j++) {
            require(memcmp(c->vifs[i].mac, c->vifs[j].mac, 6) != 0);
        }
    }
    require(json != NULL);
    json_object_put(json);
}

static void read_text(const char *text, size_t size)
{
    struct config_log log = { 0 };
    struct domain_config config;
    struct config_doc *doc;
    int rc = config_parse("fuzz", text, size, &doc, &log);

    require((rc == 0) == (doc != NULL) && (rc == 0) == (log.errors == 0));
    if (rc == 0) {
        json_object_put(config_doc_json(doc));
        config_override(doc, "memory=64", &log);
        config_override(doc, "extra+=x", &log);
        log.errors = 0;
        rc = domain_config_read(doc, &config, &log);
        require((rc == 0) == (log.errors == 0));
        if (rc == 0) {
            check_domain(&config);
            domain_config_free(&config);
        }
    }
    config_doc_free(doc);
    config_log_free(&log);
}

static const char *const words[] = {
    "=", "=", "=", "+=", "\n", "\n", "\n", ";", "[", "]", "[", "]", ",", "#", "0", "1", "2", "64", "0x10",
    "-1", "'", "\"", "\\", "'x'", "''", "'0-3,^1'", "'all'", "name", "kernel", "memory", "maxmem", "vcpus",
    "maxvcpus", "cpus", "cap", "root", "extra", "cmdline", "type", "'pv'", "'hvm'", "uuid", "on_crash",
    "on_reboot", "'restart'", "disk=['", "',\n'", "']", "/dev/a,,xvda", ",", "vif=['", "mac=00:16:3e:0",
    "1:02:03", "bridge=br0", "vifname=v", "tsc_mode", "pci", "pae", "name='a'\n", "kernel='/k'\n", "devid=1",
    "rate=1MB/s", "max_grant_frames", "cpu_weight",
};

static void read_words(const uint8_t *data, size_t size)
{
    char text[8192];
    size_t used = 0;

    for (; size; data++, size--) {
        const char *word = words[*data % (sizeof(words) / sizeof(words[0]))];

        if (used + strlen(word) > sizeof(text)) {
            break;
        }
        memcpy(text + used, word, strlen(word));
        used += strlen(word);
    }
    read_text(text, used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] & 1) {
        read_words(data + 1, size - 1);
    } else if (size) {
        read_text((const char *)data + 1, size - 1);
    }
    return 0;
}
