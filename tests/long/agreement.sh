#!/bin/sh
# agreement: values, first and second derivatives of the library against PyTorch, in f64, by agreement.py. PYTHON: one that has
# torch and numpy; where none is, it is said, and nothing else.
set -u
dir=$BUILD/tests/out/agreement
python=${PYTHON:-/usr/bin/python3}
OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX}
export OPENBLAS_CORETYPE
if ! "$python" -c 'import torch, numpy' >/dev/null 2>&1; then
  echo "skip torch: $python has no torch and numpy"
  exit 0
fi
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir" && exec "$python" "$SRC/tests/long/agreement.py" "${GLIA:-$BUILD/glia}"
