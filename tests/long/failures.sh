#!/bin/sh
# failures: tests/embed/failures with every allocation, not some of them.
set -eu
dir=$BUILD/tests/out/failures
mkdir -p "$dir"
cd "$dir"
"$BUILD/tests/embed/failures" all
