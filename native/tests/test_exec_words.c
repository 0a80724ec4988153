/* podrt exec's command line, and what is passed on to a container. */
#include <fcntl.h>

#include "expect.h"
#include "oci/exec.h"
#include "oci/passed.h"

static int read_words(struct exec_words *w, const char *const *words) {
  struct err err;
  char *argv[16] = {"exec"};
  int argc = 1;
  for (; words[argc - 1]; argc++) argv[argc] = (char *)words[argc - 1];
  static char *kept[16];
  memcpy(kept, argv, sizeof argv);
  return exec_words_read(argc, kept, w, &err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_words(void) {
  struct exec_words w;
  EXPECT(read_words(&w, WORDS("-e", "A=1", "--env=B=2", "-u", "1:2", "-t", "id", "ls", "-l")) == 0);
  EXPECT(w.env.n == 2 && !strcmp(w.env.word[1], "B=2") && w.tty && !strcmp(w.user, "1:2"));
  EXPECT(!strcmp(w.id, "id") && !strcmp(w.args[0], "ls") && !strcmp(w.args[1], "-l") && !w.args[2]);
  exec_words_free(&w);
  EXPECT(read_words(&w, WORDS("--pid-file", "/p", "--process", "/f", "--detach", "id")) == 0);
  EXPECT(w.detach && !strcmp(w.file, "/f") && !strcmp(w.pid_file, "/p") && !w.args[0]);
  exec_words_free(&w);
  EXPECT(read_words(&w, WORDS("id", "--", "true")) == 0 && !strcmp(w.args[0], "true"));
  exec_words_free(&w);
  EXPECT(read_words(&w, WORDS("id")) < 0);
  EXPECT(read_words(&w, WORDS("id", "")) < 0);
  EXPECT(read_words(&w, WORDS("--process", "/f", "id", "true")) < 0);
  EXPECT(read_words(&w, WORDS("--cwd", "x", "id", "true")) < 0);
  EXPECT(read_words(&w, WORDS("--none", "id", "true")) < 0);
}

static int passed(const char *option, const char *listen, unsigned *ret, const char **ret_listen) {
  struct err err;
  if (listen)
    setenv("LISTEN_FDS", listen, 1);
  else
    unsetenv("LISTEN_FDS");
  return oci_passed(option, ret, ret_listen, &err);
}

static void test_passed(void) {
  unsigned n;
  const char *listen;
  close_range(3, ~0u, 0);
  EXPECT(passed(NULL, NULL, &n, &listen) == 0 && n == 0 && !listen);
  EXPECT(passed("1", NULL, &n, &listen) == -EBADF);
  EXPECT(open("/dev/null", O_RDONLY) == 3 && open("/dev/null", O_RDONLY) == 4);
  EXPECT(passed(NULL, NULL, &n, &listen) == 0 && n == 0);
  EXPECT(passed("2", NULL, &n, &listen) == 0 && n == 2 && !listen);
  EXPECT(passed("3", NULL, &n, &listen) == -EBADF);
  /* podman: the same ones are named twice. */
  EXPECT(passed("2", "2", &n, &listen) == 0 && n == 2 && listen && !strcmp(listen, "2"));
  /* runc: one after the other. */
  EXPECT(passed("1", "1", &n, &listen) == 0 && n == 2 && listen);
  /* Of another process's environment, and not open here: none of ours may fill the gap. */
  EXPECT(passed(NULL, "5", &n, &listen) == 0 && n == 0 && !listen);
  EXPECT(passed(NULL, "x", &n, &listen) == 0 && n == 0 && !listen);
  EXPECT(passed("x", NULL, &n, &listen) < 0 && passed("-1", NULL, &n, &listen) < 0);
}

int main(void) {
  test_words();
  test_passed();
  return expect_end("exec words");
}
