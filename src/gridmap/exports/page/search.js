// Search by name or code: a combobox over areas, grids, facilities, gaps and cells.
const searchBox = document.getElementById("search"), foundBox = document.getElementById("found");
const MOST_FOUND = 40;
let found = [], chosen = -1;

function searched(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const results = [];
  for (const layer of ["areas", "facilities", "grids", "gaps", "units", "sets"]) {
    for (let i = 0; i < DATA[layer].code.length; i++) {
      const name = nameOf[layer](i).toLowerCase(), code = codeOf[layer](i).toLowerCase();
      if (name.includes(wanted) || code.includes(wanted)) results.push({ layer, i, rank: name === wanted || code === wanted ? 0 : name.startsWith(wanted) ? 1 : 2 });
    }
  }
  const cell = cellOf(wanted);
  if (cell >= 0) results.unshift({ layer: "cells", i: cell, rank: 0 });
  return results.sort((a, b) => a.rank - b.rank).slice(0, MOST_FOUND);
}

function showFound() {
  const open = searchBox.value.trim() !== "";
  foundBox.hidden = !open;
  searchBox.setAttribute("aria-expanded", String(open));
  if (chosen >= 0) searchBox.setAttribute("aria-activedescendant", `found-${chosen}`);
  else searchBox.removeAttribute("aria-activedescendant");
  foundBox.replaceChildren(...found.map(({ layer, i }, k) => el("li", {
    role: "option", id: `found-${k}`, "aria-selected": String(k === chosen), onpointerdown: (event) => { event.preventDefault(); choose(k); },
  }, el("span", {}, nameOf[layer](i)), el("span", { class: "code" }, `${t(`one_${layer}`)}${layer === "cells" ? "" : " " + codeOf[layer](i)}`))));
  if (open && !found.length) foundBox.append(el("li", { class: "none", role: "option", "aria-selected": "false" }, t("nothing_found")));
  foundBox.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
}

function choose(k) {
  const { layer, i } = found[k];
  closeSearch();
  searchBox.value = nameOf[layer](i);
  pick({ layer, i }, true);
}

function closeSearch() {
  found = [];
  chosen = -1;
  foundBox.hidden = true;
  searchBox.setAttribute("aria-expanded", "false");
}

searchBox.addEventListener("input", () => {
  found = searched(searchBox.value);
  chosen = found.length ? 0 : -1;
  showFound();
});
searchBox.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && found.length) {
    event.preventDefault();
    chosen = (chosen + step + found.length) % found.length;
    showFound();
  } else if (event.key === "Enter" && chosen >= 0) choose(chosen);
  else if (event.key === "Escape") closeSearch();
});
searchBox.addEventListener("blur", closeSearch);
