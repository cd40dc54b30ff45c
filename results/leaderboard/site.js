// Sorting, filtering and views of the leaderboard's pages. What is shown stands in the address after
// the #, as name=value pairs, so that a view can be linked; without this script everything is shown.
"use strict";

(() => {
  const defaults = { split: "", measure: "", fidelity: "", q: "", family: "", controls: "1", sort: "" };
  const forms = [...document.querySelectorAll("form.controls")];
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  let state = { ...defaults };

  function choices(name) {
    return all(`input[type=radio][name=${name}]`).map((input) => input.value);
  }

  function firstState() {
    const first = { ...defaults };
    for (const name of ["split", "measure", "fidelity"]) first[name] = choices(name)[0] || "";
    return first;
  }

  function readAddress() {
    const text = location.hash.slice(1);
    if (text && !text.includes("=")) return false; // an anchor of the page, not a view
    const given = Object.fromEntries(new URLSearchParams(text));
    state = firstState();
    for (const name of Object.keys(defaults)) {
      const known = choices(name);
      if (name in given && (!known.length || known.includes(given[name]))) state[name] = given[name];
    }
    return true;
  }

  function writeAddress() {
    const first = firstState();
    const changed = Object.entries(state).filter(([name, value]) => value !== first[name]);
    const text = new URLSearchParams(changed).toString();
    if (text !== location.hash.slice(1)) location.replace(`#${text}`);
  }

  function fillForms() {
    for (const [name, value] of Object.entries(state)) {
      for (const field of all(`[name=${name}]`)) {
        if (field.type === "radio") field.checked = field.value === value;
        else if (field.type === "checkbox") field.checked = value === "1";
        else if (field.value !== value) field.value = value;
      }
    }
    for (const field of all("[name=measure]")) field.disabled = !isDefined(field.value);
  }

  function isDefined(measure) {
    return !state.split || document.querySelector(`#heatmap td[data-${measure}-${state.split}]`) !== null;
  }

  function level(text) {
    if (text === "hole") return "hole";
    const value = Number.parseFloat(text);
    if (Number.isNaN(value)) return "undefined";
    return `l${Math.min(10, Math.max(0, Math.floor(value / 10 + 0.5)))}`;
  }

  function shownMeasure() {
    return isDefined(state.measure) ? state.measure : choices("measure").find(isDefined) || "";
  }

  function shownView() {
    return `${shownMeasure()}-${state.split}`;
  }

  function showViews() {
    const wanted = { split: state.split, measure: shownMeasure(), fidelity: state.fidelity };
    for (const part of all("[data-split], [data-measure], [data-fidelity]")) {
      part.hidden = Object.entries(wanted).some(
        ([name, value]) => value && name in part.dataset && part.dataset[name] !== value,
      );
    }
    const view = shownView();
    for (const cell of state.split ? all(`#heatmap td[data-${view}]`) : []) {
      const text = cell.getAttribute(`data-${view}`);
      cell.textContent = text === "hole" ? "–" : text;
      if (cell.classList.contains("heat")) cell.className = `heat ${level(text)}`;
    }
    const title = document.getElementById("view-title");
    const named = title && JSON.parse(title.dataset.titles)[view];
    if (named) title.textContent = named;
    const note = document.getElementById("undefined-note");
    if (note) note.hidden = isDefined(state.measure);
  }

  function filterRows() {
    const part = state.q.trim().toLowerCase();
    for (const row of all("tr[data-name]")) {
      const named = row.dataset.name.toLowerCase().includes(part);
      row.hidden = !named || (state.controls !== "1" && row.dataset.kind === "control");
    }
    for (const cell of all("[data-family]")) {
      cell.hidden = state.family !== "" && cell.dataset.family !== state.family;
    }
  }

  function sortKey(row, column) {
    const text = row.cells[column] ? row.cells[column].textContent.trim() : "";
    if (text.startsWith("∞")) return Infinity;
    const value = Number.parseFloat(text);
    return Number.isNaN(value) ? null : value;
  }

  function compare(one, other, column, sign) {
    if (column === 0) {
      return sign * one.cells[0].textContent.localeCompare(other.cells[0].textContent, "en");
    }
    const [a, b] = [sortKey(one, column), sortKey(other, column)];
    if (a === null && b === null) {
      return sign * one.cells[column].textContent.localeCompare(other.cells[column].textContent, "en");
    }
    if (a === null || b === null) return a === null ? 1 : -1; // what is undefined stays below
    return a === b ? 0 : sign * (a < b ? -1 : 1);
  }

  function tables() {
    return all("table[data-sortable]");
  }

  function sortTables() {
    const [which, column, direction] = state.sort.split(".");
    const view = shownView();
    for (const [place, table] of tables().entries()) {
      const heads = all("th[aria-sort]", table);
      for (const head of heads) head.setAttribute("aria-sort", "none");
      const mine = String(place) === which && direction;
      const head = mine ? heads.find((one) => String(one.cellIndex) === column) : undefined;
      if (head) head.setAttribute("aria-sort", direction === "up" ? "ascending" : "descending");
      for (const body of table.tBodies) {
        const rows = [...body.rows];
        for (const [index, row] of rows.entries()) row.dataset.place ??= String(index);
        const order = (row) => Number(row.getAttribute(`data-order-${view}`) ?? row.dataset.place);
        rows.sort((a, b) => {
          const first = head ? compare(a, b, Number(column), direction === "up" ? 1 : -1) : 0;
          return first || order(a) - order(b);
        });
        body.append(...rows);
      }
    }
  }

  function makeSortable() {
    for (const [place, table] of tables().entries()) {
      const heads = all("thead tr:last-child > th[scope=col]", table);
      for (const head of heads) {
        const link = head.querySelector("a");
        const button = document.createElement("button");
        button.type = "button";
        if (link) button.setAttribute("aria-label", `Sort by ${head.textContent.trim()}`);
        else button.append(...head.childNodes);
        head.append(button);
        head.setAttribute("aria-sort", "none");
        button.addEventListener("click", () => {
          const now = head.getAttribute("aria-sort");
          const next = { none: head.cellIndex ? "down" : "up", descending: "up", ascending: "down" }[now];
          change({ sort: `${place}.${head.cellIndex}.${next}` });
        });
      }
    }
  }

  function apply() {
    fillForms();
    showViews();
    filterRows();
    sortTables();
  }

  function change(values) {
    state = { ...state, ...values };
    writeAddress();
    apply();
  }

  makeSortable();
  for (const form of forms) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      const field = event.target;
      change({ [field.name]: field.type === "checkbox" ? (field.checked ? "1" : "0") : field.value });
    });
  }
  window.addEventListener("hashchange", () => {
    if (readAddress()) apply();
  });
  readAddress();
  apply();
})();