# The grammars that make wrote have the words of the sources; Vim, where it is, reads a specimen as it should, and `:make` finds
# the line of a mistake in a file whose name has a blank. (Of its own :make, Vim does not quote a TMPDIR that has one.)
EDITORS=$(dirname "$GLIA")/editors
export EDITORS
here=$(dirname "$0")/../editors
for word in let layer dense einsum softmax adam fold batches train; do
  for file in vim/syntax/glia.vim vscode/syntaxes/glia.tmLanguage.json; do
    grep -qw "$word" "$EDITORS/$file" || echo "$file has no $word"
  done
done
grep -l '@[A-Z]*@' "$EDITORS/vim/syntax/glia.vim" "$EDITORS/vscode/syntaxes/glia.tmLanguage.json"
if vim --version 2>/dev/null | grep -q '+syntax'; then
  TOKENS=$PWD/tokens vim -es -u NONE -S "$here/tokens.vim" "$here/specimen.nn"
  diff "$here/specimen.tokens" tokens
  printf 'let a = 1\nlet b = a + nothing\n' >'a b.nn'
  TMPDIR=/tmp PATH=$(dirname "$GLIA"):$PATH vim -es -u NONE --cmd 'set nocompatible' -c "source $here/../../editors/vim/ftplugin/glia.vim" \
    -c 'silent make' -c 'call writefile([getqflist()[0].lnum . " " . bufname(getqflist()[0].bufnr)], "found")' -c 'qall!' 'a b.nn' >/dev/null 2>&1
  [ "$(cat found)" = '2 a b.nn' ] || echo ":make found $(cat found)"
fi
echo done
