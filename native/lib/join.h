/* Going where a pod is. */
#pragma once
#include "util.h"

/*
 * Waits until infra of `run_dir` ("pods/web/_infra") lives and joins its user and network namespaces in one setns on its
 * pidfd, which is returned: it becomes readable when infra ends. The process must be single-threaded. -ETIMEDOUT after `deadline`
 * (clock_ms).
 */
int join_infra(const char *run_dir, int64_t deadline, struct err *err);

/*
 * For one who has joined: without waiting, the pidfd of the infra that followed the one that ended. -EAGAIN: there is none yet;
 * -ESTALE: it lives in another network namespace. `dir` is infra's run folder.
 */
int join_successor(int dir, struct err *err);
/* Infra's run folder, made if it is not there. */
int join_folder(const char *run_dir, struct err *err);
