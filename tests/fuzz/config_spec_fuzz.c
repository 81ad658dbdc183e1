/* SPDX-License-Identifier: BSD-2-Clause */
/* config_spec_fuzz.c - disk and vif specs and command-line overrides: text, or a stream of fitting words. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {
    ",", ",", ",", " ", "=", ":", "/", "/a", "raw", "qcow2", "xvda", "xvdb1", "hdc", "d5p", "9", "0", "w",
    "ro", "phy:", "file:", "tap:aio:", "nbd:", "cdrom", "target=", "vdev=", "format=", "access=", "script=",
    "backend=", "devtype=", "discard", "untrusted", "mac=", "00:16:3e:", "01:02:03", "bridge=", "br0",
    "rate=", "10", "M", "b/s", "B/s", "@", "ms", "ip=", "192.0.2.1", "2001:db8::", "/64", "devid=", "mtu=",
    "1500", "vifname=", "gatewaydev=", "model=",
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void parse(const char *text)
{
    static const struct config_pos pos = { "fuzz", 1, 1 };
    struct config_log log = { 0 };
    struct config_disk disk;
    struct config_vif vif;
    struct config_doc *doc;

    if (config_disk_parse(text, pos, &disk, &log) == 0) {
        require(log.errors == 0 && disk.vdev[0]);
        config_disk_clear(&disk);
    }
    config_log_free(&log);
    if (config_vif_parse(text, pos, 0, &vif, &log) == 0) {
        require(log.errors == 0 && vif.bridge[0] && strlen(vif.bridge) <= CONFIG_IFNAME_MAX);
        config_vif_clear(&vif);
    }
    config_log_free(&log);
    if (config_parse("fuzz", "", 0, &doc, &log) == 0) {
        config_override(doc, text, &log);
        config_doc_free(doc);
    }
    config_log_free(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[4096];
    size_t used = 0;

    if (size == 0) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        const char *word = words[data[i] % (sizeof(words) / sizeof(words[0]))];
        char one[2] = { (char)data[i], '\0' };

        word = data[0] & 1 ? word : one;
        if (used + strlen(word) >= sizeof(text)) {
            break;
        }
        memcpy(text + used, word, strlen(word));
        used += strlen(word);
    }
    text[used] = '\0';
    parse(text);
    return 0;
}
