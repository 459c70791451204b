"use strict";
/* The formulas of the page, in floats.  Each has the name of the Python function that it repeats,
   and a test holds the two equal at random settings. */

/* ---- theory.formulas.energy: a power {idle, wait, max, gamma} in watts, a usage {busy, idle} in
   units of load, every worker with work ---- */

const etaOf = share => share / (1 - share);
const wasteW = power => power.wait + (1 - power.gamma) * (power.max - power.wait);
const total = run => run.busy + run.idle;
const limitPaper = power => power.wait / wasteW(power);

const energyFloor = (power, run) => power.max * run.busy + power.wait * run.idle;
const energyTangent = (power, run) => power.max * run.busy + wasteW(power) * run.idle;
const energyEnvelope = (power, run) =>
  total(run) * (power.wait + (power.max - power.wait) * (run.busy / total(run)) ** power.gamma);

function energyEnvelopeOf(power, run, workers) {
  if (workers === 1) return power.max * total(run);
  const others = total(run) * (workers - 1) / workers;
  const varying = total(run) / workers + others * ((others - run.idle) / others) ** power.gamma;
  return power.wait * total(run) + (power.max - power.wait) * varying;
}

const savingPaper = (power, before, after) =>
  (energyFloor(power, before) - energyTangent(power, after)) / energyTangent(power, before);
const savingSharp = (power, before, after) =>
  1 - energyTangent(power, after) / energyFloor(power, before);
const savingFloor = (power, before, after) =>
  1 - energyEnvelope(power, after) / energyFloor(power, before);
const savingCap = (power, before, after) =>
  1 - energyFloor(power, after) / energyEnvelope(power, before);
const savingCapTangent = (power, before, after) =>
  1 - energyFloor(power, after) / energyTangent(power, before);
const savingPadded = (before, after) => 1 - total(after) / total(before);
const speedUp = (before, after) => total(before) / total(after);

/* The energy of one step with these loads, in watts times units of load. */
function stepEnergy(power, loads) {
  const most = Math.max(...loads);
  const drawn = loads.map(load =>
    load > 0 ? power.wait + (power.max - power.wait) * (load / most) ** power.gamma : power.idle);
  return most * drawn.reduce((sum, watts) => sum + watts, 0);
}

const imbalance = loads =>
  loads.length * Math.max(...loads) - loads.reduce((sum, load) => sum + load, 0);

/* ---- Moments of sizes that are uniform on a, .., b, and of a slot with ages [geometric] ---- */

function uniformMoments(a, b) {
  const n = b - a + 1, square = n * n;
  return { mean: (a + b) / 2, variance: (square - 1) / 12,
           fourth: (square - 1) * (3 * square - 7) / 240 };
}

function slotMoments(a, b, p) {
  const size = uniformMoments(a, b), spread = (1 - p) / p ** 2;
  const age4 = (1 - p) * (p ** 2 - 9 * p + 9) / p ** 4;
  return { mean: size.mean + (1 - p) / p, variance: size.variance + spread,
           fourth: size.fourth + 6 * size.variance * spread + age4 };
}

/* ---- theory.formulas.fcfs: the explicit lower bound of FCFS's imbalance ---- */

function explicitBound(slot, workers, slots) {
  const k = Math.floor(Math.log2(workers)), kurtosis = slot.fourth / slot.variance ** 2;
  const [level, n] = slots >= k ? [k, Math.floor(slots / k)] : [slots, 1];
  return Math.sqrt((workers * level) ** 2 * slot.variance * n / (6 + (kurtosis - 3) / n));
}

/* ---- theory.laws.fcfs_expectation: E[G max - sum] of sums of B independent slots, from the
   characteristic function of a slot ---- */

function fourier(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  const cosines = new Float64Array(n / 2), sines = new Float64Array(n / 2);
  for (let i = 0; i < n / 2; i++) {
    cosines[i] = Math.cos(2 * Math.PI * i / n);
    sines[i] = Math.sin(2 * Math.PI * i / n);
  }
  for (let length = 2; length <= n; length <<= 1) {
    const half = length >> 1, stride = n / length;
    for (let start = 0; start < n; start += length)
      for (let i = 0; i < half; i++) {
        const c = cosines[i * stride], s = -sines[i * stride], u = start + i, v = u + half;
        const x = re[v] * c - im[v] * s, y = re[v] * s + im[v] * c;
        re[v] = re[u] - x;
        im[v] = im[u] - y;
        re[u] += x;
        im[u] += y;
      }
  }
}

/* The slot is a size, uniform on 0, .., d, and with p < 1 an age, P(A = t) = p (1-p)^t. */
function expectedImbalance(d, p, workers, slots) {
  const slot = p < 1 ? slotMoments(0, d, p) : { ...uniformMoments(0, d) };
  const mean = slots * slot.mean, deviation = Math.sqrt(slots * slot.variance);
  const reach = 12 * deviation + (p < 1 ? 45 / -Math.log(1 - p) : 0);
  const low = Math.max(0, Math.floor(mean - 12 * deviation));
  const high = Math.ceil(Math.min(mean + reach, p < 1 ? Infinity : slots * d)) + 1;
  const n = 2 ** Math.ceil(Math.log2(Math.max(2, high - low)));
  const re = new Float64Array(n), im = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const w = 2 * Math.PI * k / n;
    /* The size: a ratio of sines about its middle, times a turn by d/2. */
    const sine = Math.sin(w / 2);
    let size = k === 0 ? 1 : Math.sin((d + 1) * w / 2) / ((d + 1) * sine);
    let turn = slots * d * w / 2, logs = slots * Math.log(Math.abs(size));
    if (size < 0) turn += slots * Math.PI;
    if (p < 1) {
      const x = 1 - (1 - p) * Math.cos(w), y = (1 - p) * Math.sin(w);
      logs += slots * (Math.log(p) - Math.log(Math.hypot(x, y)));
      turn += slots * Math.atan2(y, x);
    }
    turn -= low * w;
    const scale = Math.exp(logs) / n;
    re[k] = scale * Math.cos(turn);
    im[k] = scale * Math.sin(turn);
  }
  fourier(re, im);
  let below = 0, above = 0;
  for (let x = 0; x < n; x++) {
    below += Math.max(0, re[x]);
    above += 1 - Math.min(1, below) ** workers;
  }
  return Math.max(0, workers * (low + above) - workers * mean);
}

/* ---- theory.formulas.rebalancing: what no online policy avoids [threshold.any-policy] ---- */

const unavoidableImbalance = (workers, slots, p, d) =>
  p < 1 ? Math.max(0, expectedImbalance(0, p, workers, slots) - (workers - 1) * slots * d) : 0;

/* ---- theory.formulas.guaranteed: what BF-IO leaves at most [geometric.theorem-2] ---- */

const departureMoment = (p, x) => (1 - p) * Math.exp(-p * x) + p * Math.exp((1 - p) * x);

function firstOlder(theta, p, above, below) {
  const moment = x => {
    const one = Math.log(1 - p) - p * x, other = Math.log(p) + (1 - p) * x;
    const top = Math.max(one, other);
    return top + Math.log(Math.exp(one - top) + Math.exp(other - top));
  };
  const floor = moment(-theta * below), smaller = age => moment(theta * (above + age)) < floor;
  let high = 1;
  while (smaller(high)) high *= 2;
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (smaller(middle)) low = middle;
    else high = middle;
  }
  return high;
}

function slotMoment(theta, p, above, below) {
  const stay = 1 - p, first = firstOlder(theta, p, above, below);
  const floor = departureMoment(p, -theta * below);
  const last = departureMoment(p, theta * (above + first - 1));
  const here = departureMoment(p, theta * (above + first));
  let sum = (1 - stay ** (first - 1)) * Math.max(floor, last);
  sum += stay ** (first - 1) * Math.max(0, floor - here);
  for (const [share, rate] of [[stay, -p * theta], [p, stay * theta]]) {
    const ratio = stay * Math.exp(rate);
    if (!(ratio < 1)) return null;
    sum += share * p * stay ** (first - 1) * Math.exp(rate * (above + first)) / (1 - ratio);
  }
  return sum;
}

function deviationBound(workers, slots, p, a, b) {
  const bound = theta => {
    const above = slotMoment(theta, p, 0, b - a - 1), below = slotMoment(-theta, p, b - a, 0);
    if (above === null || below === null) return Infinity;
    const log = Math.log(workers - 1) + slots * (Math.log(above) + Math.log(below))
      - theta * slots * p * (b - a);
    const z = Math.exp(log), capped = log > 600 ? log : Math.log1p(z);
    return workers * Math.min(capped, z / Math.E) / theta;
  };
  let low = Math.log(p) - 12, high = Math.log(p) + 3;
  const inner = (Math.sqrt(5) - 1) / 2;
  while (high - low > 0.01) {
    const left = high - inner * (high - low), right = low + inner * (high - low);
    if (bound(Math.exp(left)) <= bound(Math.exp(right))) high = right;
    else low = left;
  }
  return bound(Math.exp(low));
}

/* From a pool that always holds enough of the sizes a and b. */
const guaranteedImbalance = (workers, slots, p, a, b) => deviationBound(workers, slots, p, a, b) / p;

/* ---- theory.formulas.ratio: the least number of slots at which a bound says more ---- */

function firstSlots(saysMore, limit) {
  let high = 1;
  while (!saysMore(high)) {
    if (high >= limit) return null;
    high = Math.min(2 * high, limit);
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (saysMore(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/* Theorem 1: FCFS's explicit bound over BF-IO's (G-1)(b-a), after a full refill; 0 where
   [fcfs.log-growth] says nothing. */
const grows = (workers, slots) => slots >= Math.floor(Math.log2(workers));
const theorem1 = (workers, slots, a, b) =>
  grows(workers, slots)
    ? explicitBound(uniformMoments(a, b), workers, slots) / ((workers - 1) * (b - a)) : 0;
/* Theorem 2: FCFS's explicit bound over what BF-IO leaves at most, in stationarity. */
const theorem2 = (workers, slots, p, a, b) =>
  grows(workers, slots)
    ? explicitBound(slotMoments(a, b, p), workers, slots)
      / guaranteedImbalance(workers, slots, p, a, b) : 0;

const MOST_SLOTS = 2 ** 24;
const firstOfTheorem1 = (workers, a, b, ratio) =>
  firstSlots(slots => theorem1(workers, slots, a, b) > ratio, MOST_SLOTS);
const firstOfTheorem2 = (workers, p, a, b, ratio) =>
  firstSlots(slots => theorem2(workers, slots, p, a, b) > ratio, MOST_SLOTS);
