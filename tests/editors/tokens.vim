" vim -es -u NONE -S tokens.vim FILE: each line of the file as runs `what:text`, by the Vim grammar of $EDITORS.
set nocompatible encoding=utf-8
filetype off
exe 'source ' . fnameescape($EDITORS . '/vim/syntax/glia.vim')
syntax sync fromstart
let s:what = {'gliaKeyword': 'keyword', 'gliaOperatorWord': 'word', 'gliaOperator': 'operator', 'gliaBool': 'constant',
  \ 'gliaConstant': 'constant', 'gliaType': 'type', 'gliaDimension': 'dimension', 'gliaFunction': 'function',
  \ 'gliaDefined': 'function', 'gliaMember': 'member', 'gliaNumber': 'number', 'gliaString': 'string', 'gliaEscape': 'escape',
  \ 'gliaBrace': 'escape', 'gliaFormat': 'format', 'gliaHoleMark': 'mark', 'gliaComment': 'comment', 'gliaDoc': 'doc',
  \ 'gliaExpected': 'expected', 'gliaTodo': 'comment'}
let s:out = []
for s:n in range(1, line('$'))
  let s:text = getline(s:n)
  let s:runs = ''
  let s:last = ''
  for s:k in range(len(s:text))
    let s:group = synIDattr(synID(s:n, s:k + 1, 1), 'name')
    let s:is = s:text[s:k] =~ '\s' && s:last !~ 'string\|comment\|doc\|expected' ? '' : get(s:what, s:group, '')
    if s:is != s:last
      let s:runs .= (s:last == '' ? '' : '>') . (s:is == '' ? '' : '<' . s:is . ' ')
    endif
    let s:runs .= s:text[s:k]
    let s:last = s:is
  endfor
  call add(s:out, s:runs . (s:last == '' ? '' : '>'))
endfor
call writefile(s:out, $TOKENS)
qall!
