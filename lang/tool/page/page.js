/* page: what is seen. In: the JSON of the page, as a Graph. Out: the picture, the panel beside it, the player below.
 * state says what is shown; draw() makes the picture of it, and only of what lies in the window.
 */
const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const graph = new Graph(await unpacked(JSON.parse($("data").textContent)));
const {calls, of: callOf, chains} = callsOf(graph);
const steps = graph.steps();
const WIDE = 156,
  HIGH = 58,
  GAP = {along: 46, across: 16};

const state = {
  run: 0,
  time: 0,
  recorded: null,
  value: null,
  changed: {} /* changed: by node, what a hand gave it */,
  step: steps.length,
  playing: 0,
  chosen: graph.root,
  back: true,
  down: false,
  folded: new Set(),
  found: new Set(),
  path: new Set(),
  x: 0,
  y: 0,
  zoom: 1,
  element: {},
  compare: false,
};
let items = [],
  edges = [],
  itemOf = [],
  groups = [],
  order = new Map();
steps.forEach((s, k) => {
  if (s.phase === "forward") order.set("f" + s.node, k);
  if (s.phase === "backward") for (const p of s.passed) order.set("b" + graph.passed[p].to, k);
  if (s.phase === "update") order.set("u" + s.node, k);
});

function el(name, attributes, ...children) {
  const e = name.includes(":") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const k in attributes) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), attributes[k]);
    else if (attributes[k] !== undefined && attributes[k] !== false) e.setAttribute(k, attributes[k]);
  }
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}
const cut = (t, n) => (t.length > n ? t.slice(0, n - 1) + "…" : t);
const typeText = n => n.type + "[" + n.shape.join(", ") + "]";

/* ---- what is shown of a node ---- */

const doneForward = id => !order.has("f" + id) || order.get("f" + id) <= state.step;
const doneBackward = id =>
  id === graph.root ? state.step >= forwardSteps : (order.get("b" + id) ?? Infinity) <= state.step;
const doneUpdate = id => (order.get("u" + id) ?? Infinity) <= state.step;
const forwardSteps = steps.filter(s => s.phase === "forward").length;

function brief(v, shape) {
  if (v === undefined) return "";
  if (typeof v === "number") return text4(v);
  return isFull(v) && v.length === 1 ? text4(v[0]) : "‖" + text4(norm(v)) + "‖";
}
const shown = (id, v) => brief(v, graph.node[id].shape);

function setValues() {
  state.recorded = graph.recorded(state.run, state.time);
  recompute();
}
function recompute() {
  const moved = Object.keys(state.changed).length > 0;
  state.value = moved ? graph.moved(state.recorded, state.changed) : state.recorded.value;
  state.other =
    graph.runs.length > 1 && state.compare && !moved
      ? graph.recorded(1 - state.run, min(state.time, graph.runs[1 - state.run].steps.length - 1)).value
      : null;
}

/* What a step made of a parameter: recorded; moved by a hand, the same multiple of its gradient, if it was one. */
function updated(id) {
  const now = state.recorded.next[id],
    w = state.recorded.value[id],
    g = graph.adjoint(state.recorded.value, id);
  if (now === undefined) return {};
  const k = largest(g),
    rate = g === undefined ? NaN : (element(w, k) - element(now, k)) / element(g, k);
  const n = isFull(w) ? w.length : 1;
  let same = Number.isFinite(rate);
  for (let j = 0; same && j < n; j++) {
    const d = element(w, j) - element(now, j),
      e = rate * element(g, j);
    if (d !== undefined && fabs(d - e) > 2e-6 * (fabs(element(w, j)) + fabs(d))) same = false;
  }
  if (!Object.keys(state.changed).length) return {now, rate: same ? Number(rate.toPrecision(5)) : undefined};
  if (!same) return {};
  const v = state.value[id],
    h = graph.adjoint(state.value, id),
    c = Number(rate.toPrecision(5));
  return {now: typeof v === "number" ? v - c * h : Float64Array.from(v, (e, j) => e - c * h[j]), rate: c};
}

/* ---- what is drawn: nodes, and calls that are folded ---- */

function visibleCall(id) {
  const c = callOf[id];
  if (c < 0) return -1;
  for (const k of chains[c]) if (state.folded.has(k)) return k;
  return -1;
}

function arrange() {
  items = [];
  itemOf = [];
  const box = new Map(),
    size = state.down ? {along: HIGH, across: WIDE} : {along: WIDE, across: HIGH};
  for (const n of graph.node.slice(0, graph.n)) {
    if (n.kind === 4) continue;
    const c = visibleCall(n.id);
    if (c >= 0 && box.has(c)) {
      itemOf[n.id] = box.get(c);
      items[box.get(c)].order = n.id;
      continue;
    }
    if (c >= 0) box.set(c, items.length);
    itemOf[n.id] = items.length;
    items.push({node: n.id, call: c, order: n.id, ...size});
  }
  const seen = new Map();
  edges = [];
  for (const n of graph.node.slice(0, graph.n)) {
    if (itemOf[n.id] === undefined) continue;
    n.in.forEach((k, operand) => {
      const a = itemOf[k],
        b = itemOf[n.id];
      if (a === undefined || a === b) return;
      const key = a * items.length + b;
      if (!seen.has(key)) {
        seen.set(key, edges.length);
        edges.push({a, b, passed: []});
      }
      for (const p of n.passes) if (graph.passed[p].operand === operand) edges[seen.get(key)].passed.push(p);
    });
  }
  layered(
    items,
    edges.map(e => [e.a, e.b]),
    GAP,
  );
  if (state.down) for (const i of items) [i.x, i.y] = [i.y, i.x];
  groups = [];
  calls.forEach((c, k) => {
    if (chains[k].some(j => state.folded.has(j)) || c.nodes.length < 2) return;
    const g = {call: k, x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity};
    for (const id of c.nodes) {
      const i = items[itemOf[id]],
        pad = 10 - c.depth;
      g.x0 = min(g.x0, i.x - WIDE / 2 - pad);
      g.y0 = min(g.y0, i.y - HIGH / 2 - pad - 8);
      g.x1 = max(g.x1, i.x + WIDE / 2 + pad);
      g.y1 = max(g.y1, i.y + HIGH / 2 + pad);
    }
    groups.push(g);
  });
}

function bounds() {
  let b = [Infinity, Infinity, -Infinity, -Infinity];
  for (const i of items)
    b = [min(b[0], i.x - WIDE / 2), min(b[1], i.y - HIGH / 2), max(b[2], i.x + WIDE / 2), max(b[3], i.y + HIGH / 2)];
  return b;
}
function fit() {
  const [x0, y0, x1, y1] = bounds(),
    w = $("graph").clientWidth,
    h = $("graph").clientHeight;
  state.zoom = max(0.005, min(1.25, (w - 50) / (x1 - x0), (h - 50) / (y1 - y0)));
  state.x = w / 2 - ((x0 + x1) / 2) * state.zoom;
  state.y = h / 2 - ((y0 + y1) / 2) * state.zoom;
}
/* In the direction in which more of it can be read. */
function arrangeBest() {
  const zoom = [false, true].map(down => {
    state.down = down;
    arrange();
    fit();
    return state.zoom;
  });
  if (zoom[0] < zoom[1]) return;
  state.down = false;
  arrange();
  fit();
}
/* Moves the window so that the node is in it. */
function reveal(id) {
  const i = items[itemOf[id]],
    w = $("graph").clientWidth,
    h = $("graph").clientHeight;
  if (!i) return;
  if (state.zoom < 0.3) state.zoom = 0.8;
  const x = i.x * state.zoom + state.x,
    y = i.y * state.zoom + state.y,
    mx = min(110, w / 3),
    my = min(60, h / 3);
  if (x < mx || x > w - mx || y < my || y > h - my) {
    state.x = w / 2 - i.x * state.zoom;
    state.y = h / 2 - i.y * state.zoom;
  }
}

/* ---- the picture ---- */

function pathOf(a, b) {
  if (state.down) {
    const y0 = a.y + HIGH / 2,
      y1 = b.y - HIGH / 2 - 2,
      m = max(18, fabs(y1 - y0) / 2);
    return `M${a.x} ${y0}C${a.x} ${y0 + m} ${b.x} ${y1 - m} ${b.x} ${y1}`;
  }
  const x0 = a.x + WIDE / 2,
    x1 = b.x - WIDE / 2 - 2,
    m = max(18, fabs(x1 - x0) / 2);
  return `M${x0} ${a.y}C${x0 + m} ${a.y} ${x1 - m} ${b.y} ${x1} ${b.y}`;
}
function pathBack(a, b) {
  const shift = state.down ? {x: 9, y: 0} : {x: 0, y: 9};
  const A = {x: a.x + shift.x, y: a.y + shift.y},
    B = {x: b.x + shift.x, y: b.y + shift.y};
  if (state.down) {
    const y0 = B.y - HIGH / 2,
      y1 = A.y + HIGH / 2 + 2,
      m = max(18, fabs(y1 - y0) / 2);
    return `M${B.x} ${y0}C${B.x} ${y0 - m} ${A.x} ${y1 + m} ${A.x} ${y1}`;
  }
  const x0 = B.x - WIDE / 2,
    x1 = A.x + WIDE / 2 + 2,
    m = max(18, fabs(x1 - x0) / 2);
  return `M${x0} ${B.y}C${x0 - m} ${B.y} ${x1 + m} ${A.y} ${x1} ${A.y}`;
}

function stepNow() {
  return state.step < steps.length ? steps[state.step] : null;
}

function boxClass(i) {
  const n = graph.node[i.node],
    now = stepNow(),
    names = ["box"];
  if (i.call >= 0) names.push("call");
  else if (n.kind === 1) names.push("leaf");
  else if (n.kind > 1) names.push("input", graph.live ? "leaf" : "");
  if (itemOf[graph.root] === items.indexOf(i)) names.push("root");
  return names
    .concat(
      now && itemOf[now.node] === i.index ? "now" : "",
      itemOf[state.chosen] === i.index ? "chosen" : "",
      isFound(i) ? "found" : "",
    )
    .filter(c => c)
    .join(" ");
}
const isFound = i => (i.call < 0 ? state.found.has(i.node) : calls[i.call].nodes.some(id => state.found.has(id)));
const onPath = i =>
  !state.path.size || (i.call < 0 ? state.path.has(i.node) : calls[i.call].nodes.some(id => state.path.has(id)));

function drawItem(i) {
  const n = graph.node[i.node],
    g = el("svg:g", {transform: `translate(${i.x} ${i.y})`, "data-item": i.index, class: onPath(i) ? "" : "dim"});
  const title = el("svg:title", {}, i.call >= 0 ? calls[i.call].text : graph.label(i.node) + "  " + typeText(n));
  g.append(
    title,
    el("svg:rect", {
      x: -WIDE / 2,
      y: -HIGH / 2,
      width: WIDE,
      height: HIGH,
      rx: i.call >= 0 ? 3 : n.kind ? 16 : 7,
      class: boxClass(i),
    }),
  );
  if (state.zoom < 0.3) return g;
  const line = (y, text, c) => g.append(el("svg:text", {x: 0, y, "text-anchor": "middle", class: c}, text));
  if (i.call >= 0) {
    const c = calls[i.call];
    line(-8, cut("⊞ " + (c.layer || c.text), 20), "");
    line(9, cut(c.layer ? c.text : "", 22), "t-soft");
    line(23, c.nodes.filter(id => graph.node[id].kind === 0).length + " operations", "t-soft");
    return g;
  }
  const name = graph.label(i.node),
    written = graph.written(i.node);
  const head =
    n.name && written && n.name !== written && n.kind === 0 && n.name.length < 12 ? n.name + " = " + written : name;
  const value = doneForward(i.node) ? shown(i.node, state.value[i.node]) : "";
  const adjoint =
    state.back && !state.other && doneBackward(i.node) ? shown(i.node, graph.adjoint(state.value, i.node)) : "";
  line(-13, cut(head, 20), "");
  if (n.shape.length) line(2, typeText(n), "t-soft");
  const y = n.shape.length ? 20 : 12;
  const other = state.other && doneForward(i.node) ? shown(i.node, state.other[i.node]) : "";
  const narrow = value.length + other.length + adjoint.length > 17;
  const text = el("svg:text", {x: 0, y, "text-anchor": "middle", class: narrow ? "t-narrow" : ""});
  if (value) text.append(el("svg:tspan", {fill: "var(--value)"}, value));
  if (other) text.append(el("svg:tspan", {fill: "var(--update)"}, (value ? " | " : "") + other));
  if (adjoint) text.append(el("svg:tspan", {fill: "var(--back)"}, (value || other ? "  " : "") + "g " + adjoint));
  g.append(text);
  return g;
}

let asked = false;
function draw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    drawNow();
  });
}

function drawNow() {
  const svg = $("graph"),
    z = state.zoom,
    w = svg.clientWidth,
    h = svg.clientHeight;
  const x0 = -state.x / z - WIDE,
    y0 = -state.y / z - HIGH,
    x1 = (w - state.x) / z + WIDE,
    y1 = (h - state.y) / z + HIGH;
  const inside = i => i.x > x0 && i.x < x1 && i.y > y0 && i.y < y1;
  svg.classList.toggle("live", graph.live);
  $("world").setAttribute("transform", `translate(${state.x} ${state.y}) scale(${z})`);
  const boxes = [],
    drawn = [],
    lines = [],
    labels = [],
    now = stepNow();
  if (z > 0.08)
    for (const g of groups) {
      if (g.x1 < x0 || g.x0 > x1 || g.y1 < y0 || g.y0 > y1) continue;
      boxes.push(
        el("svg:rect", {
          x: g.x0,
          y: g.y0,
          width: g.x1 - g.x0,
          height: g.y1 - g.y0,
          rx: 10,
          class: "group",
          "data-call": g.call,
        }),
      );
      /* of labels that would lie on each other the outer one is written */
      const label = "⊟ " + cut(calls[g.call].layer || calls[g.call].text, 32),
        at = {x0: g.x0 + 8, x1: g.x0 + 8 + 7 * label.length, y: g.y0 + 11};
      if (z < 0.3 || labels.some(l => fabs(l.y - at.y) < 13 && l.x0 < at.x1 && at.x0 < l.x1)) continue;
      labels.push(at);
      boxes.push(el("svg:text", {x: at.x0, y: at.y, class: "t-soft"}, label));
    }
  /* Far away all boxes are one path, and all edges another. */
  const far = z < 0.16;
  let blur = "";
  items.forEach((i, k) => {
    i.index = k;
    if (!inside(i)) return;
    if (
      !far ||
      isFound(i) ||
      itemOf[state.chosen] === k ||
      (now && itemOf[now.node] === k) ||
      (state.path.size && onPath(i))
    )
      drawn.push(drawItem(i));
    else blur += `M${i.x - WIDE / 2} ${i.y - HIGH / 2}h${WIDE}v${HIGH}h${-WIDE}z`;
  });
  let plain = "";
  const edgePaths = [];
  for (const e of edges) {
    const a = items[e.a],
      b = items[e.b];
    if (max(a.x, b.x) < x0 || min(a.x, b.x) > x1 || max(a.y, b.y) < y0 || min(a.y, b.y) > y1) continue;
    const path =
      state.path.size &&
      !state.path.has("none") &&
      a.call < 0 &&
      b.call < 0 &&
      state.path.has(a.node) &&
      state.path.has(b.node);
    if (far && !path) {
      plain += `M${a.x} ${a.y}L${b.x} ${b.y}`;
      continue;
    }
    const forward = now && now.phase === "forward" && itemOf[now.node] === e.b;
    edgePaths.push(
      el("svg:path", {
        d: pathOf(a, b),
        class: "edge" + (forward ? " now" : "") + (path ? " path" : "") + (onPath(a) && onPath(b) ? "" : " dim"),
      }),
    );
    const passes = state.back && e.passed.some(p => doneBackward(graph.passed[p].to));
    if (!passes) continue;
    const here = now && now.phase === "backward" && itemOf[now.node] === e.b;
    edgePaths.push(
      el("svg:path", {
        d: pathBack(a, b),
        class: "edge back" + (here ? " now" : "") + (onPath(a) && onPath(b) ? "" : " dim"),
      }),
    );
    if (z > 0.45 && e.passed.length === 1 && fabs(a.x - b.x) + fabs(a.y - b.y) < 900) {
      const p = graph.passed[e.passed[0]],
        t = brief(state.value[p.dx]);
      if (t && graph.node[p.to].gets.length > 1)
        lines.push(
          el(
            "svg:text",
            {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 + 20, "text-anchor": "middle", class: "t-back t-small"},
            t,
          ),
        );
    }
  }
  if (blur) boxes.push(el("svg:path", {d: blur, class: "box far"}));
  if (plain) boxes.push(el("svg:path", {d: plain, class: "edge plain far"}));
  $("boxes").replaceChildren(...boxes);
  $("edges").replaceChildren(...edgePaths, ...lines);
  $("nodes").replaceChildren(...drawn);
}

/* ---- the panel: one node ---- */

function sourceOf(id) {
  let p = graph.node[id].place;
  const seen = [];
  while (p && graph.place[p].library) p = graph.place[p].caller;
  if (!p) return seen;
  const s = graph.place[p];
  const line = `${s.file}:${s.line}`;
  seen.push(
    el("p", {class: "note"}, line),
    el("pre", {}, s.text.slice(0, s.from).trimStart(), el("mark", {}, s.text.slice(s.from, s.to)), s.text.slice(s.to)),
  );
  const own = graph.place[graph.node[id].place];
  if (own && own !== s)
    seen.push(
      el("p", {class: "note"}, `within it, ${own.file}:${own.line}`),
      el(
        "pre",
        {},
        own.text.slice(0, own.from).trimStart(),
        el("mark", {}, own.text.slice(own.from, own.to)),
        own.text.slice(own.to),
      ),
    );
  return seen;
}

/* A picture of sizes and a table, of a tensor's last two axes. */
function valueView(v, shape, kind) {
  if (v === undefined) return [el("span", {class: "note"}, "not in this page")];
  if (typeof v === "number") return [el("span", {class: "mono " + kind}, text4(v))];
  const parts = [el("span", {class: "mono " + kind}, "norm " + text4(norm(v)))];
  if (!isFull(v)) {
    parts.push(
      el(
        "div",
        {class: "note"},
        "of its elements: " +
          Object.entries(v.at)
            .slice(0, 6)
            .map(([k, e]) => indexText(Number(k), shape) + " " + text4(e))
            .join(", "),
      ),
    );
    return parts;
  }
  const columns = shape.length ? shape[shape.length - 1] || 1 : 1,
    rows = min(40, v.length / columns),
    most = max(...v.map(fabs), 1e-300);
  const table = el("table");
  for (let r = 0; r < rows; r++) {
    const tr = el("tr");
    for (let c = 0; c < min(columns, 24); c++) {
      const e = v[r * columns + c],
        part = Math.round((70 * fabs(e)) / most) || 0;
      tr.append(
        el(
          "td",
          {style: `background: color-mix(in srgb, var(--${e < 0 ? "high" : "low"}) ${part * 0.6}%, transparent)`},
          text4(e),
        ),
      );
    }
    table.append(tr);
  }
  parts.push(el("div", {class: "scroll", tabindex: 0}, table));
  if (rows * columns < v.length || columns > 24)
    parts.push(
      el("p", {class: "note"}, `the first ${rows} rows, ${min(columns, 24)} columns, of ${v.length} elements`),
    );
  return parts;
}

const formula = parts => el("p", {class: "formula"}, parts.join(" = "));

function passedView(p, label) {
  const f = graph.passes(state.value, graph.passed[p]),
    out = [el("p", {class: "note"}, label), formula(f.parts)];
  if (f.slope !== undefined && f.arrives !== undefined && f.leaves !== undefined)
    out.push(el("p", {class: "formula adjoint"}, leavesText(f)));
  return out;
}
function leavesText(f) {
  const s = text4(f.slope);
  return `${text4(f.arrives)} * ${s.startsWith("-") ? `(${s})` : s} = ${text4(f.leaves)}`;
}

function about() {
  const id = state.chosen,
    n = graph.node[id],
    parts = [];
  const written = graph.written(id);
  parts.push(el("h2", {}, ["operation", "parameter", "input", "constant", "literal"][n.kind] + "  " + typeText(n)));
  parts.push(
    el("div", {class: "mono"}, n.name && written && n.name !== written ? `${n.name}  = ${written}` : graph.label(id)),
  );
  parts.push(...sourceOf(id));
  parts.push(el("h2", {}, "value"), ...valueView(state.value[id], n.shape, "value"));
  if (n.kind === 0) parts.push(formula(graph.forward(state.value, id).parts));
  if (state.other)
    parts.push(
      el("p", {class: "note"}, graph.runs[1 - state.run].name + ":"),
      ...valueView(state.other[id], n.shape, "update"),
    );
  const g = graph.adjoint(state.value, id);
  if (state.back && graph.data.adjoint) {
    parts.push(el("h2", {}, "adjoint"));
    if (g === undefined)
      parts.push(el("p", {class: "note"}, "none: nothing that is differentiated by stands below it"));
    else parts.push(...valueView(g, n.shape, "adjoint"));
    if (n.gets.length) parts.push(el("h2", {}, "comes from"));
    for (const p of n.gets.slice(0, 12)) parts.push(...passedView(p, graph.label(graph.passed[p].user)));
    if (n.passes.length) parts.push(el("h2", {}, "passes on"));
    for (const p of n.passes) parts.push(...passedView(p, "to " + graph.label(graph.passed[p].to)));
  } else if (!graph.data.adjoint)
    parts.push(el("p", {class: "note"}, "the expression is not one number: it has no adjoints"));
  const u = updated(id);
  if (u.now !== undefined)
    parts.push(
      el("h2", {}, "the step makes of it"),
      ...valueView(u.now, n.shape, "update"),
      formula(updateText(id).parts),
    );
  $("about").replaceChildren(...parts);
}

function updateText(id) {
  const u = updated(id),
    name = graph.label(id),
    k = largest(graph.adjoint(state.value, id)),
    n = graph.node[id];
  if (u.now === undefined) return {parts: [name, "the step after this one is not known"]};
  const w = element(state.value[id], k),
    g = element(graph.adjoint(state.value, id), k),
    v = element(u.now, k);
  const at = indexText(k, n.shape);
  if (u.rate === undefined)
    return {parts: [name + at, `${text4(w)} ${v < w ? "-" : "+"} ${text4(fabs(v - w))}`, text4(v)]};
  const b = text4(g);
  return {
    parts: [
      name + at,
      `${name} - ${text4(u.rate)} * g`,
      `${text4(w)} - ${text4(u.rate)} * ${b.startsWith("-") ? `(${b})` : b}`,
      text4(v),
    ],
  };
}

/* ---- the hand ---- */

const canMove = id =>
  graph.live && graph.node[id].kind >= 1 && graph.node[id].kind <= 3 && graph.node[id].type.startsWith("f");

function give(id, k, v) {
  const old = state.changed[id] ?? state.recorded.value[id];
  if (typeof old === "number") state.changed[id] = rounded(v, graph.node[id].type);
  else {
    const copy = Float64Array.from(old);
    copy[k] = rounded(v, graph.node[id].type);
    state.changed[id] = copy;
  }
  recompute();
  draw();
  refresh(false);
}

function hand() {
  const id = state.chosen,
    n = graph.node[id],
    parts = [];
  const moved = Object.keys(state.changed).length;
  if (canMove(id)) {
    const v = flat(state.value[id]),
      grid = el("div", {class: "hand"});
    parts.push(el("h2", {}, "move it"));
    for (let k = 0; k < min(v.length, 32); k++) {
      const start = element(state.recorded.value[id], k),
        reach = max(2, 3 * fabs(start));
      const number = el("input", {
        type: "number",
        step: "any",
        value: text4(v[k]),
        "aria-label": "value " + indexText(k, n.shape),
      });
      const range = el("input", {
        type: "range",
        min: start - reach,
        max: start + reach,
        step: reach / 200,
        value: v[k],
        "aria-label": "move " + indexText(k, n.shape),
      });
      range.addEventListener("input", () => {
        number.value = text4(Number(range.value));
        give(id, k, Number(range.value));
      });
      number.addEventListener("change", () => {
        if (number.value !== "") {
          range.value = number.value;
          give(id, k, Number(number.value));
        }
      });
      grid.append(el("span", {class: "mono"}, indexText(k, n.shape) || n.name), range, number);
    }
    parts.push(grid);
  }
  if (moved)
    parts.push(
      el(
        "p",
        {},
        el(
          "button",
          {
            id: "undo",
            onclick: () => {
              state.changed = {};
              recompute();
              draw();
              refresh(true);
            },
          },
          "back to the recorded values",
        ),
      ),
    );
  if (!graph.live && n.kind >= 1 && n.kind <= 3)
    parts.push(
      el(
        "p",
        {class: "note"},
        "it cannot be moved here: the graph is too large, or an operation has no form for a page",
      ),
    );
  $("hand").replaceChildren(...parts);
}

/* ---- the curve of the recorded steps ---- */

function curve() {
  const all = graph.runs.map((r, k) =>
    r.steps.map((s, j) => ({at: s.at, v: element(graph.recorded(k, j).value[graph.root], 0)})),
  );
  if (all[0].length < 2) return;
  const points = all.flat(),
    xs = points.map(p => p.at),
    ys = points.map(p => p.v).filter(Number.isFinite);
  const x0 = min(...xs),
    x1 = max(...xs),
    y0 = min(...ys),
    y1 = max(...ys),
    w = 320,
    h = 96;
  const px = x => 6 + ((w - 12) * (x - x0)) / (x1 - x0 || 1),
    py = y => h - 6 - ((h - 18) * (y - y0)) / (y1 - y0 || 1);
  const svg = el("svg:svg", {
    viewBox: `0 0 ${w} ${h + 12}`,
    role: "img",
    "aria-label": "the value over the recorded steps",
  });
  all.forEach((line, k) => {
    const good = line.filter(p => Number.isFinite(p.v)),
      colour = k ? "var(--update)" : "var(--value)";
    svg.append(
      el("svg:path", {
        d: good.map((p, j) => (j ? "L" : "M") + px(p.at) + " " + py(p.v)).join(""),
        fill: "none",
        stroke: colour,
        "stroke-width": 2,
        "stroke-dasharray": k ? "6 3" : "none",
      }),
    );
    for (const p of good) svg.append(el("svg:circle", {cx: px(p.at), cy: py(p.v), r: 2.5, fill: colour}));
  });
  const here = all[state.run][state.time];
  if (here && Number.isFinite(here.v))
    svg.append(
      el("svg:circle", {cx: px(here.at), cy: py(here.v), r: 5, fill: "none", stroke: "var(--ink)", "stroke-width": 2}),
    );
  svg.append(
    el("svg:text", {x: 6, y: 10, class: "t-soft"}, text4(y1)),
    el("svg:text", {x: 6, y: h + 10, class: "t-soft"}, `${text4(y0)}  steps ${x0} to ${x1}`),
  );
  $("curve").replaceChildren(
    el(
      "h2",
      {},
      graph.label(graph.root) +
        " by step" +
        (all.length > 1 ? `: ${graph.runs[0].name}, and ${graph.runs[1].name} (dashed)` : ""),
    ),
    svg,
  );
}

/* ---- the player ---- */

function caption() {
  const s = stepNow(),
    out = [];
  if (!s) out.push(el("span", {class: "phase"}, "all"), "every value and adjoint; play goes through them one by one");
  else if (s.phase === "forward") {
    const f = graph.forward(state.value, s.node);
    out.push(el("span", {class: "phase value"}, "forward"), f.parts.join(" = "), element2(s.node, f.element));
  } else if (s.phase === "backward") {
    out.push(el("span", {class: "phase adjoint"}, "backward"));
    s.passed.forEach((p, k) => {
      const f = graph.passes(state.value, graph.passed[p]);
      if (k) out.push(el("br"), el("span", {class: "phase"}));
      out.push(f.parts.join(" = "));
      if (f.slope !== undefined && f.arrives !== undefined)
        out.push(el("span", {class: "adjoint"}, "    leaves " + leavesText(f)));
      out.push(el("span", {class: "note"}, "  to " + graph.label(graph.passed[p].to)), element2(s.node, f.element));
    });
  } else out.push(el("span", {class: "phase update"}, "update"), updateText(s.node).parts.join(" = "));
  $("caption").replaceChildren(...out);
  $("where").textContent = s ? `${s.phase} ${state.step + 1} of ${steps.length}` : `all ${steps.length} steps`;
}
const element2 = (id, k) =>
  graph.node[id].shape.length ? el("span", {class: "note"}, "  at " + indexText(k, graph.node[id].shape)) : "";

function toStep(k) {
  state.step = max(0, min(steps.length, k));
  $("step").value = state.step;
  const s = stepNow();
  if (s) {
    state.chosen = s.node;
    reveal(s.node);
  }
  draw();
  refresh(true);
}
function play(on) {
  clearInterval(state.playing);
  state.playing = 0;
  if (on) {
    if (state.step >= steps.length) toStep(0);
    state.playing = setInterval(() => {
      toStep(state.step + 1);
      if (state.step >= steps.length) play(false);
    }, 1100);
  }
  $("play").textContent = on ? "⏸" : "▶";
  $("play").title = on ? "pause (space)" : "play (space)";
}

/* all: with what is typed into */
function refresh(all) {
  about();
  caption();
  if (all) hand();
  plane();
}

function choose(id) {
  state.chosen = id;
  draw();
  refresh(true);
}

function toTime(k) {
  state.time = max(0, min(graph.runs[state.run].steps.length - 1, k));
  $("time").value = state.time;
  state.changed = {};
  setValues();
  $("when").textContent = String(state.recorded.at);
  draw();
  planeRange();
  refresh(true);
  curve();
}

/* ---- folding, searching, a path ---- */

function toggleCall(k) {
  if (state.folded.has(k)) state.folded.delete(k);
  else state.folded.add(k);
  arrange();
  draw();
}
function foldAll() {
  const some = calls.map((c, k) => k).filter(k => calls[k].nodes.length > 1 && calls[k].parent < 0);
  if (state.folded.size) state.folded.clear();
  else if (some.length > 1 || calls.length < 2) some.forEach(k => state.folded.add(k));
  else
    calls.forEach((c, k) => {
      if (c.depth === 2 && c.nodes.length > 1) state.folded.add(k);
    });
  $("fold").textContent = state.folded.size ? "unfold" : "fold";
  arrange();
  fit();
  draw();
}

function find(text, go) {
  const wanted = text.trim().toLowerCase();
  state.found = new Set();
  if (wanted)
    for (const n of graph.node.slice(0, graph.n)) {
      if (n.kind === 4) continue;
      const p = graph.place[n.place];
      if (
        [n.name, n.op, graph.written(n.id), p ? p.text.slice(p.from, p.to) : ""].some(t =>
          t.toLowerCase().includes(wanted),
        )
      )
        state.found.add(n.id);
    }
  const list = [...state.found];
  $("found").textContent = wanted ? `${list.length} found` : "";
  if (go && list.length) {
    const later = list.find(id => id > state.chosen) ?? list[0];
    for (const c of callOf[later] >= 0 ? chains[callOf[later]] : []) state.folded.delete(c);
    arrange();
    choose(later);
    reveal(later);
  }
  draw();
}

/* ---- hands on the picture ---- */

function listen() {
  const svg = $("graph");
  let from = null;
  const itemAt = e => {
    const g = e.target.closest("[data-item]");
    return g ? items[Number(g.dataset.item)] : null;
  };
  svg.addEventListener("pointerdown", e => {
    const i = itemAt(e),
      id = i && i.call < 0 ? i.node : -1;
    from = {
      x: e.clientX,
      y: e.clientY,
      sx: state.x,
      sy: state.y,
      far: 0,
      item: i,
      id,
      call: e.target.closest("[data-call]"),
    };
    if (id >= 0 && canMove(id)) {
      from.element = largest(state.value[id]);
      from.start = element(state.value[id], from.element);
    }
    svg.setPointerCapture(e.pointerId);
  });
  svg.addEventListener("pointermove", e => {
    if (!from) return;
    const dx = e.clientX - from.x,
      dy = e.clientY - from.y;
    from.far = max(from.far, fabs(dx) + fabs(dy));
    if (from.far < 4) return;
    if (from.start !== undefined) {
      if (state.chosen !== from.id) choose(from.id);
      give(from.id, from.element, from.start + (dx * max(0.5, fabs(from.start))) / 100);
      return;
    }
    svg.classList.add("moving");
    state.x = from.sx + dx;
    state.y = from.sy + dy;
    draw();
  });
  svg.addEventListener("pointerup", () => {
    svg.classList.remove("moving");
    if (from && from.far < 4) {
      if (from.item && from.item.call >= 0) toggleCall(from.item.call);
      else if (from.item) choose(from.item.node);
    } else if (from && from.start !== undefined) refresh(true);
    from = null;
  });
  svg.addEventListener("dblclick", e => {
    const c = e.target.closest("[data-call]");
    if (c) toggleCall(Number(c.dataset.call));
  });
  svg.addEventListener(
    "wheel",
    e => {
      e.preventDefault();
      zoomAt(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), e.offsetX, e.offsetY);
    },
    {passive: false},
  );
  svg.addEventListener("keydown", keys);
  addEventListener("resize", draw);
  document.addEventListener("keydown", e => {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) || e.ctrlKey || e.metaKey || e.altKey) return;
    const does = {
      "/": () => $("find").focus(),
      " ": () => play(!state.playing),
      ",": () => toStep(state.step - 1),
      ".": () => toStep(state.step + 1),
      Home: () => toStep(0),
      End: () => toStep(steps.length),
      b: () => $("back").click(),
      t: () => $("turn").click(),
      f: foldAll,
      0: () => {
        fit();
        draw();
      },
      "+": () => zoomAt(1.25),
      "-": () => zoomAt(0.8),
    }[e.key];
    if (!does || (e.key === " " && e.target.tagName === "BUTTON")) return;
    e.preventDefault();
    does();
  });
}

function zoomAt(by, x = $("graph").clientWidth / 2, y = $("graph").clientHeight / 2) {
  const z = max(0.005, min(4, state.zoom * by));
  state.x = x - ((x - state.x) * z) / state.zoom;
  state.y = y - ((y - state.y) * z) / state.zoom;
  state.zoom = z;
  draw();
}

/* Along an edge, or to what stands beside. */
function keys(e) {
  const i = items[itemOf[state.chosen]],
    way = {ArrowLeft: "in", ArrowRight: "out", ArrowUp: "before", ArrowDown: "after"}[e.key];
  const turned = {in: "before", out: "after", before: "in", after: "out"};
  if (e.key === "Enter") {
    const c = i && i.call >= 0 ? i.call : callOf[state.chosen];
    if (c >= 0) toggleCall(c);
    return;
  }
  if (!way || !i) return;
  e.preventDefault();
  const move = state.down ? turned[way] : way,
    me = items.indexOf(i);
  let to = -1;
  if (move === "in") to = edges.filter(d => d.b === me).map(d => d.a)[0] ?? -1;
  else if (move === "out") to = edges.filter(d => d.a === me).map(d => d.b)[0] ?? -1;
  else {
    const across = state.down ? "x" : "y",
      along = state.down ? "y" : "x",
      sign = move === "before" ? -1 : 1;
    let best = Infinity;
    items.forEach((j, k) => {
      const d = sign * (j[across] - i[across]),
        off = fabs(j[along] - i[along]);
      if (d > 1 && d + 3 * off < best) [best, to] = [d + 3 * off, k];
    });
  }
  if (to < 0) return;
  choose(items[to].node);
  reveal(items[to].node);
}

/* ---- the beginning ---- */

function begin() {
  $("title").textContent = graph.title;
  $("title").title = graph.title;
  $("step").max = steps.length;
  $("step").value = state.step;
  $("time").max = graph.runs[0].steps.length - 1;
  $("time-label").hidden = graph.runs[0].steps.length < 2;
  $("step").addEventListener("input", e => toStep(Number(e.target.value)));
  $("time").addEventListener("input", e => toTime(Number(e.target.value)));
  $("first").onclick = () => toStep(0);
  $("prev").onclick = () => toStep(state.step - 1);
  $("next").onclick = () => toStep(state.step + 1);
  $("last").onclick = () => toStep(steps.length);
  $("play").onclick = () => play(!state.playing);
  $("fold").onclick = foldAll;
  $("fold").hidden = !calls.some(c => c.nodes.length > 1);
  $("fit").onclick = () => {
    fit();
    draw();
  };
  $("back").hidden = !graph.data.adjoint;
  $("back").onclick = () => {
    state.back = !state.back;
    $("back").setAttribute("aria-pressed", state.back);
    draw();
    refresh(false);
  };
  $("turn").onclick = () => {
    state.down = !state.down;
    arrange();
    fit();
    draw();
  };
  $("find").addEventListener("input", e => find(e.target.value, false));
  $("find").addEventListener("keydown", e => {
    if (e.key === "Enter") find(e.target.value, true);
    if (e.key === "Escape") {
      e.target.value = "";
      find("", false);
      $("graph").focus();
    }
  });
  $("way").append(el("option", {value: ""}, "…"), ...graph.leaf.map(id => el("option", {value: id}, graph.label(id))));
  $("way-label").hidden = !graph.leaf.length;
  $("way").onchange = e => {
    state.path = e.target.value === "" ? new Set() : graph.path(Number(e.target.value), graph.root);
    if (e.target.value !== "" && !state.path.size) state.path.add("none");
    draw();
  };
  $("run-label").hidden = graph.runs.length < 2;
  graph.runs.forEach((r, k) => $("run").append(el("option", {value: k}, r.name)));
  if (graph.runs.length > 1) $("run").append(el("option", {value: "both"}, "both, side by side"));
  $("run").onchange = e => {
    state.compare = e.target.value === "both";
    state.run = state.compare ? 0 : Number(e.target.value);
    $("time").max = graph.runs[state.run].steps.length - 1;
    toTime(state.time);
  };
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.toggleAttribute("data-dark", dark);
  $("dark").onclick = () => {
    document.documentElement.toggleAttribute("data-dark");
    refresh(false);
  };
  if (graph.n > 60 && calls.some(c => c.nodes.length > 1)) foldAll();
  listen();
  arrangeBest();
  toTime(0);
  planeBegin();
  plane();
}
begin();
window.page = {graph, state, steps, toStep, toTime}; /* for who looks in from outside */
