// The page asks for state.json every few seconds, and shows it.  Texts enter as
// text, never as HTML.
'use strict';

const EVERY_MS = 5000;
const HOUR_S = 3600;
const SVG = 'http://www.w3.org/2000/svg';

const at = id => document.getElementById(id);

function element(name, text, className) {
	const made = document.createElement(name);
	if (text !== undefined) made.textContent = text;
	if (className) made.className = className;
	return made;
}

function seconds(s) {
	if (s === null) return 'not known';
	if (s < 10) return s.toFixed(1) + ' s';
	if (s < 120) return Math.round(s) + ' s';
	if (s < 7200) return Math.round(s / 60) + ' min';
	return Math.round(s / 3600) + ' h';
}

function bytes(n) {
	if (n === null) return 'not known';
	const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
	let unit = 0;
	while (n >= 10240 && unit + 1 < units.length) { n /= 1024; unit++; }
	return Math.round(n) + ' ' + units[unit];
}

const count = n => n.toLocaleString('en');
const greatest = values => values.reduce((max, v) => v !== null && v > max ? v : max, 0);

// Lines of a graph: a new one after each gap, so that what is not known is not
// drawn as if it were.
function lines(values, ages, max) {
	const found = [];
	let line = [], before = null;
	values.forEach((value, i) => {
		if (value === null || (before !== null && before - ages[i] > 60)) {
			if (line.length) found.push(line);
			line = [];
		}
		if (value !== null)
			line.push((HOUR_S - ages[i]).toFixed(0) + ',' + (98 - 94 * value / (max || 1)).toFixed(1));
		before = ages[i];
	});
	if (line.length) found.push(line);
	return found;
}

function graph(kind, title, values, ages, say) {
	const max = greatest(values);
	const known = values.filter(v => v !== null);
	const figure = element('figure', undefined, kind);
	const svg = document.createElementNS(SVG, 'svg');
	const words = known.length
		? title + ', last hour: at last ' + say(known[known.length - 1]) + ', at most ' + say(max)
		: title + ': nothing is known yet';

	svg.setAttribute('viewBox', '0 0 ' + HOUR_S + ' 100');
	svg.setAttribute('preserveAspectRatio', 'none');
	svg.setAttribute('aria-hidden', 'true');
	for (const line of lines(values, ages, max)) {
		const drawn = document.createElementNS(SVG, 'polyline');
		// A point alone would not be seen.
		if (line.length === 1) line.push((Number(line[0].split(',')[0]) + 10) + ',' + line[0].split(',')[1]);
		drawn.setAttribute('points', line.join(' '));
		svg.append(drawn);
	}
	figure.append(svg, element('figcaption', words));
	return figure;
}

function target(of, ages) {
	const card = element('article', undefined, 'card');
	const state = !of.up ? 'not connected' : of.stuck ? 'stuck' : 'in order';
	const rate = of.full ? ', has as much to do as it may' : '';

	card.append(element('h3', 'Target ' + of.name),
		element('p', state + rate, of.up && !of.stuck ? 'good' : 'bad'),
		element('p', 'lags by ' + seconds(of.lag_s) + ', ' + bytes(of.lag_bytes)),
		graph('lag', 'Lag', of.lag, ages, seconds),
		graph('rate', 'Rows per second', of.rate, ages, n => count(Math.round(n))),
		element('p', count(of.rows) + ' rows in ' + count(of.transactions) + ' transactions, '
			+ count(of.conflicts) + ' conflicts, ' + count(of.failures) + ' failures, '
			+ count(of.open_transactions) + ' open transactions', 'dim'));
	return card;
}

function pair(title, text, className) {
	return [element('dt', title), element('dd', text, className)];
}

function source(of) {
	if (of === null) return pair('state', 'nothing recent is known', 'bad');
	const rows = [...pair('answered', seconds(of.heartbeat_s) + ' ago'),
		...pair('slot', of.slot_exists ? 'exists' : 'does not exist', of.slot_exists ? '' : 'bad')];
	if (of.wal_status !== null)
		rows.push(...pair('its WAL', of.wal_status, /lost|unreserved/.test(of.wal_status) ? 'bad' : ''));
	if (of.retained_bytes !== null) rows.push(...pair('WAL kept', bytes(of.retained_bytes)));
	if (of.safe_bytes !== null) rows.push(...pair('safe for', bytes(of.safe_bytes) + ' more'));
	return rows;
}

function event(of) {
	const row = element('tr');
	row.append(element('td', of.name), element('td', of.level, of.level === 'error' ? 'bad' : ''),
		element('td', seconds(of.age_s) + ' ago'), element('td', count(of.times)));
	return row;
}

function list(texts, otherwise) {
	return (texts.length ? texts : [otherwise]).map(text => element('li', text));
}

// A status that is written anew would be read aloud anew.
function say(text, className) {
	if (at('state').textContent === text) return;
	at('state').textContent = text;
	at('state').className = className;
}

function show(state) {
	document.title = (state.ready ? '' : '(!) ') + 'Penstock ' + state.pipeline;
	at('pipeline').textContent = state.pipeline;
	say(state.ready ? 'in order: ' + state.state : state.problems.join('; '),
		state.ready ? 'good' : 'bad');
	at('next').replaceChildren(...list(state.next, state.ready ? 'Nothing.'
		: 'Look at the log, and at penstock status.'));
	at('targets').replaceChildren(...state.targets.map(t => target(t, state.ages_s)));
	at('source').replaceChildren(...source(state.source));
	at('events').replaceChildren(...state.events.map(event));
	if (!state.events.length) {
		const row = element('tr'), cell = element('td', 'none since the start');
		cell.colSpan = 4;
		row.append(cell);
		at('events').append(row);
	}
	at('version').textContent = 'Penstock ' + state.version;
}

async function turn() {
	try {
		const answer = await fetch('state.json', { signal: AbortSignal.timeout(EVERY_MS) });
		if (!answer.ok) throw new Error(answer.status);
		show(await answer.json());
	} catch (error) {
		say('The follower does not answer: what is below is what it was like before.', 'bad');
		document.title = '(!) Penstock';
	}
	setTimeout(turn, EVERY_MS);
}

turn();
