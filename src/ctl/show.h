/* show.h - control's answers, laid out for people. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

void show_status(const json_t *status, FILE *out, bool colour);
void show_reload(const json_t *report, FILE *out);

#endif
