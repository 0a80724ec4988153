/* The unit that we are started as. */
#pragma once
#include "util.h"

/* The service whose cgroup we are in ("pod-web_app.service"), a new string; NULL where it is none, as for what a person starts. */
char *own_unit(void);
