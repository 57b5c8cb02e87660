// What colours a cell: for each measure its classes, their colours and labels, and the class of each cell.
// Scales run even in lightness, so they read without hue; orange always means "no service".
const PALETTES = {
  light: {
    steps: ["#efe9c9", "#c6deb4", "#83c2a3", "#3f9798", "#235f84"], none: "#ece8dc",
    share: ["#e59866", "#f0c19b", "#f5dfc6", "#dfe9e0", "#bcdad8", "#9ac6cb"],
    crossing: ["#e59866", "#e3eeee", "#bcdad8", "#8bbdc6", "#4f93a8", "#8a5fa3"],
    deviation: ["#1b7837", "#7fbf7b", "#d9f0d3", "#f4f2ec", "#e7d4e8", "#af8dc3", "#762a83"],
    grids: ["#a9cfc6", "#e8cf9f", "#b9c4e0", "#dfb7a8", "#c6d79f", "#cdb9d6", "#9fc3dc", "#d9d3c4"],
  },
  dark: {
    steps: ["#22343d", "#28545f", "#2f7d80", "#63b597", "#dcebad"], none: "#262e32",
    share: ["#b0602f", "#875233", "#5d4a3b", "#39494a", "#2c5357", "#28626a"],
    crossing: ["#b0602f", "#22373d", "#285057", "#35727c", "#5aa3b0", "#b48fd0"],
    deviation: ["#7fd18c", "#4a9259", "#2c5838", "#30363a", "#55395c", "#8a5f98", "#d3a0e0"],
    grids: ["#35625a", "#73602f", "#45527a", "#74493a", "#55682f", "#604a6c", "#2f5b77", "#5a564b"],
  },
};
const dark = matchMedia("(prefers-color-scheme: dark)");
const palette = () => (dark.matches ? PALETTES.dark : PALETTES.light);
const CLASSES_OF_STEPS = 5;

// The nearest of a few round numbers × 10ⁿ: a break that a reader can keep in mind.
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].reduce((a, b) => (Math.abs(b * power - value) < Math.abs(a * power - value) ? b : a)) * power;
}

// Breaks by quantiles, each with values on either side; where rounding leaves none, one in the middle.
function breaksOf(values) {
  const sorted = values.filter((value) => value > 0).sort(), least = sorted[0], most = sorted[sorted.length - 1];
  const parting = (breaks) => [...new Set(breaks.map(nice))].filter((edge) => edge > least && edge <= most);
  const breaks = parting([0.2, 0.4, 0.6, 0.8].map((share) => sorted[Math.floor(share * sorted.length)]));
  return breaks.length ? breaks : parting([(least + most) / 2]);
}

// Five steps by quantiles, and a class of their own for nothing and unknown.
function stepped(values, show) {
  const breaks = breaksOf(values), used = breaks.length + 1;
  const colour = (k) => palette().steps[used === 1 ? 2 : Math.round((k * (CLASSES_OF_STEPS - 1)) / (used - 1))];
  const label = (k) => (used === 1 ? `> ${show(0)}` : k === 0 ? `< ${show(breaks[0])}`
    : k === used - 1 ? `≥ ${show(breaks[k - 1])}` : `${show(breaks[k - 1])} – ${show(breaks[k])}`);
  return {
    classOf: Uint8Array.from(values, (value) => (value > 0 ? 1 + breaks.filter((edge) => value >= edge).length : 0)),
    classes: () => [{ colour: palette().none, label: t("class_none") },
      ...Array.from({ length: used }, (_, k) => ({ colour: colour(k), label: label(k) }))],
  };
}

// Groups of grids: a colour each that only parts it from its neighbours.
const grouped_by = (groupOfGrid, colourOfGroup) => () => {
  const classOfGrid = grids.code.map((_, i) => (groupOfGrid(i) < 0 ? 0 : 1 + colourOfGroup[groupOfGrid(i)]));
  return {
    classOf: Uint8Array.from(cells.grid, (grid) => (grid < 0 ? 0 : classOfGrid[grid])),
    classes: () => [{ colour: palette().none, label: t("class_none") }, ...palette().grids.map((colour) => ({ colour, label: null }))],
  };
};

// Deviation from the target in multiples of the tolerance: green holds too little, purple too much.
function byDeviation() {
  const edges = [-4, -2, -1, 1, 2, 4].map((times) => times * DATA.tolerance), last = edges.length, step = 1e-9;
  const beyond = (value) => edges.filter((edge) => (edge < 0 ? value >= edge - step : value > edge + step)).length;
  const classOfGrid = grids.deviation.map((value) => (missing(value) ? 0 : 1 + beyond(value)));
  const label = (k) => (k === 0 ? `< ${signed(edges[0])}` : k === last ? `> ${signed(edges[last - 1])}` : `${signed(edges[k - 1])} … ${signed(edges[k])}`);
  return {
    ofGrids: Uint8Array.from(classOfGrid),
    classOf: Uint8Array.from(cells.grid, (grid) => (grid < 0 ? 0 : classOfGrid[grid])),
    classes: () => [{ colour: palette().none, label: t("class_no_target") },
      ...palette().deviation.map((colour, k) => ({ colour, label: label(k) }))],
  };
}

const measures = {
  parent: grouped_by((i) => grids.parent[i], grids.parents.colour),
  outlet: grouped_by((i) => grids.outlet[i], grids.outlet_colour),
  deviation: byDeviation,
  covered_share: () => ({
    classOf: Uint8Array.from(cells.covered_share, (step) => (step === 0 ? 0 : step === 65535 ? 5 : 1 + Math.min(3, Math.floor(step / 16384)))),
    classes: () => ["0 %", "< 25 %", "25 – 50 %", "50 – 75 %", "75 – < 100 %", "100 %"].map((label, k) => ({
      label, colour: palette().share[k],
    })),
  }),
  covered: () => ({
    classOf: Uint8Array.from(cells.served, (bits) => bits & 1),
    classes: () => [{ colour: palette().share[0], label: t("class_uncovered") }, { colour: palette().share[5], label: t("class_covered") }],
  }),
  grid: () => ({
    classOf: Uint8Array.from(cells.grid, (grid) => (grid < 0 ? 0 : 1 + grids.colour[grid])),
    classes: () => [{ colour: palette().none, label: t("class_no_grid") }, ...palette().grids.map((colour) => ({ colour, label: null }))],
  }),
  demand: () => stepped(cells.demand, amount),
  nearest: () => stepped(cells.nearest_m, distance),
  distance: () => stepped(cells.distance_m, distance),
  crossing: () => ({
    classOf: Uint8Array.from(cells.crossing, (degree) => Math.min(degree, 5)),
    classes: () => palette().crossing.map((colour, k) => ({ colour, label: k === 5 ? "≥ 5" : String(k) })),
  }),
};
const GROUPED = ["grid", "parent", "outlet"];
// Measures of whole grids: a click then means the grid, not the cell.
const OF_GRIDS = new Set([...GROUPED, "deviation"]);
const MEASURES = ["covered_share", "covered", "grid", ...(grids.parents.code.length > 1 ? ["parent"] : []),
  ...(new Set(grids.outlet).size > 1 ? ["outlet"] : []), ...(grids.deviation.some((value) => !missing(value)) ? ["deviation"] : []),
  "demand", "nearest", "distance", "crossing"];
const measured = {};

function measure(name) {
  measured[name] ??= measures[name]();
  return measured[name];
}
