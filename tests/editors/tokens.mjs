// node tokens.mjs FILE: each line of the file as runs `what:text`, by the VS Code grammar of $EDITORS. Needs vscode-textmate and
// vscode-oniguruma of npm, in the folder $MODULES.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(process.env.MODULES + '/');
const { Registry, INITIAL, parseRawGrammar } = require('vscode-textmate');
const oniguruma = require('vscode-oniguruma');

const path = process.env.EDITORS + '/vscode/syntaxes/glia.tmLanguage.json';
await oniguruma.loadWASM(readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm')).buffer);
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => parseRawGrammar(readFileSync(path, 'utf8'), path),
});
const grammar = await registry.loadGrammar('source.glia');

// the innermost scope that says what a piece of text is
const meaning = [
  ['comment.line.documentation', 'doc'], ['comment.line.expected', 'expected'], ['comment', 'comment'],
  ['punctuation.section.interpolation', 'mark'], ['constant.character.escape', 'escape'], ['constant.other.placeholder', 'format'],
  ['meta.interpolation', ''], ['string', 'string'], ['keyword.control', 'keyword'], ['keyword.operator.logical', 'word'],
  ['keyword.operator', 'operator'], ['entity.name.function', 'function'], ['entity.name.type.dimension', 'dimension'],
  ['variable.other.member', 'member'], ['constant.language', 'constant'], ['constant.numeric', 'number'], ['storage.type', 'type'],
  ['support.function', 'function'],
];
function what(scopes) {
  for (const scope of [...scopes].reverse())
    for (const [prefix, name] of meaning) if (scope.startsWith(prefix)) return name;
  return '';
}

let state = INITIAL;
for (const line of readFileSync(process.argv[2], 'utf8').replace(/\n$/, '').split('\n')) {
  const result = grammar.tokenizeLine(line, state);
  let out = '', last = '';
  for (const token of result.tokens)
    for (const c of line.slice(token.startIndex, token.endIndex)) {
      const is = /\s/.test(c) && !/string|comment|doc|expected/.test(last) ? '' : what(token.scopes);
      if (is !== last) out += (last ? '>' : '') + (is ? `<${is} ` : '');
      out += c;
      last = is;
    }
  console.log(out + (last ? '>' : ''));
  state = result.ruleStack;
}
