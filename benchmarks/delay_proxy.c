/* Usage: delay_proxy SOCKET MICROSECONDS

   Listen on a free port of 127.0.0.1, print the port, and forward connections to a Unix socket. All data is delayed by
   this many microseconds in both directions. The proxy has only one thread. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MOST 400
#define FULL 8000000

struct piece { long long due; size_t length, sent; struct piece *next; char data[]; };
struct way { int from, to, ended; struct piece *head, *tail; size_t held; };
struct pair { int used; struct way ways[2]; };

static struct pair pairs[MOST];
static char buffer[262144];

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void end(struct pair *pair) {
    close(pair->ways[0].from);
    close(pair->ways[0].to);
    for (int i = 0; i < 2; i++)
        for (struct piece *piece = pair->ways[i].head, *next; piece; piece = next) {
            next = piece->next;
            free(piece);
        }
    memset(pair, 0, sizeof *pair);
}

static void take(int listener, const char *upstream) {
    int client, one = 1;
    while ((client = accept(listener, 0, 0)) >= 0) {
        int i = 0, server = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un place = {.sun_family = AF_UNIX};
        strncpy(place.sun_path, upstream, sizeof place.sun_path - 1);
        while (i < MOST && pairs[i].used) i++;
        if (i == MOST || connect(server, (void *)&place, sizeof place)) {
            close(client);
            close(server);
            continue;
        }
        fcntl(client, F_SETFL, O_NONBLOCK);
        fcntl(server, F_SETFL, O_NONBLOCK);
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pairs[i] = (struct pair){1, {{.from = client, .to = server}, {.from = server, .to = client}}};
    }
}

static void receive(struct way *way, long long due) {
    for (;;) {
        ssize_t got = read(way->from, buffer, sizeof buffer);
        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR)) way->ended = 1;
            return;
        }
        struct piece *piece = malloc(sizeof *piece + got);
        *piece = (struct piece){.due = due, .length = got};
        memcpy(piece->data, buffer, got);
        if (way->tail) way->tail->next = piece; else way->head = piece;
        way->tail = piece;
        way->held += got;
        if (got < (ssize_t)sizeof buffer) return;
    }
}

static int is_dead(struct way *way, long long at) {
    while (way->head && way->head->due <= at) {
        struct piece *piece = way->head;
        ssize_t sent = write(way->to, piece->data + piece->sent, piece->length - piece->sent);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR) return 1;
            piece->due = at + 200000;
            return 0;
        }
        piece->sent += sent;
        if (piece->sent < piece->length) continue;
        way->held -= piece->length;
        way->head = piece->next;
        if (!way->head) way->tail = 0;
        free(piece);
    }
    return way->ended && !way->head;
}

int main(int count, char **words) {
    long long delay = count > 2 ? atoll(words[2]) * 1000LL : 0;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    prctl(PR_SET_TIMERSLACK, 1000UL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    if (count < 3 || bind(listener, (void *)&place, sizeof place) || listen(listener, 200)) return 1;
    fcntl(listener, F_SETFL, O_NONBLOCK);
    getsockname(listener, (void *)&place, &size);
    printf("%d\n", ntohs(place.sin_port));
    fflush(stdout);
    for (;;) {
        struct pollfd polled[2 * MOST + 1];
        struct way *ways[2 * MOST + 1];
        long long at = now(), next = -1;
        int number = 1;
        polled[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (int i = 0; i < 2 * MOST; i++) {
            struct way *way = &pairs[i / 2].ways[i % 2];
            if (!pairs[i / 2].used) continue;
            if (way->head) {
                long long left = way->head->due > at ? way->head->due - at : 0;
                if (next < 0 || left < next) next = left;
            }
            ways[number] = way;
            polled[number++] =
                (struct pollfd){.fd = way->ended ? -1 : way->from, .events = way->held > FULL ? 0 : POLLIN};
        }
        struct timespec wait = {next / 1000000000LL, next % 1000000000LL};
        if (ppoll(polled, number, next < 0 ? 0 : &wait, 0) < 0 && errno != EINTR) return 1;
        at = now();
        for (int i = 1; i < number; i++)
            if (polled[i].revents & (POLLIN | POLLHUP | POLLERR)) receive(ways[i], at + delay);
        if (polled[0].revents & POLLIN) take(listener, words[1]);
        at = now();
        for (int i = 0; i < MOST; i++)
            if (pairs[i].used && is_dead(&pairs[i].ways[0], at) + is_dead(&pairs[i].ways[1], at)) end(&pairs[i]);
    }
}
