/* The environment of a container's process: see environ.h. */
#include "environ.h"

#include <fcntl.h>

#include "command.h"

enum { VALUE_MAX = 128 * 1024 };

static char **find(const struct environment *env, const char *name, size_t len) {
  for (size_t i = 0; i < env->n; i++)
    if (!strncmp(env->vars[i], name, len) && env->vars[i][len] == '=') return &env->vars[i];
  return NULL;
}

const char *environment_get(const struct environment *env, const char *name) {
  size_t len = strlen(name);
  char **slot = find(env, name, len);
  return slot ? *slot + len + 1 : NULL;
}

/* Takes `assignment`, also when it fails. */
static int put(struct environment *env, char *assignment) {
  if (!assignment) return -ENOMEM;
  char **slot = find(env, assignment, strcspn(assignment, "="));
  if (slot) {
    free(*slot);
    *slot = assignment;
    return 0;
  }
  if (env->n + 2 > env->room) {
    size_t room = env->room ? 2 * env->room : 32;
    char **bigger = reallocarray(env->vars, room, sizeof *bigger);
    if (!bigger) {
      free(assignment);
      return -ENOMEM;
    }
    env->vars = bigger;
    env->room = room;
  }
  env->vars[env->n++] = assignment;
  env->vars[env->n] = NULL;
  return 0;
}

int environment_add(struct environment *env, const char *assignment) {
  return put(env, strdup(assignment));
}

int environment_set(struct environment *env, const char *name, const char *value) {
  return put(env, xformat("%s=%s", name, value));
}

static int add_secret(struct environment *env, const struct bundle_secret *secret, struct err *err) {
  cleanup_free char *value = NULL;
  size_t len;
  int r = read_file_at(AT_FDCWD, secret->path, VALUE_MAX, &value, &len);
  if (r < 0) return err_set(err, -r, "secret", "variable %s: %s", secret->name, secret->path);
  if (strlen(value) != len) return err_set(err, 0, "secret", "variable %s: its value holds a NUL byte", secret->name);
  r = environment_set(env, secret->name, value);
  explicit_bzero(value, len);
  return r < 0 ? err_set(err, -r, "secret", "variable %s", secret->name) : 0;
}

int environment_make(const struct bundle *b, struct environment *ret, struct err *err) {
  struct environment env = {0};
  int r = 0;
  for (size_t i = 0; r == 0 && b->env && b->env[i]; i++)
    if ((r = environment_add(&env, b->env[i])) < 0) err_set(err, -r, "environment", "%s", "");
  for (size_t i = 0; r == 0 && i < b->n_secrets; i++) r = add_secret(&env, &b->secrets[i], err);
  if (r == 0 && !environment_get(&env, "PATH") && (r = environment_set(&env, "PATH", DEFAULT_PATH)) < 0)
    err_set(err, -r, "environment", "PATH");
  if (r < 0)
    environment_free(&env);
  else
    *ret = env;
  return r;
}

int environment_defaults(struct environment *env, const char *home, bool terminal) {
  int r = environment_get(env, "HOME") ? 0 : environment_set(env, "HOME", home);
  if (r == 0 && terminal && !environment_get(env, "TERM")) r = environment_set(env, "TERM", "xterm");
  return r;
}

void environment_free(struct environment *env) {
  for (size_t i = 0; i < env->n; i++) free(env->vars[i]);
  free(env->vars);
  *env = (struct environment){0};
}
