// Facilities by shape and colour (Okabe–Ito), so that either is enough; gaps by hatching.
const SYMBOLS = {
  branch: { colour: "#0072b2", size: 7, draw: (c, r) => c.arc(0, 0, r, 0, 2 * Math.PI) },
  self_service: { colour: "#009e73", size: 6, draw: (c, r) => c.rect(-r * 0.88, -r * 0.88, r * 1.76, r * 1.76) },
  atm: { colour: "#e69f00", size: 5, draw: (c, r) => corners(c, r * 1.15, 3, -90) },
  self_service_terminal: { colour: "#cc79a7", size: 5, draw: (c, r) => corners(c, r * 1.15, 3, 90) },
  rural_cash_point: { colour: "#d55e00", size: 5, draw: (c, r) => corners(c, r * 1.1, 4, 0) },
  pos: { colour: "#56b4e9", size: 3.6, draw: (c, r) => corners(c, r, 6, 0) },
};

function corners(context, radius, many, turn) {
  for (let k = 0; k < many; k++) {
    const angle = ((turn + (360 * k) / many) * Math.PI) / 180;
    context.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
  }
  context.closePath();
}

function drawSymbol(context, kind, x, y, factor) {
  const symbol = SYMBOLS[kind];
  context.save();
  context.translate(x, y);
  context.beginPath();
  symbol.draw(context, symbol.size * factor);
  context.lineWidth = Math.max(0.8, 1.6 * factor);
  context.strokeStyle = "#fff";
  context.stroke();
  context.fillStyle = symbol.colour;
  context.fill();
  context.restore();
}

const ratio = () => window.devicePixelRatio || 1;

// Hatching that stays put on the ground while the map moves under it would crawl; it is tied to the screen.
function hatch(context, colour) {
  const tile = document.createElement("canvas"), side = Math.round(7 * ratio());
  tile.width = tile.height = side;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 1.2 * ratio();
  for (const shift of [-side, 0, side]) {
    pen.moveTo(shift, side);
    pen.lineTo(shift + side, 0);
  }
  pen.stroke();
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio()));
  return pattern;
}
