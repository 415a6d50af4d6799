/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into a program: when it ends, after it has given everything back, all that its process still holds is written
 * to the file $MEMORY_TO, but for pages of zeros. What stands there no core dump would have missed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void copy(int mem, int out, unsigned long from, unsigned long to)
{
    static char page[4096], zeros[4096];
    while (from < to) {
        size_t want = to - from < sizeof page ? to - from : sizeof page;
        ssize_t got = pread(mem, page, want, (off_t)from);
        if (got <= 0)
            return; /* a guard page */
        if (memcmp(page, zeros, (size_t)got) != 0 && write(out, page, (size_t)got) != got)
            _exit(9);
        from += (unsigned long)got;
    }
}

__attribute__((destructor)) static void write_memory(void)
{
    static char line[4096];
    const char *path = getenv("MEMORY_TO");
    FILE *maps = path ? fopen("/proc/self/maps", "r") : NULL;
    if (!maps)
        return;
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char is_readable;
        if (sscanf(line, "%lx-%lx %c", &from, &to, &is_readable) == 3 && is_readable == 'r' && !strstr(line, "[v"))
            copy(mem, out, from, to);
    }
    close(mem);
    close(out);
    fclose(maps);
}
