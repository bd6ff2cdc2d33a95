"use strict";
// Draws what is in view, and no more: what is too narrow to be told apart is drawn as one.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const box = document.getElementById("timeline");
  const said = document.getElementById("said");
  const HEIGHT = 26, TOP = 24, LEFT = 130;
  // The order in which classes are drawn, and how high within the lane.
  const DEPTH = { turn: [3, 20], wait: [3, 20], queued: [17, 6], call: [6, 11], save: [6, 11] };
  let from = 0, to = data.length, lane = 0, picked = null, gap = -1, width = 0;
  document.documentElement.classList.add("js");

  const items = data.lanes.map((one) => {
    const spans = one.spans.map(([a, b, kind, what]) => ({ a, b, kind, what }));
    const moments = one.moments.map(([a, kind, what]) => ({ a, b: a, kind, what }));
    // To step through: what waits and turns say is seen by itself.
    const steps = spans.filter((s) => s.kind !== "turn" && s.kind !== "wait").concat(moments).sort((x, y) => x.a - y.a);
    // How far back something may begin that still goes on.
    let end = 0;
    const ends = spans.map((s) => (end = Math.max(end, s.b)));
    return { spans, moments, steps, ends };
  });

  const time = (ns) => {
    const abs = Math.abs(ns);
    if (abs < 1e3) return `${Math.round(ns)} ns`;
    if (abs < 1e6) return `${(ns / 1e3).toFixed(2)} us`;
    if (abs < 1e9) return `${(ns / 1e6).toFixed(3)} ms`;
    return `${(ns / 1e9).toFixed(4)} s`;
  };
  const first = (list, holds) => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(list[middle])) high = middle; else low = middle + 1;
    }
    return low;
  };
  const x = (at) => LEFT + ((at - from) / (to - from)) * (width - LEFT);
  const when = (pixel) => from + ((pixel - LEFT) / (width - LEFT)) * (to - from);
  const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

  function axis(height) {
    const rough = (to - from) / Math.max(2, (width - LEFT) / 130);
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) || 10 * power;
    let out = '<g class="axis">';
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const place = x(at).toFixed(1);
      out += `<line x1="${place}" x2="${place}" y1="${TOP - 6}" y2="${height}"/><text x="${place}" y="12">${time(at)}</text>`;
    }
    return `${out}</g>`;
  }

  function spans(index, y) {
    const { spans: list, ends } = items[index];
    const out = [];
    // What is too narrow to be told apart becomes one piece, a kind each.
    const runs = {};
    const add = (kind, left, right, title, mark) => {
      const [dy, height] = DEPTH[kind];
      out.push([height, `<rect class="${kind}${mark}" x="${left.toFixed(1)}" y="${y + dy}" width="${Math.max(right - left, 1).toFixed(1)}" height="${height}"><title>${title}</title></rect>`]);
    };
    const flush = (kind) => {
      const run = runs[kind];
      if (run) add(kind, run.left, run.right, run.count > 1 ? `${run.count} times ${kind}` : run.title, "");
      runs[kind] = null;
    };
    const begin = first(ends, (end) => end >= from);
    for (let i = begin; i < list.length && list[i].a <= to; i += 1) {
      const s = list[i];
      if (s.b < from) continue;
      const left = Math.max(x(s.a), LEFT), right = Math.min(x(s.b), width);
      if (right - left >= 2 || s === picked) {
        add(s.kind, left, right, `${escape(s.what)}, ${time(s.b - s.a)}`, s === picked ? " picked" : "");
        continue;
      }
      const run = runs[s.kind];
      if (run && left <= run.right + 1) {
        run.right = Math.max(run.right, right);
        run.count += 1;
      } else {
        flush(s.kind);
        runs[s.kind] = { left, right, count: 1, title: `${escape(s.what)}, ${time(s.b - s.a)}` };
      }
    }
    Object.keys(runs).forEach(flush);
    return out.sort((p, q) => q[0] - p[0]).map((one) => one[1]).join("");
  }

  function moments(index, y) {
    const list = items[index].moments;
    const last = {};
    let out = "";
    for (let i = first(list, (m) => m.a >= from); i < list.length && list[i].a <= to; i += 1) {
      const m = list[i];
      const place = x(m.a);
      // A mark is eight wide.
      if (place < last[m.kind] + 6 && m !== picked) continue;
      last[m.kind] = place;
      const up = m.kind === "event" || m.kind === "source";
      const [tip, base] = up ? [y + 8, y] : [y + HEIGHT - 9, y + HEIGHT - 1];
      const mark = m === picked ? " picked" : "";
      out += `<path class="${m.kind}${mark}" d="M${place.toFixed(1)} ${tip}l-4 ${base - tip}h8z"><title>${escape(m.what)}</title></path>`;
    }
    return out;
  }

  function draw() {
    width = box.clientWidth;
    const height = TOP + data.lanes.length * HEIGHT;
    let out = axis(height);
    data.lanes.forEach((one, index) => {
      const y = TOP + index * HEIGHT;
      if (index === lane) out += `<rect class="chosen" x="0" y="${y}" width="${width}" height="${HEIGHT}"/>`;
      out += `<text x="4" y="${y + 17}">${escape(one.name)}</text>${spans(index, y)}${moments(index, y)}`;
    });
    if (gap >= 0) {
      const g = data.gaps[gap];
      const left = Math.max(x(g.from), LEFT), right = Math.min(x(g.to), width);
      if (right > left) out += `<rect class="gap" x="${left}" y="${TOP + g.lane * HEIGHT + 1}" width="${right - left}" height="${HEIGHT - 2}"/>`;
    }
    box.innerHTML = `<svg height="${height}" viewBox="0 0 ${width} ${height}">${out}</svg>`;
  }

  function view(a, b) {
    const length = Math.min(Math.max(b - a, 100), data.length);
    from = Math.min(Math.max(a, 0), data.length - length);
    to = from + length;
    draw();
  }
  const zoom = (factor, at = (from + to) / 2) => view(at - (at - from) * factor, at + (to - at) * factor);
  const move = (part) => view(from + (to - from) * part, to + (to - from) * part);
  const say = (text) => { said.textContent = text; };

  function choose(next) {
    lane = Math.min(Math.max(next, 0), data.lanes.length - 1);
    picked = null;
    say(`${data.lanes[lane].name}: ${items[lane].steps.length} to step through`);
    draw();
  }
  function pick(item) {
    if (!item) { say(`${data.lanes[lane].name}: nothing more in this direction`); return; }
    picked = item;
    const length = item.b - item.a;
    say(`${data.lanes[lane].name}, ${time(item.a)}: ${item.what}${length > 0 ? `, ${time(length)}` : ""}`);
    if (item.a < from || item.a > to) view(item.a - (to - from) / 2, item.a + (to - from) / 2); else draw();
  }
  function step(by) {
    const { steps } = items[lane];
    const now = steps.indexOf(picked);
    if (now >= 0) { pick(steps[now + by]); return; }
    const next = first(steps, (s) => s.a >= from);
    pick(steps[by > 0 ? next : next - 1]);
  }
  function jump(index) {
    if (!data.gaps[index]) return;
    gap = index;
    const g = data.gaps[index];
    lane = g.lane;
    picked = null;
    const margin = Math.max((g.to - g.from) * 0.3, 100);
    view(g.from - margin, g.to + margin);
    say(`${data.lanes[lane].name}: a gap of ${time(g.to - g.from)}`);
    const line = box.getBoundingClientRect().top + TOP + lane * HEIGHT;
    if (line < 80 || line > window.innerHeight - 80) window.scrollBy(0, line - window.innerHeight / 2);
    box.focus({ preventScroll: true });
  }

  const KEYS = {
    ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
    0: () => view(0, data.length), ArrowUp: () => choose(lane - 1), ArrowDown: () => choose(lane + 1), n: () => step(1),
    p: () => step(-1), g: () => jump((gap + 1) % Math.max(data.gaps.length, 1)), Home: () => view(0, to - from),
    End: () => view(data.length - (to - from), data.length),
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  const inside = (event) => event.clientX - box.getBoundingClientRect().left;
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / width);
    else zoom(event.deltaY > 0 ? 1.25 : 0.8, when(Math.max(inside(event), LEFT)));
  }, { passive: false });
  let held = null;
  box.addEventListener("pointerdown", (event) => {
    held = { at: inside(event), from, to };
    box.setPointerCapture(event.pointerId);
    const row = Math.floor((event.clientY - box.getBoundingClientRect().top - TOP) / HEIGHT);
    if (row >= 0 && row !== lane) choose(row);
  });
  box.addEventListener("pointermove", (event) => {
    if (!held) return;
    const by = ((held.at - inside(event)) / (width - LEFT)) * (held.to - held.from);
    view(held.from + by, held.to + by);
  });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => { held = null; });
  document.getElementById("in").addEventListener("click", () => zoom(0.5));
  document.getElementById("out").addEventListener("click", () => zoom(2));
  document.getElementById("all").addEventListener("click", () => view(0, data.length));
  for (const button of document.querySelectorAll("[data-gap]")) {
    button.addEventListener("click", () => jump(Number(button.dataset.gap)));
  }
  window.addEventListener("resize", draw);
  draw();
})();
