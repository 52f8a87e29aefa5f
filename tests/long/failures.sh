#!/bin/sh
# failures: tests/embed/failures with every allocation, not some of them, and tests/embed/hosts with 100,000 rounds.
set -eu
dir=$BUILD/tests/out/failures
mkdir -p "$dir"
cd "$dir"
"$BUILD/tests/embed/failures" all
"$BUILD/tests/embed/hosts" 100000
