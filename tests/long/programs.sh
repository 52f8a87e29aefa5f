#!/bin/sh
# programs: those of tests/programs that take minutes, with the others.
set -eu
cd "$SRC"
LONG=1 SECONDS_EACH=1200 sh tests/run programs
