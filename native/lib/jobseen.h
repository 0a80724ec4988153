/* What is to be seen of a Job's slots, and what is done with them: by the manager, and by what podrt leaves in the run folders. */
#pragma once
#include "jobdecide.h"

/* `run` is run_open()'s. Fills one job_seen, to be freed. -errno when the manager does not answer: then nothing is known. */
int job_look(int run, const struct job_spec *spec, size_t slot, bool up, struct job_seen *ret, struct err *err);
void job_seen_free(struct job_seen *seen);

/* An inotify descriptor's watches on the run folders of a slot; they are made where they are not there. Best effort. */
void job_watch(int inotify, int run, const struct job_slot *slot);

/*
 * Clears what the slot's last pod has left, which is another pod: its folders, whoever their files belong to, and its run folder; then
 * queues the start of its unit.
 */
int job_start(const struct job_slot *slot, struct err *err);
/* Queues its stop. */
int job_stop(const struct job_slot *slot, struct err *err);
/* Clears the folders alone. */
int job_clear(const struct job_slot *slot, struct err *err);
