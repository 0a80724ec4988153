/* One client of httpd: its requests, one after the other, and the files they ask for. */
#pragma once
#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

#include "http.h"

struct client {
  int fd; /* 0: a free place */
  int64_t since;
  char who[40];
  size_t len;
  char in[4096];
  /* The reply being sent: head, then body or file. */
  size_t head_len, head_at;
  char head[2048];
  const char *body;
  size_t body_len;
  int file; /* 0: none */
  off_t file_at, file_end;
  bool busy;  /* a reply is being sent */
  bool keep;  /* another request may follow it */
  bool ended; /* our half is closed: what still comes is thrown away, so that it does not reset the reply */
};

/* Takes a connection into a free place; fd must not be 0. */
void client_start(struct client *c, int fd, const struct sockaddr *from);
/* Goes on with a client of which poll told something. `root`: the folder that is served, or -1. */
void client_serve(struct client *c, int root, short events);
void client_drop(struct client *c);

/* Writes a line to standard output or error, whole. */
void say(int fd, const char *text);
int64_t seconds_now(int clock);
