/* The verbs of podrt; each lives in verb_NAME.c. argv[0] is the verb's name; the result is the exit code. */
#pragma once
#include "lib/util.h"

int verb_pause(int argc, char **argv);
int verb_infra(int argc, char **argv);
int verb_uplink(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_oneshot(int argc, char **argv);
int verb_wait(int argc, char **argv);
int verb_gate(int argc, char **argv);
int verb_mark(int argc, char **argv);
int verb_refresh(int argc, char **argv);
int verb_job(int argc, char **argv);
int verb_deadline(int argc, char **argv);
int verb_hook(int argc, char **argv);
int verb_attach(int argc, char **argv);
int verb_exec(int argc, char **argv);
int verb_drain(int argc, char **argv);
int verb_balance(int argc, char **argv);
int verb_forward(int argc, char **argv);
int verb_unshare(int argc, char **argv);
int verb_layer(int argc, char **argv);
int verb_repack(int argc, char **argv);
int verb_changes(int argc, char **argv);
int verb_mount(int argc, char **argv);
int verb_unmount(int argc, char **argv);
int verb_recode(int argc, char **argv);
int verb_rmtree(int argc, char **argv);
int verb_swap(int argc, char **argv);
int verb_cron(int argc, char **argv);
int verb_probe(int argc, char **argv);
int verb_machine(int argc, char **argv);
