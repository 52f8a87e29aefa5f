/* plane: a picture of one value over two numbers: the columns of the data, with its rows as points, or any two elements
 * of inputs and weights. In: the graph and what is shown. Out: colours, the line where the answer turns, points that can
 * be dragged. The graph is computed again for each point, as many rows at once as the data has.
 */
let GRID = 32; /* points along a side: fewer where one evaluation takes long */

/* What can be an axis: {id, k} an element, or {id} the columns of a tensor [rows, 2]. */
function axesOf() {
  const pairs = [],
    single = [];
  for (const n of graph.node.slice(0, graph.n)) {
    if (!canMove(n.id)) continue;
    if (n.kind !== 1 && n.shape.length === 2 && n.shape[1] === 2 && n.shape[0] > 1)
      pairs.push({id: n.id, label: graph.label(n.id) + " columns"});
    const size = count(n.shape);
    for (let k = 0; k < min(size, 12) && single.length < 60; k++)
      single.push({id: n.id, k, label: graph.label(n.id) + indexText(k, n.shape)});
  }
  /* what comes in stands before what is trained, unless it is a whole data set */
  const isTrained = a => graph.node[a.id].kind === 1,
    few = single.filter(a => !isTrained(a)).length <= 4;
  single.sort((a, b) => (few ? 1 : -1) * (isTrained(a) - isTrained(b)));
  return {pairs, single};
}

function below(id) {
  const on = new Set([id]);
  for (let k = id; k >= 0; k--) if (on.has(k)) graph.node[k].in.forEach(j => on.add(j));
  return on;
}

/* Whether a way leads from data to the root that does not touch id. */
function isAround(data, id) {
  const on = new Set([data]);
  for (let k = data + 1; k < graph.n; k++) if (k !== id && graph.node[k].in.some(j => on.has(j))) on.add(k);
  return on.has(graph.root);
}

/* The last value of a row each that no label has come into, and by which all goes that the data says to the root. */
function answerOf(data) {
  const rows = graph.node[data].shape[0],
    dependent = new Set([data]),
    answers = [];
  const isLabel = k =>
    k !== data && (graph.node[k].kind === 2 || graph.node[k].kind === 3) && graph.node[k].shape[0] === rows;
  for (const n of graph.node.slice(0, graph.n)) {
    if (!n.in.some(k => dependent.has(k))) continue;
    dependent.add(n.id);
    const perRow = n.shape[0] === rows && count(n.shape) / rows <= 10 && n.shape.length <= 2;
    if (perRow && ![...below(n.id)].some(isLabel)) answers.unshift(n.id);
  }
  return answers.find(id => !isAround(data, id)) ?? answers[0] ?? -1;
}

const canBeShown = n => n.kind === 0 && n.in.length && count(n.shape) <= 4096;
let map = null;

function planeBegin() {
  const {pairs, single} = axesOf();
  if (!graph.live || (!pairs.length && single.length < 2)) return;
  map = {pairs, single, data: pairs.length ? pairs[0].id : -1, x: single[0], y: single[1], row: 0};
  /* two inputs of the same name's elements, or a parameter's, make a better pair than what only stands first */
  if (map.data >= 0) map.of = answerOf(map.data);
  if (map.of === undefined || map.of < 0) map.of = graph.root;
  planeRange();
  planeControls();
}

function planeRange() {
  if (!map) return;
  const spread = (low, high) => {
    const margin = max(0.35 * (high - low), high > low ? 0 : max(1, fabs(high)));
    return [low - margin, high + margin];
  };
  if (map.data >= 0) {
    const v = state.recorded.value[map.data],
      even = v.filter((e, k) => k % 2 === 0),
      odd = v.filter((e, k) => k % 2);
    map.range = [spread(min(...even), max(...even)), spread(min(...odd), max(...odd))];
  } else
    map.range = [map.x, map.y].map(a => {
      const v = element(state.recorded.value[a.id], a.k),
        reach = max(2, 1.5 * fabs(v));
      return [v - reach, v + reach];
    });
}

function planeControls() {
  const choose = (label, options, now, set) => {
    const select = el(
      "select",
      {"aria-label": label},
      ...options.map((o, k) => el("option", {value: k, selected: o.now ? "" : undefined}, o.label)),
    );
    select.onchange = () => {
      set(options[Number(select.value)]);
      planeRange();
      planeControls();
      plane();
    };
    return [el("span", {}, label), select];
  };
  const across = [
    ...map.pairs.map(p => ({...p, now: map.data === p.id})),
    ...map.single.map(s => ({...s, now: map.data < 0 && s === map.x, of: s})),
  ];
  const up = map.single.map(s => ({...s, now: s === map.y, of: s}));
  const values = graph.node
    .slice(0, graph.n)
    .filter(canBeShown)
    .map(n => ({label: cut(graph.label(n.id), 30), id: n.id, now: n.id === map.of}))
    .reverse();
  const grid = el(
    "div",
    {class: "axes"},
    ...choose("across", across, 0, o => {
      map.data = o.of ? -1 : o.id;
      if (o.of) map.x = o.of;
      else map.of = max(answerOf(o.id), map.of === graph.root ? -1 : map.of);
      if (map.of < 0) map.of = graph.root;
      if (o.of && map.x === map.y) map.y = map.single.find(s => s !== map.x);
    }),
    ...(map.data < 0 ? choose("up", up, 0, o => (map.y = o.of)) : []),
    ...choose("colour", values, 0, o => (map.of = o.id)),
  );
  const canvas = el("canvas", {
    tabindex: 0,
    width: 320,
    height: 320,
    "aria-label": "the plane; arrow keys move the point",
  });
  planeHands(canvas);
  $("plane").replaceChildren(el("h2", {}, "the plane"), grid, canvas, el("p", {class: "note"}));
}

/* The value at each point: rows of the data at once, or one evaluation a point. */
function planeValues() {
  const [[x0, x1], [y0, y1]] = map.range,
    out = [],
    needed = below(map.of);
  const at = k => [x0 + ((x1 - x0) * ((k % GRID) + 0.5)) / GRID, y1 - ((y1 - y0) * (floor(k / GRID) + 0.5)) / GRID];
  const several = v => (typeof v === "number" ? [v] : [...v]);
  if (map.data >= 0) {
    const rows = graph.node[map.data].shape[0],
      width = count(graph.node[map.of].shape) / rows;
    for (let k = 0; k < GRID * GRID; k += rows) {
      const points = new Float64Array(2 * rows);
      for (let r = 0; r < rows; r++) [points[2 * r], points[2 * r + 1]] = at(min(k + r, GRID * GRID - 1));
      const v = several(graph.moved(state.recorded, {...state.changed, [map.data]: points}, needed)[map.of]);
      const row = graph.node[map.of].shape[0] === rows;
      for (let r = 0; r < rows && k + r < GRID * GRID; r++)
        out.push(row ? v.slice(r * width, (r + 1) * width) : [v[0]]);
    }
    return out;
  }
  for (let k = 0; k < GRID * GRID; k++) {
    const changed = {...state.changed};
    at(k).forEach((e, j) => {
      const a = j ? map.y : map.x,
        old = changed[a.id] ?? state.recorded.value[a.id];
      if (typeof old === "number") changed[a.id] = e;
      else {
        changed[a.id] = Float64Array.from(old);
        changed[a.id][a.k] = e;
      }
    });
    const v = several(graph.moved(state.recorded, changed, needed)[map.of]);
    out.push([v[largest(state.value[map.of])]]);
  }
  return out;
}

const colourOf = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function mix(a, b, share) {
  const rgb = t => [1, 3, 5].map(k => parseInt(t.slice(k, k + 2), 16));
  const [p, q] = [rgb(a), rgb(b)];
  return `rgb(${p.map((v, k) => Math.round(v + (q[k] - v) * share)).join(" ")})`;
}

let planeAsked = false;
function plane() {
  if (!map || planeAsked) return;
  planeAsked = true;
  requestAnimationFrame(() => {
    planeAsked = false;
    drawPlane();
  });
}

/* A picture has a quarter of a second. */
function chooseGrid() {
  const needed = below(map.of),
    from = performance.now(),
    first = map.data >= 0 ? map.data : map.x.id;
  graph.moved(state.recorded, {...state.changed, [first]: state.value[first]}, needed);
  const each = max(0.05, performance.now() - from),
    rows = map.data >= 0 ? graph.node[map.data].shape[0] : 1;
  GRID = max(8, min(32, floor(sqrt((250 / each) * rows))));
}

function drawPlane() {
  chooseGrid();
  const canvas = $("plane").querySelector("canvas"),
    c = canvas.getContext("2d"),
    size = canvas.width,
    cell = size / GRID;
  const values = planeValues(),
    several = values[0].length > 1;
  /* of two answers their difference; of more, which is the largest */
  const f = values.map(v => (!several ? v[0] : v.length === 2 ? v[1] - v[0] : v.indexOf(max(...v))));
  const good = f.filter(Number.isFinite),
    low = min(...good),
    high = max(...good);
  const isAnswer = map.data >= 0 && !(values[0].length > 2);
  /* what a label is taken from has its line amid the labels, a score at 0 */
  const labels = labelsOf(),
    compared = labels && graph.node[map.of].users.some(u => graph.node[u].op === "sub");
  const middle = compared ? (min(...labels) + max(...labels)) / 2 : low < 0 || high > 1 ? 0 : 0.5;
  const level = !isAnswer ? (low + high) / 2 : several ? 0 : middle;
  const most = max(...good.map(v => fabs(v - level)), 1e-12);
  const paper = colourOf("--panel"),
    a = colourOf("--low"),
    b = colourOf("--high");
  f.forEach((v, k) => {
    c.fillStyle = Number.isFinite(v)
      ? mix(paper, v < level ? a : b, (0.75 * fabs(v - level)) / most)
      : colourOf("--edge");
    c.fillRect((k % GRID) * cell, floor(k / GRID) * cell, cell + 1, cell + 1);
  });
  c.strokeStyle = colourOf("--ink");
  c.lineWidth = 2;
  if (values[0].length > 2) edgesOfClasses(c, f, cell);
  else contour(c, f, level, cell);
  drawPoints(c, size);
  const label = map.data >= 0 ? "the columns of " + graph.label(map.data) : `${map.x.label} across, ${map.y.label} up`;
  $("plane").lastChild.textContent =
    `${label}: ${text4(map.range[0][0])} to ${text4(map.range[0][1])}, ` +
    `${text4(map.range[1][0])} to ${text4(map.range[1][1])}; blue is ${text4(low)}, orange ${text4(high)}; ` +
    `the line is ${several ? "where the answer turns" : text4(level)}. Drag a point.`;
}

/* The line of a level, a piece in each square of four points. */
function contour(c, f, level, cell) {
  c.beginPath();
  for (let r = 0; r + 1 < GRID; r++)
    for (let q = 0; q + 1 < GRID; q++) {
      const corner = [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ].map(([dx, dy]) => ({x: q + dx + 0.5, y: r + dy + 0.5, v: f[(r + dy) * GRID + q + dx] - level}));
      const cross = [];
      corner.forEach((p, k) => {
        const n = corner[(k + 1) % 4];
        if (p.v < 0 === n.v < 0) return;
        const t = p.v / (p.v - n.v);
        cross.push([(p.x + t * (n.x - p.x)) * cell, (p.y + t * (n.y - p.y)) * cell]);
      });
      for (let k = 0; k + 1 < cross.length; k += 2) {
        c.moveTo(...cross[k]);
        c.lineTo(...cross[k + 1]);
      }
    }
  c.stroke();
}
function edgesOfClasses(c, f, cell) {
  c.beginPath();
  f.forEach((v, k) => {
    const x = (k % GRID) * cell,
      y = floor(k / GRID) * cell;
    if ((k + 1) % GRID && f[k + 1] !== v) {
      c.moveTo(x + cell, y);
      c.lineTo(x + cell, y + cell);
    }
    if (k + GRID < f.length && f[k + GRID] !== v) {
      c.moveTo(x, y + cell);
      c.lineTo(x + cell, y + cell);
    }
  });
  c.stroke();
}

/* Where the points stand, in the picture: of data its rows; else the one that the two numbers are. */
function pointsOf(size) {
  const [[x0, x1], [y0, y1]] = map.range,
    put = (x, y) => [((x - x0) / (x1 - x0)) * size, ((y1 - y) / (y1 - y0)) * size];
  if (map.data < 0) return [put(element(state.value[map.x.id], map.x.k), element(state.value[map.y.id], map.y.k))];
  const v = state.value[map.data],
    points = [];
  for (let r = 0; r < v.length / 2; r++) points.push(put(v[2 * r], v[2 * r + 1]));
  return points;
}
function labelsOf() {
  if (map.data < 0) return null;
  const rows = graph.node[map.data].shape[0];
  const n = graph.node
    .slice(0, graph.n)
    .find(m => m.id !== map.data && (m.kind === 2 || m.kind === 3) && m.shape[0] === rows && count(m.shape) === rows);
  return n ? flat(state.value[n.id]) : null;
}
function drawPoints(c, size) {
  const labels = labelsOf();
  pointsOf(size).forEach(([x, y], k) => {
    const second = labels && labels[k] > 0,
      r = labels && labels.length > 60 ? 3 : 6;
    c.beginPath();
    if (second) c.rect(x - r, y - r, 2 * r, 2 * r);
    else c.arc(x, y, r, 0, 7);
    c.fillStyle = second ? colourOf("--high") : colourOf("--low");
    c.strokeStyle = colourOf("--ink");
    c.lineWidth = map.data >= 0 && k === map.row ? 3 : 1.5;
    c.fill();
    c.stroke();
  });
}

function planeMove(px, py, size) {
  const [[x0, x1], [y0, y1]] = map.range,
    x = x0 + (px / size) * (x1 - x0),
    y = y1 - (py / size) * (y1 - y0);
  if (map.data >= 0) {
    give(map.data, 2 * map.row, x);
    give(map.data, 2 * map.row + 1, y);
  } else {
    give(map.x.id, map.x.k, x);
    give(map.y.id, map.y.k, y);
  }
}
function planeHands(canvas) {
  let held = false;
  const place = e => [
    (e.offsetX / canvas.clientWidth) * canvas.width,
    (e.offsetY / canvas.clientHeight) * canvas.height,
  ];
  canvas.addEventListener("pointerdown", e => {
    const [x, y] = place(e),
      far = pointsOf(canvas.width).map(([p, q]) => hypot(p - x, q - y)),
      nearest = far.indexOf(min(...far));
    held = map.data < 0 || far[nearest] < 18;
    if (!held) return;
    map.row = nearest;
    canvas.setPointerCapture(e.pointerId);
    planeMove(x, y, canvas.width);
  });
  canvas.addEventListener("pointermove", e => {
    if (held) planeMove(...place(e), canvas.width);
  });
  canvas.addEventListener("pointerup", () => {
    if (held) hand();
    held = false;
  });
  canvas.addEventListener("keydown", e => {
    const by = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
    if (!by) return;
    e.preventDefault();
    const [x, y] = pointsOf(canvas.width)[map.data >= 0 ? map.row : 0];
    planeMove(x + (by[0] * canvas.width) / 60, y + (by[1] * canvas.width) / 60, canvas.width);
  });
}
