'use strict';
// Which lesson, which step, which way of looking at it; keys, buttons and the address. See lanes.js for the picture.

const DATA = JSON.parse(document.getElementById('data').textContent);
const LESSONS = DATA.lessons;
const state = { lesson: 0, step: 0, mode: 'see', left: 2, right: 3, who: 3, view: 'lessons' };
// What was guessed: by lesson, mechanism and step.
const guesses = new Map();
const $ = (id) => document.getElementById(id);
const lesson = () => LESSONS[state.lesson];
const step = () => lesson().steps[state.step];
const isWait = (at) => lesson().steps[at]?.kind === 'wait';

// ---- Comparing

// What both can say: select has three sets, and NVAL is poll's alone.
const SAYS = { select: 0b111, mio: ~0b100000 };
const said = (mechanism) => SAYS[mechanism.name] ?? ~0;

function cellsDiffer(a, b, m, n) {
  if (a.skipped || b.skipped) return '';
  if ((a.failed || '') !== (b.failed || '')) return 'one fails';
  const names = (cell) => (cell.list || []).map(([name]) => name).sort().join(' ');
  if (names(a) !== names(b)) return names(a) && names(b) ? 'of different descriptors' : 'one speaks, the other does not';
  const mask = said(DATA.mechanisms[m]) & said(DATA.mechanisms[n]);
  const bits = (cell, of) => (cell.list || []).filter(([name]) => name === of).reduce((all, [, , number]) => all | number, 0) & mask;
  return (a.list || []).some(([name]) => bits(a, name) !== bits(b, name)) ? 'other bits' : '';
}

const differ = (at) => isWait(at) ? cellsDiffer(lesson().steps[at].cells[state.left], lesson().steps[at].cells[state.right], state.left, state.right) : '';

// ---- Predicting

const guessKey = (at) => `${state.lesson}/${state.who}/${at}`;
const cellText = (cell) => cell.failed || cell.text || '-';

// The answers to choose from: all that stand in the lesson in this mechanism's words.
function options() {
  const words = DATA.mechanisms[state.who].words;
  const found = new Set(['-']);
  for (const each of lesson().steps) {
    if (each.kind !== 'wait') continue;
    each.cells.forEach((cell, m) => { if (DATA.mechanisms[m].words === words && !cell.skipped) found.add(cellText(cell)); });
  }
  if (found.size === 1) found.add(words === 'select' ? 'r' : words === 'mio' ? 'readable' : 'IN');
  return [...found].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, 9);
}

const revealed = (at) => !isWait(at) || guesses.has(guessKey(at));

function guess(pick) {
  if (state.mode !== 'guess' || revealed(state.step)) return;
  const truth = cellText(step().cells[state.who]);
  guesses.set(guessKey(state.step), { pick, right: pick === null ? null : pick === truth });
  draw();
}

function score() {
  const all = [...guesses.values()].filter((one) => one.right !== null);
  return all.length ? `${all.filter((one) => one.right).length} of ${all.length} guessed right` : 'nothing guessed yet';
}

// ---- What one step says

const ruleLink = (id) => {
  const rule = DATA.rules.find((each) => each.id === id);
  return rule ? `<a href="#rule-${esc(rule.id)}">${esc(rule.title)}</a>` : '';
};

function whyOf(cell) {
  const why = cell.why || [];
  if (!why.length) return `<span class="soft">${cell.foretold ? 'nothing is registered' : 'observed by running it; the rules have no word on it'}</span>`;
  return why.map((one) => `${ruleLink(one.rule)}: ${esc(one.text)}`).join('<br>');
}

function saidOf(cell) {
  let text = cell.failed || cell.text ? `<code>${esc(cellText(cell)).replace(/\|/g, '|<wbr>')}</code>` : 'silent';
  if (stuck(cell).length) text += ` <span class="never">! ${esc(stuck(cell).join(', '))} ready, not told</span>`;
  if (cell.wrong) text += ` <span class="warn">(shipped table: ${esc(cell.wrong)})</span>`;
  if (cell.instead) text += ` <span class="warn">(by the rules: ${esc(cell.instead)})</span>`;
  return text;
}

// The mark is that of the lanes.
const filled = (cell) => cell.failed || cell.text ? 'said' : '';

const found = (at, cell) => {
  const wrong = cell.wrong ? ` <span class="warn">(shipped table: ${esc(cell.wrong)})</span>` : '';
  return (at.kind === 'probe' ? esc(cell.answer ?? '') : `<code>${esc(cell.answer ?? 'ok')}</code>`) + wrong;
};

function rows(at, shown) {
  const groups = [];
  for (const m of shown) {
    const cell = at.cells[m];
    const text = cell.skipped ? 'nothing to do' : at.kind === 'wait' ? saidOf(cell) : found(at, cell);
    const why = at.kind === 'wait' && !cell.skipped ? whyOf(cell) : '';
    const same = groups.find((group) => group.text === text && group.why === why);
    if (same) same.who.push(m);
    else groups.push({ who: [m], text, why });
  }
  const row = (group) => `<li class="${at.kind}"><span class="who">${group.who.map((m) => key(DATA.mechanisms[m], at.kind === 'wait' && !(at.cells[m].list || []).length && !at.cells[m].failed ? '' : 'said')).join('')}</span><span class="bits">${group.text}</span><span class="why">${group.why}</span></li>`;
  return `<ul class="said">${groups.map(row).join('')}</ul>`;
}

function trueOf(at) {
  const of = (truth) => {
    const parts = [];
    if (truth.unread !== null && truth.unread !== undefined) parts.push(truth.unread === 0 ? 'nothing unread' : truth.unread === 1 ? '1 byte unread' : `${truth.unread} bytes unread`);
    parts.push(truth.bits ? `asked for everything, poll says ${truth.bits}` : 'asked for everything, poll says nothing');
    return `<b>${esc(truth.name)}</b>: ${esc(parts.join('; '))}`;
  };
  const all = (at.truth || []).filter((truth) => lesson().watched.includes(truth.name));
  return all.length ? `<p class="soft">True afterwards: ${all.map(of).join(' · ')}</p>` : '';
}

function nowHtml() {
  const at = step();
  const remarks = (at.notes || []).map((note) => `<p class="remark">${esc(note)}</p>`).join('');
  const answer = at.answer && at.answer !== 'ok' ? ` It answered <code>${esc(at.answer)}</code>.` : '';
  const number = `<b>Step ${state.step + 1} of ${lesson().steps.length}</b>`;
  const head = remarks + (at.kind === 'wait' ? `<p class="did">${number}, a wait: <b>${esc(at.label)}</b></p>` : `<p class="did">${number} <code>${esc(at.command)}</code></p><p>${esc(at.sentence)}${answer}</p>`);
  if (state.mode === 'guess' && isWait(state.step)) return head + trueOf(at) + guessHtml(at);
  if (state.mode === 'compare') return head + trueOf(at) + (at.answer === undefined ? rows(at, shown()) : '') + comparedHtml();
  return head + (at.answer === undefined ? rows(at, shown()) : '') + trueOf(at) + (at.after || []).map((note) => `<p class="remark">${esc(note)}</p>`).join('');
}

function guessHtml(at) {
  const made = guesses.get(guessKey(state.step));
  const name = DATA.mechanisms[state.who].name;
  if (!made) {
    const button = (text, n) => `<button type="button" data-guess="${esc(text)}"><kbd>${n + 1}</kbd> ${text === '-' ? 'silent' : esc(text)}</button>`;
    return `<p>What does <b>${esc(name)}</b> say?</p><div class="guess">${options().map(button).join('')}<button type="button" data-guess-none><kbd>0</kbd> just show me</button></div><p class="soft">${score()}</p>`;
  }
  const word = made.right === null ? '' : made.right ? '<p class="right">✓ Right.</p>' : `<p class="never">✗ You said ${made.pick === '-' ? 'silent' : esc(made.pick)}.</p>`;
  return word + rows(at, [state.who]) + `<p class="soft">${score()}</p>`;
}

function comparedHtml() {
  const found = lesson().steps.map((each, at) => ({ each, at, how: differ(at) })).filter((one) => one.how);
  const [a, b] = [DATA.mechanisms[state.left], DATA.mechanisms[state.right]];
  if (!found.length) return `<h3>${esc(a.name)} and ${esc(b.name)} agree in this lesson</h3>`;
  const reason = (m, cell) => `<span class="why">${key(DATA.mechanisms[m], filled(cell))} ${saidOf(cell)}: ${whyOf(cell)}</span>`;
  const item = ({ each, at, how }) => `<li><button type="button" data-go="${at}">Step ${at + 1}</button> ${esc(each.label)} <span class="soft">(${how})</span>${reason(state.left, each.cells[state.left])}${reason(state.right, each.cells[state.right])}</li>`;
  return `<h3>They disagree in ${found.length} of ${lesson().steps.filter((each) => each.kind === 'wait').length} waits</h3><ol class="compared">${found.map(item).join('')}</ol>`;
}

// ---- Drawing

const shown = () => state.mode === 'compare' ? [state.left, state.right] : state.mode === 'guess' ? [state.who] : DATA.mechanisms.map((_, m) => m);

const stage = document.createElement('div');
stage.className = 'stage';
stage.innerHTML = `
<div class="bar" role="group" aria-label="Steps">
  <button type="button" id="back" aria-label="Step back">◀</button><span class="count" id="count"></span><button type="button" id="on" aria-label="Step on">▶</button><span class="gap"></span>
  <span class="modes"><button type="button" data-mode="see" aria-pressed="true">See all</button><button type="button" data-mode="compare" aria-pressed="false">Compare two</button><button type="button" data-mode="guess" aria-pressed="false">Predict first</button></span>
  <fieldset id="pair" hidden><label for="left">compare</label><select id="left"></select><label for="right">with</label><select id="right"></select></fieldset>
  <fieldset id="one" hidden><label for="who">predict</label><select id="who"></select></fieldset>
</div>
<div class="lanes"><div class="names"></div><div class="track" tabindex="0" role="group" aria-label="Lanes; left and right step, up and down change the lesson"></div><div class="paper"></div></div>
<ul class="legend"></ul>
<div class="now" aria-live="polite"></div>`;
const part = (selector) => stage.querySelector(selector);
const inStage = (id) => part('#' + id);
for (const id of ['left', 'right', 'who']) {
  inStage(id).innerHTML = DATA.mechanisms.map((mechanism, m) => `<option value="${m}">${esc(mechanism.name)}</option>`).join('');
}
part('.legend').innerHTML = [
  `<li>${swatch(mark(DATA.mechanisms[2], 0, 0, 'said'))} reported</li>`,
  `<li>${swatch(mark(DATA.mechanisms[2], 0, 0, ''))} asked, heard nothing</li>`,
  `<li>${swatch(alarm(0, 0))} ready, and nobody is told before something else happens</li>`,
  `<li>${swatch('<rect class="water" x="-8" y="-6" width="16" height="12"/>')} unread bytes</li>`,
  `<li>${swatch('<path class="flag" d="M-6 8V-8"/><text class="flag-text" x="-3" y="1">FIN</text>')} an end or an error has come</li>`,
  `<li>${swatch('<rect class="room" x="-9" y="-3" width="18" height="5"/>')} room to write</li>`,
].join('');

function draw() {
  const current = lesson();
  const waits = current.steps.some((each) => each.kind === 'wait');
  if (!waits) state.mode = 'see';
  // An experiment has findings and no lanes.
  for (const selector of ['.lanes', '.legend', '.modes']) part(selector).hidden = !waits;
  const picture = lanes(current, {
    step: state.step,
    shown: shown(),
    hidden: (at) => state.mode === 'guess' && (at > state.step || !revealed(at)),
    dim: (at) => state.mode === 'compare' && !differ(at),
    marked: (at) => state.mode === 'compare' && differ(at) !== '',
  });
  const track = part('.track');
  const before = track.scrollLeft;
  part('.names').innerHTML = picture.names;
  track.innerHTML = picture.body;
  part('.paper').innerHTML = picture.whole;
  track.scrollLeft = before;
  if (picture.at) {
    const { x, w } = picture.at;
    if (x < track.scrollLeft) track.scrollLeft = Math.max(0, x - 30);
    else if (x + w > track.scrollLeft + track.clientWidth) track.scrollLeft = x + w - track.clientWidth + 30;
  }
  part('.now').innerHTML = nowHtml();
  inStage('count').textContent = `step ${state.step + 1} of ${current.steps.length}`;
  inStage('back').disabled = state.step === 0;
  inStage('on').disabled = state.step === current.steps.length - 1 && (state.mode !== 'guess' || revealed(state.step));
  for (const button of stage.querySelectorAll('[data-mode]')) button.setAttribute('aria-pressed', String(button.dataset.mode === state.mode));
  inStage('pair').hidden = state.mode !== 'compare';
  inStage('one').hidden = state.mode !== 'guess';
  for (const id of ['left', 'right', 'who']) inStage(id).value = String(state[id]);
  const article = $(current.name);
  article.classList.toggle('guessing', state.mode === 'guess');
  for (const row of article.querySelectorAll('tr[data-step]')) row.classList.toggle('current', Number(row.dataset.step) === state.step);
}

const address = () => '#' + lesson().name + (state.step ? '/' + (state.step + 1) : '');

function go(to) {
  const last = lesson().steps.length - 1;
  const next = Math.min(last, Math.max(0, to));
  // Under Predict, going on from a wait that was not guessed shows it first.
  if (state.mode === 'guess' && next > state.step && !revealed(state.step)) return guess(null);
  state.step = next;
  history.replaceState(null, '', address());
  draw();
  stage.scrollIntoView({ block: 'nearest' });
}

function show(view) {
  state.view = view;
  for (const each of document.querySelectorAll('.view')) each.classList.toggle('shown', each.id === view);
  for (const link of document.querySelectorAll('nav.parts a')) {
    if (link.getAttribute('href') === '#' + view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function open(index, at) {
  show('lessons');
  state.lesson = index;
  state.step = Math.min(Math.max(0, at), lesson().steps.length - 1);
  for (const article of document.querySelectorAll('.lesson')) article.classList.toggle('shown', article.id === lesson().name);
  for (const link of document.querySelectorAll('#course a')) {
    const own = link.getAttribute('href') === '#' + lesson().name;
    if (own) { link.setAttribute('aria-current', 'page'); reveal(link); } else link.removeAttribute('aria-current');
  }
  $('jump').value = lesson().name;
  $(lesson().name).querySelector('.here').replaceChildren(stage);
  document.title = `${lesson().title} - the lab`;
  part('.track').scrollLeft = 0;
  draw();
}

// Scrolls the list and not the page.
function reveal(link) {
  const list = $('course');
  const [box, own] = [list.getBoundingClientRect(), link.getBoundingClientRect()];
  if (own.top < box.top || own.bottom > box.bottom) list.scrollTop += own.top - box.top - box.height / 3;
}

function turn(by) {
  const to = LESSONS[state.lesson + by];
  if (to) visit('#' + to.name);
}

function mode(to) {
  state.mode = state.mode === to ? 'see' : to;
  draw();
}

// Where the reader looks after a link: at the top, or at the lanes if a step was meant. The list and the lanes keep the focus.
function arrive(at) {
  if (!document.activeElement.closest('#course, .jump, .track')) $(lesson().name).querySelector('h2').focus({ preventScroll: true });
  if (at) stage.scrollIntoView({ block: 'start' });
  else window.scrollTo(0, 0);
}

// #lesson, #lesson/step, #rules, #rule-..., #pictures, #picture-..., #machine.
function follow() {
  const [name, at] = location.hash.slice(1).split('/');
  const index = LESSONS.findIndex((each) => each.name === name);
  if (index >= 0) {
    const changed = index !== state.lesson || state.view !== 'lessons';
    open(index, Number(at || 1) - 1 || 0);
    if (changed) arrive(at);
    else if (at) stage.scrollIntoView({ block: 'nearest' });
    return undefined;
  }
  const target = name && $(name);
  const view = target && target.closest('.view');
  if (view && view.id !== 'lessons') {
    show(view.id);
    document.title = `${view.querySelector('h2').textContent} - the lab`;
    if (target !== view) { target.scrollIntoView(); target.focus({ preventScroll: true }); } else window.scrollTo(0, 0);
    return undefined;
  }
  if (!LESSONS.length) return show('machine');
  open(state.lesson, state.step);
  if (name === 'main') target.focus();
  return undefined;
}

function visit(address) {
  history.pushState(null, '', address);
  follow();
}

// ---- Hands

stage.addEventListener('click', (event) => {
  const at = event.target.closest('[data-step],[data-mode],[data-go],[data-guess],[data-guess-none],#back,#on');
  if (!at) return;
  if (at.dataset.step !== undefined) go(Number(at.dataset.step));
  else if (at.dataset.mode) { state.mode = at.dataset.mode; draw(); }
  else if (at.dataset.go !== undefined) go(Number(at.dataset.go));
  else if (at.dataset.guess !== undefined) guess(at.dataset.guess);
  else if (at.dataset.guessNone !== undefined) guess(null);
  else go(state.step + (at.id === 'on' ? 1 : -1));
});
stage.addEventListener('change', (event) => {
  state[event.target.id] = Number(event.target.value);
  draw();
});
$('jump').addEventListener('change', (event) => visit('#' + event.target.value));
// The browser's own way of following these would scroll to what has just been hidden or shown, and take the focus away.
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  visit(link.getAttribute('href'));
});
$('help').addEventListener('click', () => $('keys').showModal());

function listMove(event, by) {
  const links = [...document.querySelectorAll('#course a')];
  const to = links[links.indexOf(document.activeElement) + by];
  if (!to) return;
  event.preventDefault();
  history.replaceState(null, '', to.getAttribute('href'));
  follow();
  to.focus();
}

const KEYS = {
  ArrowLeft: () => go(state.step - 1),
  ArrowRight: () => go(state.step + 1),
  Home: () => go(0),
  End: () => go(Infinity),
  n: () => turn(1),
  p: () => turn(-1),
  c: () => mode('compare'),
  g: () => mode('guess'),
  r: () => visit('#rules'),
  '?': () => $('keys').showModal(),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('select, input, textarea, dialog')) return;
  const vertical = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (vertical && event.target.closest('#course')) return listMove(event, vertical);
  // Elsewhere these two scroll the page, as everybody expects.
  if (vertical && event.target.closest('.track')) { event.preventDefault(); turn(vertical); part('.track').focus(); return; }
  if (event.key === '?') { event.preventDefault(); KEYS['?'](); return; }
  if (state.view !== 'lessons' || event.target.closest('.scroll')) return;
  if (/^[0-9]$/.test(event.key) && state.mode === 'guess') {
    const pick = Number(event.key) === 0 ? null : options()[Number(event.key) - 1];
    if (pick !== undefined) guess(pick);
    return;
  }
  if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
});

// A lesson of which there is a picture says so.
for (const figure of document.querySelectorAll('#pictures figure')) {
  for (const link of figure.querySelectorAll('figcaption a')) {
    const list = $(link.getAttribute('href').slice(1))?.querySelector('.answers dl');
    list?.insertAdjacentHTML('afterbegin', `<dt>as a picture</dt><dd><a href="#${figure.id}">${esc(figure.querySelector('h3').textContent)}</a></dd>`);
  }
}

window.addEventListener('popstate', follow);
document.documentElement.classList.add('js');
follow();
