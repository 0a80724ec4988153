/* The end of what a slot's Job has left running. */
#pragma once
#include "cronspec.h"

/*
 * Stops the controller's unit, then those of its pods (of the slot's job.json), and waits until all of them are down: as long as they are
 * on their way, which their own time-outs limit, and one minute for one that is not. Those that are down already cost a question each.
 */
int cron_stop(const struct cron_slot *slot, struct err *err);
