/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_test.c - the configuration reader: documents, overrides, domains, the table of keys, JSON.
 *
 * Most cases are a snippet and the exact messages it must give; in snippets that concern one key the rest of
 * a good configuration is added behind it (BASE), so that places still count from the snippet's begin.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include <hv/limits.h>

#include "lib/config_internal.h"

/* What the reader lets through the hypervisor takes. */
_Static_assert(CONFIG_VCPUS_MAX == MAX_VCPUS, "vCPUs of a domain");
_Static_assert(CONFIG_EVTCHN_MAX == MAX_PORTS - 1, "highest event channel");

#define BASE "\nname = 'web'\nkernel = '/boot/vmlinuz'\nmemory = 64\n"

/* All messages, joined by newlines. */
static const char *messages(const struct config_log *log)
{
    static char text[16384];

    text[0] = '\0';
    for (size_t i = 0; i < log->count; i++) {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s%s", i ? "\n" : "", log->notes[i].text);
    }
    return text;
}

/* ---- documents ----------------------------------------------------------------------------------------- */

static struct config_doc *parse(const char *text, int expect, struct config_log *log)
{
    struct config_doc *doc;
    char *copy = malloc(strlen(text) + 1);    /* without the final 0: a read beyond is seen */
    int rc;

    memcpy(copy, text, strlen(text));
    copy = realloc(copy, strlen(text) + (strlen(text) == 0));
    rc = config_parse("t", copy, strlen(text), &doc, log);
    free(copy);
    if (rc != expect) {
        fail_msg("%s\ngives %d, not %d: %s", text, rc, expect, messages(log));
    }
    assert_true((doc != NULL) == (expect == 0));
    return doc;
}

/* What a document is, as JSON without blanks. */
static const struct {
    const char *text, *json;
} good_docs[] = {
    { "", "{}" },
    { "\n\n # only a comment\n;;\n", "{}" },
    { "a=1", "{\"a\":1}" },
    { "a = 0x10 ; b = 010 # octal\nc = -3", "{\"a\":16,\"b\":8,\"c\":-3}" },
    { "a = 'single \"x\"'; b = \"double 'y'\"", "{\"a\":\"single \\\"x\\\"\",\"b\":\"double 'y'\"}" },
    { "a = 'x # no comment; no end'", "{\"a\":\"x # no comment; no end\"}" },
    { "a = \"\\x41\\102\\n\\\\\\\"\"", "{\"a\":\"AB\\n\\\\\\\"\"}" },
    { "a = [ ]", "{\"a\":[]}" },
    { "a = [ 1, 'b', [ 2, [ 'c' ] ], ]", "{\"a\":[1,\"b\",[2,[\"c\"]]]}" },
    { "a = [\n  'x', # first\n\n  'y'\n]\nb = 1", "{\"a\":[\"x\",\"y\"],\"b\":1}" },
    { "a = 1\r\nb = 2\r\n", "{\"a\":1,\"b\":2}" },
    { "a = 'x'\na += 'y'", "{\"a\":\"xy\"}" },
    { "a = [1]\na += [2, 3]\na += []", "{\"a\":[1,2,3]}" },
    { "a += [2]", "{\"a\":[2]}" },
};

static void documents_are_read(void **state)
{
    for (size_t i = 0; i < sizeof(good_docs) / sizeof(good_docs[0]); i++) {
        struct config_log log = { 0 };
        struct config_doc *doc = parse(good_docs[i].text, 0, &log);
        struct json_object *json = config_doc_json(doc);

        assert_string_equal(
            json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
            good_docs[i].json);
        assert_string_equal(messages(&log), "");
        json_object_put(json);
        config_doc_free(doc);
        config_log_free(&log);
    }
}

static const struct {
    const char *text, *messages;
} bad_docs[] = {
    { "a", "t:1:2: error: unexpected the end of the file: write = behind a key" },
    { "a =\nb = 1",
      "t:1:4: error: unexpected the end of the line: write a string in quotes, a number or a list in [ ] "
      "here" },
    { "a =", "t:1:4: error: unexpected the end of the file: write a value behind =" },
    { "a b = 1", "t:1:3: error: unexpected b: write = behind a key" },
    { "type = pv", "t:1:8: error: unexpected pv: put strings into quotes, and write 1 or 0 for yes or no" },
    { "a = 1 2", "t:1:7: error: unexpected a number: end the statement with a new line or ;" },
    { "= 1", "t:1:1: error: unexpected \"=\": a statement is KEY = VALUE" },
    { "a = 'x\nb = 1", "t:1:5: error: string is not closed on its line: add '" },
    { "a = 'x\\q'", "t:1:7: error: unknown escape after \\: write \\\\ for a backslash" },
    { "a = '\\x00'", "t:1:6: error: unknown escape after \\: write \\\\ for a backslash" },
    { "a = 12g",
      "t:1:5: error: \"12g\" is no number: write decimal digits, 0x and hexadecimal digits, or put a "
      "string into quotes" },
    { "a = 99999999999999999999",
      "t:1:5: error: number 99999999999999999999 does not fit into 64 bits: write a smaller one" },
    { "a = [ 1 2 ]\nb = 1",
      "t:1:9: error: unexpected a number: write , between the elements of a list and ] at its end" },
    { "a = [ 1,\n'x'", "t:1:5: error: list is not closed: add ]" },
    { "a = [ 1,", "t:1:9: error: list is not closed: add ]" },
    { "a = [[[[[[[[[1]]]]]]]]]", "t:1:13: error: lists are nested deeper than 8: flatten them" },
    { "a = /boot/vmlinuz", "t:1:5: error: unexpected character /: put strings into quotes" },
    { "\x01\x02" "a = 1", "t:1:1: error: unexpected byte 0x01: a configuration is plain text" },
    { "a = 1\na += 2", "t:2:6: error: a += needs a string, as it has at t:1: use = to replace it" },
    { "a = [1]\na += 'x'", "t:2:6: error: a += needs a list, as it has at t:1: use = to replace it" },
    /* Several mistakes, all of them reported. */
    { "a = \nb = c\n  d = [ 1 2\n, 3 ]\ne",
      "t:1:5: error: unexpected the end of the line: write a string in quotes, a number or a list in [ ] "
      "here\nt:2:5: error: unexpected c: put strings into quotes, and write 1 or 0 for yes or no\nt:3:11: "
      "error: unexpected a number: write , between the elements of a list and ] at its end\nt:5:2: error: "
      "unexpected the end of the file: write = behind a key" },
};

static void syntax_errors_are_placed(void **state)
{
    for (size_t i = 0; i < sizeof(bad_docs) / sizeof(bad_docs[0]); i++) {
        struct config_log log = { 0 };

        parse(bad_docs[i].text, -EINVAL, &log);
        assert_string_equal(messages(&log), bad_docs[i].messages);
        config_log_free(&log);
    }
}

static void limits_are_kept(void **state)
{
    static char text[CONFIG_FILE_MAX + 2];
    struct config_log log = { 0 };
    struct config_doc *doc;
    size_t used = 0;

    memset(text, '\n', sizeof(text));
    assert_int_equal(config_parse("big", text, CONFIG_FILE_MAX + 1, &doc, &log), -E2BIG);
    assert_string_equal(messages(&log), "big: error: 1048577 bytes are over the limit of 1048576: this is no "
                                        "configuration");
    config_log_free(&log);

    for (int i = 0; i <= CONFIG_KEYS_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "k%d=1\n", i);
    }
    assert_int_equal(config_parse("keys", text, used, &doc, &log), -EINVAL);
    assert_string_equal(messages(&log), "keys:1025:1: error: more than 1024 keys: this is no configuration");
    config_log_free(&log);

    used = (size_t)snprintf(text, sizeof(text), "a=[");
    for (int i = 0; i < CONFIG_VALUES_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "1,");
    }
    used += (size_t)snprintf(text + used, sizeof(text) - used, "]");
    assert_int_equal(config_parse("values", text, used, &doc, &log), -EINVAL);
    assert_non_null(strstr(messages(&log),
        "values:1:32770: error: more than 16384 values: this is no configuration"));
    config_log_free(&log);

    memset(text, '=', 4000);
    for (int i = 0; i < 4000; i += 2) {
        text[i] = '\n';
    }
    assert_int_equal(config_parse("notes", text, 4000, &doc, &log), -EINVAL);
    assert_int_equal(log.count, CONFIG_NOTES_MAX);
    assert_int_equal(log.dropped, 2000 - CONFIG_NOTES_MAX);
    assert_int_equal(log.errors, 2000);
    config_log_free(&log);
}

/* ---- overrides ----------------------------------------------------------------------------------------- */

static const struct {
    const char *override, *json, *messages;
} overrides[] = {
    { "a=2", "{\"a\":2,\"s\":\"x\"}", "" },
    { "a = 0x20", "{\"a\":32,\"s\":\"x\"}", "" },
    { "s=hello, world=1", "{\"a\":1,\"s\":\"hello, world=1\"}", "" },
    { "s='quoted'", "{\"a\":1,\"s\":\"quoted\"}", "" },
    { "s=12ab", "{\"a\":1,\"s\":\"12ab\"}", "" },
    { "s=", "{\"a\":1,\"s\":\"\"}", "" },
    { "s+=y", "{\"a\":1,\"s\":\"xy\"}", "" },
    { "new=['x', 'y']", "{\"a\":1,\"s\":\"x\",\"new\":[\"x\",\"y\"]}", "" },
    { "=1", "{\"a\":1,\"s\":\"x\"}",
      "command line:1:1: error: \"=1\" is no KEY=VALUE: write for example memory=512" },
    { "s", "{\"a\":1,\"s\":\"x\"}",
      "command line:1:1: error: \"s\" is no KEY=VALUE: write for example memory=512" },
    { "s=['x'", "{\"a\":1,\"s\":\"x\"}", "command line:1:3: error: list is not closed: add ]" },
};

static void overrides_replace(void **state)
{
    for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
        struct config_log log = { 0 };
        struct config_doc *doc = parse("a=1;s='x'", 0, &log);
        int rc = config_override(doc, overrides[i].override, &log);
        struct json_object *json = config_doc_json(doc);

        assert_int_equal(rc, overrides[i].messages[0] ? -EINVAL : 0);
        assert_string_equal(messages(&log), overrides[i].messages);
        assert_string_equal(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN), overrides[i].json);
        json_object_put(json);
        config_doc_free(doc);
        config_log_free(&log);
    }
}

/* ---- domains ------------------------------------------------------------------------------------------- */

static int read_domain(const char *text, struct domain_config *config, struct config_log *log)
{
    struct config_doc *doc = parse(text, 0, log);
    int rc = domain_config_read(doc, config, log);

    config_doc_free(doc);
    return rc;
}

static void a_whole_domain(void **state)
{
    static const char text[] =
        "name = \"web\"\nuuid = \"01234567-89ab-cdef-0123-456789abcdef\"\ntype = \"pv\"\n"
        "kernel = \"/boot/vmlinuz\"\nramdisk = \"/boot/initrd\"\nroot = \"/dev/xvda1 ro\"\n"
        "extra = \"console=hvc0\"\n"
        "vcpus = 2\nmaxvcpus = 4\ncpus = [ \"0-2,^1\", \"all\" ]\ncpu_weight = 512\ncap = 150\n"
        "memory = \"256\"\nmaxmem = 512\non_crash = 'preserve'\non_reboot = 'rename-restart'\n"
        "on_poweroff = 'coredump-destroy'\nmax_event_channels = 4095\nmax_grant_frames = 64\n"
        "tsc_mode = 'native'\nnomigrate = 1\n"
        "disk = [ '/dev/vg/web,,xvda,rw', 'file:/srv/data.img,xvdb1,r' ]\n"
        "vif = [ 'mac=00:16:3e:01:02:03,bridge=br0,vifname=web0', '' ]\n";
    struct config_log log = { 0 };
    struct domain_config c;

    assert_int_equal(read_domain(text, &c, &log), 0);
    assert_string_equal(messages(&log), "");
    assert_string_equal(c.name, "web");
    assert_true(c.uuid_given && c.uuid[0] == 0x01 && c.uuid[7] == 0xef && c.uuid[15] == 0xef);
    assert_string_equal(c.kernel, "/boot/vmlinuz");
    assert_string_equal(c.ramdisk, "/boot/initrd");
    assert_string_equal(c.cmdline, "root=/dev/xvda1 ro console=hvc0");
    assert_int_equal(c.vcpus, 2);
    assert_int_equal(c.max_vcpus, 4);
    assert_true(!c.cpus[0].all && c.cpus[0].bits[0] == 5);
    assert_true(c.cpus[1].all && c.cpus[3].all);
    assert_int_equal(c.cpu_weight, 512);
    assert_int_equal(c.cap, 150);
    assert_int_equal(c.memory_kib, 256 * 1024);
    assert_int_equal(c.max_memory_kib, 512 * 1024);
    assert_int_equal(c.on_crash, CONFIG_PRESERVE);
    assert_int_equal(c.on_reboot, CONFIG_RENAME_RESTART);
    assert_int_equal(c.on_poweroff, CONFIG_COREDUMP_DESTROY);
    assert_int_equal(c.on_watchdog, CONFIG_DESTROY);
    assert_int_equal(c.max_event_channels, 4095);
    assert_int_equal(c.max_grant_frames, 64);
    assert_int_equal(c.max_maptrack_frames, 1024);
    assert_int_equal(c.tsc_mode, CONFIG_TSC_NATIVE);
    assert_true(c.nomigrate && !c.driver_domain);
    assert_int_equal(c.disk_count, 2);
    assert_string_equal(c.disks[1].target, "/srv/data.img");
    assert_true(c.disks[1].readonly && c.disks[1].number == (202 << 8 | 1 << 4 | 1));
    assert_string_equal(c.disks[1].pos.source, "t");    /* outlives the document */
    assert_int_equal(c.disks[1].pos.line, 22);
    assert_int_equal(c.vif_count, 2);
    assert_string_equal(c.vifs[0].bridge, "br0");
    assert_true(c.vifs[0].bridge_given && !c.vifs[1].bridge_given);
    assert_string_equal(c.vifs[1].bridge, "xenbr0");
    domain_config_free(&c);
    config_log_free(&log);
}

static void defaults(void **state)
{
    struct config_log log = { 0 };
    struct domain_config c;

    assert_int_equal(read_domain("name='a'; kernel='/k'; maxmem=128", &c, &log), 0);
    assert_string_equal(messages(&log), "");
    assert_int_equal(c.memory_kib, 128 * 1024);
    assert_int_equal(c.vcpus, 1);
    assert_int_equal(c.max_vcpus, 1);
    assert_int_equal(c.on_poweroff, CONFIG_DESTROY);
    assert_int_equal(c.on_reboot, CONFIG_RESTART);
    assert_int_equal(c.on_crash, CONFIG_DESTROY);
    assert_string_equal(c.cmdline, "");
    assert_null(c.ramdisk);
    assert_null(c.cpus);
    assert_false(c.uuid_given);
    assert_int_equal(c.disk_count + c.vif_count, 0);
    domain_config_free(&c);
    config_log_free(&log);
}

/* A line that goes before BASE, and exactly what is said about it. An "error" in it means refusal. */
static const struct {
    const char *line, *messages;
} lines[] = {
    { "type = 'pvh'",
      "t:1:8: error: type \"pvh\" is not supported: write \"pv\" and a kernel with PV support" },
    { "type = 'hvm'",
      "t:1:8: error: type \"hvm\" is not supported: write \"pv\" and a kernel with PV support" },
    { "type = 'xen'", "t:1:8: error: unknown type \"xen\": write \"pv\"" },
    { "builder = 'hvm'",
      "t:1:11: error: builder \"hvm\" is not supported: write type = \"pv\" and a kernel with PV support" },
    { "builder = 'generic'", "" },
    { "uuid = '1234'",
      "t:1:8: error: uuid \"1234\" is none: write 8-4-4-4-12 hexadecimal digits, or leave it out for a "
      "new one" },
    { "uuid = '0123456789abcdef0123456789abcdef'", "" },
    { "cpus = [ ['0'] ]", "t:1:10: error: cpus: element 1 is a list: write a string like \"0-3\"" },
    { "vcpus = 0", "t:1:9: error: vcpus: 0 is out of range: write a number from 1 to 64" },
    { "vcpus = -1", "t:1:9: error: vcpus: -1 is out of range: write a number from 1 to 64" },
    { "vcpus = 'two'", "t:1:9: error: vcpus: \"two\" is no number: write a number from 1 to 64" },
    { "vcpus = [ 1 ]", "t:1:9: error: vcpus is a list: write a number" },
    { "vcpus = 4; maxvcpus = 2",
      "t:1:23: error: maxvcpus of 2 is less than vcpus of 4: raise it or leave it out" },
    { "maxmem = 32",
      "t:1:10: error: maxmem of 32 MiB is less than memory of 64 MiB: raise it or leave it out" },
    { "maxmem = 99999999999",
      "t:1:10: error: maxmem: 99999999999 is out of range: write a number from 1 to 16777216" },
    { "cpus = '0-x'", "t:1:9: error: cpus: \"0-x\" is no range of CPUs: write for example 0-3" },
    { "cpus = '0, foo'",
      "t:1:12: error: cpus: \"foo\" is no CPU: write a list like \"0-3,5,^1\" or \"all\"" },
    { "cpus = '3-1'", "t:1:9: error: cpus: CPUs 3-1: write the lower one first, and none above 1023" },
    { "cpus = '0-99999999999999999999'",
      "t:1:9: error: cpus: CPUs 0-18446744073709551615: write the lower one first, and none above 1023" },
    { "cpus = 'nodes:0'", "t:1:9: error: cpus: \"nodes:0\": NUMA nodes are not supported: name the CPUs" },
    { "cpus = '1,^1'", "t:1:8: error: cpus: \"1,^1\" leaves no CPU: name at least one" },
    { "cpus = ['0', '1']", "t:1:8: error: cpus has 2 elements for 1 vCPUs: leave some out" },
    { "cpus = 'all,^3'", "" },
    { "cap = 101", "t:1:7: error: cap: 101 is out of range: write a number from 0 to 100" },
    { "cpu_weight = 65536",
      "t:1:14: error: cpu_weight: 65536 is out of range: write a number from 1 to 65535" },
    { "on_crash = 'explode'", "t:1:12: error: on_crash: unknown action \"explode\": write destroy, restart, "
                              "rename-restart, preserve, coredump-destroy or coredump-restart" },
    { "on_crash = 'soft-reset'",
      "t:1:12: error: on_crash: unknown action \"soft-reset\": write destroy, restart, rename-restart, "
      "preserve, coredump-destroy or coredump-restart" },
    { "tsc_mode = 'native_paravirt'",
      "t:1:12: error: tsc_mode \"native_paravirt\" is not supported, the guest reads the "
      "processor's own counter: write \"default\" or \"native\"" },
    { "tsc_mode = 2", "" },
    { "cmdline = 'a'; extra = 'b'",
      "t:1:24: warning: extra is ignored because cmdline is set: remove one of them" },
    { "max_grant_version = 2", "t:1:21: warning: max_grant_version 2 is not supported: the domain gets 1" },
    { "max_event_channels = 200000",
      "t:1:22: error: max_event_channels: 200000 is out of range: write a number from 1 to 131071" },
    { "vcpu = 2", "t:1:1: warning: unknown key vcpu is ignored: did you mean vcpus?" },
    { "  memroy = 2", "t:1:3: warning: unknown key memroy is ignored: did you mean memory?" },
    { "frobnicate = 2", "t:1:1: warning: unknown key frobnicate is ignored: see xl.cfg(5)" },
    { "pae = 1", "t:1:1: warning: pae is for HVM or PVH domains and has no effect on this PV "
               "one: remove it" },
    { "pae = 0", "" },
    { "pci = [ ]", "" },
    { "pci = [ '01:00.0' ]",
      "t:1:1: error: pci is not supported yet: PCI devices stay with dom0, remove it" },
    { "bootloader = 'pygrub'",
      "t:1:1: error: bootloader is not supported: write kernel=/usr/lib/grub-xen/grub-x86_64-xen.bin "
      "(package "
      "grub-xen-host), which boots what the guest's own grub.cfg says" },
    { "localtime = 1",
      "t:1:1: warning: localtime has no effect: the guest's clock runs in UTC, set the time zone in the "
      "guest" },
    { "vcpus = 1; vcpus = 2", "t:1:12: warning: vcpus was set at line 1 already: this value replaces it" },
    { "disk = '/dev/a,,xvda'", "t:1:8: error: disk is no list: write disk = [ '...' ]" },
    { "disk = [ 5 ]", "t:1:10: error: disk: element 1 is no string: put it into quotes" },
    { "disk = [ '/dev/a,,xvda',\n '/dev/b,,d0' ]",
      "t:2:2: error: disk: d0 is the same virtual device as xvda at line 1: choose another" },
    { "disk = [ '/dev/a,,xvda,ro', '/dev/a,,xvdb' ]",
      "t:1:29: error: disk: /dev/a is at line 1 already, and not both are read-only: two writers destroy "
      "it" },
    { "disk = [ '/dev/a,,xvda,ro', '/dev/a,,xvdb,ro' ]", "" },
    { "vif = [ 'mac=00:16:3e:00:00:01', 'mac=00:16:3e:00:00:01' ]",
      "t:1:34: error: vif: MAC address 00:16:3e:00:00:01 is taken by the vif at line 1: choose another" },
    { "vif = [ 'devid=1', '' ]",
      "t:1:20: error: vif: devid 1 is taken by the vif at line 1: choose another" },
    { "vif = [ 'vifname=a', 'vifname=a' ]",
      "t:1:22: error: vif: vifname a is taken by the vif at line 1: choose another" },
};

static void every_mistake_has_its_words(void **state)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct config_log log = { 0 };
        struct domain_config c;
        char text[512];
        int rc;

        snprintf(text, sizeof(text), "%s" BASE, lines[i].line);
        rc = read_domain(text, &c, &log);
        assert_string_equal(messages(&log), lines[i].messages);
        assert_int_equal(rc, strstr(lines[i].messages, "error:") ? -EINVAL : 0);
        domain_config_free(&c);
        config_log_free(&log);
    }
}

static const struct {
    const char *text, *messages;
} wholes[] = {
    { "", "t: error: name is missing: add name = \"...\"\nt: error: kernel is missing: add kernel = "
          "\"/path/of/vmlinuz\"\nt: warning: memory is missing: the domain gets 32 MiB" },
    { "name = '7'; kernel='/k'; memory=1",
      "t:1:8: error: name \"7\" has only digits, like a domain's number: choose letters, digits, "
      "_, -, + and ." },
    { "name = 'a/b'; kernel='/k'; memory=1",
      "t:1:8: error: name \"a/b\" contains another character: choose letters, digits, _, -, + "
      "and ." },
    { "name = 'a\\x1b[2J'; kernel='/k'; memory=1",
      "t:1:8: error: name \"a?[2J\" contains another character: choose letters, digits, _, -, + "
      "and ." },
    { "name = 'Domain-0'; kernel='/k'; memory=1",
      "t:1:8: error: name \"Domain-0\" belongs to domain 0: choose letters, digits, _, -, + and ." },
    { "name = '-a'; kernel='/k'; memory=1",
      "t:1:8: error: name \"-a\" begins with - or .: choose letters, digits, _, -, + and ." },
    { "name = 'a'; kernel=''; memory=1",
      "t:1:20: error: kernel is missing: add kernel = \"/path/of/vmlinuz\"" },
};

static void what_is_missing_is_named(void **state)
{
    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        struct config_log log = { 0 };
        struct domain_config c;

        assert_int_equal(read_domain(wholes[i].text, &c, &log), -EINVAL);
        assert_string_equal(messages(&log), wholes[i].messages);
        config_log_free(&log);
    }
}

static void long_values_are_refused(void **state)
{
    char text[3000], filler[1100];
    struct config_log log = { 0 };
    struct domain_config c;

    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    snprintf(text, sizeof(text), "extra='%.1024s'" BASE, filler);
    assert_int_equal(read_domain(text, &c, &log), -EINVAL);
    assert_string_equal(messages(&log), "t:1:7: error: kernel command line of 1024 bytes is over the limit "
                                        "of 1023: shorten it");
    config_log_free(&log);
    snprintf(text, sizeof(text), "extra='%.1023s'" BASE, filler);
    assert_int_equal(read_domain(text, &c, &log), 0);
    assert_int_equal(strlen(c.cmdline), 1023);
    domain_config_free(&c);
    snprintf(text, sizeof(text), "name='%.128s';kernel='/k';memory=1", filler);
    assert_int_equal(read_domain(text, &c, &log), -EINVAL);
    assert_non_null(strstr(messages(&log), "has more than 127 bytes"));
    config_log_free(&log);
    snprintf(text, sizeof(text), "disk=['%.600s']" BASE, filler);
    assert_int_equal(read_domain(text, &c, &log), -EINVAL);
    assert_non_null(strstr(messages(&log), "disk: parameter of 600 bytes is over the limit of 511: shorten "
                                           "it"));
    config_log_free(&log);
}

static void long_paths_and_lists_are_refused(void **state)
{
    static char text[8000];
    struct config_log log = { 0 };
    struct domain_config c;
    size_t at;

    memset(text, 'x', 4200);
    memcpy(text, "ramdisk=\"", 9);
    strcpy(text + 9 + 4096, "\"" BASE);
    assert_int_equal(read_domain(text, &c, &log), -EINVAL);
    assert_string_equal(messages(&log),
                        "t:1:9: error: ramdisk: path of 4096 bytes is over the limit of 4095: shorten it");
    config_log_free(&log);
    at = (size_t)sprintf(text, "vif=[");
    for (int i = 0; i <= CONFIG_VIFS_MAX; i++)
        at += (size_t)sprintf(text + at, "'',");
    strcpy(text + at, "]" BASE);
    assert_int_equal(read_domain(text, &c, &log), -EINVAL);
    assert_string_equal(messages(&log), "t:1:5: error: vif has 65 elements, more than 64: leave some out");
    config_log_free(&log);
}

/* ---- overrides and JSON -------------------------------------------------------------------------------- */

static void the_command_line_overrides_the_file(void **state)
{
    static const char text[] = "kernel = '/k'" BASE;
    static const char *const set[] = { "memory=128", "extra=console=hvc0 quiet", "vif=['bridge=br1']" };
    struct config_log log = { 0 };
    struct config_doc *doc;
    struct domain_config c;

    config_parse("t", text, sizeof(text) - 1, &doc, &log);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(config_override(doc, set[i], &log), 0);
    }
    assert_int_equal(domain_config_read(doc, &c, &log), 0);
    assert_string_equal(messages(&log),
                        "t:3:1: warning: kernel was set at line 1 already: this value replaces it");
    assert_int_equal(c.memory_kib, 128 * 1024);
    assert_string_equal(c.cmdline, "console=hvc0 quiet");
    assert_string_equal(c.vifs[0].bridge, "br1");
    assert_string_equal(c.vifs[0].pos.source, "command line");
    assert_int_equal(c.vifs[0].pos.line, 3);
    domain_config_free(&c);
    config_doc_free(doc);
    config_log_free(&log);
}

static void json_names_values_as_xl_does(void **state)
{
    static const char expect[] =
        "{\"c_info\":{\"type\":\"pv\",\"name\":\"web\",\"uuid\":\"01234567-89ab-cdef-0123-456789abcdef\","
        "\"driver_domain\":false},\"b_info\":{\"max_vcpus\":1,\"vcpus\":1,\"max_memkb\":65536,"
        "\"target_memkb\":65536,\"kernel\":\"/boot/vmlinuz\","
        "\"tsc_mode\":\"default\",\"event_channels\":1023,"
        "\"max_grant_frames\":32,"
        "\"max_maptrack_frames\":1024,\"weight\":0,\"cap\":0,\"disable_migrate\":false,"
        "\"vcpu_hard_affinity\":[[0,2]]},"
        "\"disks\":[{\"pdev_path\":\"/dev/a\",\"vdev\":\"xvda\",\"devid\":51712,"
        "\"format\":\"raw\",\"readwrite\":1,"
        "\"is_cdrom\":0,\"discard_enable\":true,\"direct_io_safe\":false,\"trusted\":true}],"
        "\"nics\":[{\"devid\":0,\"mac\":\"00:16:3e:01:02:03\",\"bridge\":\"xenbr0\",\"mtu\":1400,"
        "\"rate_bytes_per_interval\":62500,\"rate_interval_usecs\":50000,\"trusted\":false}],"
        "\"on_poweroff\":\"destroy\",\"on_reboot\":\"restart\",\"on_crash\":\"destroy\","
        "\"on_watchdog\":\"destroy\"}";
    struct config_log log = { 0 };
    struct json_object *json;
    struct domain_config c;

    assert_int_equal(read_domain("uuid='01234567-89AB-CDEF-0123-456789ABCDEF'; disk=['/dev/a,,xvda']; "
                                 "cpus='0,2'\n"
                                 "vif=['mac=00:16:3e:01:02:03,mtu=1400,rate=10Mb/s,untrusted']" BASE,
                                 &c, &log),
                     0);
    json = domain_config_json(&c);
    assert_string_equal(
        json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
        expect);
    json_object_put(json);
    domain_config_free(&c);
    config_log_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_read),
        cmocka_unit_test(syntax_errors_are_placed),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(overrides_replace),
        cmocka_unit_test(a_whole_domain),
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_mistake_has_its_words),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(long_values_are_refused),
        cmocka_unit_test(long_paths_and_lists_are_refused),
        cmocka_unit_test(the_command_line_overrides_the_file),
        cmocka_unit_test(json_names_values_as_xl_does),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
