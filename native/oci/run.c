/* podrt create and podrt run, as OCI engines call them. */
#include <signal.h>

#include "console.h"
#include "make.h"
#include "passed.h"
#include "verbs.h"

struct words {
  struct oci_make_wish wish;
  const char *preserve;
  bool detach, keep, no_subreaper;
};

static int read_words(int argc, char **argv, bool run, struct words *w, struct err *err) {
  const struct oci_option table[] = {
      {"bundle", 'b', OCI_VALUE, &w->wish.bundle},
      {"config", 'f', OCI_VALUE, &w->wish.config},
      {"console-socket", 0, OCI_VALUE, &w->wish.console_socket},
      {"pid-file", 0, OCI_VALUE, &w->wish.pid_file},
      {"preserve-fds", 0, OCI_VALUE, &w->preserve},
      {"no-pivot", 0, OCI_FLAG, &w->wish.no_pivot},
      {"no-new-keyring", 0, OCI_FLAG, &w->wish.keep_keyring},
      {"no-subreaper", 0, OCI_FLAG, &w->no_subreaper},
      {"detach", 'd', OCI_FLAG, &w->detach},
      {"keep", 0, OCI_FLAG, &w->keep},
  };
  /* The last two are run's alone. */
  int i = oci_options(argc, argv, table, N_ELEMENTS(table) - (run ? 0 : 2), err);
  if (i < 0) return i;
  if (i + 1 != argc) return err_set(err, 0, "usage", "podrt %s [--bundle DIR] [options] ID", argv[0]);
  w->wish.id = argv[i];
  return oci_passed(w->preserve, &w->wish.preserve, &w->wish.listen_fds, err);
}

int oci_create(const struct oci_global *g, int argc, char **argv) {
  struct words w = {.wish.global = g};
  struct oci_made made;
  struct err err;
  int code = 1;
  int r = read_words(argc, argv, false, &w, &err);
  if (r == 0) r = oci_make(&w.wish, &made, &code, &err);
  if (r < 0) return oci_fail(g, &err);
  oci_made_free(&made);
  return 0;
}

/* --- run --- */

/* Lets it go. What it says now is why it could not; the end of the socket is the exec. */
static int release(const struct oci_made *made, int *ret_exit, struct err *err) {
  struct oci_report report = {.message = OCI_GO};
  int fd;
  int r = oci_report_send(made->sock, &report, -1);
  if (r < 0) return err_set(err, -r, "sync", "%s", "the container's process is gone");
  r = oci_report_receive(made->sock, &report, &fd);
  if (r < 0 || report.message != OCI_FAILED) return 0;
  *err = report.err;
  *ret_exit = report.exit_code;
  return report.err.code ? -report.err.code : -EINVAL;
}

static int attached(struct oci_made *made, const struct words *w, int *ret_exit, struct err *err) {
  cleanup_fd int signals = console_signals(err);
  if (signals < 0) return signals;
  int r = release(made, ret_exit, err);
  struct err ignored;
  if (r == 0) (void)oci_run_hooks(&made->container, &made->spec, OCI_POSTSTART, OCI_RUNNING, &ignored);
  if (r == 0 && w->detach) {
    *ret_exit = 0;
    return 0;
  }
  if (r == 0) r = console_serve(made->master, signals, made->container.proc.pid, err);
  if (r >= 0) *ret_exit = r;
  if (w->keep) return r;
  const int undone = oci_unmake(made->root, &made->container, &made->spec, r < 0 ? &ignored : err);
  return r < 0 ? r : undone;
}

int oci_run(const struct oci_global *g, int argc, char **argv) {
  struct words w = {.wish = {.global = g, .attached = true}};
  struct oci_made made;
  struct err err;
  int code = 1;
  int r = read_words(argc, argv, true, &w, &err);
  if (r == 0) r = oci_make(&w.wish, &made, &code, &err);
  if (r == 0 && w.detach && made.master >= 0) r = err_set(&err, 0, "terminal", "--detach needs --console-socket");
  if (r < 0) {
    const int usage = oci_fail(g, &err);
    return usage == 64 ? usage : code;
  }
  r = attached(&made, &w, &code, &err);
  oci_made_free(&made);
  if (r < 0) oci_fail(g, &err);
  return r < 0 && !code ? 1 : code;
}
