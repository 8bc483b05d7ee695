"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  const theme = document.getElementById("theme");
  const themes = ["system", "light", "dark"];
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % themes.length];
    if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
    theme.textContent = "theme: " + next;
  });

  const hidden = new Set();
  const shown = (workers) => workers.every((worker) => !hidden.has(Number(worker)));
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      const worker = Number(chip.dataset.worker);
      if (!hidden.delete(worker)) hidden.add(worker);
      chip.setAttribute("aria-pressed", String(!hidden.has(worker)));
      for (const element of document.querySelectorAll("[data-workers]")) {
        element.classList.toggle("off", !shown(element.dataset.workers.split(" ")));
      }
    });
  }

  const number = (y) => {
    if (y === null || y === undefined) return "–";
    if (y === 0) return "0";
    const size = Math.abs(y);
    return size >= 0.001 && size < 100000 ? String(Number(y.toPrecision(6))) : y.toExponential(2);
  };

  for (const chart of document.querySelectorAll(".chart")) {
    const data = JSON.parse(chart.querySelector("script").textContent);
    const svg = chart.querySelector("svg"), readout = chart.querySelector(".readout");
    const cursor = svg.querySelector(".cursor"), axis = chart.querySelector(".switch");
    let at = -1;

    axis?.addEventListener("click", () => {
      const log = chart.dataset.axis !== "log";
      chart.dataset.axis = log ? "log" : "linear";
      axis.setAttribute("aria-pressed", String(log));
    });

    const entry = (label, y, worker) => {
      const item = document.createElement("span");
      if (worker !== undefined) {
        const dot = document.createElement("i");
        dot.className = "s" + worker % 6;
        item.append(dot);
      }
      const value = document.createElement("b");
      value.textContent = number(y);
      item.append(label + " ", value);
      return item;
    };
    const read = (index) => {
      at = Math.max(0, Math.min(data.x.length - 1, index));
      const [x0, x1] = data.range, [left, right] = data.frame;
      const x = left + (data.x[at] - x0) / (x1 - x0 || 1) * (right - left);
      cursor.removeAttribute("hidden");
      cursor.setAttribute("transform", "translate(" + x.toFixed(1) + " 0)");
      const items = [entry(data.xLabel, data.names.length ? data.names[at] : Math.round(data.x[at]))];
      for (const curve of data.curves) {
        if (shown(curve.workers)) {
          items.push(entry(curve.label, curve.y[at], curve.workers.length === 1 ? curve.workers[0] : undefined));
        }
      }
      if (data.limit) items.push(entry(data.limit.label, data.limit.y[at]));
      readout.replaceChildren(...items);
    };
    svg.addEventListener("pointermove", (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const [x0, x1] = data.range, [left, right] = data.frame;
      const x = x0 + (point.x - left) / (right - left) * (x1 - x0);
      let best = 0;
      data.x.forEach((value, i) => { if (Math.abs(value - x) < Math.abs(data.x[best] - x)) best = i; });
      if (data.x.length) read(best);
    });
    chart.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.target !== chart || !move || !data.x.length) return;
      event.preventDefault();
      read(at + move);
    });
  }
})();
