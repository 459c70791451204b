"use strict";
/* Controls, pictures and the film of the page.  Numbers come from the formulas and from DATA, the
   devices and the runs that evenkeel wrote into the page. */

const DATA = JSON.parse(document.getElementById("data").textContent);
const STEPS = [];
for (let x = 1; x <= 4096; x *= 2) STEPS.push(x, ...(x > 1 && x < 4096 ? [x * 3 / 2] : []));
const WORKERS = STEPS.filter(x => x >= 2), SLOTS = STEPS.filter(x => x <= 1024);
const percent = share => `${(100 * share).toFixed(1)} %`;
const number = x => x === 0 ? "0" : x >= 1e5 ? x.toExponential(1)
  : Number(x.toPrecision(3)).toLocaleString("en");
const byId = id => document.getElementById(id);
const svg = (tag, attributes, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
};

/* ---- Controls: a slider has a list of values or a linear scale ---- */

const CONTROLS = {
  idle: { label: "idle power, W", low: 0, high: 700, step: 1 },
  wait: { label: "power of a waiting worker, W", low: 0, high: 700, step: 1 },
  max: { label: "power at full load, W", low: 50, high: 1500, step: 1 },
  gamma: { label: "exponent γ of the power law", low: 0.05, high: 1, step: 0.01 },
  share: { label: "idle share before", low: 0, high: 0.9, step: 0.01, start: 0.4, shown: percent },
  improvement: {
    label: "imbalance is smaller by a factor of",
    values: [1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, Infinity], start: Infinity,
    shown: x => x === Infinity ? "∞ (perfect balance)" : String(x),
  },
  G: { label: "workers G", values: WORKERS, start: 16 },
  B: { label: "slots B on each", values: SLOTS, start: 64 },
  p: {
    label: "a request ends in a step with probability p",
    values: [0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5], start: 0.1,
  },
  a: { label: "smallest size a", low: 1, high: 100, step: 1, start: 1 },
  b: { label: "largest size b", low: 2, high: 200, step: 1, start: 10 },
};
const state = {};

function slider(name) {
  const control = CONTROLS[name], row = document.createElement("label");
  const input = document.createElement("input"), shown = document.createElement("output");
  input.type = "range";
  input.id = name;
  input.min = control.values ? 0 : control.low;
  input.max = control.values ? control.values.length - 1 : control.high;
  input.step = control.values ? 1 : control.step;
  row.append(control.label, shown, input);
  control.set = value => {
    if (control.values) {
      const place = control.values.indexOf(value);
      if (place < 0) return;
      input.value = place;
      state[name] = value;
    } else {
      const bounded = Math.min(control.high, Math.max(control.low, value));
      if (Number.isNaN(bounded)) return;
      input.value = bounded;
      state[name] = bounded;
    }
    shown.textContent = (control.shown || String)(state[name]);
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  input.addEventListener("input", () => {
    const given = Number(input.value);
    change({ [name]: control.values ? control.values[given] : given });
  });
  return row;
}

function change(values) {
  for (const [name, value] of Object.entries(values)) if (CONTROLS[name]) CONTROLS[name].set(value);
  /* What the statements need: P_idle <= P_w <= P_max and a < b. */
  const moved = Object.keys(values);
  const keep = (name, value) => { if (state[name] !== value) CONTROLS[name].set(value); };
  if (moved.includes("max")) keep("wait", Math.min(state.wait, state.max));
  else keep("max", Math.max(state.max, state.wait, state.idle));
  if (moved.includes("idle")) keep("wait", Math.max(state.wait, state.idle));
  else keep("idle", Math.min(state.idle, state.wait));
  if (moved.includes("b")) keep("a", Math.min(state.a, state.b - 1));
  else keep("b", Math.max(state.b, state.a + 1));
  history.replaceState(null, "", "#" + Object.keys(CONTROLS).map(x => `${x}=${state[x]}`).join("&"));
  if (!change.waiting) {
    change.waiting = true;
    requestAnimationFrame(() => { change.waiting = false; show(); });
  }
}

function choose(name) {
  const device = DATA.devices.find(x => x.name === name) || DATA.devices[0];
  byId("device").value = device.name;
  const { idle, wait, max, gamma } = device;
  CONTROLS.idle.set(idle);
  CONTROLS.max.set(max);
  change({ wait, gamma });
}

/* ---- Pictures: axes, lines, bands, a point ---- */

const HEIGHT = 330, LEFT = 62, RIGHT = 28, TOP = 12, BOTTOM = 44;

function ticks(axis) {
  const found = [];
  if (axis.log)
    for (let k = Math.ceil(Math.log10(axis.low) - 1e-9); 10 ** k <= axis.high * 1.0001; k++)
      found.push(10 ** k);
  else
    for (let x = axis.low; x <= axis.high + 1e-9; x += axis.every) found.push(x);
  return found;
}

function picture(place, { x, y, areas = [], lines = [], point, label }) {
  const WIDTH = Math.min(736, Math.max(300, byId(place).clientWidth));
  const root = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  const scaled = axis => value => axis.log
    ? Math.log(value / axis.low) / Math.log(axis.high / axis.low)
    : (value - axis.low) / (axis.high - axis.low);
  const across = value => LEFT + scaled(x)(value) * (WIDTH - LEFT - RIGHT);
  const up = value => {
    const height = Math.min(1.02, Math.max(-0.02, scaled(y)(value)));
    return HEIGHT - BOTTOM - height * (HEIGHT - TOP - BOTTOM);
  };
  const path = points => points.map(([u, v], i) => `${i ? "L" : "M"}${across(u).toFixed(1)} ${up(v).toFixed(1)}`).join("");
  let named = -Infinity;
  for (const u of ticks(x)) {
    root.append(svg("line", { x1: across(u), x2: across(u), y1: TOP, y2: HEIGHT - BOTTOM, class: "grid" }));
    if (across(u) - named < 50) continue;
    named = across(u);
    root.append(svg("text", { x: across(u), y: HEIGHT - BOTTOM + 17, class: "tick middle" }, (x.shown || number)(u)));
  }
  for (const v of ticks(y)) {
    root.append(svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: up(v), y2: up(v), class: "grid" }),
      svg("text", { x: LEFT - 6, y: up(v) + 4, class: "tick end" }, (y.shown || number)(v)));
  }
  root.append(svg("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, class: "name middle" }, x.name),
    svg("text", { x: 0, y: 0, class: "name middle", transform: `translate(13 ${(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)` }, y.name));
  for (const { low, high, kind } of areas)
    root.append(svg("path", { d: path([...high, ...low.slice().reverse()]) + "Z", class: `area ${kind}` }));
  for (const { points, kind } of lines)
    if (points.length) root.append(svg("path", { d: path(points), class: `line ${kind}` }));
  if (point) root.append(svg("circle", { cx: across(point[0]), cy: up(point[1]), r: 5.5, class: "point" }));
  byId(place).replaceChildren(root);
}

/* ---- The three questions ---- */

function showEnergy() {
  const power = { idle: state.idle, wait: state.wait, max: state.max, gamma: state.gamma };
  const usages = share => [{ busy: 1, idle: etaOf(share) }, { busy: 1, idle: etaOf(share) / state.improvement }];
  const [before, after] = usages(state.share);
  const floor = Math.max(0, savingFloor(power, before, after)), cap = savingCap(power, before, after);
  byId("energy-answer").textContent =
    `Between ${percent(floor)} and ${percent(cap)} of the energy is saved, `
    + `and ${percent(savingPadded(before, after))} where ranks compute on padding; `
    + `the same work is done ${speedUp(before, after).toFixed(2)} times as fast.`;
  byId("energy-more").textContent =
    `The paper's floor is ${percent(savingPaper(power, before, after))}, the sharp one `
    + `${percent(savingSharp(power, before, after))}; the paper's form stays below `
    + `P_w / D = ${wasteW(power) > 0 ? percent(limitPaper(power)) : "0"} at every idle share.`;
  const shares = [];
  for (let k = 0; k <= 90; k++) shares.push(k / 100);
  const along = bound => shares.map(share => [share, bound(...usages(share))]);
  const low = along((u, v) => Math.max(0, savingFloor(power, u, v)));
  const high = along((u, v) => savingCap(power, u, v));
  picture("energy-picture", {
    label: "saving of energy against the idle share before",
    x: { name: "idle share before", low: 0, high: 0.9, every: 0.1, shown: v => `${Math.round(100 * v)} %` },
    y: { name: "energy saved", low: 0, high: 1, every: 0.2, shown: v => `${Math.round(100 * v)} %` },
    areas: [{ low, high, kind: "range" }],
    lines: [{ points: low, kind: "certain" }, { points: high, kind: "most" },
            { points: along((u, v) => Math.max(0, savingPaper(power, u, v))), kind: "paper" },
            { points: along((u, v) => savingPadded(u, v)), kind: "padded" }],
    point: [state.share, cap],
  });
}

function showTheorems() {
  const { G, B, p, a, b } = state, power = state;
  const ratio = power.wait > 0 ? wasteW(power) / power.wait : Infinity;
  const one = theorem1(G, B, a, b), two = theorem2(G, B, p, a, b);
  const said = (name, value, first) => value > 1
    ? `${name} guarantees an imbalance ${number(value)} times smaller.`
    : `${name} says nothing here${first === null ? "" : `: it does from B = ${number(first)} on`}.`;
  byId("theorems-answer").textContent =
    said("Theorem 1", one, firstOfTheorem1(G, a, b, 1)) + " "
    + said("Theorem 2", two, firstOfTheorem2(G, p, a, b, 1));
  byId("theorems-more").textContent =
    `Theorem 4 promises energy once the ratio exceeds D / P_w = ${ratio === Infinity ? "∞" : ratio.toFixed(2)} `
    + "on this device; the dotted line is where Theorem 1 gives that.";
  const high = 1e7, along = first => WORKERS.map(workers => [workers, first(workers)]).filter(([, B]) => B !== null && B <= high);
  picture("theorems-picture", {
    label: "slots from which Theorems 1, 2 and 4 say something, against the number of workers",
    x: { name: "workers G", low: 2, high: 4096, log: true },
    y: { name: "slots B", low: 1, high, log: true, shown: v => v >= 1e4 ? `1e${Math.round(Math.log10(v))}` : number(v) },
    lines: [{ points: along(g => firstOfTheorem1(g, a, b, 1)), kind: "certain" },
            { points: ratio === Infinity ? [] : along(g => firstOfTheorem1(g, a, b, ratio)), kind: "paper" },
            { points: along(g => firstOfTheorem2(g, p, a, b, 1)), kind: "most" }],
    point: [G, B],
  });
}

function showSides() {
  const { G, B, p, a, b } = state, d = b - a;
  const fcfs = expectedImbalance(d, p, G, B), least = unavoidableImbalance(G, B, p, d);
  const most = guaranteedImbalance(G, B, p, a, b);
  const nobody = least > 0 ? `; no online policy leaves less than ${number(least)}.` : ".";
  byId("sides-answer").textContent = most < fcfs
    ? `In a step FCFS leaves ${number(fcfs)} tokens of imbalance on average, BF-IO at most ${number(most)}${nobody}`
    : `In a step FCFS leaves ${number(fcfs)} tokens of imbalance on average; the bound of BF-IO, ${number(most)}, says nothing here${nobody}`;
  const many = SLOTS.filter(x => Number.isInteger(Math.log2(x)));
  const along = value => many.map(slots => [slots, value(slots)]).filter(([, v]) => v > 0);
  const lines = [{ points: along(slots => expectedImbalance(d, p, G, slots)), kind: "most" },
                 { points: along(slots => guaranteedImbalance(G, slots, p, a, b)), kind: "certain" },
                 { points: along(slots => unavoidableImbalance(G, slots, p, d)), kind: "padded" }];
  const values = lines.flatMap(line => line.points.map(point => point[1]));
  picture("sides-picture", {
    label: "imbalance of a step against the number of slots",
    x: { name: "slots B on each worker", low: 1, high: 1024, log: true },
    y: { name: "imbalance of a step, tokens", log: true,
         low: Math.max(1e-2, 10 ** Math.floor(Math.log10(Math.min(...values)))),
         high: 10 ** Math.ceil(Math.log10(Math.max(...values))), shown: v => v >= 1e4 || v < 1e-1 ? `1e${Math.round(Math.log10(v))}` : number(v) },
    lines, point: [B, fcfs],
  });
}

/* ---- The film: the same requests under two policies ---- */

let film = DATA.films[0], now = 0, timer = null;

function soFar(run, power) {
  let energy = 0, lost = 0, time = 0;
  for (const loads of run.loads.slice(0, now + 1)) {
    energy += stepEnergy(power, loads);
    lost += imbalance(loads);
    time += Math.max(...loads);
  }
  return { energy, lost, time };
}

function bars(run, most) {
  const workers = run.loads[0].length, k = Math.min(now, run.loads.length - 1), over = now >= run.loads.length;
  const loads = run.loads[k], barrier = Math.max(...loads), row = 30, left = 30;
  const width = Math.min(520, Math.max(300, byId("film").clientWidth));
  const wide = load => load / most * (width - left - 8);
  const root = svg("svg", { viewBox: `0 0 ${width} ${workers * row + 24}`, role: "img",
    "aria-label": over ? "all requests are served" : `loads ${loads.join(", ")} in step ${k}` });
  const hatch = svg("pattern", { id: `idle-${run.policy}`, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(svg("rect", { width: 2, height: 6, class: "hatch" }));
  root.append(hatch);
  for (let g = 0; g < workers; g++) {
    let start = left;
    root.append(svg("text", { x: left - 6, y: g * row + 20, class: "tick end" }, String(g)));
    if (over) continue;
    for (const [request, load] of run.held[k][g]) {
      root.append(svg("rect", { x: start, y: g * row + 4, width: Math.max(1, wide(load) - 1), height: row - 8,
        class: `request r${request % 6}` }));
      start += wide(load);
    }
    if (barrier > loads[g])
      root.append(svg("rect", { x: start, y: g * row + 4, width: wide(barrier - loads[g]), height: row - 8, fill: `url(#idle-${run.policy})` }));
  }
  if (!over) {
    const end = left + wide(barrier);
    root.append(svg("line", { x1: end, x2: end, y1: 0, y2: workers * row + 4, class: "barrier" }),
      svg("text", { x: Math.min(end, width - 70), y: workers * row + 19, class: "tick middle" }, `barrier at ${barrier}`));
  }
  return root;
}

function showFilm() {
  const power = { idle: state.idle, wait: state.wait, max: state.max, gamma: state.gamma };
  const last = Math.max(...film.runs.map(run => run.loads.length)) - 1;
  now = Math.min(now, last);
  byId("moment").max = last;
  byId("moment").value = now;
  byId("moment-shown").textContent = `step ${now} of ${last}`;
  const most = Math.max(...film.runs.flatMap(run => run.loads.flat()));
  byId("film").replaceChildren(...film.runs.map(run => {
    const box = document.createElement("figure"), text = document.createElement("figcaption");
    const { energy, lost, time } = soFar(run, power);
    text.textContent = `${run.name}: ${number(time)} units of time so far, imbalance ${number(lost)}, `
      + `energy ${number(energy / run.loads[0].length)} W × time a worker`
      + (now >= run.loads.length ? "; all requests are served." : ".");
    box.append(bars(run, most), text);
    return box;
  }));
  byId("film-about").textContent = film.about;
}

function play() {
  if (timer) { clearInterval(timer); timer = null; }
  else timer = setInterval(() => {
    const last = Number(byId("moment").max);
    if (now >= last) play();
    else { now += 1; showFilm(); }
  }, 700);
  byId("play").textContent = timer ? "Pause" : "Play";
}

function show() {
  showEnergy();
  showTheorems();
  showSides();
  showFilm();
}

for (const place of document.querySelectorAll("[data-sliders]"))
  for (const name of place.dataset.sliders.split(" ")) place.append(slider(name));
for (const device of DATA.devices) byId("device").append(new Option(device.name, device.name));
for (const one of DATA.films) byId("instance").append(new Option(one.name, one.name));
byId("device").addEventListener("change", event => choose(event.target.value));
byId("instance").addEventListener("change", event => {
  film = DATA.films.find(one => one.name === event.target.value);
  now = 0;
  showFilm();
});
byId("moment").addEventListener("input", event => { now = Number(event.target.value); showFilm(); });
byId("play").addEventListener("click", play);
addEventListener("resize", () => change({}));
for (const control of Object.values(CONTROLS)) if (control.start !== undefined) control.set(control.start);
const asked = Object.fromEntries([...new URLSearchParams(location.hash.slice(1))]
  .filter(([name, value]) => CONTROLS[name] && value.trim() !== "").map(([name, value]) => [name, Number(value)]));
choose(DATA.device);
if (Object.keys(asked).length) change(asked);
