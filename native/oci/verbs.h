/* The verbs of the OCI command line; argv[0] is the verb. Each returns the exit code. */
#pragma once
#include "options.h"

int oci_create(const struct oci_global *g, int argc, char **argv);
int oci_run(const struct oci_global *g, int argc, char **argv);
int oci_start(const struct oci_global *g, int argc, char **argv);
int oci_state(const struct oci_global *g, int argc, char **argv);
int oci_kill(const struct oci_global *g, int argc, char **argv);
int oci_delete(const struct oci_global *g, int argc, char **argv);
int oci_list(const struct oci_global *g, int argc, char **argv);
int oci_exec(const struct oci_global *g, int argc, char **argv);
int oci_ps(const struct oci_global *g, int argc, char **argv);
int oci_pause(const struct oci_global *g, int argc, char **argv);
int oci_resume(const struct oci_global *g, int argc, char **argv);
int oci_update(const struct oci_global *g, int argc, char **argv);
int oci_events(const struct oci_global *g, int argc, char **argv);
int oci_features(const struct oci_global *g, int argc, char **argv);
int oci_spec_verb(const struct oci_global *g, int argc, char **argv);
