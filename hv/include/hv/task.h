/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that must not run where it was found: done on the same processor before it next returns to a guest. */
#ifndef HV_TASK_H
#define HV_TASK_H

#include <hv/types.h>

struct task {
    struct task *next;
    void       (*fn)(void *arg);
    void        *arg;
    bool         queued;
};

void task_queue(struct task *t);    /* on this processor; no effect while it is queued */
void task_run(struct pcpu *c);      /* all that is queued on c, which is this processor */

#endif
