"use strict";
/* graph: what the page knows of a formula, with no part of a browser in it. In: the JSON that page.c writes, and OPS,
 * the operations as their own blocks say them. Out: nodes, values by recorded step, values computed again, formulas
 * with their names and numbers, a layered layout.
 *
 * A value is a number (of a scalar), a Float64Array, or, of what is not told in full, {n: norm, m: the largest element,
 * at: {element: number}}; undefined: it is not known.
 */

/* ---- what operations are written with: C's names, and walks over shapes ---- */
const {
  sqrt,
  exp,
  log,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  expm1,
  log1p,
  log2,
  log10,
  atan2,
  hypot,
  pow,
  floor,
  ceil,
  trunc,
  min,
  max,
  abs: fabs,
} = Math;
const INFINITY = Infinity;

function rint(x) {
  const low = floor(x),
    rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/* A series near 0, a continued fraction further out. */
function erf(x) {
  if (fabs(x) > 3) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  let term = x,
    all = x;
  for (let k = 1; k < 80; k++) {
    term *= (-x * x) / k;
    all += term / (2 * k + 1);
  }
  return (2 / sqrt(Math.PI)) * all;
}
function erfc(x) {
  if (x < 3) return 1 - erf(x);
  let f = x;
  for (let k = 60; k > 0; k--) f = x + k / 2 / f;
  return exp(-x * x) / sqrt(Math.PI) / f;
}

function log_gamma(x) {
  const c = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  if (x < 0.5) return log(Math.PI / fabs(sin(Math.PI * x))) - log_gamma(1 - x);
  let a = 0.99999999999980993;
  c.forEach((v, k) => (a += v / (x + k)));
  const t = x + 6.5;
  return 0.5 * log(2 * Math.PI) + (x - 0.5) * log(t) - t + log(a);
}

const count = D => D.reduce((a, b) => a * b, 1);
const step = (D, axis) => count(D.slice(axis + 1));
function at(i, D) {
  let k = 0;
  for (let m = 0; m < D.length; m++) k = k * D[m] + i[m];
  return k;
}
/* f(index, place) for each element of a shape, in their order. */
function each(D, f) {
  const i = D.map(() => 0),
    n = count(D);
  for (let k = 0; k < n; k++) {
    f(i, k);
    for (let m = D.length - 1; m >= 0 && ++i[m] === D[m]; m--) i[m] = 0;
  }
}
/* Where an element goes when axes vanish: a is {how many, the axes, whether they stay with size 1}. */
function kept(i, a) {
  const gone = a.slice(1, 1 + a[0]);
  return a[a.length - 1] ? i.map((v, m) => (gone.includes(m) ? 0 : v)) : i.filter((v, m) => !gone.includes(m));
}

/* ---- numbers as text ---- */

/* As C's %.4g, which `:back` writes. */
function text4(v) {
  if (Number.isNaN(v)) return "nan";
  if (!Number.isFinite(v)) return v > 0 ? "inf" : "-inf";
  if (v === 0) return "0";
  const [digits, power] = v.toExponential(3).split("e"),
    e = Number(power);
  const bare = t => (t.includes(".") ? t.replace(/\.?0+$/, "") : t);
  if (e >= -4 && e < 4) return bare(v.toFixed(3 - e));
  return bare(digits) + "e" + (e < 0 ? "-" : "+") + String(fabs(e)).padStart(2, "0");
}

/* "{0} - {!1}" with texts in the holes. */
function fill(form, text) {
  const whole = form.replace(/\{(!?)([0-9yg]+)\}/g, (all, bracket, name) => {
    const t = text(name);
    return bracket && t.startsWith("-") ? "(" + t + ")" : t;
  });
  return whole.replace(/ \+ -(?=[0-9])/g, " - ");
}

/* ---- values ---- */

const isFull = v => v instanceof Float64Array;
function decode(v, shape) {
  if (v === null || typeof v === "boolean") v = v === null ? NaN : Number(v);
  if (typeof v === "number") return v;
  if (Array.isArray(v))
    return v.length === count(shape) ? Float64Array.from(v, e => (e === null ? NaN : e)) : undefined;
  const elements = {};
  for (let k = 0; k < v.at.length; k += 2) elements[v.at[k]] = v.at[k + 1] === null ? NaN : v.at[k + 1];
  return {n: v.n === null ? NaN : v.n, m: v.m, at: elements};
}
function element(v, k) {
  if (v === undefined || typeof v === "number") return v;
  return isFull(v) ? v[k] : v.at[k];
}
function norm(v) {
  if (v === undefined || typeof v === "number") return v === undefined ? undefined : fabs(v);
  return isFull(v) ? sqrt(v.reduce((a, e) => a + e * e, 0)) : v.n;
}
/* The element of the largest absolute value; NaN first. */
function largest(v) {
  if (v === undefined || typeof v === "number") return 0;
  if (!isFull(v)) return v.m;
  let best = 0,
    most = -1;
  for (let k = 0; k < v.length; k++) {
    if (Number.isNaN(v[k])) return k;
    if (fabs(v[k]) > most) [best, most] = [k, fabs(v[k])];
  }
  return best;
}
function indexText(k, shape) {
  if (!shape.length) return "";
  const i = [];
  for (let m = shape.length - 1; m >= 0; m--) {
    i.unshift(k % shape[m]);
    k = floor(k / shape[m]);
  }
  return "[" + i.join(", ") + "]";
}

const flat = v => (typeof v === "number" ? [v] : v);
const rounded = (v, type) => (type === "f32" ? Math.fround(v) : Number(v));

/* One operation on known values. */
function apply(name, inputs, shapes, attributes, type, shape) {
  const op = OPS[name],
    out = new Float64Array(count(shape));
  if (op.point) {
    const [x, y, z] = inputs.map(flat);
    for (let k = 0; k < out.length; k++) out[k] = op.of(x[k], y && y[k], z && z[k], attributes, type);
  } else op.of(out, inputs.map(flat), shapes, attributes, shape);
  for (let k = 0; k < out.length; k++) out[k] = rounded(out[k], type);
  return shape.length ? out : out[0];
}

/* Data that did not fit as it is: letters that are bytes that zlib packed. */
async function unpacked(data) {
  if (typeof data !== "string") return data;
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

class Graph {
  constructor(data) {
    const d = (this.data = data),
      text = k => (k < 0 ? "" : d.texts[k]);
    this.title = d.title;
    this.root = d.root;
    this.live = d.live;
    this.n = d.formula;
    this.place = [
      null,
      ...d.places.map(p => ({
        file: text(p[0]),
        line: p[1],
        column: p[2],
        text: text(p[3]),
        from: p[4],
        to: p[5],
        library: !!p[6],
        caller: p[7],
      })),
    ];
    this.node = d.t.map((t, id) => {
      const [type, ...shape] = d.types[t],
        form = id < this.n && d.f[id] >= 0 ? d.forms[d.f[id]] : null;
      return {
        id,
        type,
        shape,
        op: id < d.o.length ? d.ops[d.o[id]] : "",
        attributes: d.live ? d.attrs[d.a[id]] : [],
        in: d.in[id] || [],
        kind: id < this.n ? d.k[id] : 5,
        name: id < this.n ? text(d.name[id]) : "",
        place: id < this.n ? d.p[id] : 0,
        form: form ? text(form[0]) : "",
        operands: form ? form.slice(1).map(text) : [],
        users: [],
        adjoint: d.adjoint && id < this.n ? d.adjoint[id] : -1,
        passes: [],
        gets: [],
      };
    });
    for (const node of this.node.slice(0, this.n)) for (const k of new Set(node.in)) this.node[k].users.push(node.id);
    this.passed = [];
    for (let k = 0; d.passed && k < d.passed.length; k += 4) {
      const [user, operand, dx, rule] = d.passed.slice(k, k + 4),
        [left, formula, numbers, slope, out] = d.rules[rule];
      const to = this.node[user].in[operand];
      this.node[user].passes.push(this.passed.length);
      this.node[to].gets.push(this.passed.length);
      this.passed.push({
        user,
        operand,
        to,
        dx,
        left: text(left),
        text: text(formula),
        numbers: text(numbers),
        isSlope: numbers >= 0,
        slope: slope || null,
        out,
      });
    }
    this.leaf = d.leaf;
    this.runs = d.runs;
    this.fixed = {};
    for (let k = 0; k < d.fixed.length; k += 2)
      this.fixed[d.fixed[k]] = decode(d.fixed[k + 1], this.node[d.fixed[k]].shape);
  }

  /* The values of a recorded step, and what it made of the parameters. */
  recorded(run, at) {
    const step = this.runs[run].steps[at],
      value = [],
      next = {};
    for (const id in this.fixed) value[id] = this.fixed[id];
    this.data.vary.forEach((id, k) => (value[id] = decode(step.v[k], this.node[id].shape)));
    step.next.forEach((v, k) => {
      if (v) next[this.leaf[k]] = decode(v[0], this.node[this.leaf[k]].shape);
    });
    if (this.live) this.compute(value, id => value[id] === undefined);
    return {value, next, at: step.at};
  }

  /* Fills value for each operation that is wanted, from what stands there. */
  compute(value, wanted) {
    for (const n of this.node)
      if (n.in.length && wanted(n.id))
        value[n.id] = apply(
          n.op,
          n.in.map(k => value[k]),
          n.in.map(k => this.node[k].shape),
          n.attributes,
          n.type,
          n.shape,
        );
  }

  /* The recorded values with some others, and all that depends on them, or what of it is needed, computed again. */
  moved(recorded, changed, needed) {
    const value = recorded.value.slice(),
      touched = new Set();
    for (const id in changed) {
      value[id] = changed[id];
      touched.add(Number(id));
    }
    this.compute(value, id => {
      if (touched.has(id) || !this.node[id].in.some(k => touched.has(k))) return false;
      touched.add(id);
      return !needed || needed.has(id);
    });
    return value;
  }

  adjoint(value, id) {
    const g = this.node[id].adjoint;
    return g < 0 ? undefined : value[g];
  }

  /* What the node is called. */
  label(id) {
    const n = this.node[id];
    return n.name || this.written(id) || ["", "", "input", "constant", "constant"][n.kind] || n.op;
  }

  written(id) {
    const n = this.node[id];
    return n.form ? fill(n.form, k => n.operands[k] ?? "..") : "";
  }

  number(value, id, operand, k) {
    const name = this.node[id].operands[operand];
    if (/^-?[0-9]/.test(name)) return name;
    const v = element(value[this.node[id].in[operand]], k);
    return v === undefined ? name : text4(v);
  }

  isPoint(id) {
    const n = this.node[id];
    return n.in.every(k => String(this.node[k].shape) === String(n.shape));
  }

  /* "tanh(z) = tanh(0.3) = 0.2913" as a list. */
  forward(value, id) {
    const n = this.node[id],
      k = largest(value[id]),
      v = element(value[id], k),
      parts = [this.written(id) || this.label(id)];
    if (n.form && this.isPoint(id)) parts.push(fill(n.form, j => this.number(value, id, j, k)));
    else if (n.op === "matmul") parts.push(this.products(value, n, k));
    if (v !== undefined) parts.push(text4(v));
    return {parts: parts.filter((p, j) => p && p !== parts[j - 1]), element: k};
  }

  /* The terms of one element of a product, if they are few. */
  products(value, n, k) {
    const [x, y] = n.in.map(j => value[j]),
      [X, Y] = n.in.map(j => this.node[j].shape);
    const a = n.attributes || [],
      inner = X[a[0] ? 0 : 1];
    if (!isFull(x) || !isFull(y) || X.length !== 2 || Y.length !== 2 || inner > 5) return "";
    const columns = n.shape[1],
      i = floor(k / columns),
      j = k % columns,
      terms = [];
    for (let m = 0; m < inner; m++) {
      const u = text4(x[a[0] ? m * X[1] + i : i * X[1] + m]),
        v = text4(y[a[1] ? j * Y[1] + m : m * Y[1] + j]);
      terms.push(v.startsWith("-") ? `${u}*(${v})` : `${u}*${v}`);
    }
    return terms.join(" + ");
  }

  /* What passes on p, at the element that `:back` shows: the formula, what arrives, what leaves. */
  passes(value, p) {
    const n = this.node[p.user],
      g = this.adjoint(value, p.user),
      dx = value[p.dx];
    const k = p.isSlope ? largest(g) : largest(dx),
      names = j => (j === "g" ? "g" : n.operands[j]);
    const parts = [fill(p.left, names), fill(p.text, names)];
    let result = element(dx, k);
    if (p.isSlope) {
      const y = element(value[p.user], k);
      result = this.slope(value, p, k);
      parts.push(
        fill(p.numbers, j => (j === "y" ? (y === undefined ? "y" : text4(y)) : this.number(value, p.user, j, k))),
      );
    } else if (p.dx < this.data.o.length && this.node[p.dx].op === "matmul")
      parts.push(this.products(value, this.node[p.dx], k));
    if (result !== undefined) parts.push(text4(result));
    return {
      parts: parts.filter((t, j) => t && !parts.slice(0, j).includes(t)),
      element: k,
      slope: p.isSlope ? result : undefined,
      arrives: p.isSlope ? element(g, k) : undefined,
      leaves: element(dx, k),
    };
  }

  /* The local derivative at an element: computed where the page can, else from what arrived and left. */
  slope(value, p, k) {
    const n = this.node[p.user],
      v = n.in.map(j => element(value[j], k));
    if (!p.slope) return 0;
    const y = element(value[p.user], k);
    if (this.live && v.every(e => e !== undefined)) {
      p.slope.forEach((s, j) => {
        if (typeof s === "number" && j > 0) v.push(s);
        else if (j === 0) v.push(y);
        else
          v.push(
            apply(
              this.data.ops[s[0]],
              s.slice(3).map(m => v[m]),
              s.slice(3).map(() => []),
              this.data.attrs[s[2]],
              this.data.types[s[1]][0],
              [],
            ),
          );
      });
      return v[p.out];
    }
    const g = element(this.adjoint(value, p.user), k),
      dx = element(value[p.dx], k);
    return g ? dx / g : undefined;
  }

  /* All steps: operations forward, what they pass back, what the step made of the parameters. */
  steps() {
    const all = [];
    for (const n of this.node.slice(0, this.n))
      if (n.in.length && n.kind !== 4) all.push({phase: "forward", node: n.id});
    let last = -1;
    this.passed.forEach((p, k) => {
      if (p.user !== last) all.push({phase: "backward", node: p.user, passed: []});
      all[all.length - 1].passed.push(k);
      last = p.user;
    });
    if (this.runs[0].steps.some(s => s.next.some(v => v)))
      this.leaf.forEach(id => all.push({phase: "update", node: id}));
    return all;
  }

  /* The nodes on all ways from one node to another. */
  path(from, to) {
    const down = new Set([from]),
      on = new Set();
    for (let id = from; id < this.n; id++) if (this.node[id].in.some(k => down.has(k))) down.add(id);
    if (down.has(to)) on.add(to);
    for (let id = to; id >= 0; id--) if (on.has(id)) for (const k of this.node[id].in) if (down.has(k)) on.add(k);
    return on;
  }
}

/* ---- calls, which can be folded ---- */

/* A tree: each call of a function with at least two nodes that are drawn. */
function callsOf(g) {
  const calls = [],
    call = new Map(),
    of = [];
  const outer = p => (p ? g.place[p].caller : 0);
  function callAt(p) {
    if (!p) return -1;
    if (call.has(p)) return call.get(p);
    const parent = callAt(outer(p)),
      place = g.place[p];
    call.set(p, calls.length);
    calls.push({parent, place: p, text: place.text.slice(place.from, place.to), nodes: [], depth: 0});
    return calls.length - 1;
  }
  for (const n of g.node.slice(0, g.n)) of[n.id] = n.kind === 0 ? callAt(outer(n.place)) : -2;
  const chain = c => (c < 0 ? [] : [...chain(calls[c].parent), c]);
  const chains = calls.map((c, k) => chain(k));
  /* What is no operation stands in the innermost call that holds all its users. */
  for (let id = g.n - 1; id >= 0; id--) {
    if (of[id] !== -2) continue;
    let common = null;
    for (const u of g.node[id].users) {
      const c = of[u] < 0 ? [] : chains[of[u]];
      common = common === null ? c : common.filter((v, k) => c[k] === v);
    }
    of[id] = common && common.length ? common[common.length - 1] : -1;
  }
  for (const n of g.node.slice(0, g.n))
    if (n.kind !== 4 && of[n.id] >= 0) for (const c of chains[of[n.id]]) calls[c].nodes.push(n.id);
  calls.forEach((c, k) => {
    c.depth = chains[k].length;
    const paths = c.nodes.filter(id => g.node[id].kind === 1).map(id => g.node[id].name);
    if (paths.length) {
      const words = paths.map(p => p.split("."));
      let m = 0;
      while (words.every(w => m < w.length - 1 && w[m] === words[0][m])) m++;
      c.layer = words[0].slice(0, m).join(".");
    } else c.layer = "";
  });
  return {calls, of, chains};
}

/* ---- layout: layers along one axis, an order in each that shortens the edges ---- */

/* items: [{size along, size across, order}], edges: [[from, to]]. Fills along, across (middles) of each item. */
function layered(items, edges, gap) {
  const n = items.length,
    out = items.map(() => []),
    into = items.map(() => []),
    left = new Int32Array(n);
  for (const [a, b] of edges)
    if (a !== b) {
      out[a].push(b);
      into[b].push(a);
      left[b]++;
    }
  /* layers: the longest way from an input; what has no operands moves up to its first user */
  const layer = new Int32Array(n).fill(0),
    done = new Uint8Array(n),
    byOrder = [...items.keys()];
  byOrder.sort((a, b) => items[a].order - items[b].order);
  let ready = byOrder.filter(k => !left[k]),
    seen = 0,
    next = 0;
  while (seen < n) {
    if (!ready.length) {
      while (done[byOrder[next]]) next++;
      ready.push(byOrder[next]);
    }
    const k = ready.pop();
    if (done[k]) continue;
    done[k] = 1;
    seen++;
    for (const b of out[k]) {
      if (done[b]) continue;
      layer[b] = max(layer[b], layer[k] + 1);
      if (--left[b] === 0) ready.push(b);
    }
  }
  for (const k of byOrder)
    if (!into[k].length && out[k].length) layer[k] = max(0, out[k].reduce((m, b) => min(m, layer[b]), Infinity) - 1);
  const layers = [];
  for (const k of byOrder) (layers[layer[k]] ||= []).push(k);
  for (let k = 0; k < layers.length; k++) layers[k] ||= [];

  const place = new Float64Array(n);
  for (const l of layers) {
    let p = 0;
    for (const k of l) {
      place[k] = p + items[k].across / 2;
      p += items[k].across + gap.across;
    }
    for (const k of l) place[k] -= p / 2;
  }
  /* Each wants to stand amid its neighbours; in a layer they keep order and distance: pools of those that push. */
  function settle(l, near) {
    const want = new Map();
    for (const k of l) {
      let sum = 0,
        m = 0;
      for (const nearby of near)
        for (const j of nearby[k]) {
          sum += place[j];
          m++;
        }
      want.set(k, m ? sum / m : place[k]);
    }
    l.sort((a, b) => want.get(a) - want.get(b) || items[a].order - items[b].order);
    const pools = [];
    let offset = 0;
    l.forEach((k, i) => {
      if (i) offset += (items[l[i - 1]].across + items[k].across) / 2 + gap.across;
      pools.push({sum: want.get(k) - offset, n: 1});
      while (pools.length > 1) {
        const b = pools[pools.length - 1],
          a = pools[pools.length - 2];
        if (a.sum / a.n < b.sum / b.n) break;
        pools.splice(-2, 2, {sum: a.sum + b.sum, n: a.n + b.n});
      }
    });
    offset = 0;
    let i = 0;
    for (const pool of pools)
      for (let m = 0; m < pool.n; m++, i++) {
        if (i) offset += (items[l[i - 1]].across + items[l[i]].across) / 2 + gap.across;
        place[l[i]] = pool.sum / pool.n + offset;
      }
  }
  for (let turn = 0; turn < (n > 2000 ? 4 : 12); turn++) {
    for (let k = 1; k < layers.length; k++) settle(layers[k], [into]);
    for (let k = layers.length - 2; k >= 0; k--) settle(layers[k], [out]);
    if (turn > 1) for (const l of layers) settle(l, [into, out]);
  }
  let along = 0;
  for (const l of layers) {
    const size = l.reduce((m, k) => max(m, items[k].along), 0);
    for (const k of l) {
      items[k].x = along + size / 2;
      items[k].y = place[k];
    }
    along += size + gap.along;
  }
  return layers;
}
