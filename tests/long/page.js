/* page.js PAGE...: whether a page computes again what is recorded in it. In: pages of `glia graph --format=html`, with
 * the values of all their nodes. Out: a line for each that does not: a value is off by more than 1e-6 of its size (or
 * of what the operation added up), or the page cannot compute; then how many there were. Status 1 if one does not.
 *
 * page.js --texts PAGE: the formulas that it shows, backward, a line each, as `:back` writes them.
 *
 * page.js --steps PAGE: each recorded step and what the expression was there.
 */
"use strict";
const fs = require("fs"),
  vm = require("vm"),
  zlib = require("zlib");
const scripts = (html, open) => html.match(new RegExp(open + "\\n([\\s\\S]*?)</script>"))[1];

function load(file) {
  const html = fs.readFileSync(file, "utf8"),
    context = vm.createContext({Math});
  const engine = scripts(html, '<script id="engine">');
  vm.runInContext(engine + "; this.Graph = Graph; this.apply = apply; this.flat = flat; this.OPS = OPS;", context);
  let data = JSON.parse(scripts(html, '<script type="application/json" id="data">'));
  if (typeof data === "string") data = JSON.parse(zlib.inflateSync(Buffer.from(data, "base64")));
  return {graph: new context.Graph(data), ...context};
}

/* Each operation of its recorded operands: what it makes, beside what was recorded. */
function check(file) {
  const {graph, apply, flat, OPS} = load(file);
  let worst = 0,
    where = "",
    checked = 0;
  if (!graph.live) return {failed: "it cannot compute"};
  for (let run = 0; run < graph.runs.length; run++)
    for (let at = 0; at < graph.runs[run].steps.length; at++) {
      const {value} = graph.recorded(run, at),
        again = [];
      for (const n of graph.node) {
        if (!n.in.length || !OPS[n.op]) again[n.id] = value[n.id];
        else
          again[n.id] = apply(
            n.op,
            n.in.map(k => again[k]),
            n.in.map(k => graph.node[k].shape),
            n.attributes,
            n.type,
            n.shape,
          );
      }
      for (const n of graph.node) {
        const scale = Math.max(1, ...n.in.flatMap(k => [...flat(value[k])].map(Math.abs).filter(Number.isFinite)));
        flat(value[n.id]).forEach((v, k) => {
          const w = flat(again[n.id])[k],
            same = Object.is(v, w) || v === w || (Number.isNaN(v) && Number.isNaN(w));
          const off = same ? 0 : Math.abs(v - w) / Math.max(scale, Math.abs(v));
          checked++;
          if (!(off <= worst)) [worst, where] = [Number.isNaN(off) ? Infinity : off, `${n.op}: ${w} for ${v}`];
        });
      }
    }
  return {worst, where, checked, ops: [...new Set(graph.node.filter(n => n.in.length).map(n => n.op))]};
}

function texts(file) {
  const {graph} = load(file),
    {value} = graph.recorded(0, 0);
  graph.passed.forEach(p => {
    const f = graph.passes(value, p);
    console.log(f.parts.join(" = "));
  });
}

function steps(file) {
  const {graph} = load(file);
  graph.runs[0].steps.forEach((s, k) => console.log(s.at, graph.recorded(0, k).value[graph.root].toPrecision(6)));
}

function all(files) {
  let bad = 0;
  const seen = new Set();
  for (const file of files) {
    let r;
    try {
      r = check(file);
    } catch (e) {
      r = {failed: e.message};
    }
    (r.ops || []).forEach(o => seen.add(o));
    if (!r.failed && r.worst <= 1e-6) continue;
    bad++;
    console.log(`${file}: ${r.failed || `off by ${r.worst}, ${r.where}`}`);
  }
  console.log(`${files.length} pages, ${seen.size} operations: ${bad} failed`);
  process.exitCode = bad ? 1 : 0;
}

if (process.argv[2] === "--texts") texts(process.argv[3]);
else if (process.argv[2] === "--steps") steps(process.argv[3]);
else all(process.argv.slice(2));
