# The grammars that make wrote have the words of the sources.
editors=$(dirname "$GLIA")/editors
for word in let layer dense einsum softmax adam fold batches train; do
  for file in vim/syntax/glia.vim vscode/syntaxes/glia.tmLanguage.json; do
    grep -qw "$word" "$editors/$file" || echo "$file has no $word"
  done
done
grep -l '@[A-Z]*@' "$editors/vim/syntax/glia.vim" "$editors/vscode/syntaxes/glia.tmLanguage.json"
echo done
