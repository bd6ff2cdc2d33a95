'use strict';
// The lanes of a lesson: a picture of what was true and of what each mechanism said, step after step. Pictures are made as
// markup, which spares the name of the SVG namespace; `esc` guards all that comes from the data.

const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

const mark = (mechanism, x, y, classes) =>
  `<g class="k-${mechanism.name}"><path class="mark ${classes}" transform="translate(${x} ${y})" d="${mechanism.shape}"/></g>`;

const alarm = (x, y) =>
  `<path class="stuck" transform="translate(${x} ${y})" d="M0 -8.5L9 7H-9Z"/><text class="bang" x="${x}" y="${y + 5}" text-anchor="middle">!</text>`;

const swatch = (inner) => `<svg class="swatch" width="20" height="20" viewBox="-10 -10 20 20" aria-hidden="true">${inner}</svg>`;

const key = (mechanism, classes = 'said') =>
  `<span class="key k-${mechanism.name}">${swatch(mark(mechanism, 0, 0, classes))}<span>${esc(mechanism.name)}</span></span>`;

// Words to lines of at most `most` letters; `glue` stands between the words.
function wrap(words, glue, most) {
  const lines = [];
  for (const word of words) {
    const last = lines.length - 1;
    if (last >= 0 && (lines[last] + glue + word).length <= most) lines[last] += glue + word;
    else lines.push(word);
  }
  return lines;
}

// What stands beside a mark.
function lines(lesson, cell) {
  if (cell.failed) return [cell.failed];
  const out = [];
  for (const [name, bits] of cell.list || []) {
    const own = wrap(bits.split('|'), ' ', 13);
    if (lesson.named) own[0] = name + ': ' + own[0];
    out.push(...own);
  }
  return out;
}

const stuck = (cell) => (cell.stuck || []);
// A wide font's letters; what is narrower leaves some room.
const LETTER = 7.3;
const NAMES = 140;
const width = (text) => text.length * LETTER;

// Where each column stands: waits are wide, and their label lies; what is done stands upright in a narrow one.
function columns(lesson) {
  let x = 0;
  return lesson.steps.map((step) => {
    let w = 26;
    if (step.kind === 'wait') {
      const all = step.cells.flatMap((cell) => [...lines(lesson, cell), ...stuckLines(lesson, cell)]);
      w = Math.ceil(Math.max(106, ...all.map((line) => width(line) + 34), ...step.label.split(' ').map((word) => width(word) + 12)));
    }
    x += w;
    return { x: x - w, w, middle: x - w / 2 };
  });
}

const HEAD_LINE = 14;
const wrapped = (step, w) => wrap(step.label.split(' '), ' ', Math.floor((w - 10) / LETTER));

function headHeight(lesson, place) {
  const of = (step, n) => step.kind === 'wait' ? wrapped(step, place[n].w).length * HEAD_LINE : Math.min(26, step.command.length) * 6.9;
  return Math.ceil(26 + Math.max(40, ...lesson.steps.map(of)));
}

function heading(step, column, height, index, view) {
  const current = index === view.step ? ' big' : '';
  const number = `<text class="soft${current}" x="${column.middle}" y="13" text-anchor="middle">${index + 1}</text>`;
  if (step.kind === 'wait') {
    const all = wrapped(step, column.w);
    const top = height - 8 - (all.length - 1) * HEAD_LINE;
    return number + all.map((line, n) =>
      `<text x="${column.x + 6}" y="${top + n * HEAD_LINE}">${esc(line)}</text>`).join('');
  }
  const text = step.command.length > 26 ? step.command.slice(0, 25) + '…' : step.command;
  return number + `<text class="mono soft" transform="translate(${column.middle + 4} ${height - 6}) rotate(-90)">${esc(text)}</text>`;
}

const TRUTH = 56;

// What was true of one descriptor: bytes unread as water, room to write as a strip below, ends as flags.
function truthLane(lesson, name, place, y) {
  const of = (step) => (step.truth || []).find((truth) => truth.name === name);
  const most = Math.max(1, ...lesson.steps.map((step) => of(step)?.unread ?? 0));
  const floor = y + TRUTH - 14;
  const tall = TRUTH - 32;
  let out = '';
  let before = null;
  let flags = 0;
  lesson.steps.forEach((step, index) => {
    const { x, w, middle } = place[index];
    const truth = of(step);
    if (!truth) {
      if (before) out += `<path class="flag" d="M${x + 2} ${y + 16}l9 9m0 -9l-9 9"/><text x="${x + 14}" y="${y + 25}">closed</text>`;
      before = null;
      return;
    }
    const counted = truth.unread !== null && truth.unread !== undefined;
    const high = counted ? truth.unread / most * tall : (truth.readable ? tall / 2 : 0);
    const drawn = high > 0 ? Math.max(3, high) : 0;
    if (drawn) out += `<rect class="water" x="${x}" y="${floor - drawn}" width="${w}" height="${drawn}"/>`;
    const changed = !before || (counted ? before.unread !== truth.unread : before.readable !== truth.readable);
    const says = counted ? String(truth.unread) : (truth.readable ? 'ready' : '');
    if (changed && says && (before || says !== '0')) {
      out += `<text x="${middle}" y="${floor - drawn - 3}" text-anchor="middle">${esc(says)}</text>`;
    }
    out += `<rect class="${truth.room ? 'room' : 'no-room'}" x="${x}" y="${floor + 4}" width="${w}" height="5"/>`;
    for (const flag of truth.marks || []) {
      const at = y + 12 + (flags++ % 2) * 12;
      out += `<path class="flag" d="M${x + 1} ${floor}V${y + 2}"/><text class="big" x="${x + 4}" y="${at}">${esc(flag)}</text>`;
    }
    before = truth;
  });
  const end = place[place.length - 1];
  return out + `<path class="water-line" d="M0 ${floor}H${end.x + end.w}"/>`;
}

function laneHeight(lesson, m) {
  const of = (step) => step.kind === 'wait'
    ? 16 + 14 * (lines(lesson, step.cells[m]).length + stuckLines(lesson, step.cells[m]).length)
    : 8 + 6.8 * upright(step, step.cells[m]).length;
  return Math.ceil(Math.max(34, ...lesson.steps.map(of)));
}

// Only what an action answered otherwise than elsewhere deserves a place in a lane.
function upright(step, cell) {
  if (step.answer !== undefined || cell.skipped || !cell.answer) return '';
  return step.kind === 'probe' ? '¶' : wrap(cell.answer.split(' '), ' ', 11)[0];
}

const stuckLines = (lesson, cell) => stuck(cell).map((name) => lesson.named ? `${name}: not told` : 'not told');

function cellPicture(lesson, step, index, m, place, y, height, view) {
  const cell = step.cells[m];
  const mechanism = DATA.mechanisms[m];
  const { x, middle } = place[index];
  const centre = y + height / 2;
  if (step.kind !== 'wait') {
    const text = upright(step, cell);
    if (!text || view.hidden(index, m)) return '';
    return `<text class="mono" transform="translate(${middle + 4} ${y + height - 4}) rotate(-90)">${esc(text)}</text>`;
  }
  if (view.hidden(index, m)) return `<text class="soft big" x="${x + 14}" y="${centre + 5}" text-anchor="middle">?</text>`;
  const dim = view.dim(index) ? ' dim' : '';
  const said = lines(lesson, cell);
  const never = stuckLines(lesson, cell);
  const top = centre + 4.5 - (said.length + never.length - 1) * 7;
  let out = '';
  if (said.length === 0 && never.length > 0) out += alarm(x + 16, centre);
  else {
    out += mark(mechanism, x + 14, never.length ? centre - 7 : centre, (said.length ? 'said' : '') + dim);
    if (never.length) out += alarm(x + 14, centre + 10);
  }
  said.forEach((line, n) => { out += `<text class="${dim ? 'soft' : ''}" x="${x + 27}" y="${top + n * 14}">${esc(line)}</text>`; });
  never.forEach((line, n) => { out += `<text class="never" x="${x + 27}" y="${top + (said.length + n) * 14}">${esc(line)}</text>`; });
  return out;
}

// In words, for who does not see the picture.
function described(lesson, shown) {
  const waits = lesson.steps.filter((step) => step.kind === 'wait').length;
  const names = shown.map((m) => DATA.mechanisms[m].name).join(', ');
  return `${lesson.title}: ${lesson.steps.length} steps, ${waits} of them waits, under ${names}. All of it stands in the table below, and step by step after this picture.`;
}

// Both halves: the names stay while the track scrolls.
function lanes(lesson, view) {
  const place = columns(lesson);
  const end = place[place.length - 1];
  const wide = Math.ceil(end.x + end.w);
  const head = headHeight(lesson, place);
  let y = head;
  let names = '';
  let body = '';
  const rule = (to) => { body += `<path class="line" d="M0 ${to}H${wide}"/>`; names += `<path class="line" d="M0 ${to}H${NAMES}"/>`; };
  lesson.steps.forEach((step, index) => { body += heading(step, place[index], head, index, view); });
  for (const name of lesson.watched) {
    rule(y);
    names += `<text class="name" x="8" y="${y + 22}">${esc(name)}</text><text class="soft" x="8" y="${y + 38}">what is true</text>`;
    body += truthLane(lesson, name, place, y);
    y += TRUTH;
  }
  for (const m of view.shown) {
    const mechanism = DATA.mechanisms[m];
    const height = laneHeight(lesson, m);
    rule(y);
    names += mark(mechanism, 14, y + height / 2, 'said') + `<text class="name" x="28" y="${y + height / 2 + 4.5}">${esc(mechanism.name)}</text>`;
    lesson.steps.forEach((step, index) => { body += cellPicture(lesson, step, index, m, place, y, height, view); });
    y += height;
  }
  const at = place[view.step];
  const highlight = at ? `<rect class="at" x="${at.x + .75}" y=".75" width="${at.w - 1.5}" height="${y - 1.5}"/>` : '';
  const marked = place.map((column, index) => view.marked(index) ? `<rect class="differ" x="${column.x}" y="0" width="${column.w}" height="${y}"/>` : '').join('');
  const hits = place.map((column, index) => `<rect class="hit" data-step="${index}" x="${column.x}" y="0" width="${column.w}" height="${y}"><title>Step ${index + 1}: ${esc(lesson.steps[index].command)}</title></rect>`).join('');
  const namesHead = `<text class="soft" x="8" y="13">step</text>`;
  return {
    // In one piece, for paper, where nothing scrolls.
    whole: `<svg class="whole" viewBox="0 0 ${NAMES + wide} ${y}" style="max-width:${NAMES + wide}px" aria-hidden="true">${namesHead}${names}<svg x="${NAMES}" width="${wide}" height="${y}">${marked}${highlight}${body}</svg></svg>`,
    names: `<svg width="${NAMES}" height="${y}" viewBox="0 0 ${NAMES} ${y}" aria-hidden="true">${namesHead}${names}</svg>`,
    body: `<svg width="${wide}" height="${y}" viewBox="0 0 ${wide} ${y}" role="img" aria-label="${esc(described(lesson, view.shown))}">${marked}${highlight}${body}${hits}</svg>`,
    at,
  };
}
