/* SPDX-License-Identifier: Apache-2.0
 * The system calls a sensor makes, through its libraries, on any architecture Debian has. A name this kernel or this
 * libseccomp does not know is left out. */
#include "guard/guard.h"

#include "base/err.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

static const char *const allowed[] = {
    /* files and descriptors */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "close", "close_range",
    "open", "openat", "creat", "stat", "stat64", "fstat", "fstat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs",
    "statfs64", "fstatfs", "fstatfs64", "lseek", "_llseek", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents",
    "getdents64", "getcwd", "chdir", "fchdir", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
    "chmod", "fchmod", "fchmodat", "umask", "utimensat", "futimesat", "dup", "dup2", "dup3", "fcntl", "fcntl64", "flock", "ioctl",
    "fsync", "fdatasync", "sync_file_range", "ftruncate", "ftruncate64", "truncate", "fallocate", "fadvise64", "copy_file_range",
    "sendfile", "sendfile64", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* memory */
    "mmap", "mmap2", "munmap", "mprotect", "mremap", "madvise", "msync", "mincore", "brk", "mlock", "mlock2", "munlock", "mlockall",
    "munlockall", "membarrier", "get_mempolicy",
    /* waiting */
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "pipe", "pipe2", "timerfd_create",
    "timerfd_settime", "timerfd_gettime", "signalfd", "signalfd4", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "pause",
    "restart_syscall",
    /* sockets; which families, see below */
    "connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "send",
    "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
    /* threads, signals, time, who and where */
    "clone", "clone3", "exit", "exit_group", "futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq",
    "set_tid_address", "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler", "getcpu",
    "gettid", "getpid", "getppid", "getpgrp", "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid",
    "getegid32", "getgroups", "getgroups32", "getresuid", "getresgid", "wait4", "waitid", "arch_prctl", "prctl", "prlimit64",
    "getrlimit", "ugetrlimit", "getrusage", "times", "sysinfo", "uname", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "rt_sigpending", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_sigsuspend", "sigaltstack", "tgkill", "clock_gettime",
    "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time", "getrandom",
};

/* Nobody but a burglar makes these here, nor does a library on some other system: the process ends, and the kernel's log
 * says by which. */
static const char *const deadly[] = {
    "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "bpf", "perf_event_open", "keyctl",
    "add_key", "mount", "umount2", "pivot_root", "chroot", "setns", "move_mount", "open_tree", "fsopen", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "open_by_handle_at", "iopl",
    "ioperm", "settimeofday", "clock_settime", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
};

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

static int add(scmp_filter_ctx filter, const char *const *names, size_t n, uint32_t action)
{
    for (size_t i = 0; i < n; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);
        int rc = call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, call, 0);
        if (rc && rc != -EDOM) /* EDOM: another architecture's */
            return rc;
    }
    return 0;
}

static int add_sockets(scmp_filter_ctx filter)
{
    static const char *const makers[] = {"socket", "socketpair"};
    for (size_t m = 0; m < 2; m++)
        for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
            int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(makers[m]), 1,
                                      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
            if (rc)
                return rc;
        }
    return 0;
}

int guard_calls(struct text *told, struct text *why)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = filter ? 0 : -ENOMEM;
    if (rc == 0)
        rc = add(filter, allowed, sizeof allowed / sizeof allowed[0], SCMP_ACT_ALLOW);
    if (rc == 0)
        rc = add(filter, deadly, sizeof deadly / sizeof deadly[0], SCMP_ACT_KILL_PROCESS);
    if (rc == 0)
        rc = add_sockets(filter);
    if (rc == 0)
        rc = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    if (rc) {
        text_addf(why, "system calls cannot be filtered: %s", strerror(-rc));
        return E_DENIED;
    }
    text_addf(told, "%s%zu system calls", told->size ? ", " : "", sizeof allowed / sizeof allowed[0] + 2);
    return 0;
}
