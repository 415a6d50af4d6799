/* SPDX-License-Identifier: Apache-2.0
 * For servers whose own configuration writes no TLS key log (nginx before 1.27.2, with OpenSSL 1.1.1 and newer): preloaded, it sets
 * OpenSSL's key log callback on each context, and appends each line it gets to the file that $SSLKEYLOGFILE named at the start.
 *
 *     cc -shared -fPIC -O2 -o keylog_preload.so tools/lab/keylog_preload.c -ldl
 *     SSLKEYLOGFILE=/run/casetap/tls.keys LD_PRELOAD=./keylog_preload.so nginx
 *
 * The file is opened for each line, so it may be renamed at any time. No part of the sensor. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_method_st SSL_METHOD;
typedef struct ssl_st SSL;
typedef SSL_CTX *new_fn(const SSL_METHOD *method);
typedef SSL_CTX *new_ex_fn(void *library, const char *properties, const SSL_METHOD *method);
typedef void set_fn(SSL_CTX *c, void (*on_line)(const SSL *, const char *));

static char *path;

/* nginx empties the environment of its workers: the name is taken while it is there. */
__attribute__((constructor)) static void begin(void)
{
    const char *named = getenv("SSLKEYLOGFILE");
    path = named && *named ? strdup(named) : NULL;
}

/* One write for a line: those of several processes do not mix. */
static void on_line(const SSL *ssl, const char *line)
{
    (void)ssl;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return;
    struct iovec parts[] = {{(char *)line, strlen(line)}, {"\n", 1}};
    if (writev(fd, parts, 2) < 0) {
        /* the server goes on without */
    }
    close(fd);
}

static SSL_CTX *with_log(SSL_CTX *c)
{
    set_fn *set = (set_fn *)dlsym(RTLD_DEFAULT, "SSL_CTX_set_keylog_callback");
    if (c && path && set)
        set(c, on_line);
    return c;
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    new_fn *real = (new_fn *)dlsym(RTLD_NEXT, "SSL_CTX_new");
    return real ? with_log(real(method)) : NULL;
}

SSL_CTX *SSL_CTX_new_ex(void *library, const char *properties, const SSL_METHOD *method)
{
    new_ex_fn *real = (new_ex_fn *)dlsym(RTLD_NEXT, "SSL_CTX_new_ex");
    return real ? with_log(real(library, properties, method)) : NULL;
}
