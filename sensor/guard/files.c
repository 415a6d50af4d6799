/* SPDX-License-Identifier: Apache-2.0
 * Landlock: what is not named does not open. The C library has no functions for it. */
#include "guard/guard.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
                LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define OTHERS (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
                LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* Names, addresses, certificates, time zones, libraries that name services load, numbers of processors. */
static const char *const system_paths[] = {"/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/run/systemd", "/run/resolvconf",
                                           "/run/NetworkManager", "/run/nscd", "/var/lib/GeoIP", "/dev/urandom", "/dev/random", "/dev/null"};

static int add_path(int set, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1; /* what is not there is reached by nobody */
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= OF_FILES;
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    long rc = syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int saved = errno;
    close(fd);
    errno = saved;
    return rc == 0 ? 0 : -1;
}

static int add_all(int set, const struct guard_paths *paths, uint64_t handled)
{
    for (size_t i = 0; i < sizeof system_paths / sizeof system_paths[0]; i++) {
        uint64_t rights = strcmp(system_paths[i], "/dev/null") == 0 ? handled & OF_FILES : READS;
        if (add_path(set, system_paths[i], rights) != 0)
            return -1;
    }
    for (size_t i = 0; i < paths->n; i++)
        if (add_path(set, text_str(&paths->names[i]), paths->is_written[i] ? handled & ~(uint64_t)OTHERS : READS) != 0)
            return -1;
    return 0;
}

int guard_files(const struct guard_paths *paths, struct text *told, struct text *why)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        text_addf(told, "%sall files (no Landlock: %s)", told->size ? ", " : "", strerror(errno));
        return 0;
    }
    /* Renaming between directories is refused altogether by version 1. Truncating is no right of its own before 3. */
    uint64_t handled = READS | WRITES | OTHERS;
    handled |= version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
    handled |= version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
    struct landlock_ruleset_attr attr = {.handled_access_fs = handled};
    int set = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
    bool is_good = set >= 0 && add_all(set, paths, handled) == 0 && syscall(SYS_landlock_restrict_self, set, 0) == 0;
    if (!is_good)
        text_addf(why, "files cannot be fenced off (Landlock %ld): %s", version, strerror(errno));
    if (set >= 0)
        close(set);
    if (!is_good)
        return E_DENIED;
    text_addf(told, "%sfiles by Landlock %ld", told->size ? ", " : "", version);
    return 0;
}
