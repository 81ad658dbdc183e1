/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_files_test.c - whole configuration files, each with what the reader has to make of it.
 *
 * tests/data/config/NN-name.cfg stands beside NN-name.json with three members: "written", the keys and values
 * as they stand in the file (null after a mistake of syntax); "means", the domain (null if the file is
 * refused); and "messages", every warning and error with its place. Together the files use every key of
 * config_keys.def, every parameter of a disk and every parameter of a network card.
 *
 * `config_files_test --write` makes the JSON files anew, to be read in the diff before they are committed.
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "lib/config_internal.h"

#define FILES "tests/data/config/"
#define JSON_STYLE (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

static glob_t files;

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, CONFIG_FILE_MAX);

    assert_non_null(text);
    if (!file) {
        fail_msg("%s: %s: run the test from the top of the tree", path, strerror(errno));
    }
    assert_true(fread(text, 1, CONFIG_FILE_MAX - 1, file) < CONFIG_FILE_MAX - 1);
    fclose(file);
    return text;
}

/* "means" of a document, and the messages beside it. */
static struct json_object *meaning(const struct config_doc *doc, struct config_log *log)
{
    struct domain_config config;
    struct json_object *json = NULL;

    if (doc && domain_config_read(doc, &config, log) == 0) {
        json = domain_config_json(&config);
        domain_config_free(&config);
    }
    return json;
}

static struct json_object *outcome(const char *path)
{
    struct json_object *out = json_object_new_object(), *list = json_object_new_array();
    const char *name = strrchr(path, '/') + 1;
    char *text = read_file(path);
    struct config_log log = { 0 };
    struct config_doc *doc;
    int rc = config_parse(name, text, strlen(text), &doc, &log);

    json_object_object_add(out, "written", rc ? NULL : config_doc_json(doc));
    json_object_object_add(out, "means", meaning(doc, &log));
    for (size_t i = 0; i < log.count; i++) {
        json_object_array_add(list, json_object_new_string(log.notes[i].text));
    }
    json_object_object_add(out, "messages", list);
    config_doc_free(doc);
    config_log_free(&log);
    free(text);
    return out;
}

/* NN-name.cfg -> NN-name.json, in a static buffer. */
static const char *json_path(const char *path)
{
    static char out[256];

    snprintf(out, sizeof(out), "%.*s.json", (int)(strlen(path) - 4), path);
    return out;
}

static void each_file_means_what_stands_beside_it(void **state)
{
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct json_object *found = outcome(files.gl_pathv[i]);
        char *expected = read_file(json_path(files.gl_pathv[i])), got[65536];

        snprintf(got, sizeof(got), "%s\n", json_object_to_json_string_ext(found, JSON_STYLE));
        if (strcmp(got, expected)) {
            fail_msg("%s:\n%s\nis not what %s has", files.gl_pathv[i], got, json_path(files.gl_pathv[i]));
        }
        free(expected);
        json_object_put(found);
    }
    assert_true(files.gl_pathc >= 40);
}

/* Every message has a place behind the file's name, unless something is missing, and ends in a remedy. */
static void each_message_has_a_place_and_a_remedy(void **state)
{
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct json_object *found = outcome(files.gl_pathv[i]), *list = NULL;

        assert_true(json_object_object_get_ex(found, "messages", &list));
        for (size_t m = 0; m < json_object_array_length(list); m++) {
            const char *text = json_object_get_string(json_object_array_get_idx(list, m));
            const char *behind = strstr(text, ".cfg:");
            unsigned int line, column;

            assert_non_null(behind);
            if (sscanf(behind, ".cfg:%u:%u:", &line, &column) != 2 && !strstr(text, " is missing: ")) {
                fail_msg("no place in: %s", text);
            }
            behind = strstr(behind, ": warning: ") ? strstr(behind, ": warning: ") + 11
                                                   : strstr(behind, ": error: ") + 9;
            if (!strchr(behind, ':')) {
                fail_msg("no remedy in: %s", text);
            }
        }
        json_object_put(found);
    }
}

/* Is the key set in any file? */
static bool key_is_used(const char *key)
{
    bool used = false;

    for (size_t i = 0; i < files.gl_pathc && !used; i++) {
        char *text = read_file(files.gl_pathv[i]);
        struct config_log log = { 0 };
        struct config_doc *doc;

        config_parse("t", text, strlen(text), &doc, &log);
        used = doc && config_find(doc, key);
        config_doc_free(doc);
        config_log_free(&log);
        free(text);
    }
    return used;
}

static void every_key_stands_in_a_file(void **state)
{
    static const char *const keys[] = {
#define USED(key)         #key,
#define IDLE(key, why)    #key,
#define REFUSED(key, why) #key,
#define HVM(key)          #key,
#include "lib/config_keys.def"
#undef USED
#undef IDLE
#undef REFUSED
#undef HVM
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!key_is_used(keys[i])) {
            fail_msg("key %s stands in no file below " FILES ": add it to one", keys[i]);
        }
    }
}

/* Does a string of the list `key` in any file hold `word` as a parameter? */
static bool spec_is_used(const char *key, const char *word)
{
    bool used = false;

    for (size_t i = 0; i < files.gl_pathc && !used; i++) {
        char *text = read_file(files.gl_pathv[i]);
        struct config_log log = { 0 };
        struct config_doc *doc;
        const struct config_value *list;

        config_parse("t", text, strlen(text), &doc, &log);
        list = doc ? config_find(doc, key) : NULL;
        for (size_t n = 0; list && n < list->count && !used; n++) {
            used = list->items[n].kind == CONFIG_STRING && strstr(list->items[n].text, word);
        }
        config_doc_free(doc);
        config_log_free(&log);
        free(text);
    }
    return used;
}

static void every_parameter_of_devices_stands_in_a_file(void **state)
{
    static const char *const disk[] = {
        "target=", "format=raw", "format=qcow", "qcow2", "vhd", "qed", "vdev=", "access=rw", "access=ro",
        ",rw", ",ro", ",r", ",w", "devtype=cdrom", ",cdrom", ":cdrom", "backend=", "backendtype=phy",
        "backendtype=qdisk", "backendtype=standalone", "script=", "direct-io-safe", ",discard", "no-discard",
        ",trusted", "untrusted", "specification=xen", "specification=virtio", "colo", "colo-host=",
        "colo-port=", "colo-export=", "active-disk=", "hidden-disk=", "phy:", "file:", "raw:", "tap:aio:",
        "nbd:", "qcow2:", "hda", "sda", "xvd", "d1", ",5195",
    };
    static const char *const vif[] = {
        "mac=", "bridge=", "gatewaydev=", "netdev=", "type=vif", "type=ioemu", "model=", "vifname=",
        "script=", "ip=", "backend=", "rate=", "@20ms", "devid=", "mtu=", "trusted", "untrusted",
    };

    for (size_t i = 0; i < sizeof(disk) / sizeof(disk[0]); i++) {
        if (!spec_is_used("disk", disk[i])) {
            fail_msg("%s stands in no disk below " FILES, disk[i]);
        }
    }
    for (size_t i = 0; i < sizeof(vif) / sizeof(vif[0]); i++) {
        if (!spec_is_used("vif", vif[i])) {
            fail_msg("%s stands in no vif below " FILES, vif[i]);
        }
    }
}

static int write_all(void)
{
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct json_object *json = outcome(files.gl_pathv[i]);
        FILE *file = fopen(json_path(files.gl_pathv[i]), "w");

        if (!file) {
            return 1;
        }
        fprintf(file, "%s\n", json_object_to_json_string_ext(json, JSON_STYLE));
        fclose(file);
        json_object_put(json);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_means_what_stands_beside_it),
        cmocka_unit_test(each_message_has_a_place_and_a_remedy),
        cmocka_unit_test(every_key_stands_in_a_file),
        cmocka_unit_test(every_parameter_of_devices_stands_in_a_file),
    };
    int rc;

    if (glob(FILES "*.cfg", 0, NULL, &files)) {
        fprintf(stderr, "no " FILES "*.cfg: run the test from the top of the tree\n");
        return 1;
    }
    rc = argc > 1 && strcmp(argv[1], "--write") == 0 ? write_all()
                                                     : cmocka_run_group_tests(tests, NULL, NULL);
    globfree(&files);
    return rc;
}
