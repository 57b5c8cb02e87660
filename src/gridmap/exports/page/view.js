// Where the map looks: a middle on the plane and a scale, pixels a unit.
const canvas = document.getElementById("map");
const view = { x: 0, y: 0, scale: 1, width: 1, height: 1 };
const MAX_PIXELS_A_METRE = 2;

const screenX = (x) => (x - view.x) * view.scale + view.width / 2;
const screenY = (y) => (y - view.y) * view.scale + view.height / 2;
const planeX = (px) => (px - view.width / 2) / view.scale + view.x;
const planeY = (py) => (py - view.height / 2) / view.scale + view.y;

const everything = (() => {
  const layer = polygons.cells.n ? polygons.cells : polygons.areas;
  const bound = (values, better, start) => values.reduce((a, b) => better(a, b), start);
  return [bound(layer.west, Math.min, Infinity), bound(layer.north, Math.min, Infinity),
    bound(layer.east, Math.max, -Infinity), bound(layer.south, Math.max, -Infinity)];
})();

// Pixels at the left that the open legend covers, where the map is wide enough to do without them.
function covered() {
  const legend = document.getElementById("legend");
  return legend.open && view.width > 760 ? legend.offsetLeft + legend.offsetWidth : 0;
}

function scaleToFit([west, north, east, south], share) {
  const wide = Math.max(east - west, 1), high = Math.max(south - north, 1);
  return share * Math.min((view.width - covered()) / wide, view.height / high);
}

function clampScale(scale) {
  return Math.min(Math.max(scale, scaleToFit(everything, 0.25)), MAX_PIXELS_A_METRE * METRES_PER_UNIT);
}

function lookAt(bounds, share = 0.94) {
  view.scale = clampScale(scaleToFit(bounds, share));
  view.x = (bounds[0] + bounds[2]) / 2 - covered() / 2 / view.scale;
  view.y = (bounds[1] + bounds[3]) / 2;
}

function zoomAt(px, py, factor) {
  const x = planeX(px), y = planeY(py);
  view.scale = clampScale(view.scale * factor);
  view.x = x - (px - view.width / 2) / view.scale;
  view.y = y - (py - view.height / 2) / view.scale;
}

function panBy(px, py) {
  const [west, north, east, south] = everything;
  view.x = Math.min(Math.max(view.x - px / view.scale, west), east);
  view.y = Math.min(Math.max(view.y - py / view.scale, north), south);
}
