// Looks at the page of a follower in headless Chromium, for page.t.
//
//     node --experimental-websocket look.js URL AXE DIRECTORY
//
// Four times: light and dark, wide and 360 pixels wide.  Prints a line for each
// finding of axe-core (whose script is the file AXE), for a page that is wider
// than the window, for what is asked of other hosts, and for errors of the page;
// nothing if all is well.  Leaves a picture of each in DIRECTORY.
'use strict';

const { spawn } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const [url, axe, directory] = process.argv.slice(2);
const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'look-'));
const browser = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu',
	'--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run', '--disable-extensions',
	'--remote-debugging-port=0', '--user-data-dir=' + profile, 'about:blank'],
	{ stdio: ['ignore', 'ignore', 'pipe'] });

// It says where it listens.
const address = new Promise((found, failed) => {
	let said = '';
	browser.stderr.on('data', data => {
		said += data;
		const match = said.match(/DevTools listening on (ws:\S+)/);
		if (match) found(match[1]);
	});
	browser.on('exit', () => failed(new Error('the browser has ended:\n' + said)));
});

class Talk {
	constructor(socket) {
		this.socket = socket;
		this.number = 0;
		this.answers = new Map();
		this.events = [];
		socket.onmessage = message => this.hear(JSON.parse(message.data));
	}
	hear(message) {
		if (message.id === undefined) { this.events.push(message); return; }
		const { found, failed } = this.answers.get(message.id);
		this.answers.delete(message.id);
		if (message.error) failed(new Error(message.error.message)); else found(message.result);
	}
	ask(method, params = {}) {
		const id = ++this.number;
		this.socket.send(JSON.stringify({ id, method, params, sessionId: this.session }));
		return new Promise((found, failed) => this.answers.set(id, { found, failed }));
	}
	async value(expression) {
		const answer = await this.ask('Runtime.evaluate',
			{ expression, awaitPromise: true, returnByValue: true });
		if (answer.exceptionDetails)
			throw new Error(JSON.stringify(answer.exceptionDetails));
		return answer.result.value;
	}
}

async function open() {
	const socket = new WebSocket(await address);
	await new Promise((found, failed) => { socket.onopen = found; socket.onerror = failed; });
	const talk = new Talk(socket);
	const { targetId } = await talk.ask('Target.createTarget', { url: 'about:blank' });
	const { sessionId } = await talk.ask('Target.attachToTarget', { targetId, flatten: true });
	talk.session = sessionId;
	for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await talk.ask(domain + '.enable');
	return talk;
}

async function look(talk, scheme, width) {
	const name = scheme + '-' + width;
	const findings = [];

	talk.events = [];
	await talk.ask('Emulation.setDeviceMetricsOverride',
		{ width, height: 900, deviceScaleFactor: 1, mobile: width < 500 });
	await talk.ask('Emulation.setEmulatedMedia',
		{ features: [{ name: 'prefers-color-scheme', value: scheme }] });
	await talk.ask('Page.navigate', { url });
	await talk.value(`new Promise(found => { const wait = () =>
		document.querySelector && document.querySelector('#targets article') ? found(true)
		: setTimeout(wait, 100); wait(); })`);
	await talk.value(fs.readFileSync(axe, 'utf8') + '; true');
	const { violations } = JSON.parse(await talk.value(
		'axe.run(document, { resultTypes: ["violations"] }).then(r => JSON.stringify({ violations: r.violations }))'));
	for (const v of violations)
		findings.push(v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(' '));
	const wide = await talk.value('document.documentElement.scrollWidth');
	if (wide > width) findings.push('the page is ' + wide + ' pixels wide');
	for (const { method, params } of talk.events) {
		if (method === 'Network.requestWillBeSent' && !params.request.url.startsWith(url)
			&& !params.request.url.startsWith('data:'))
			findings.push('asks for ' + params.request.url);
		if (method === 'Runtime.exceptionThrown' || (method === 'Log.entryAdded' && params.entry.level === 'error'))
			findings.push('error: ' + JSON.stringify(params));
	}
	const { data } = await talk.ask('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
	fs.writeFileSync(path.join(directory, name + '.png'), Buffer.from(data, 'base64'));
	for (const finding of findings) console.log(name + ': ' + finding);
}

async function main() {
	const talk = await open();
	for (const scheme of ['light', 'dark'])
		for (const width of [1200, 360])
			await look(talk, scheme, width);
}

main().catch(error => { console.log(String(error.stack)); }).finally(() => {
	browser.removeAllListeners('exit');
	browser.on('exit', () => { fs.rmSync(profile, { recursive: true, force: true }); process.exit(0); });
	browser.kill();
});
