/* SPDX-License-Identifier: Apache-2.0
 * The first bytes of files: any bytes give one known format, whatever is declared; more than the prefix changes nothing. */
#include "base/assert.h"
#include "wire/magic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span head = span_of(data, size), media = span_sub(head, 0, span_find_byte(head, '\n', 0));
    enum file_type type = magic_type(head);
    ASSERT(type < FILE_TYPES && (type == FILE_UNSEEN) == (size == 0));
    ASSERT(type == magic_type(span_sub(head, 0, MAGIC_PREFIX)));
    ASSERT(!magic_disagrees(type, SPAN("")) && !magic_disagrees(type, SPAN("application/octet-stream")));
    (void)magic_disagrees(type, media); /* only that it reads no further */
    return 0;
}
