/*
 * What the bench measures with, in C so that Node is not both the measure and the measured: `udp echo PORT` returns every
 * datagram, `udp load PORT FILE WINDOW [LOCAL]` sends each of FILE's messages once, from port LOCAL, and prints what came of it,
 * `udp flood PORT FILE MS` sends them over and over as fast as one core can. FILE: two octets of length and as many of
 * message, repeated. PORT is 127.0.0.1's. All use recvmmsg and sendmmsg, the cheapest that a plain socket has.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 32, LARGEST = 2048, BUFFER = 4 << 20, STALL_MS = 100, MOST_STALLS = 10 };

static char room[BATCH][LARGEST];
static struct sockaddr_in from[BATCH];
static struct iovec part[BATCH];
static struct mmsghdr batch[BATCH];

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1e3 + at.tv_nsec / 1e6;
}

static struct sockaddr *loopback(int port) {
  static struct sockaddr_in at;
  at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  return (struct sockaddr *)&at;
}

/* Bound to one port and connected to another; 0 leaves either out. */
static int open_socket(int local, int remote) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (local && bind(fd, loopback(local), sizeof(struct sockaddr_in))) exit((perror("bind"), 1));
  if (remote && connect(fd, loopback(remote), sizeof(struct sockaddr_in))) exit((perror("connect"), 1));
  return fd;
}

static int receive(int fd, int flags) {
  for (int i = 0; i < BATCH; i++) {
    part[i] = (struct iovec){room[i], LARGEST};
    batch[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &part[i], .msg_iovlen = 1};
  }
  return recvmmsg(fd, batch, BATCH, flags, NULL);
}

static void echo(int fd) {
  for (;;) {
    int count = receive(fd, MSG_WAITFORONE);
    for (int i = 0; i < count; i++) part[i].iov_len = batch[i].msg_len;
    for (int sent = 0, more; sent < count; sent += more)
      if ((more = sendmmsg(fd, batch + sent, count - sent, 0)) <= 0) break;
  }
}

/* The messages of a file, and how many there are. */
static struct iovec *read_file(const char *name, int *count) {
  FILE *file = fopen(name, "rb");
  struct iovec *all = NULL;
  int high, low;
  for (*count = 0; file && (high = getc(file)) != EOF && (low = getc(file)) != EOF; ++*count) {
    size_t length = high << 8 | low;
    if (!(*count & (*count - 1))) all = realloc(all, (*count ? 2 * *count : 1) * sizeof *all);
    all[*count] = (struct iovec){malloc(length), length};
    if (fread(all[*count].iov_base, 1, length, file) != length) break;
  }
  if (*count == 0) exit((perror(name), 1));
  return all;
}

static int push(int fd, struct iovec *all, int count) {
  for (int i = 0; i < count; i++) batch[i].msg_hdr = (struct msghdr){.msg_iov = &all[i], .msg_iovlen = 1};
  return sendmmsg(fd, batch, count, 0);
}

static int least(int a, int b, int c) { return a < b ? (a < c ? a : c) : b < c ? b : c; }

/* Spins instead of sleeping: to wake a sleeper costs the server more than the answer does, and the slow ones most. */
static void load(int fd, struct iovec *all, int count, int window) {
  int sent = 0, answers = 0, open = 0, stalls = 0;
  double start = now(), last = start, heard = start;
  while ((sent < count || open > 0) && stalls < MOST_STALLS) {
    int want = least(window - open, count - sent, BATCH), got = want > 0 ? push(fd, all + sent, want) : 0;
    if (got > 0) sent += got, open += got;
    while ((got = receive(fd, MSG_DONTWAIT)) > 0) {
      answers += got, open = open > got ? open - got : 0, stalls = 0;
      last = heard = now();
    }
    if (now() - heard > STALL_MS) open = 0, stalls++, heard = now(); /* what is open was lost */
  }
  printf("%d %d %.3f\n", sent, answers, last - start);
}

static void flood(int fd, struct iovec *all, int count, double milliseconds) {
  long sent = 0;
  double start = now(), end = start + milliseconds;
  for (int at = 0; now() < end; at = at + BATCH < count ? at + BATCH : 0) {
    int got = push(fd, all + at, least(BATCH, count - at, BATCH));
    if (got > 0) sent += got;
    while (receive(fd, MSG_DONTWAIT) > 0) continue;
  }
  printf("%ld %.3f\n", sent, now() - start);
}

int main(int argc, char **argv) {
  const char *mode = argc > 2 ? argv[1] : "";
  int port = argc > 2 ? atoi(argv[2]) : 0, count = 0;
  if (!strcmp(mode, "echo")) {
    int fd = open_socket(port, 0);
    puts("ready");
    fflush(stdout);
    echo(fd);
  }
  if (argc < 5) return 2;
  struct iovec *all = read_file(argv[3], &count);
  int fd = open_socket(argc > 5 ? atoi(argv[5]) : 0, port);
  if (!strcmp(mode, "load")) load(fd, all, count, atoi(argv[4]));
  else flood(fd, all, count, atof(argv[4]));
  return 0;
}
