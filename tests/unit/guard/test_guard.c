/* SPDX-License-Identifier: Apache-2.0
 * Forbidden things are tried by a child that is guarded: each is refused, and what a sensor does still works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/err.h"
#include "guard/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64], inside[96], outside[96], readable[96];

static int refused_with(int rc, int expected)
{
    return rc >= 0 ? 100 : errno == expected ? 0 : errno;
}

/* Each returns 0 when it went as it has to. */
static int read_outside(void)
{
    return refused_with(open(outside, O_RDONLY | O_CLOEXEC), EACCES);
}

static int write_outside(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/new", base);
    return refused_with(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), EACCES);
}

static int write_readable(void)
{
    char path[128];
    int fd;
    snprintf(path, sizeof path, "%s/list", readable);
    if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return 101;
    close(fd);
    return refused_with(open(path, O_WRONLY | O_CLOEXEC), EACCES);
}

static int remove_outside(void)
{
    return refused_with(unlink(outside), EACCES);
}

static int rename_out(void)
{
    char from[128], to[128];
    snprintf(from, sizeof from, "%s/mine", inside);
    snprintf(to, sizeof to, "%s/theirs", base);
    int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return 102;
    close(fd);
    int rc = rename(from, to) == 0 ? 100 : errno == EACCES || errno == EXDEV ? 0 : errno;
    return unlink(from) == 0 ? rc : 107;
}

static int write_inside(void)
{
    char path[128], other[128];
    snprintf(path, sizeof path, "%s/a", inside);
    snprintf(other, sizeof other, "%s/b", inside);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) != 0 || ftruncate(fd, 0) != 0 || close(fd) != 0)
        return errno;
    return rename(path, other) == 0 && unlink(other) == 0 ? 0 : errno;
}

static void *thread_ran(void *ctx)
{
    *(int *)ctx = 1;
    return NULL;
}

static int start_thread(void)
{
    pthread_t t;
    int ran = 0;
    if (pthread_create(&t, NULL, thread_ran, &ran) != 0)
        return 103;
    pthread_join(t, NULL);
    return ran ? 0 : 104;
}

static int serve_loopback(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 1) == 0 ? 0 : errno;
}

static int packet_socket(void)
{
    return refused_with(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
}

static int raw_socket(void)
{
    return refused_with(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), EPERM);
}

static int other_family(void)
{
    return refused_with(socket(AF_VSOCK, SOCK_STREAM, 0), EPERM);
}

static int become_root(void)
{
    return setuid(0) == 0 ? 100 : 101;
}

static int gain_capability(void)
{
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    struct {
        uint32_t effective, permitted, inheritable;
    } data[2] = {{1u << 13, 1u << 13, 0}, {0, 0, 0}};
    return refused_with((int)syscall(SYS_capset, &head, data), EPERM);
}

static int process_facts(void)
{
    struct rlimit core;
    if (prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 105;
    return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : 106;
}

static int execute(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 100;
}

static int trace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 100;
}

static int load_program(void)
{
    syscall(SYS_bpf, 0, NULL, 0);
    return 100;
}

static const struct {
    const char *name;
    int (*fn)(void);
    bool is_deadly;
} tries[] = {
    {"reads a file outside", read_outside, false},
    {"writes a file outside", write_outside, false},
    {"writes a file it may read", write_readable, false},
    {"removes a file outside", remove_outside, false},
    {"moves a file out", rename_out, false},
    {"writes inside", write_inside, false},
    {"starts a thread", start_thread, false},
    {"listens", serve_loopback, false},
    {"opens a packet socket", packet_socket, false},
    {"opens a raw socket", raw_socket, false},
    {"opens a socket of another family", other_family, false},
    {"becomes root", become_root, true},
    {"gains a capability", gain_capability, false},
    {"is as it is told", process_facts, false},
    {"executes a program", execute, true},
    {"is traced", trace, true},
    {"loads a kernel program", load_program, true},
};

/* In the child: never returns. */
static void guarded(const char *user, int (*fn)(void))
{
    struct guard_paths paths = {0};
    struct text told = {0}, why = {0};
    bool is_good = guard_path_add(&paths, inside, true) == 0 && guard_path_add(&paths, readable, false) == 0 &&
                   guard_path_add(&paths, "/nowhere/at/all", true) == 0 && guard_process(&told, &why) == 0 &&
                   guard_user(user, &told, &why) == 0 && guard_files(&paths, &told, &why) == 0 && guard_calls(&told, &why) == 0;
    if (!is_good)
        fprintf(stderr, "%s\n", text_str(&why));
    _exit(is_good ? fn() : 99);
}

static void each_is_refused(const char *user)
{
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            guarded(user, tries[i].fn);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        bool is_right = tries[i].is_deadly ? WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS : status == 0;
        if (!is_right)
            fail_msg("%s: exit %d, signal %d", tries[i].name, WEXITSTATUS(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1u) > 0;
}

static void as_who_started(void **state)
{
    (void)state;
    if (!has_landlock())
        skip();
    each_is_refused(NULL);
}

static void as_another_user(void **state)
{
    (void)state;
    if (!has_landlock() || geteuid() != 0)
        skip();
    assert_int_equal(chmod(base, 0777), 0);
    assert_int_equal(chmod(inside, 0777), 0);
    each_is_refused("nobody");
}

static void unknown_user(void **state)
{
    struct text told = {0}, why = {0};
    (void)state;
    assert_int_equal(guard_user("nobody-is-called-so", &told, &why), E_NONE);
    assert_string_equal(text_str(&why), "there is no user 'nobody-is-called-so'");
    text_fini(&told);
    text_fini(&why);
}

static void names_directories(void **state)
{
    struct guard_paths p = {0};
    (void)state;
    assert_int_equal(guard_file_add(&p, "own.txt", false), 0);
    assert_int_equal(guard_file_add(&p, "/own.txt", false), 0);
    assert_int_equal(guard_file_add(&p, "lists/own.txt", true), 0);
    assert_int_equal(guard_file_add(&p, "", true), 0);
    assert_int_equal(guard_path_add(&p, NULL, true), 0);
    assert_int_equal(p.n, 3);
    assert_string_equal(text_str(&p.names[0]), ".");
    assert_string_equal(text_str(&p.names[1]), "/own.txt");
    assert_string_equal(text_str(&p.names[2]), "lists");
    assert_true(p.is_written[2] && !p.is_written[1]);
    while (p.n < GUARD_PATHS)
        assert_int_equal(guard_path_add(&p, "x", false), 0);
    assert_int_equal(guard_path_add(&p, "x", false), E_LIMIT);
    guard_paths_fini(&p);
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static int make_places(void **state)
{
    char list[128];
    (void)state;
    snprintf(base, sizeof base, "/tmp/casetap-guard-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(inside, sizeof inside, "%s/inside", base);
    snprintf(readable, sizeof readable, "%s/lists", base);
    snprintf(outside, sizeof outside, "%s/secret", base);
    snprintf(list, sizeof list, "%s/list", readable);
    if (mkdir(inside, 0755) != 0 || mkdir(readable, 0755) != 0)
        return -1;
    touch(outside);
    touch(list);
    return 0;
}

static int remove_places(void **state)
{
    char path[128];
    static const char *const names[] = {"inside/mine", "inside/a", "inside/b", "lists/list", "secret"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", base, names[i]);
        (void)unlink(path);
    }
    return rmdir(inside) | rmdir(readable) | rmdir(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_directories),
        cmocka_unit_test(unknown_user),
        cmocka_unit_test(as_who_started),
        cmocka_unit_test(as_another_user),
    };
    return cmocka_run_group_tests(tests, make_places, remove_places);
}
