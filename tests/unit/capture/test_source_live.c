/* SPDX-License-Identifier: Apache-2.0
 * Live capture on the loopback interface, where it is permitted: frames arrive, filters hold, stop ends it, errors say what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "capture/source.h"

#define PORT 47011

static struct source *open_lo(const char *filter)
{
    struct text why = {0};
    struct source *s = NULL;
    struct source_live_options options = {.filter = filter, .no_promiscuous = true, .buffer_mib = 2};
    int rc = source_open_live(&s, "lo", &options, &why);
    if (rc == E_DENIED || rc == E_NONE) {
        print_message("skipped: %s\n", text_str(&why));
        text_fini(&why);
        skip();
    }
    if (rc != E_OK)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return s;
}

static void send_datagrams(int n, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < n; i++)
        assert_int_equal(sendto(fd, "casetap", 7, 0, (const struct sockaddr *)&to, sizeof to), 7);
    close(fd);
}

static void test_frames(void **state)
{
    (void)state;
    struct source *s = open_lo("udp dst port 47011");
    struct packet p;
    uint64_t now = (uint64_t)time(NULL);
    send_datagrams(3, PORT + 1); /* not for us */
    send_datagrams(5, PORT);
    int seen = 0;
    for (int turns = 0; seen < 5 && turns < 100; turns++) {
        int rc = source_next(s, &p);
        assert_in_range(rc, 0, 1);
        if (rc == 0)
            continue;
        seen++;
        assert_int_equal(p.link, 1);
        assert_int_equal(p.caught, 14 + 20 + 8 + 7);
        assert_int_equal(p.wire, p.caught);
        assert_memory_equal(p.bytes + 42, "casetap", 7);
        assert_int_equal(p.number, seen);
        assert_in_range(p.time_ns / 1000000000, now - 1, now + 60);
    }
    assert_int_equal(seen, 5);
    struct source_stats stats;
    source_stats(s, &stats);
    assert_int_equal(stats.packets, 5);
    assert_int_equal(stats.kernel_drops, 0);
    source_close(s);
}

static void *stop_later(void *source)
{
    nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
    source_stop(source);
    return NULL;
}

static void test_stop(void **state)
{
    (void)state;
    struct source *s = open_lo("udp dst port 47012");
    struct packet p;
    pthread_t thread;
    assert_int_equal(source_next(s, &p), 0); /* nothing for 100 ms */
    assert_int_equal(pthread_create(&thread, NULL, stop_later, s), 0);
    int rc, turns = 0;
    while ((rc = source_next(s, &p)) == 0 && turns++ < 100)
        ;
    assert_int_equal(rc, E_END);
    assert_int_equal(source_next(s, &p), E_END);
    pthread_join(thread, NULL);
    source_close(s);
}

static void test_errors(void **state)
{
    (void)state;
    struct text why = {0};
    struct source *s = open_lo(NULL); /* skips where capture is not permitted */
    source_close(s);
    struct source_live_options options = {0};
    assert_int_equal(source_open_live(&s, "nosuch0", &options, &why), E_NONE);
    assert_non_null(strstr(text_str(&why), "nosuch0: no such interface; there are: "));
    assert_non_null(strstr(text_str(&why), "lo"));
    text_clear(&why);
    options.filter = "prot tcp";
    assert_int_equal(source_open_live(&s, "lo", &options, &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "filter 'prot tcp': "));
    text_fini(&why);
}

static void test_not_permitted(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct text why = {0};
        struct source *s = NULL;
        struct source_live_options options = {0};
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(77);
        _exit(source_open_live(&s, "lo", &options, &why) == E_DENIED && strstr(text_str(&why), "CAP_NET_RAW") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_not_permitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
