// What colours a cell: for each measure its classes, their colours and labels, and the class of each cell.
// Scales run even in lightness, so they read without hue; orange always means "no service".
const PALETTES = {
  light: {
    steps: ["#efe9c9", "#c6deb4", "#83c2a3", "#3f9798", "#235f84"], none: "#ece8dc",
    share: ["#e59866", "#f0c19b", "#f5dfc6", "#dfe9e0", "#bcdad8", "#9ac6cb"],
    crossing: ["#e59866", "#e3eeee", "#bcdad8", "#8bbdc6", "#4f93a8", "#8a5fa3"],
    grids: ["#a9cfc6", "#e8cf9f", "#b9c4e0", "#dfb7a8", "#c6d79f", "#cdb9d6", "#9fc3dc", "#d9d3c4"],
  },
  dark: {
    steps: ["#22343d", "#28545f", "#2f7d80", "#63b597", "#dcebad"], none: "#262e32",
    share: ["#b0602f", "#875233", "#5d4a3b", "#39494a", "#2c5357", "#28626a"],
    crossing: ["#b0602f", "#22373d", "#285057", "#35727c", "#5aa3b0", "#b48fd0"],
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

const measures = {
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
const MEASURES = ["covered_share", "covered", "grid", "demand", "nearest", "distance", "crossing"];
const measured = {};

function measure(name) {
  measured[name] ??= measures[name]();
  return measured[name];
}
