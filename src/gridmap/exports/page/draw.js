// Draw the map. A drawing that takes long is made only when the view rests; meanwhile its picture is moved and stretched.
const state = {
  measure: "covered_share",
  layers: { areas: true, cells: true, grids: true, gaps: true, units: false, super: true, sub: true, ...Object.fromEntries(DATA.kinds.map((kind) => [kind, true])) },
  picked: null, // {layer, i}
};
const pen = canvas.getContext("2d");
const picture = { canvas: document.createElement("canvas"), x: 0, y: 0, scale: 1, tookMs: 0 };
const FLUENT_MS = 24, REST_MS = 110;
let restTimer = 0, asked = false;

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function redraw(stale = true) {
  if (stale) picture.tookMs = 0;
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    clearTimeout(restTimer);
    if (picture.tookMs > FLUENT_MS) {
      showPicture();
      restTimer = setTimeout(() => { drawAll(); }, REST_MS);
    } else drawAll();
  });
}

function showPicture() {
  const zoom = view.scale / picture.scale;
  pen.setTransform(ratio(), 0, 0, ratio(), 0, 0);
  pen.fillStyle = style("--sea");
  pen.fillRect(0, 0, view.width, view.height);
  pen.drawImage(picture.canvas,
    screenX(picture.x) - (view.width * zoom) / 2, screenY(picture.y) - (view.height * zoom) / 2,
    view.width * zoom, view.height * zoom);
  drawScale();
}

function drawAll() {
  const began = performance.now();
  pen.setTransform(ratio(), 0, 0, ratio(), 0, 0);
  pen.fillStyle = style("--sea");
  pen.fillRect(0, 0, view.width, view.height);
  pen.lineJoin = "round";
  const lowest = areas.level.length ? areas.level[areas.level.length - 1] : null;
  fillLayer(polygons.areas, style("--land"), (i) => areas.level[i] === lowest);
  if (state.layers.cells) drawCells();
  if (state.layers.gaps) {
    fillLayer(polygons.gaps, hatch(pen, style("--gap")));
    strokeLayer(polygons.gaps, style("--gap"), 1);
  }
  if (state.layers.units) strokeLayer(polygons.units, style("--unit"), 0.7);
  if (state.layers.grids) drawGrids();
  if (state.layers.sub) strokeLayer(polygons.sets, style("--unit"), 0.8, [3, 2], (i) => sets.level[i] === "sub");
  if (state.layers.super) strokeLayer(polygons.sets, style("--accent"), 2.2, [], (i) => sets.level[i] === "super");
  if (state.layers.areas) drawAreas();
  drawPicked();
  drawFacilities();
  const placed = [];
  if (state.layers.areas || state.layers.grids) drawNames(placed);
  if (state.layers.grids && OF_GRIDS.has(state.measure)) drawGridNumbers(placed);
  picture.canvas.width = canvas.width;
  picture.canvas.height = canvas.height;
  picture.canvas.getContext("2d").drawImage(canvas, 0, 0);
  Object.assign(picture, { x: view.x, y: view.y, scale: view.scale, tookMs: performance.now() - began });
  drawScale();
  const edges = [lonOf(planeX(0)), latOf(planeY(view.height)), lonOf(planeX(view.width)), latOf(planeY(0))];
  canvas.dataset.bounds = edges.map((degrees) => degrees.toFixed(7)).join(",");
}

function visible(layer, i) {
  return layer.east[i] >= planeX(0) && layer.west[i] <= planeX(view.width)
    && layer.south[i] >= planeY(0) && layer.north[i] <= planeY(view.height);
}

function trace(path, layer, i) {
  for (let r = layer.first[i]; r < layer.first[i + 1]; r++) {
    for (let k = layer.start[r]; k < layer.start[r + 1]; k++) {
      const x = screenX(cornerX[layer.corner[k]]), y = screenY(cornerY[layer.corner[k]]);
      if (k === layer.start[r]) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
}

function pathOf(layer, wanted) {
  const path = new Path2D();
  for (let i = 0; i < layer.n; i++) if (visible(layer, i) && (!wanted || wanted(i))) trace(path, layer, i);
  return path;
}

function fillLayer(layer, paint, wanted) {
  pen.fillStyle = paint;
  pen.fill(pathOf(layer, wanted), "evenodd");
}

function strokeLayer(layer, colour, width, dashes = [], wanted = null) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dashes);
  pen.stroke(pathOf(layer, wanted));
  pen.setLineDash([]);
}

// Dedicated grids are dashed, locked ones dotted: they keep their shape whatever is asked.
function drawGrids() {
  const kindOf = (i) => (grids.locked[i] ? "locked" : grids.kind[i]);
  strokeLayer(polygons.grids, style("--border"), gridWidth(), [], (i) => kindOf(i) === "ordinary");
  strokeLayer(polygons.grids, style("--border"), 1.6, [4, 2], (i) => kindOf(i) === "dedicated");
  strokeLayer(polygons.grids, style("--border"), 1.8, [1.5, 2], (i) => kindOf(i) === "locked");
}

// The last digits of their codes, where a grid has room for them.
function drawGridNumbers(placed) {
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `500 10.5px ${style("--sans")}`;
  pen.lineWidth = 2.2;
  pen.strokeStyle = style("--halo");
  pen.fillStyle = style("--quiet");
  for (let i = 0; i < polygons.grids.n; i++) {
    const room = Math.min(polygons.grids.east[i] - polygons.grids.west[i], polygons.grids.south[i] - polygons.grids.north[i]) * view.scale;
    if (room < 34 || missing(grids.label[i][0]) || !visible(polygons.grids, i)) continue;
    const x = screenX(grids.label[i][0]), half = 12;
    const y = [0, 15, -15].map((shift) => screenY(grids.label[i][1]) + shift)
      .find((y) => !placed.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < 15));
    if (y === undefined) continue;
    placed.push({ x, y, half });
    pen.strokeText(grids.code[i].slice(-3), x, y);
    pen.fillText(grids.code[i].slice(-3), x, y);
  }
}

const gridWidth = () => (Math.sqrt((view.width * view.height) / Math.max(1, polygons.grids.n)) > 40 ? 0.9 : 0.5);

// Cells of a few pixels are drawn as boxes, which is ten times faster and looks the same.
const BOX_PIXELS = 3.2, EDGE_PIXELS = 13;

// Rasterising one path takes longer than linearly in its parts, so a class is drawn in many small paths.
const CELLS_A_PATH = 100;

function drawCells() {
  const layer = polygons.cells, { classOf, classes } = measure(state.measure), colours = classes().map(({ colour }) => colour);
  const typical = cellSize() * view.scale, boxes = typical < BOX_PIXELS;
  const paths = colours.map(() => new Path2D()), parts = new Uint32Array(colours.length);
  const flush = (k) => {
    pen.fillStyle = pen.strokeStyle = colours[k];
    pen.fill(paths[k]);
    // A hairline of its own colour closes the seams that anti-aliasing leaves between two paths.
    if (!boxes) pen.stroke(paths[k]);
    paths[k] = new Path2D();
    parts[k] = 0;
  };
  pen.lineWidth = 0.6;
  for (let i = 0; i < layer.n; i++) {
    if (!visible(layer, i)) continue;
    const k = classOf[i];
    if (boxes) {
      const x = screenX(layer.west[i]), y = screenY(layer.north[i]);
      paths[k].rect(x, y, screenX(layer.east[i]) - x + 0.35, screenY(layer.south[i]) - y + 0.35);
    } else trace(paths[k], layer, i);
    if (++parts[k] === CELLS_A_PATH) flush(k);
  }
  colours.forEach((_, k) => flush(k));
  if (typical > EDGE_PIXELS) strokeLayer(layer, style("--cell-edge"), 0.6);
}

let typicalSize = 0;
function cellSize() {
  const layer = polygons.cells, step = Math.max(1, Math.floor(layer.n / 500));
  if (!typicalSize) {
    const sizes = [];
    for (let i = 0; i < layer.n; i += step) sizes.push(layer.east[i] - layer.west[i]);
    typicalSize = sizes.sort((a, b) => a - b)[sizes.length >> 1] || 1;
  }
  return typicalSize;
}

const LEVELS = { village: ["--village", 0.7], township: ["--border", 1.3], county: ["--ink", 2] };

function drawAreas() {
  for (const [level, [colour, width]] of Object.entries(LEVELS)) {
    strokeLayer(polygons.areas, style(colour), width, [], (i) => areas.level[i] === level);
  }
}

function drawFacilities() {
  const factor = Math.min(1.25, Math.max(0.55, Math.sqrt(view.scale / scaleToFit(everything, 0.9)) * 0.75));
  const order = facilities.code.map((_, i) => i).sort((a, b) => SYMBOLS[facilities.kind[a]].size - SYMBOLS[facilities.kind[b]].size);
  for (const i of order) if (state.layers[facilities.kind[i]]) drawSymbol(pen, facilities.kind[i], screenX(facilities.x[i]), screenY(facilities.y[i]), factor);
}

function drawPicked() {
  if (!state.picked) return;
  const { layer, i } = state.picked;
  pen.strokeStyle = style("--pick");
  if (layer !== "facilities") return strokeLayer(polygons[layer], style("--pick"), 2.6, [], (k) => k === i);
  const x = screenX(facilities.x[i]), y = screenY(facilities.y[i]);
  pen.lineWidth = 2.4;
  pen.beginPath();
  pen.arc(x, y, 12, 0, 2 * Math.PI);
  pen.stroke();
  pen.lineWidth = 1.4;
  pen.setLineDash([6, 4]);
  for (const radius of new Set(radiiOf(i))) {
    pen.beginPath();
    pen.arc(x, y, (radius / METRES_PER_UNIT) * view.scale, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.setLineDash([]);
}

const radiiOf = (i) => (missing(facilities.service_radius_m[i]) ? [facilities.radius_urban_m[i], facilities.radius_rural_m[i]] : [facilities.service_radius_m[i]]);

// Names of areas, widest first, where there is room: none over another.
function drawNames(placed) {
  const halo = style("--halo"), ink = style("--ink"), many = Math.max(1, areas.code.length);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const order = areas.code.map((_, i) => i).filter((i) => areas.level[i] !== "county" || many === 1)
    .sort((a, b) => (areas.level[a] === "township" ? 0 : 1) - (areas.level[b] === "township" ? 0 : 1) || areas.area_m2[b] - areas.area_m2[a]);
  for (const i of order) {
    const name = areas.name[i], township = areas.level[i] === "township";
    if (!name || missing(areas.label[i][0]) || !visible(polygons.areas, i)) continue;
    pen.font = `${township ? 600 : 400} ${township ? 13 : 11.5}px ${style("--sans")}`;
    const x = screenX(areas.label[i][0]), y = screenY(areas.label[i][1]), half = pen.measureText(name).width / 2 + 4;
    const room = (polygons.areas.east[i] - polygons.areas.west[i]) * view.scale;
    if (half * 2 > room * (township ? 1.2 : 0.8) || placed.some((box) => Math.abs(box.x - x) < box.half + half && Math.abs(box.y - y) < 17)) continue;
    placed.push({ x, y, half });
    pen.lineWidth = 2.5;
    pen.strokeStyle = halo;
    pen.strokeText(name, x, y);
    pen.fillStyle = ink;
    pen.fillText(name, x, y);
  }
}

function drawScale() {
  const bar = document.querySelector("#scale span"), metresAPixel = METRES_PER_UNIT / view.scale;
  const length = 10 ** Math.floor(Math.log10(130 * metresAPixel));
  const metres = [5, 2, 1].map((times) => times * length).find((m) => m <= 130 * metresAPixel) || length;
  bar.style.width = `${metres / metresAPixel}px`;
  bar.textContent = metres >= 1000 ? `${grouped(metres / 1000)} km` : `${grouped(metres)} m`;
}

function resize() {
  const box = canvas.getBoundingClientRect();
  Object.assign(view, { width: box.width, height: box.height });
  canvas.width = Math.round(box.width * ratio());
  canvas.height = Math.round(box.height * ratio());
  fitCard();
  redraw();
}
