/* SPDX-License-Identifier: BSD-2-Clause */
/* The console log on a file system in memory that can be made to fail at any step. */
#include "dom0/console/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_MAX (1u << 16)

/* Two files: [0] is PATH, [1] is PATH.1. */
struct disk {
    char bytes[2][FILE_MAX];
    size_t size[2];
    size_t room;                /* bytes that still fit */
    int open_error, rename_error;
    int opens, closes;
    size_t piece;               /* longest single write; 0: any */
};

static int disk_open(void *ctx, const char *path, uint64_t *size)
{
    struct disk *disk = ctx;

    if (disk->open_error)
        return -disk->open_error;
    assert_string_equal(path, "dir/x.log");
    *size = disk->size[0];
    disk->opens++;
    return 5;
}

static ssize_t disk_write(void *ctx, int fd, const char *buf, size_t n)
{
    struct disk *disk = ctx;

    assert_int_equal(fd, 5);
    if (disk->piece && n > disk->piece)
        n = disk->piece;
    if (disk->room == 0)
        return -ENOSPC;
    if (n > disk->room)
        n = disk->room;
    assert_true(disk->size[0] + n <= FILE_MAX);
    memcpy(disk->bytes[0] + disk->size[0], buf, n);
    disk->size[0] += n;
    disk->room -= n;
    return (ssize_t)n;
}

static int disk_rename(void *ctx, const char *from, const char *to)
{
    struct disk *disk = ctx;

    assert_string_equal(from, "dir/x.log");
    assert_string_equal(to, "dir/x.log.1");
    if (disk->rename_error)
        return -disk->rename_error;
    disk->room += disk->size[1];
    memcpy(disk->bytes[1], disk->bytes[0], disk->size[0]);
    disk->size[1] = disk->size[0];
    disk->size[0] = 0;
    return 0;
}

static void disk_close(void *ctx, int fd)
{
    ((struct disk *)ctx)->closes++;
}

static const struct log_ops disk_ops = { disk_open, disk_write, disk_rename, disk_close };

static struct disk *disk_new(void)
{
    struct disk *disk = calloc(1, sizeof(*disk));

    assert_non_null(disk);
    disk->room = SIZE_MAX / 2;
    return disk;
}

static void disk_free(struct disk *disk, struct log *log)
{
    log_free(log);
    assert_int_equal(disk->opens, disk->closes);
    free(disk);
}

static void test_every_byte_in_order_over_rotation(void **state)
{
    struct disk *disk = disk_new();
    struct log log;
    char text[8192];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i % 251);
    disk->piece = 100;                          /* short writes too */
    assert_int_equal(log_open(&log, "dir/x.log", 8192, &disk_ops, disk), 0);
    for (size_t i = 0; i < 7000; i += 700)
        assert_int_equal(log_write(&log, text + i, 700), 0);
    assert_int_equal(disk->size[1], 4096);
    assert_int_equal(disk->size[0], 7000 - 4096);
    assert_memory_equal(disk->bytes[1], text, 4096);
    assert_memory_equal(disk->bytes[0], text + 4096, 7000 - 4096);
    disk_free(disk, &log);
}

static void test_cap_is_never_passed(void **state)
{
    struct disk *disk = disk_new();
    struct log log;
    char text[5000] = "x";

    assert_int_equal(log_open(&log, "dir/x.log", 4096, &disk_ops, disk), 0);
    for (size_t n = 1; n < sizeof(text); n += 37) {
        log_write(&log, text, n);
        assert_true(disk->size[0] + disk->size[1] <= 4096);
    }
    assert_int_equal(log.lost, 0);
    disk_free(disk, &log);
}

static void test_old_log_is_continued(void **state)
{
    struct disk *disk = disk_new();
    struct log log;

    memcpy(disk->bytes[0], "old", 3);
    disk->size[0] = 3;
    assert_int_equal(log_open(&log, "dir/x.log", 4096, &disk_ops, disk), 0);
    log_write(&log, "new", 3);
    assert_memory_equal(disk->bytes[0], "oldnew", 6);
    disk_free(disk, &log);
}

static void test_full_disk_is_reported_once_and_survived(void **state)
{
    struct disk *disk = disk_new();
    struct log log;

    assert_int_equal(log_open(&log, "dir/x.log", 65536, &disk_ops, disk), 0);
    disk->room = 4;
    assert_int_equal(log_write(&log, "abcdef", 6), 1);
    assert_int_equal(log.error, ENOSPC);
    for (int i = 0; i < 10; i++)
        assert_int_equal(log_write(&log, "lost", 4), 0);
    assert_int_equal(log.lost, 42);
    disk->room = 10000;
    assert_int_equal(log_write(&log, "again", 5), 1);
    assert_int_equal(log.error, 0);
    assert_int_equal(log.lost, 42);
    disk->bytes[0][disk->size[0]] = 0;
    assert_string_equal(disk->bytes[0],
                        "abcd\n[hauch-console: 42 bytes missing here: No space left on device]\nagain");
    disk_free(disk, &log);
}

static void test_other_failures_are_survived(void **state)
{
    struct disk *disk = disk_new();
    char text[3000] = "y";
    struct log log;

    disk->open_error = EACCES;
    assert_int_equal(log_open(&log, "dir/x.log", 4096, &disk_ops, disk), 0);
    assert_int_equal(log.error, EACCES);
    assert_int_equal(log_write(&log, text, 100), 0);
    disk->open_error = 0;
    assert_int_equal(log_write(&log, text, 100), 1);
    disk->rename_error = EROFS;
    assert_int_equal(log_write(&log, text, 3000), 1);
    assert_int_equal(log.error, EROFS);
    assert_int_equal(disk->size[0], 2048);
    disk->rename_error = 0;
    disk->open_error = EMFILE;                  /* renamed, and then the new one cannot be opened */
    log_write(&log, text, 10);
    assert_int_equal(log.error, EMFILE);
    disk->open_error = 0;
    assert_int_equal(log_write(&log, text, 10), 1);
    assert_int_equal(log.error, 0);
    assert_int_equal(log.missing, 0);
    disk_free(disk, &log);
}

static void test_file_deleted_by_somebody(void **state)
{
    struct disk *disk = disk_new();
    char text[4096] = "z";
    struct log log;

    assert_int_equal(log_open(&log, "dir/x.log", 8192, &disk_ops, disk), 0);
    log_write(&log, text, 4096);
    disk->rename_error = ENOENT;
    disk->size[0] = 0;
    assert_int_equal(log_write(&log, text, 10), 0);
    assert_int_equal(log.lost, 0);
    assert_int_equal(disk->size[0], 10);
    disk_free(disk, &log);
}

static void test_file_names(void **state)
{
    static const char *const rows[][2] = {
        { "web", "web.log" },           { "a/b", "a%2Fb.log" },      { "..", "%2E..log" },
        { "a%2Fb", "a%252Fb.log" },     { "\xc3\xa4", "%C3%A4.log" }, { "v-1_2.x+", "v-1_2.x+.log" },
    };
    char out[3 * LOG_NAME_MAX + sizeof(".log")], longest[LOG_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(log_file_name(rows[i][0], out, sizeof(out)), 0);
        assert_string_equal(out, rows[i][1]);
    }
    memset(longest, '/', sizeof(longest));
    longest[LOG_NAME_MAX + 1] = 0;
    assert_int_equal(log_file_name(longest, out, sizeof(out)), -EINVAL);
    longest[LOG_NAME_MAX] = 0;
    assert_int_equal(log_file_name(longest, out, sizeof(out)), -ENAMETOOLONG);
    longest[83] = 0;
    assert_int_equal(log_file_name(longest, out, sizeof(out)), 0);
    assert_int_equal(strlen(out), 3 * 83 + 4);
    memset(longest, 'n', LOG_NAME_MAX);
    assert_int_equal(log_file_name(longest, out, sizeof(out)), 0);
    assert_int_equal(log_file_name("", out, sizeof(out)), -EINVAL);
    assert_int_equal(log_file_name("abc", out, 8), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_in_order_over_rotation),
        cmocka_unit_test(test_cap_is_never_passed),
        cmocka_unit_test(test_old_log_is_continued),
        cmocka_unit_test(test_full_disk_is_reported_once_and_survived),
        cmocka_unit_test(test_other_failures_are_survived),
        cmocka_unit_test(test_file_deleted_by_somebody),
        cmocka_unit_test(test_file_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
