/* SPDX-License-Identifier: BSD-2-Clause */
/* hauchd's socket with arbitrary bytes in arbitrary pieces: framing, then every line as a request. Nothing
 * may crash or leak, and a request that is accepted has what its row of the table demands. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire_line.h"
#include "lib/wire_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_line(const char *line)
{
    struct wire_request rq;
    struct fault        f = { 0 };
    int                 rc = wire_request_parse(line, &rq, &f);

    if (rc) {
        if (rc > 0 || !f.text[0])
            abort();
        return;
    }
    if ((rq.op == WIRE_CREATE && !rq.config) || (rq.op == WIRE_RENAME && (!rq.name || !rq.domain)) ||
        (rq.op == WIRE_DESTROY && !rq.domain) || rq.set_count > WIRE_SET_MAX)
        abort();
    wire_request_free(&rq);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_in in = { 0 };
    size_t         piece = size ? data[0] + 1 : 1;
    char          *line;

    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;

        if (wire_in_feed(&in, (const char *)data + at, n))
            break;
        while ((line = wire_in_next(&in)))
            one_line(line);
    }
    wire_in_free(&in);
    return 0;
}
