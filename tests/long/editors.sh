#!/bin/sh
# editors: the specimen, the examples, the library and the programs of the tests, read by the grammars of both editors: the same
# tokens. Needs vim and node, and of npm vscode-textmate and vscode-oniguruma, which it installs below the build.
set -eu
work=$BUILD/tests/out/editors
rm -rf "$work"
mkdir -p "$work/modules"
for tool in vim node npm; do
  command -v $tool >/dev/null || { echo "editors: there is no $tool here: nothing was compared"; exit 0; }
done
(cd "$work/modules" && npm install --silent vscode-textmate vscode-oniguruma >/dev/null 2>&1) ||
  { echo "editors: npm reaches no registry: nothing was compared"; exit 0; }
EDITORS=$BUILD/editors MODULES=$work/modules
export EDITORS MODULES
node "$SRC/tests/editors/tokens.mjs" "$SRC/tests/editors/specimen.nn" | diff "$SRC/tests/editors/specimen.tokens" -
n=0
for f in "$SRC"/examples/*.nn "$SRC"/examples/*/*.nn "$SRC"/stdlib/*.nn "$SRC"/tests/programs/*.nn "$SRC"/tests/lang/*.nn; do
  TOKENS=$work/vim vim -es -u NONE -S "$SRC/tests/editors/tokens.vim" "$f" </dev/null
  node "$SRC/tests/editors/tokens.mjs" "$f" >"$work/vscode"
  diff "$work/vim" "$work/vscode" >"$work/diff" || { echo "$f"; head -n 10 "$work/diff"; exit 1; }
  n=$((n + 1))
done
echo "$n files: the same tokens in both editors"
