/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_nodes_test.c - what a disk and a network card say in the store, parameter by parameter.
 *
 * From the text of a configuration to the nodes that Linux' back and front ends read: the store behind
 * lib/dev_nodes.c is a list of "path=value" here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config.h"
#include "lib/dev_nodes.h"

/* ---- the store ----------------------------------------------------------------------------------------- */

static char nodes[128][256];
static unsigned int count;

int xs_client_write(struct xs_client *xs, uint32_t tx, const char *path, const void *value, size_t len)
{
    assert_true(count < 128);
    snprintf(nodes[count++], sizeof(nodes[0]), "%s=%.*s", path, (int)len, (const char *)value);
    return 0;
}

int xs_client_transaction(struct xs_client *xs, int (*body)(struct xs_client *xs, uint32_t tx, void *arg),
                          void *arg)
{
    return body(xs, 1, arg);
}

int xs_client_mkdir(struct xs_client *xs, uint32_t tx, const char *path) { return 0; }
int xs_client_rm(struct xs_client *xs, uint32_t tx, const char *path) { return 0; }
int xs_client_exists(struct xs_client *xs, uint32_t tx, const char *path) { return 0; }
const char *xs_client_error(const struct xs_client *xs) { return "none"; }
void xs_client_batch_begin(struct xs_client *xs) {}
int xs_client_batch_end(struct xs_client *xs) { return 0; }

int xs_client_set_perms(struct xs_client *xs, uint32_t tx, const char *path,
                        const struct xs_client_perm *perms, unsigned int n)
{
    return 0;
}

int xs_client_directory(struct xs_client *xs, uint32_t tx, const char *path, char ***names)
{
    *names = NULL;
    return 0;
}

int xs_client_read(struct xs_client *xs, uint32_t tx, const char *path, char **value, size_t *len)
{
    *value = NULL;
    return -1;
}

int xs_client_read_u64(struct xs_client *xs, uint32_t tx, const char *path, uint64_t *value)
{
    return -1;
}

/* The value at the end of a path; "" if it was not written. */
static const char *value_of(const char *path)
{
    size_t size = strlen(path);

    for (unsigned int i = 0; i < count; i++) {
        if (strncmp(nodes[i], path, size) == 0 && nodes[i][size] == '=') {
            return nodes[i] + size + 1;
        }
    }
    return "";
}

static void expect(const char *base, const char *const (*wanted)[2], size_t n)
{
    char path[256];

    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", base, wanted[i][0]);
        if (strcmp(value_of(path), wanted[i][1])) {
            fail_msg("%s is \"%s\", not \"%s\"", path, value_of(path), wanted[i][1]);
        }
    }
}
#define EXPECT(base, ...)                                                                                  \
    do {                                                                                                   \
        static const char *const wanted[][2] = { __VA_ARGS__ };                                            \
                                                                                                           \
        expect(base, wanted, sizeof(wanted) / sizeof(wanted[0]));                                          \
    } while (0)

/* ---- disks --------------------------------------------------------------------------------------------- */

static void write_disk(const char *spec)
{
    struct config_log log = { 0 };
    struct config_disk c;
    struct dev_disk d = { .loop.number = -1, .major = 7, .minor = 3 };

    assert_int_equal(config_disk_parse(spec, (struct config_pos){ "t", 1, 1 }, &c, &log), 0);
    d.target = c.target;
    memcpy(d.vdev, c.vdev, sizeof(d.vdev));
    d.number = c.number;
    d.readonly = c.readonly;
    d.discard = c.discard;
    d.cdrom = c.cdrom;
    d.trusted = c.trusted;
    d.direct_io_safe = c.direct_io_safe;
    count = 0;
    assert_int_equal(dev_vbd_write(NULL, 5, &d, NULL), 0);
    config_disk_clear(&c);
    config_log_free(&log);
}

#define DISK_BACK  "/local/domain/0/backend/vbd/5/"
#define DISK_FRONT "/local/domain/5/device/vbd/"

static void disks(void **state)
{
    write_disk("/srv/a.img,,xvda");
    EXPECT(DISK_BACK "51712", { "params", "/srv/a.img" }, { "dev", "xvda" }, { "mode", "w" },
           { "physical-device", "7:3" }, { "discard-enable", "1" }, { "device-type", "disk" },
           { "removable", "0" }, { "direct-io-safe", "0" }, { "frontend-id", "5" }, { "online", "1" });
    EXPECT(DISK_FRONT "51712", { "virtual-device", "51712" }, { "device-type", "disk" }, { "trusted", "1" },
           { "backend-id", "0" }, { "state", "1" });
    write_disk("/srv/b.img,,xvdb,ro,untrusted,direct-io-safe");
    EXPECT(DISK_BACK "51728", { "mode", "r" }, { "discard-enable", "0" }, { "direct-io-safe", "1" });
    EXPECT(DISK_FRONT "51728", { "trusted", "0" });
    write_disk("/srv/c.img,,xvda,no-discard");
    EXPECT(DISK_BACK "51712", { "discard-enable", "0" }, { "mode", "w" });
    write_disk("/srv/d.iso,,hdc,cdrom");
    EXPECT(DISK_BACK "5632", { "device-type", "cdrom" }, { "removable", "1" }, { "mode", "r" });
    EXPECT(DISK_FRONT "5632", { "device-type", "cdrom" });
    write_disk("vdev=xvda,target=/srv/with blank, and comma.img");
    EXPECT(DISK_BACK "51712", { "params", "/srv/with blank, and comma.img" });
}

/* ---- network cards ------------------------------------------------------------------------------------- */

static void write_vif(const char *spec, unsigned int mtu)
{
    struct config_log log = { 0 };
    struct config_vif v;

    assert_int_equal(config_vif_parse(spec, (struct config_pos){ "t", 1, 1 }, 2, &v, &log), 0);
    count = 0;
    assert_int_equal(dev_vif_write(NULL, 5, &v, mtu, NULL), 0);
    config_vif_clear(&v);
    config_log_free(&log);
}

#define VIF_BACK  "/local/domain/0/backend/vif/5/2"
#define VIF_FRONT "/local/domain/5/device/vif/2"

/* `rate` is what Linux' netback limits by: bytes in an interval, microseconds of the interval. */
static void cards(void **state)
{
    write_vif("mac=00:16:3e:01:02:03,rate=10Mb/s,ip=192.0.2.7 2001:db8::7,vifname=web0", 1400);
    EXPECT(VIF_BACK, { "mac", "00:16:3e:01:02:03" }, { "rate", "62500,50000" }, { "handle", "2" },
           { "ip", "192.0.2.7 2001:db8::7" }, { "vifname", "web0" }, { "bridge", "xenbr0" },
           { "mtu", "1400" });
    EXPECT(VIF_FRONT, { "mac", "00:16:3e:01:02:03" }, { "mtu", "1400" }, { "trusted", "1" },
           { "handle", "2" });
    write_vif("mac=00:16:3e:01:02:03,rate=1MB/s@20ms,untrusted,bridge=dmz", 0);
    EXPECT(VIF_BACK, { "rate", "20000,20000" }, { "bridge", "dmz" }, { "mtu", "" }, { "ip", "" });
    EXPECT(VIF_FRONT, { "trusted", "0" }, { "mtu", "" });
    write_vif("mac=00:16:3e:01:02:03", 0);
    EXPECT(VIF_BACK, { "rate", "" }, { "vifname", "" });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(disks), cmocka_unit_test(cards) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
