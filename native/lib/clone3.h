/* clone3(2), for which glibc's sched.h has neither a function nor, before 2.41, the argument. */
#pragma once
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* Linux 5.7 */
#endif

/* linux/sched.h's struct clone_args as of Linux 5.7; that header does not go with glibc's. */
struct clone3_args {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* As fork(2), without the handlers of pthread_atfork(3): we have no threads. -1 and errno. */
static inline pid_t clone3_now(const struct clone3_args *args) {
  return (pid_t)syscall(SYS_clone3, args, sizeof *args);
}
