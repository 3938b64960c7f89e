/* Cheap traffic for TCP and UDP, every byte checked on arrival.
 *
 *   traffic tcp-sink PORT                      accepts for ever; checks the pattern; answers the count, or -1
 *   traffic tcp-source PORT MEGABYTES CONNS    sends the pattern over CONNS connections, waits for the counts
 *   traffic udp-echo PORT                      returns every datagram to its sender
 *   traffic udp-source PORT SECONDS SOCKETS WINDOW SIZE   keeps WINDOW datagrams per socket under way
 *
 * The sources print one line of JSON. Loopback only, bounded by their arguments.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 18, PERIOD = 65521, MAX_SOCKETS = 256 };

static unsigned char pattern[CHUNK + PERIOD];
static struct sockaddr_in target;
static int64_t bytes_each;

static void die(const char *what) { perror(what); exit(1); }

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A period that is prime and longer than any pipe's page, so that lost, doubled or swapped pieces show. */
static void fill_pattern(void) {
    uint32_t x = 1;
    for (size_t i = 0; i < PERIOD; i++) {
        x = x * 1664525u + 1013904223u;
        pattern[i] = (unsigned char)(x >> 24);
    }
    for (size_t i = PERIOD; i < sizeof pattern; i++) pattern[i] = pattern[i - PERIOD];
}

static void *sink_one(void *argument) {
    int fd = (int)(intptr_t)argument;
    unsigned char *buffer = malloc(CHUNK);
    int64_t total = 0;
    ssize_t got;
    while (buffer != NULL && (got = recv(fd, buffer, CHUNK, 0)) > 0) {
        if (total >= 0 && memcmp(buffer, pattern + total % PERIOD, (size_t)got) != 0) total = -1;
        if (total >= 0) total += got;
    }
    send(fd, &total, sizeof total, MSG_NOSIGNAL);
    close(fd);
    free(buffer);
    return NULL;
}

static _Noreturn void tcp_sink(void) {
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (void *)&target, sizeof target) || listen(listener, 128)) die("bind");
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0) die("accept");
        if (pthread_create(&thread, NULL, sink_one, (void *)(intptr_t)fd)) die("thread");
        pthread_detach(thread);
    }
}

static void *source_one(void *unused) {
    (void)unused;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&target, sizeof target)) die("connect");
    int64_t sent = 0, answer = 0;
    while (sent < bytes_each) {
        int64_t left = bytes_each - sent;
        ssize_t put = send(fd, pattern + sent % PERIOD, (size_t)(left < CHUNK ? left : CHUNK), MSG_NOSIGNAL);
        if (put <= 0) die("send");
        sent += put;
    }
    shutdown(fd, SHUT_WR);
    if (recv(fd, &answer, sizeof answer, MSG_WAITALL) != sizeof answer || answer != bytes_each) {
        fprintf(stderr, "the sink saw %lld of %lld bytes\n", (long long)answer, (long long)bytes_each);
        exit(1);
    }
    close(fd);
    return NULL;
}

static int tcp_source(int megabytes, int connections) {
    pthread_t threads[MAX_SOCKETS];
    bytes_each = (int64_t)megabytes * 1000000 / connections;
    double start = now_s();
    for (int i = 0; i < connections; i++)
        if (pthread_create(threads + i, NULL, source_one, NULL)) die("thread");
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    printf("{\"bytes\": %lld, \"seconds\": %.6f}\n", (long long)(bytes_each * connections), now_s() - start);
    return 0;
}

static _Noreturn void udp_echo(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (void *)&target, sizeof target)) die("bind");
    char buffer[65536];
    for (;;) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t got = recvfrom(fd, buffer, sizeof buffer, 0, (void *)&from, &length);
        if (got >= 0) sendto(fd, buffer, (size_t)got, 0, (void *)&from, length);
    }
}

/* Each datagram carries its socket's index and a sequence number; a reply of another socket, size or a number that
 * was never sent is an error. A window that stalls for 100 ms counts as lost and is sent anew. */
static int udp_source(double seconds, int sockets, int window, int size) {
    struct { uint32_t index; uint32_t sequence; } head;
    int fds[MAX_SOCKETS], poll_fd = epoll_create1(0);
    uint32_t sent[MAX_SOCKETS] = {0};
    long replies = 0, lost = 0, wrong = 0;
    unsigned char buffer[65536];
    memcpy(buffer, pattern, sizeof buffer);
    for (int i = 0; i < sockets; i++) {
        fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (connect(fds[i], (void *)&target, sizeof target)) die("connect");
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fds[i], &event);
    }
#define SEND(i)                                                                                 \
    do {                                                                                        \
        head.index = (uint32_t)(i), head.sequence = sent[i]++;                                  \
        memcpy(buffer, &head, sizeof head);                                                     \
        memcpy(buffer + sizeof head, pattern + sizeof head, (size_t)size - sizeof head);        \
        send(fds[i], buffer, (size_t)size, 0);                                                  \
    } while (0)
    double start = now_s();
    for (int i = 0; i < sockets; i++)
        for (int k = 0; k < window; k++) SEND(i);
    while (now_s() - start < seconds) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_fd, events, 64, 100);
        if (ready == 0) {
            lost += (long)sockets * window;
            for (int i = 0; i < sockets; i++)
                for (int k = 0; k < window; k++) SEND(i);
        }
        for (int e = 0; e < ready; e++) {
            uint32_t i = events[e].data.u32;
            for (int k = 0; k < 64; k++) {
                ssize_t got = recv(fds[i], buffer, sizeof buffer, 0);
                if (got < 0) break;
                memcpy(&head, buffer, sizeof head);
                if (got != size || head.index != i || head.sequence >= sent[i] ||
                    memcmp(buffer + sizeof head, pattern + sizeof head, (size_t)size - sizeof head) != 0)
                    wrong++;
                replies++;
                SEND(i);
            }
        }
    }
    printf("{\"replies\": %ld, \"lost\": %ld, \"wrong\": %ld, \"seconds\": %.6f}\n", replies, lost, wrong, now_s() - start);
    return wrong != 0;
}

int main(int count, char **words) {
    if (count < 3) return fprintf(stderr, "see the head of traffic.c\n"), 2;
    fill_pattern();
    target.sin_family = AF_INET;
    target.sin_port = htons((uint16_t)atoi(words[2]));
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!strcmp(words[1], "tcp-sink")) tcp_sink();
    if (!strcmp(words[1], "udp-echo")) udp_echo();
    if (!strcmp(words[1], "tcp-source") && count == 5 && atoi(words[4]) <= MAX_SOCKETS)
        return tcp_source(atoi(words[3]), atoi(words[4]));
    if (!strcmp(words[1], "udp-source") && count == 7 && atoi(words[4]) <= MAX_SOCKETS && atoi(words[6]) >= 8)
        return udp_source(atof(words[3]), atoi(words[4]), atoi(words[5]), atoi(words[6]));
    return fprintf(stderr, "see the head of traffic.c\n"), 2;
}
