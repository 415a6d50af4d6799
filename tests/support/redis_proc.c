/* SPDX-License-Identifier: Apache-2.0
 * Starts and ends redis-server. */
#include "support/redis_proc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 48

bool redis_proc_is_installed(void)
{
    return system("command -v redis-server >/dev/null && command -v redis-cli >/dev/null") == 0;
}

bool redis_proc_init(struct redis_proc *p)
{
    *p = (struct redis_proc){.folder = "/tmp/casetap-redis-XXXXXX"};
    if (!mkdtemp(p->folder))
        return false;
    snprintf(p->socket, sizeof p->socket, "%s/s", p->folder);
    snprintf(p->url, sizeof p->url, "unix://%s", p->socket);
    return true;
}

/* One question, so that the answer, whatever it is, shows that the server has begun to serve. */
static bool is_answering(const struct redis_proc *p)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char answer;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", p->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_good = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   write(fd, "PING\r\n", 6) == 6 && read(fd, &answer, 1) == 1;
    if (fd >= 0)
        close(fd);
    return is_good;
}

static void run(const struct redis_proc *p, const char *options)
{
    char text[1024];
    char *words[MAX_WORDS] = {(char[]){"redis-server"}, (char[]){"--unixsocket"}, NULL, (char[]){"--dir"}, NULL,
                              (char[]){"--save"}, (char[]){""}, (char[]){"--daemonize"}, (char[]){"no"}};
    int n = 9;
    char folder[sizeof p->folder], path[sizeof p->socket];
    memcpy(folder, p->folder, sizeof folder);
    memcpy(path, p->socket, sizeof path);
    words[2] = path;
    words[4] = folder;
    snprintf(text, sizeof text, "%s%s", strstr(options, "--port") ? "" : "--port 0 ", options);
    for (char *rest = text, *word; n < MAX_WORDS - 1 && (word = strsep(&rest, " "));)
        if (word[0])
            words[n++] = word;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves no server behind */
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    execvp(words[0], words);
    _exit(127);
}

bool redis_proc_start(struct redis_proc *p, const char *options)
{
    unlink(p->socket);
    p->pid = fork();
    if (p->pid == 0)
        run(p, options);
    for (int i = 0; p->pid > 0 && i < 500; i++) {
        if (is_answering(p))
            return true;
        if (waitpid(p->pid, NULL, WNOHANG) == p->pid)
            break;
        usleep(20000);
    }
    return false;
}

void redis_proc_kill(struct redis_proc *p)
{
    if (p->pid > 0) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    p->pid = 0;
}

void redis_proc_signal(const struct redis_proc *p, int signal_number)
{
    if (p->pid > 0)
        kill(p->pid, signal_number);
}

void redis_proc_fini(struct redis_proc *p)
{
    char command[sizeof p->folder + 16];
    redis_proc_kill(p);
    snprintf(command, sizeof command, "rm -rf %s", p->folder);
    if (system(command) != 0)
        fprintf(stderr, "%s is left behind\n", p->folder);
}

char *redis_proc_cli(const struct redis_proc *p, const char *arguments, char *out, size_t size)
{
    char command[1024];
    snprintf(command, sizeof command, "redis-cli --no-auth-warning -s %s %s 2>&1", p->socket, arguments);
    FILE *f = popen(command, "r");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    out[n] = 0;
    if (f)
        pclose(f);
    return out;
}
