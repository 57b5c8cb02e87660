// Packed columns and rings back into typed arrays.
const ARRAYS = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array };

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function column({ type, data }) {
  return new ARRAYS[type](bytesOf(data).buffer);
}

// LEB128: seven bits a byte, the lowest first; arithmetic, not shifts, as numbers may pass 32 bits.
function varints(base64) {
  const bytes = bytesOf(base64), values = new Float64Array(bytes.length);
  let length = 0, value = 0, weight = 1;
  for (const byte of bytes) {
    value += (byte & 127) * weight;
    if (byte & 128) weight *= 128;
    else { values[length++] = value; value = 0; weight = 1; }
  }
  return values.subarray(0, length);
}

// Zigzag differences back to the values they lead to.
function running(values) {
  let sum = 0;
  return values.map((value) => (sum += value % 2 ? -(value + 1) / 2 : value / 2));
}

const units = { x: running(varints(DATA.corners.x)), y: running(varints(DATA.corners.y)) };
const UNITS_PER_DEGREE = 1e7;
const middleLat = (DATA.origin[1] + (units.y.length ? units.y.reduce((a, b) => Math.max(a, b), 0) / 2 : 0)) / UNITS_PER_DEGREE;
const SHRINK = Math.cos((middleLat * Math.PI) / 180);
const METRES_PER_UNIT = 111195 / UNITS_PER_DEGREE;

// The map's plane: lattice units north to south, longitude shrunk to the same length at the middle of the plan.
const toX = (unitsEast) => unitsEast * SHRINK, toY = (unitsNorth) => -unitsNorth;
const lonOf = (x) => (x / SHRINK + DATA.origin[0]) / UNITS_PER_DEGREE, latOf = (y) => (DATA.origin[1] - y) / UNITS_PER_DEGREE;
const cornerX = units.x.map(toX), cornerY = units.y.map(toY);

// Polygons of a layer: `first[i] … first[i + 1]` are the rings of polygon i, `start[r] … start[r + 1]` the corners of ring r.
function polygonsOf({ rings, sizes, corners, count: n }) {
  const corner = Int32Array.from(running(varints(corners)));
  const first = new Int32Array(n + 1), size = varints(sizes), start = new Int32Array(size.length + 1);
  varints(rings).forEach((many, i) => (first[i + 1] = first[i] + many));
  size.forEach((many, r) => (start[r + 1] = start[r] + many));
  const west = new Float64Array(n).fill(Infinity), north = new Float64Array(n).fill(Infinity);
  const east = new Float64Array(n).fill(-Infinity), south = new Float64Array(n).fill(-Infinity);
  for (let i = 0; i < n; i++) {
    for (let k = start[first[i]]; k < start[first[i + 1]]; k++) {
      const x = cornerX[corner[k]], y = cornerY[corner[k]];
      if (x < west[i]) west[i] = x;
      if (x > east[i]) east[i] = x;
      if (y < north[i]) north[i] = y;
      if (y > south[i]) south[i] = y;
    }
  }
  return { n, corner, first, start, west, north, east, south };
}

const polygons = {};
for (const layer of ["cells", "grids", "areas", "gaps", "units", "sets"]) polygons[layer] = polygonsOf(DATA.rings[layer]);

const cells = {};
for (const [name, packed] of Object.entries(DATA.cells)) cells[name] = column(packed);
const cellId = (i) => cells.id_high[i].toString(16) + cells.id_low[i].toString(16).padStart(8, "0");
const coveredShare = (i) => cells.covered_share[i] / 65535;

const { areas, grids, gaps, facilities, units: baseUnits, sets } = DATA;
const unitOfCell = running(varints(baseUnits.of_cell));
facilities.x = facilities.x.map(toX);
facilities.y = facilities.y.map(toY);
for (const layer of [areas, grids]) layer.label = layer.label.map(([x, y]) => [toX(x), toY(y)]);
