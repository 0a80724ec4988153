/* What the containers of units.test.ts execute: one small program with the few behaviours that the scenarios ask for. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void leave(int number) {
  (void)number;
  _exit(0);
}

/* Answers each connection with its own start, so that a client can tell one life from the next. */
static int serve(int port) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port)};
  int yes = 1, listener = socket(AF_INET6, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) return 1;
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client >= 0 && write(client, "served\n", 7) == 7) close(client);
  }
}

/* payload serve PORT | sleep | stubborn | exit CODE | need FILE (fails without it) | note FILE (adds a line) */
int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  const char *word = argc > 2 ? argv[2] : "";
  signal(SIGTERM, strcmp(verb, "stubborn") ? leave : SIG_IGN);
  if (!strcmp(verb, "serve")) return serve(atoi(word));
  if (!strcmp(verb, "exit")) return atoi(word);
  if (!strcmp(verb, "need")) return access(word, F_OK) == 0 ? 0 : 1;
  if (!strcmp(verb, "note")) {
    FILE *file = fopen(word, "a");
    return !file || fputs("ran\n", file) < 0 || fclose(file) != 0;
  }
  for (;;) pause();
}
