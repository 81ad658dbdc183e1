/* SPDX-License-Identifier: BSD-2-Clause */
/* hauch doctor, domains: other toolstacks on this host, and what nobody owns. See doctor.h. */
#define _GNU_SOURCE
#include "dom0/hauch/doctor.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xs_client.h"

/* ---- who else is here ---- */
unsigned doctor_listeners(const char *path)
{
    enum { LISTENS = 0x10000 };
    FILE    *in = fopen(doctor_path("/proc/net/unix"), "re");
    char     line[512], name[256];
    unsigned flags, count = 0;

    while (in && fgets(line, sizeof(line), in))
        count += sscanf(line, "%*s %*s %*s %x %*s %*s %*s %255s", &flags, name) == 2 && flags & LISTENS &&
                 !strcmp(name, path);
    if (in)
        fclose(in);
    return count;
}

static const char *const strangers[] = { "xenstored", "oxenstored", "xenconsoled" };

struct seen {
    bool ours[2];           /* hauch-store, hauch-console */
    bool strange[3];        /* as in strangers */
};

static void look_at_programs(struct seen *s)
{
    DIR           *dir = opendir(doctor_path("/proc"));
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char path[300], name[64];

        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
        doctor_line(path, name, sizeof(name));
        s->ours[0] |= !strcmp(name, "hauch-store");
        s->ours[1] |= !strcmp(name, "hauch-console");
        for (int i = 0; i < 3; i++)
            s->strange[i] |= !strcmp(name, strangers[i]);
    }
    if (dir)
        closedir(dir);
}

void doctor_toolstacks(void)
{
    struct seen s = { 0 };
    const char *other;

    look_at_programs(&s);
    other = s.strange[0] ? strangers[0] : strangers[1];
    if (s.ours[0] && (s.strange[0] || s.strange[1]))
        doctor_tell(FIND_PROBLEM, "toolstacks", "stop one of them: the store has one owner at a time",
                    "hauch-store and %s run both: a domain is known to one of them only", other);
    else if (s.strange[0] || s.strange[1])
        doctor_tell(FIND_NOTE, "toolstacks", NULL,
                    "the store is %s: hauchd works with it, hauch-store must not be started", other);
    else
        doctor_tell(FIND_GOOD, "toolstacks", NULL, "no other toolstack's daemons run");
    if (doctor_listeners(XS_CLIENT_SOCKET) > 1)
        doctor_tell(FIND_PROBLEM, "toolstacks",
                    "stop the store that was started last, then systemctl restart hauch-store: it takes up "
                    "all nodes and domains",
                    "two stores listen at %s: programs that connect now reach another one than all domains "
                    "use",
                    XS_CLIENT_SOCKET);
    if (s.ours[1] && s.strange[2])
        doctor_tell(FIND_PROBLEM, "toolstacks", "stop xenconsoled, or hauch-console",
                    "hauch-console and xenconsoled run both: each gets a part of what domains write");
}

/* ---- memory ---- */
void doctor_memory(struct json_object *host)
{
    enum { LITTLE_MIB = 64 };
    long long mib = (number_in(host, "free_kib") - number_in(host, "outstanding_kib")) / 1024;

    if (mib < LITTLE_MIB)
        doctor_tell(FIND_NOTE, "memory", "boot with a smaller dom0_mem=, or hauch mem-set 0 SIZE",
                    "%lld MiB are free for domains", mib);
    else
        doctor_tell(FIND_GOOD, "memory", NULL, "%lld MiB are free for domains", mib);
}

/* ---- what nobody owns ---- */
static struct json_object *by_id(struct json_object *domains, long long id)
{
    for (size_t i = 0; i < json_object_array_length(domains); i++)
        if (number_in(json_object_array_get_idx(domains, i), "domid") == id)
            return json_object_array_get_idx(domains, i);
    return NULL;
}

/* Numbers below a node of the store that no domain has. */
static unsigned stale_below(struct xs_client *xs, const char *folder, struct json_object *domains)
{
    char   **names = NULL, remedy[256];
    unsigned stale = 0;
    int      n = xs_client_exists(xs, 0, folder) > 0 ? xs_client_directory(xs, 0, folder, &names) : 0;

    for (int i = 0; i < n; i++) {
        if (by_id(domains, strtoll(names[i], NULL, 10)))
            continue;
        stale++;
        snprintf(remedy, sizeof(remedy), "hauch store rm %.100s/%.40s", folder, names[i]);
        doctor_tell(FIND_PROBLEM, "leaks", remedy, "%s/%s is in the store, and there is no such domain",
                    folder, names[i]);
    }
    free(names);
    return stale;
}

static unsigned foreign(struct json_object *domains)
{
    unsigned count = 0;

    for (size_t i = 0; i < json_object_array_length(domains); i++) {
        struct json_object *d = json_object_array_get_idx(domains, i);

        if (!number_in(d, "domid") || json_object_get_boolean(member(d, "managed")))
            continue;
        count++;
        if (strchr(text_in(d, "state"), 'd'))
            doctor_tell(FIND_PROBLEM, "leaks", "hauch dmesg; a back end that still maps its memory keeps it",
                        "domain %lld is dead, but does not go", number_in(d, "domid"));
        else
            doctor_tell(
                FIND_NOTE, "domains", NULL,
                "domain %lld (%s) was made by another toolstack: hauch can pause and destroy it, no more",
                number_in(d, "domid"), text_in(d, "name"));
    }
    return count;
}

void doctor_domains(struct json_object *domains)
{
    struct xs_client *xs;
    unsigned          stale = 0;

    foreign(domains);
    if (xs_client_open(&xs, NULL))
        return;
    stale += stale_below(xs, "/local/domain", domains);
    stale += stale_below(xs, "/libxl", domains);
    stale += stale_below(xs, "/local/domain/0/backend/vbd", domains);
    stale += stale_below(xs, "/local/domain/0/backend/vif", domains);
    xs_client_close(xs);
    if (!stale)
        doctor_tell(FIND_GOOD, "leaks", NULL, "the store holds no domain that is gone");
}

/* A loop device whose image was deleted, or that no back end has, is a note: it may be someone else's. */
static bool served(struct xs_client *xs, const char *file)
{
    char **domains = NULL, **devices, path[256];
    int    n = xs ? xs_client_directory(xs, 0, "/local/domain/0/backend/vbd", &domains) : 0;
    bool   found = false;

    for (int i = 0; i < n; i++) {
        int m;

        snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%.20s", domains[i]);
        devices = NULL;
        m = xs_client_directory(xs, 0, path, &devices);
        for (int j = 0; j < m; j++) {
            char *value = NULL;

            snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%.20s/%.20s/params", domains[i],
                     devices[j]);
            if (!xs_client_read(xs, 0, path, &value, NULL))
                found |= !strcmp(value, file);
            free(value);
        }
        free(devices);
    }
    free(domains);
    return found;
}

static bool loop_look(struct xs_client *xs, const char *name)
{
    char path[300], file[4096], remedy[96];

    snprintf(path, sizeof(path), "/sys/block/%.200s/loop/backing_file", name);
    doctor_line(path, file, sizeof(file));
    snprintf(remedy, sizeof(remedy), "losetup -d /dev/%.40s, if nothing else uses it", name);
    if (!file[0] || served(xs, file))
        return false;
    doctor_tell(FIND_NOTE, "leaks", remedy, "%s holds %s, which no domain uses", name, file);
    return true;
}

void doctor_loops(void)
{
    struct xs_client *xs = NULL;
    DIR              *dir = opendir(doctor_path("/sys/block"));
    struct dirent    *e;
    bool              any = false;

    xs_client_open(&xs, NULL);
    while (dir && (e = readdir(dir)))
        if (!strncmp(e->d_name, "loop", 4))
            any |= loop_look(xs, e->d_name);
    if (dir)
        closedir(dir);
    if (xs)
        xs_client_close(xs);
    if (!any)
        doctor_tell(FIND_GOOD, "leaks", NULL, "no loop device is left over");
}
