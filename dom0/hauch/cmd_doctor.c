/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch doctor: is all there that a host needs, and is nothing in the way? */
#define _GNU_SOURCE
#include "dom0/hauch/doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/console_client.h"
#include "lib/xs_client.h"

static int doctor_run(int argc, char **argv);

const struct command cmd_doctor = {
    "doctor", "check what a host needs, and say what to do",
    "hauch doctor [--json]\n"
    "Changes nothing. The status is 1 if there is a problem; notes are none.\n",
    doctor_run,
};

static struct json_object *findings;
static bool                problems;

void doctor_tell(enum finding kind, const char *check, const char *remedy, const char *fmt, ...)
{
    static const char *const words[] = { "good", "note", "problem" };
    struct json_object      *o = json_object_new_object();
    char                     text[1024];
    va_list                  ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_object_object_add(o, "check", json_object_new_string(check));
    json_object_object_add(o, "finding", json_object_new_string(words[kind]));
    json_object_object_add(o, "text", json_object_new_string(text));
    request_text(o, "remedy", remedy);
    json_object_array_add(findings, o);
    problems |= kind == FIND_PROBLEM;
}

const char *doctor_path(const char *path)
{
    static char full[4096];
    const char *root = getenv("HAUCH_ROOT");

    snprintf(full, sizeof(full), "%s%s", root ? root : "", path);
    return full;
}

void doctor_line(const char *path, char *out, size_t size)
{
    FILE *in = fopen(doctor_path(path), "re");

    out[0] = 0;
    if (!in)
        return;
    if (!fgets(out, size, in))
        out[0] = 0;
    out[strcspn(out, "\n")] = 0;
    fclose(in);
}

bool doctor_exists(const char *path)
{
    return !access(doctor_path(path), F_OK);
}

/* ---- daemons ---- */
static void daemons(void)
{
    struct xs_client *xs;
    int               rc = xs_client_open(&xs, NULL), fd = console_connect(getenv("HAUCH_CONSOLE_SOCKET"));

    if (rc && doctor_listeners(XS_CLIENT_SOCKET))
        doctor_tell(FIND_PROBLEM, "daemons",
                    "systemctl restart hauch-store: it takes up all nodes and domains",
                    "the store runs, but %s is not its socket any more: another program replaced or "
                    "removed it",
                    XS_CLIENT_SOCKET);
    else if (rc)
        doctor_tell(FIND_PROBLEM, "daemons", "systemctl start hauch-store", "the store does not answer: %s",
                    strerror(-rc));
    else
        xs_client_close(xs);
    if (fd < 0)
        doctor_tell(
            FIND_PROBLEM, "daemons", "systemctl start hauch-console",
            "hauch-console does not answer: %s; domains run, but their consoles are neither shown nor logged",
            strerror(-fd));
    else
        close(fd);
    if (!rc && fd >= 0)
        doctor_tell(FIND_GOOD, "daemons", NULL, "store and hauch-console answer");
}

/* What hauchd says, or NULL after a finding. */
static struct json_object *asked(const char *op, const char *key)
{
    struct json_object *answer = NULL, *value;

    if (ask(request_new(op, NULL), &answer))
        return NULL;
    value = json_object_get(member(answer, key));
    json_object_put(answer);
    return value;
}

static void of_hauchd(void)
{
    struct json_object *host = asked("host", "host"), *domains = NULL;

    if (!host) {
        doctor_tell(FIND_PROBLEM, "hauchd", "systemctl start hauchd; its log says why if it ends again",
                    "hauchd does not answer: domains run, but none is made, restarted or cleaned up");
        return;
    }
    doctor_tell(FIND_GOOD, "hauchd", NULL, "hauchd answers; hypervisor %s, %lld domains of ours",
                text_in(host, "hypervisor"), number_in(host, "domains_managed"));
    doctor_memory(host);
    domains = asked("list", "domains");
    if (domains)
        doctor_domains(domains);
    json_object_put(domains);
    json_object_put(host);
}

static void show_findings(void)
{
    for (size_t i = 0; i < json_object_array_length(findings); i++) {
        struct json_object *o = json_object_array_get_idx(findings, i);

        printf("%-8s", text_in(o, "finding"));
        show_text(stdout, text_in(o, "text"));
        putchar('\n');
        if (member(o, "remedy")) {
            printf("%8sdo: ", "");
            show_text(stdout, text_in(o, "remedy"));
            putchar('\n');
        }
    }
}

static int doctor_run(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool                       json = false;
    int                        o;

    while ((o = next_option(&cmd_doctor, argc, argv, "hj", longs)) != -1)
        json |= o == 'j';
    need_words(&cmd_doctor, argc, 0, 0);
    findings = json_object_new_array();
    doctor_hypervisor();
    doctor_kernel();
    doctor_network();
    doctor_space();
    doctor_toolstacks();
    daemons();
    of_hauchd();
    doctor_loops();
    if (json)
        show_json(findings);
    else
        show_findings();
    json_object_put(findings);
    return problems ? EXIT_FAILED : EXIT_DONE;
}
