#!/usr/bin/env bash
# Print an empty table of pages, for WEB=no.
cat <<'C'
#include "api/static.h"
const struct web_file web_files[] = {{0}};
const size_t web_file_count = 0;
C
