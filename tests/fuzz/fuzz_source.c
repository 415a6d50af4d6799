/* SPDX-License-Identifier: Apache-2.0
 * Capture files of any content: every packet handed out must be readable to its end, and the file must come to one. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "capture/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text path = {0}, why = {0};
    struct source *s = NULL;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    text_addf(&path, "/proc/self/fd/%d", fd);
    const char *paths[] = {text_str(&path)};
    if (source_open_files(&s, paths, 1, size % 2 ? "ip or ip6" : NULL, &why) == E_OK) {
        struct packet p;
        int rc;
        uint64_t n = 0;
        volatile uint8_t last = 0;
        while ((rc = source_next(s, &p)) == 1) {
            ASSERT(p.caught <= p.wire && ++n <= size);
            if (p.caught)
                last = p.bytes[p.caught - 1];
        }
        (void)last;
        ASSERT(rc == E_END);
        source_close(s);
    }
    close(fd);
    text_fini(&path);
    text_fini(&why);
    return 0;
}
