/*
 * Runs commands in turn, so that a noisy moment hits everybody, and prints of each the medians of wall time, CPU time and peak memory,
 * with all it waited for counted in, and how its wall time compares to the last one's.
 *
 *   rounds N NAME COMMAND [WORD…] [-- NAME COMMAND [WORD…]]…
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { MAX_CASES = 16, WARM_UP = 3 };

struct one {
  char **argv; /* [0] is the name */
  double *wall, *cpu, *rss;
};

static double ms(struct timeval t) {
  return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static bool measure(struct one *c, size_t round) {
  struct timespec from, to;
  struct rusage used;
  pid_t pid;
  int status;
  clock_gettime(CLOCK_MONOTONIC, &from);
  const int r = posix_spawnp(&pid, c->argv[1], NULL, NULL, c->argv + 1, environ);
  if (r != 0) return fprintf(stderr, "rounds: %s: %s\n", c->argv[1], strerror(r)), false;
  if (wait4(pid, &status, 0, &used) < 0) return false;
  clock_gettime(CLOCK_MONOTONIC, &to);
  c->wall[round] = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
  c->cpu[round] = ms(used.ru_utime) + ms(used.ru_stime);
  c->rss[round] = (double)used.ru_maxrss;
  if (status != 0) fprintf(stderr, "rounds: %s: wait status %#x\n", c->argv[0], (unsigned)status);
  return status == 0;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorts. */
static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, ascending);
  return values[n / 2];
}

int main(int argc, char **argv) {
  struct one cases[MAX_CASES];
  size_t n = 0;
  const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
  if (argc < 4 || rounds < 1) return fputs("usage: rounds N NAME COMMAND [WORD…] [-- NAME COMMAND…]…\n", stderr), 64;
  for (int i = 2; i < argc && n < MAX_CASES; i++) {
    cases[n].argv = argv + i;
    cases[n].wall = calloc((size_t)rounds, sizeof(double));
    cases[n].cpu = calloc((size_t)rounds, sizeof(double));
    cases[n].rss = calloc((size_t)rounds, sizeof(double));
    if (!cases[n].wall || !cases[n].cpu || !cases[n].rss) return 1;
    n++;
    while (i < argc && strcmp(argv[i], "--") != 0) i++;
    if (i < argc) argv[i] = NULL;
  }
  for (long round = -WARM_UP; round < rounds; round++)
    for (size_t i = 0; i < n; i++)
      if (!measure(&cases[i], round < 0 ? 0 : (size_t)round)) return 1;
  for (size_t i = 0; i < n; i++) median(cases[i].wall, (size_t)rounds);
  const double base = cases[n - 1].wall[rounds / 2];
  printf("%-14s %9s %9s %9s %10s %8s\n", "", "wall ms", "best ms", "cpu ms", "peak KiB", "ratio");
  for (size_t i = 0; i < n; i++)
    printf("%-14s %9.2f %9.2f %9.2f %10.0f %8.2f\n", cases[i].argv[0], cases[i].wall[rounds / 2], cases[i].wall[0],
           median(cases[i].cpu, (size_t)rounds), median(cases[i].rss, (size_t)rounds), cases[i].wall[rounds / 2] / base);
  return 0;
}
