/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_device_test.c - disk and vif specs and virtual device numbers: all spellings of the manuals, and
 * what is said about bad ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/config.h"

static const struct config_pos place = { "t", 1, 10 };    /* where the quote would stand */

/* ---- virtual devices ----------------------------------------------------------------------------------- */

static const struct {
    const char *vdev;
    uint32_t number;
} vdevs[] = {
    { "xvda", 51712 }, { "xvda1", 51713 }, { "xvdb", 51728 }, { "xvdp15", 202 << 8 | 255 }, { "d0", 51712 },
    { "d0p0", 51712 }, { "d1p2", 202 << 8 | 18 }, { "xvda16", 1u << 28 | 16 }, { "xvdq", 1u << 28 | 16 << 8 },
    { "xvdz", 1u << 28 | 25 << 8 }, { "xvdaa", 1u << 28 | 26 << 8 }, { "xvdtq37", 1u << 28 | 536 << 8 | 37 },
    { "d536p37", 1u << 28 | 536 << 8 | 37 }, { "d1048575p255", 1u << 28 | 1048575 << 8 | 255 },
    { "sda", 2048 }, { "sdb3", 2048 + 19 }, { "sdp15", 8 << 8 | 255 }, { "hda", 768 }, { "hdb", 768 + 64 },
    { "hdc2", (22 << 8) + 2 }, { "hdd63", (22 << 8) + 64 + 63 }, { "51712", 51712 }, { "0xca00", 51712 },
    { "0145000", 51712 },
};

static const char *const bad_vdevs[] = {
    "", "x", "xvd", "xvd1", "xvdA", "xvda0", "xvda01", "xvda256", "xvda1p", "xvdzzzzz",
    "xvdzzzzzzzzzzzzzzzzzzzz", "sdq", "sda16", "hde", "hda64", "d", "d1p", "d1048576", "d0p256", "d01", "dp1",
    "d0p1x", "0", "-5", "51712x", "0x20000000", "99999999999999999999999", "vda", "nvme0n1", "/dev/xvda",
    " xvda",
};

static void virtual_devices_have_numbers(void **state)
{
    uint32_t number;

    for (size_t i = 0; i < sizeof(vdevs) / sizeof(vdevs[0]); i++) {
        assert_int_equal(config_vdev_number(vdevs[i].vdev, &number), 0);
        if (number != vdevs[i].number) {
            fail_msg("%s is %u, not %u", vdevs[i].vdev, number, vdevs[i].number);
        }
    }
    for (size_t i = 0; i < sizeof(bad_vdevs) / sizeof(bad_vdevs[0]); i++) {
        if (config_vdev_number(bad_vdevs[i], &number) != -EINVAL) {
            fail_msg("\"%s\" passes as %u", bad_vdevs[i], number);
        }
    }
}

/* ---- disks --------------------------------------------------------------------------------------------- */

/* target|script|backend|vdev|flags, where flags are r w, c(drom), d(iscard), D(irect), t(rusted), p(hy). */
static const char *disk_text(const struct config_disk *d)
{
    static char text[1024];

    snprintf(text, sizeof(text), "%s|%s|%s|%s|%c%s%s%s%s%s", d->target ? d->target : "-",
             d->script ? d->script : "-", d->backend ? d->backend : "-", d->vdev, d->readonly ? 'r' : 'w',
             d->cdrom ? "c" : "", d->discard ? "d" : "", d->direct_io_safe ? "D" : "", d->trusted ? "t" : "",
             d->backendtype == CONFIG_DISK_PHY ? "p" : "");
    return text;
}

static const struct {
    const char *spec, *text;
} disks[] = {
    /* Four spellings of one disk, then five of one CD, from the manual. */
    { "/dev/vg/guest-volume,,hda", "/dev/vg/guest-volume|-|-|hda|wdt" },
    { "/dev/vg/guest-volume,raw,hda,rw", "/dev/vg/guest-volume|-|-|hda|wdt" },
    { "format=raw, vdev=hda, access=rw, target=/dev/vg/guest-volume", "/dev/vg/guest-volume|-|-|hda|wdt" },
    { "raw:/dev/vg/guest-volume,hda,w", "/dev/vg/guest-volume|-|-|hda|wdt" },
    { "/root/image.iso,,hdc,cdrom", "/root/image.iso|-|-|hdc|rcdt" },
    { "/root/image.iso,,hdc,,cdrom", "/root/image.iso|-|-|hdc|rcdt" },
    { "/root/image.iso,raw,hdc,devtype=cdrom", "/root/image.iso|-|-|hdc|rcdt" },
    { "format=raw, vdev=hdc, access=ro, devtype=cdrom, target=/root/image.iso",
      "/root/image.iso|-|-|hdc|rcdt" },
    { "raw:/root/image.iso,hdc:cdrom,ro", "/root/image.iso|-|-|hdc|rcdt" },
    { "phy:/dev/vg/root,xvda1,w", "/dev/vg/root|-|-|xvda1|wdt" },
    { "phy:vg/root,xvda1,r", "/dev/vg/root|-|-|xvda1|rdt" },
    { "file:/srv/x.img,xvda,w", "/srv/x.img|-|-|xvda|wdt" },
    { "tap:aio:/srv/x.img,xvda,w", "/srv/x.img|-|-|xvda|wdt" },
    { "tap2:tapdisk:aio:raw:/srv/x.img,xvda,w", "/srv/x.img|-|-|xvda|wdt" },
    { "nbd:host:10809,xvda,w", "host:10809|block-nbd|-|xvda|wdt" },
    { ",hdc:cdrom,r", "-|-|-|hdc|rcdt" },
    { ",,hdc,cdrom", "-|-|-|hdc|rcdt" },
    { "vdev=hdc,cdrom", "-|-|-|hdc|rcdt" },
    { "vg/root,,xvda", "/dev/vg/root|-|-|xvda|wdt" },
    { "  /a ,\traw , xvda , ro ", "/a|-|-|xvda|rdt" },
    { "/a,raw,xvda,rw,", "/a|-|-|xvda|wdt" },
    { "/a,,xvda,", "/a|-|-|xvda|wdt" },
    { "vdev=xvda,/a,raw,ro", "/a|-|-|xvda|rdt" },
    { "no-discard,untrusted,direct-io-safe,/a,,xvda", "/a|-|-|xvda|wD" },
    { "/a,,xvda,discard,trusted", "/a|-|-|xvda|wdt" },
    { "/a,,xvda,backendtype=phy,backend=0,specification=xen", "/a|-|-|xvda|wdtp" },
    { "/a,,xvda,backend=storage", "/a|-|storage|xvda|wdt" },
    { "vdev=xvda,script=block-iscsi,target=iqn=a:b,c", "iqn=a:b,c|block-iscsi|-|xvda|wdt" },
    { "vdev=xvda,target=/a,b=c d ", "/a,b=c d |-|-|xvda|wdt" },
    { ",,xvda,target=/late", "/late|-|-|xvda|wdt" },
    { "/a,,0xca00", "/a|-|-|0xca00|wdt" },
};

static void disks_in_all_spellings(void **state)
{
    for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        struct config_log log = { 0 };
        struct config_disk disk;

        if (config_disk_parse(disks[i].spec, place, &disk, &log)) {
            fail_msg("%s: %s", disks[i].spec, log.notes[0].text);
        }
        assert_string_equal(disk_text(&disk), disks[i].text);
        assert_int_equal(log.count, 0);
        config_disk_clear(&disk);
    }
}

/* Column 11 is the spec's first byte. */
static const struct {
    const char *spec, *message;
} bad_disks[] = {
    { "", "t:1:10: error: disk: no virtual device is given: write for example /dev/vg/root,,xvda" },
    { "/a", "t:1:10: error: disk: no virtual device is given: write for example /a,,xvda" },
    { ",,xvda", "t:1:10: error: disk: xvda has no target: write the path of a block device or image first" },
    { "/a,xvda,w",
      "t:1:14: error: disk: xvda stands where the format does: write TARGET,,xvda or TARGET,raw,xvda" },
    { "/a,qcow2,xvda",
      "t:1:14: error: disk: format qcow2 is not served: convert the image (qemu-img convert -O raw) and "
      "write raw" },
    { "vhd:/a,xvda,w",
      "t:1:11: error: disk: format vhd is not served: convert the image (qemu-img convert -O raw) and "
      "write raw" },
    { "/a,vdev=xvda,format=qed",
      "t:1:24: error: disk: format qed is not served: convert the image (qemu-img convert -O raw) and "
      "write raw" },
    { "/a,ntfs,xvda", "t:1:14: error: disk: unknown format \"ntfs\": write raw" },
    { "/a,,vda",
      "t:1:15: error: disk: \"vda\" is no virtual device: write xvda, xvdb1, sda (16 disks, 15 "
      "partitions), hda (4 disks) or d5p1" },
    { "/a,,0000000000000000000000000000000000000000145000",
      "t:1:15: error: disk: \"0000000000000000000000000000000000000000145000\" is no virtual device: "
      "write xvda, xvdb1, sda (16 disks, 15 partitions), hda (4 disks) or d5p1" },
    { "/a,,xvda,rx", "t:1:20: error: disk: unknown access \"rx\": write rw or ro" },
    { "/a,,xvda,devtype=floppy",
      "t:1:20: error: disk: unknown devtype \"floppy\": write cdrom or leave it out" },
    { "/a,,xvda,rw,b",
      "t:1:23: error: disk: \"b\" is one parameter too many: a path that contains a comma goes last, as "
      "target=PATH" },
    { "/a=b,,xvda",
      "t:1:11: error: disk: unknown parameter \"/a\": see xl-disk-configuration(5); a path that contains "
      "= goes last, as target=PATH" },
    { "/a,,xvda,colour=red",
      "t:1:20: error: disk: unknown parameter \"colour\": see xl-disk-configuration(5); a path that "
      "contains = goes last, as target=PATH" },
    { "/a,,xvda,vdev=xvdb", "t:1:20: error: disk: vdev is given twice: remove one" },
    { "/a,,xvda,discard,discard", "t:1:28: error: disk: discard is given twice: remove one" },
    { "/a,,xvda,script=x,script=y", "t:1:29: error: disk: script is given twice: remove one" },
    { "/a,,xvda,target=/b", "t:1:20: error: disk: target is given twice: remove one" },
    { "/a,,xvda,backendtype=qdisk",
      "t:1:20: error: disk: backendtype qdisk is not served: leave it out or write phy" },
    { "/a,,xvda,backendtype=x", "t:1:20: error: disk: unknown backendtype \"x\": leave it out or write phy" },
    { "/a,,xvda,specification=virtio",
      "t:1:20: error: disk: specification \"virtio\" is not served: leave it out or write xen" },
    { "/a,,xvda,colo", "t:1:10: error: disk: COLO replication is not supported: leave its parameters out" },
    { "ftp:/a,xvda,w",
      "t:1:11: error: disk: unknown prefix \"ftp:\": write a path, or target=ftp:/a as the last parameter "
      "if the colon belongs to it" },
};

static void bad_disks_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(bad_disks) / sizeof(bad_disks[0]); i++) {
        struct config_log log = { 0 };
        struct config_disk disk;

        assert_int_equal(config_disk_parse(bad_disks[i].spec, place, &disk, &log), -EINVAL);
        assert_int_equal(log.count, 1);
        assert_string_equal(log.notes[0].text, bad_disks[i].message);
        assert_null(disk.target);
        config_log_free(&log);
    }
}

static void a_writable_cd_is_read_only(void **state)
{
    struct config_log log = { 0 };
    struct config_disk disk;

    assert_int_equal(config_disk_parse("/a,,xvda,w,cdrom", place, &disk, &log), 0);
    assert_string_equal(disk_text(&disk), "/a|-|-|xvda|rcdt");
    assert_string_equal(log.notes[0].text, "t:1:10: warning: disk: xvda is a CD drive and stays read-only: "
                                           "write ro or leave the access out");
    config_disk_clear(&disk);
    config_log_free(&log);
}

/* ---- network ------------------------------------------------------------------------------------------- */

static const char *vif_text(const struct config_vif *v)
{
    static char text[1024];

    snprintf(text, sizeof(text), "%02x%02x%02x%02x%02x%02x|%s%s|%s|%s|%s|%s|%s|%u|%u|%llu/%u|%s", v->mac[0],
             v->mac[1], v->mac[2], v->mac[3], v->mac[4], v->mac[5], v->bridge, v->bridge_given ? "!" : "",
             v->vifname, v->gatewaydev, v->script ? v->script : "-", v->ip ? v->ip : "-",
             v->backend ? v->backend : "-", v->devid, v->mtu, (unsigned long long)v->rate_bytes,
             v->rate_interval_us, v->trusted ? "t" : "u");
    return text;
}

static const struct {
    const char *spec, *text;
} vifs[] = {
    { "", "000000000000|xenbr0|||-|-|-|7|0|0/0|t" },
    { " , ", "000000000000|xenbr0|||-|-|-|7|0|0/0|t" },
    { "mac=00:16:3E:74:3d:76,bridge=xenbr0", "00163e743d76|xenbr0!|||-|-|-|7|0|0/0|t" },
    { " mac = 0a:00:00:00:00:ff , bridge = br-lan.5 ", "0a00000000ff|br-lan.5!|||-|-|-|7|0|0/0|t" },
    { "vifname=web0,script=vif-route,gatewaydev=eth0",
      "000000000000|xenbr0|web0|eth0|vif-route|-|-|7|0|0/0|t" },
    { "netdev=eth1,backend=net,devid=3,mtu=9000,untrusted",
      "000000000000|xenbr0||eth1|-|-|net|3|9000|0/0|u" },
    { "ip=192.0.2.1 2001:db8::1/64", "000000000000|xenbr0|||-|192.0.2.1 2001:db8::1/64|-|7|0|0/0|t" },
    { "rate=10Mb/s", "000000000000|xenbr0|||-|-|-|7|0|62500/50000|t" },
    { "rate=250KB/s", "000000000000|xenbr0|||-|-|-|7|0|12500/50000|t" },
    { "rate=1MB/s@20ms", "000000000000|xenbr0|||-|-|-|7|0|20000/20000|t" },
    { "rate=1GB/s@1s", "000000000000|xenbr0|||-|-|-|7|0|1000000000/1000000|t" },
    { "rate=800b/s@10000us", "000000000000|xenbr0|||-|-|-|7|0|1/10000|t" },
    { "rate=100B/s@20000", "000000000000|xenbr0|||-|-|-|7|0|2/20000|t" },
    { "type=vif,trusted", "000000000000|xenbr0|||-|-|-|7|0|0/0|t" },
};

static void vifs_in_all_spellings(void **state)
{
    for (size_t i = 0; i < sizeof(vifs) / sizeof(vifs[0]); i++) {
        struct config_log log = { 0 };
        struct config_vif vif;

        if (config_vif_parse(vifs[i].spec, place, 7, &vif, &log)) {
            fail_msg("%s: %s", vifs[i].spec, log.notes[0].text);
        }
        assert_string_equal(vif_text(&vif), vifs[i].text);
        assert_int_equal(log.count, 0);
        config_vif_clear(&vif);
    }
}

#define BAD_MAC "is no MAC address: write six pairs of hexadecimal digits, for example 00:16:3e:01:02:03"
#define BAD_RATE "is no rate: write for example 10Mb/s, 250KB/s or 1MB/s@20ms"
#define BAD_NAME "is no name for a network interface: write 1 to 15 letters, digits, - or _"

static const struct {
    const char *spec, *message;
} bad_vifs[] = {
    { "mac=00:16:3e:1:2:3", "t:1:11: error: vif: \"00:16:3e:1:2:3\" " BAD_MAC },
    { "mac=00:16:3e:01:02", "t:1:11: error: vif: \"00:16:3e:01:02\" " BAD_MAC },
    { "mac=00:16:3e:01:02:03:04", "t:1:11: error: vif: \"00:16:3e:01:02:03:04\" " BAD_MAC },
    { "mac=00:16:3e:01:02:0g", "t:1:11: error: vif: \"00:16:3e:01:02:0g\" " BAD_MAC },
    { "mac=00-16-3e-01-02-03", "t:1:11: error: vif: \"00-16-3e-01-02-03\" " BAD_MAC },
    { "mac=", "t:1:11: error: vif: \"\" " BAD_MAC },
    { "mac=01:00:00:00:00:01",
      "t:1:11: error: vif: MAC address 01:00:00:00:00:01 is a multicast address: choose one with an even "
      "first byte, for example 00:16:3e:01:02:03" },
    { "mac=00:00:00:00:00:00",
      "t:1:11: error: vif: MAC address 00:00:00:00:00:00 is zero: choose one with an even first byte, for "
      "example 00:16:3e:01:02:03" },
    { "bridge=", "t:1:11: error: vif: bridge \"\" " BAD_NAME },
    { "bridge=a-bridge-too-far", "t:1:11: error: vif: bridge \"a-bridge-too-far\" " BAD_NAME },
    { "bridge=../br0", "t:1:11: error: vif: bridge \"../br0\" " BAD_NAME },
    { "bridge=br 0", "t:1:11: error: vif: bridge \"br 0\" " BAD_NAME },
    { "vifname=%d", "t:1:11: error: vif: vifname \"%d\" " BAD_NAME },
    { "gatewaydev=.", "t:1:11: error: vif: gatewaydev \".\" " BAD_NAME },
    { "ip=192.0.2.256",
      "t:1:11: error: vif: \"192.0.2.256\" is no IP address: write for example 192.0.2.7 or 2001:db8::7/64" },
    { "ip=192.0.2.1 192.0.2.2/33",
      "t:1:11: error: vif: \"192.0.2.2/33\" is no IP address: write for example 192.0.2.7 or "
      "2001:db8::7/64" },
    { "rate=10Mb", "t:1:11: error: vif: \"10Mb\" " BAD_RATE },
    { "rate=Mb/s", "t:1:11: error: vif: \"Mb/s\" " BAD_RATE },
    { "rate=10Tb/s", "t:1:11: error: vif: \"10Tb/s\" " BAD_RATE },
    { "rate=10Mb/s@5h", "t:1:11: error: vif: \"10Mb/s@5h\" " BAD_RATE },
    { "rate=99999999999999999999B/s", "t:1:11: error: vif: \"99999999999999999999B/s\" " BAD_RATE },
    { "rate=1b/s",
      "t:1:11: error: vif: rate 1b/s gives 0 bytes in an interval, not 1 to 4294967295: change rate or "
      "interval" },
    { "rate=1GB/s@60s",
      "t:1:11: error: vif: rate 1GB/s@60s gives 60000000000 bytes in an interval, not 1 to 4294967295: "
      "change rate or interval" },
    { "rate=1GB/s@61s",
      "t:1:11: error: vif: rate 1GB/s@61s: the interval is not between 1us and 60s: leave it out for 50ms" },
    { "rate=1GB/s@0",
      "t:1:11: error: vif: rate 1GB/s@0: the interval is not between 1us and 60s: leave it out for 50ms" },
    { "devid=1024",
      "t:1:11: error: vif: devid \"1024\" is not between 0 and 1023: write a number in that range" },
    { "devid=1x",
      "t:1:11: error: vif: devid \"1x\" is not between 0 and 1023: write a number in that range" },
    { "mtu=67", "t:1:11: error: vif: mtu \"67\" is not between 68 and 65535: write a number in that range" },
    { "bridge=a, mac=x", "t:1:21: error: vif: \"x\" " BAD_MAC },
    { "bridge=a,bridge=b", "t:1:20: error: vif: bridge is given twice: remove one" },
    { "bridge", "t:1:11: error: vif: bridge lacks its value: write bridge=VALUE" },
    { "trusted=1", "t:1:11: error: vif: trusted takes no value: write trusted alone" },
    { "brigde=a", "t:1:11: error: vif: unknown parameter \"brigde\": see xl-network-configuration(5)" },
    { "=a", "t:1:11: error: vif: unknown parameter \"\": see xl-network-configuration(5)" },
};

static void bad_vifs_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(bad_vifs) / sizeof(bad_vifs[0]); i++) {
        struct config_log log = { 0 };
        struct config_vif vif;

        assert_int_equal(config_vif_parse(bad_vifs[i].spec, place, 0, &vif, &log), -EINVAL);
        assert_int_equal(log.count, 1);
        assert_string_equal(log.notes[0].text, bad_vifs[i].message);
        config_log_free(&log);
    }
}

static void what_is_for_hvm_is_warned_about(void **state)
{
    struct config_log log = { 0 };
    struct config_vif vif;

    assert_int_equal(config_vif_parse("type=ioemu,model=e1000", place, 0, &vif, &log), 0);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.errors, 0);
    assert_string_equal(log.notes[1].text, "t:1:22: warning: vif: model e1000 is for HVM domains and has no "
                                           "effect here: "
                                           "remove it");
    config_vif_clear(&vif);
    config_log_free(&log);
}

/* Same seed, same address; another seed or devid, another one; always in the generated half of the prefix. */
static void derived_macs_are_stable(void **state)
{
    struct config_vif a = { .devid = 0 }, b = { .devid = 0 };

    config_vif_derive_mac(&a, "web", 3);
    config_vif_derive_mac(&b, "web", 3);
    assert_memory_equal(a.mac, b.mac, 6);
    assert_true(a.mac_derived && a.mac[0] == 0 && a.mac[1] == 0x16 && a.mac[2] == 0x3e && a.mac[3] < 0x80);
    b.devid = 1;
    config_vif_derive_mac(&b, "web", 3);
    assert_memory_not_equal(a.mac, b.mac, 6);
    config_vif_derive_mac(&b, "mail", 4);
    assert_memory_not_equal(a.mac, b.mac, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_devices_have_numbers),
        cmocka_unit_test(disks_in_all_spellings),
        cmocka_unit_test(bad_disks_are_refused),
        cmocka_unit_test(a_writable_cd_is_read_only),
        cmocka_unit_test(vifs_in_all_spellings),
        cmocka_unit_test(bad_vifs_are_refused),
        cmocka_unit_test(what_is_for_hvm_is_warned_about),
        cmocka_unit_test(derived_macs_are_stable),
    };

    return cmocka_run_group_tests_name("config_device", tests, NULL, NULL);
}
