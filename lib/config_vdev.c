/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_vdev.c - from a virtual disk's name to its number, as xen-vbd-interface(7) has it.
 *
 * A name is a kind (xvd, sd, hd), a disk in letters (a..z, aa..) and a partition; or dDISKpPARTITION; or the
 * number itself. Encodings beyond those of the page (Linux' old high SCSI and IDE numbers) are refused.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/config_internal.h"

#define XVD_MAJOR      202u
#define SD_MAJOR       8u
#define HD_MAJOR       3u     /* disks 0 and 1 */
#define HD_MAJOR_2     22u    /* disks 2 and 3 */
#define EXTENDED       (1u << 28)
#define EXTENDED_DISKS (1u << 20)

/* Decimal digits without a leading zero (but "0"), at most `max`. The pointer moves behind them. */
static bool take_decimal(const char **text, uint32_t max, uint32_t *out)
{
    const char *t = *text;
    uint64_t value = 0;

    if (*t < '0' || *t > '9' || (*t == '0' && t[1] >= '0' && t[1] <= '9')) {
        return false;
    }
    for (; *t >= '0' && *t <= '9'; t++) {
        value = value * 10 + (uint64_t)(*t - '0');
        if (value > max) {
            return false;
        }
    }
    *text = t;
    *out = (uint32_t)value;
    return true;
}

/* a = 0, z = 25, aa = 26, ... */
static bool take_letters(const char **text, uint32_t *out)
{
    const char *t = *text;
    uint64_t value = 0;

    for (; *t >= 'a' && *t <= 'z'; t++) {
        value = value * 26 + (uint64_t)(*t - 'a') + 1;
        if (value > EXTENDED_DISKS) {
            return false;
        }
    }
    *out = (uint32_t)value - 1;
    if (t == *text) {
        return false;
    }
    *text = t;
    return true;
}

static bool xvd_number(uint32_t disk, uint32_t partition, uint32_t *number)
{
    if (disk >= EXTENDED_DISKS || partition > 255) {
        return false;
    }
    *number = disk < 16 && partition < 16 ? XVD_MAJOR << 8 | disk << 4 | partition
                                          : EXTENDED | disk << 8 | partition;
    return true;
}

static bool sd_number(uint32_t disk, uint32_t partition, uint32_t *number)
{
    *number = SD_MAJOR << 8 | disk << 4 | partition;
    return disk < 16 && partition < 16;
}

static bool hd_number(uint32_t disk, uint32_t partition, uint32_t *number)
{
    *number = (disk < 2 ? HD_MAJOR : HD_MAJOR_2) << 8 | (disk & 1) << 6 | partition;
    return disk < 4 && partition < 64;
}

/* The text behind "xvd", "sd" or "hd". */
static bool lettered(const char *text, bool (*encode)(uint32_t, uint32_t, uint32_t *), uint32_t *number)
{
    uint32_t disk, partition = 0;

    return take_letters(&text, &disk) &&
           (*text == '\0' || (*text != '0' && take_decimal(&text, 255, &partition))) && *text == '\0' &&
           encode(disk, partition, number);
}

/* The text behind "d": 5 or 5p1. */
static bool numbered(const char *text, uint32_t *number)
{
    uint32_t disk, partition = 0;

    return take_decimal(&text, EXTENDED_DISKS - 1, &disk) &&
           (*text != 'p' || (text++, take_decimal(&text, 255, &partition))) && *text == '\0' &&
           xvd_number(disk, partition, number);
}

int config_vdev_number(const char *vdev, uint32_t *number)
{
    bool ok;

    if (strncmp(vdev, "xvd", 3) == 0) {
        ok = lettered(vdev + 3, xvd_number, number);
    } else if (strncmp(vdev, "sd", 2) == 0) {
        ok = lettered(vdev + 2, sd_number, number);
    } else if (strncmp(vdev, "hd", 2) == 0) {
        ok = lettered(vdev + 2, hd_number, number);
    } else if (*vdev == 'd') {
        ok = numbered(vdev + 1, number);
    } else {
        char *end;
        unsigned long value = *vdev >= '0' && *vdev <= '9' ? strtoul(vdev, &end, 0) : 0;

        ok = value && *end == '\0' && value < 2ul * EXTENDED;
        *number = (uint32_t)value;
    }
    return ok ? 0 : -EINVAL;
}
