// What lies under a point of the screen. Bounding boxes in typed arrays: 130,000 are passed through in under a millisecond.
const REACH_PIXELS = 10;

function inside(layer, i, x, y) {
  let odd = false;
  for (let r = layer.first[i]; r < layer.first[i + 1]; r++) {
    for (let k = layer.start[r], last = layer.start[r + 1] - 1; k < layer.start[r + 1]; last = k++) {
      const ax = cornerX[layer.corner[k]], ay = cornerY[layer.corner[k]], bx = cornerX[layer.corner[last]], by = cornerY[layer.corner[last]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
  }
  return odd;
}

function polygonAt(name, x, y, wanted) {
  const layer = polygons[name];
  for (let i = layer.n - 1; i >= 0; i--) {
    if (x < layer.west[i] || x > layer.east[i] || y < layer.north[i] || y > layer.south[i]) continue;
    if ((!wanted || wanted(i)) && inside(layer, i, x, y)) return i;
  }
  return -1;
}

function facilityAt(px, py) {
  let best = -1, near = REACH_PIXELS;
  facilities.code.forEach((_, i) => {
    const far = Math.hypot(screenX(facilities.x[i]) - px, screenY(facilities.y[i]) - py);
    if (state.layers[facilities.kind[i]] && far < near) [best, near] = [i, far];
  });
  return best;
}

// Top-most first, of the layers that are shown.
function thingAt(px, py) {
  const facility = facilityAt(px, py);
  if (facility >= 0) return { layer: "facilities", i: facility };
  const grid = OF_GRIDS.has(state.measure) && state.layers.cells ? polygonAt("grids", planeX(px), planeY(py)) : -1;
  if (grid >= 0) return { layer: "grids", i: grid };
  for (const layer of ["cells", "gaps", "grids", "units", "areas"]) {
    const i = state.layers[layer] ? polygonAt(layer, planeX(px), planeY(py)) : -1;
    if (i >= 0) return { layer, i };
  }
  return null;
}
