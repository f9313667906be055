// Walks through the pages that people see, in a real Chromium: BASE is the server,
// CHROMIUM the browser, SCREENSHOTS a folder. Each step prints one line; a failure
// ends the run with status 1.
'use strict';

const assert = require('assert');
const http = require('http');
const path = require('path');
const { once } = require('events');
const { chromium } = require('playwright-core');
const { AxeBuilder } = require('@axe-core/playwright');

const base = process.env.BASE;
const application = { client_id: 'quittance-dev', client_secret: 'quittance-dev-secret' };
const callback = 'http://127.0.0.1/callback';
const step = (name) => console.log('ok ' + name);

const address = (changes = {}) => base + '/oauth2/v0/authorize?' + new URLSearchParams({
  client_id: application.client_id, redirect_uri: callback, response_type: 'code', scope: 'EXPRPT receipts.write', state: 'a&b', ...changes,
});
const oldAddress = (changes = {}) => base + '/net2/oauth2/Login.aspx?' + new URLSearchParams({
  client_id: application.client_id, redirect_uri: callback, scope: 'EXPRPT,IMAGE', state: '7', ...changes,
});

// The application: it notes where browsers are sent to, and has pages that try what
// other sites may try: to send a form in somebody's name, to frame the sign-in.
function startApplication() {
  const visits = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    if (url.pathname === '/callback') {
      visits.push(url.searchParams);
      response.end('<!DOCTYPE html><html lang="en"><link rel="icon" href="data:,"><title>Back</title><h1>Back at the application</h1></html>');
    } else if (url.pathname === '/forge') {
      response.end(`<!DOCTYPE html><link rel="icon" href="data:,"><form method="post" action="${address().replaceAll('&', '&amp;')}"><input name="username" value="ann@demo.test">` +
        '<input name="password" value="ann-password"><button>Win a prize</button></form>');
    } else if (url.pathname === '/frame') {
      response.end(`<!DOCTYPE html><link rel="icon" href="data:,"><iframe src="${address().replaceAll('&', '&amp;')}"></iframe>`);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  server.listen(0, '127.0.0.1');
  return { server, visits };
}

async function main() {
  const app = startApplication();
  await once(app.server, 'listening');
  const port = app.server.address().port;
  const browser = await chromium.launch({ // in a fresh folder of its own
    executablePath: process.env.CHROMIUM,
    headless: true,
    timeout: 60000,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // The registered address has port 80, which nobody may listen on without rights.
      `--host-resolver-rules=MAP 127.0.0.1:80 127.0.0.1:${port}`,
    ],
  });
  try {
    await scenarios(browser, app, port);
  } finally {
    await browser.close();
    app.server.close();
  }
}

async function scenarios(browser, app, port) {
  // visit opens a browser without history; what a policy blocks and what fails to
  // load are faults, but one that is expected, which must be there.
  async function visit(url, { expected, ...options }, walk) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(20000);
    const page = await context.newPage();
    const faults = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      // Chromium reports the status of a page that is an error as well.
      if (message.type() === 'error' && !/the server responded with a status of 40[03]/.test(message.text())) faults.push(`${message.text()} ${message.location().url}`);
    });
    const answer = await page.goto(url);
    await walk(page, answer);
    assert.deepStrictEqual(faults.filter((fault) => !expected?.test(fault)), []);
    assert.ok(!expected || faults.length > 0, 'nothing was blocked');
    await context.close();
  }

  const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();

  async function signIn(page, login = 'ann@demo.test', password = 'ann-password') {
    await page.getByLabel('User name').fill(login);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  // back waits until the browser is at the application, and gives what it brought.
  async function back(page) {
    await page.waitForURL(callback + '?**');
    await heading(page, 'Back at the application');
    assert.strictEqual(app.visits.length, 1);
    return app.visits.pop();
  }

  async function exchange(code) {
    return fetch(base + '/oauth2/v0/token', {
      method: 'POST',
      body: new URLSearchParams({ ...application, grant_type: 'authorization_code', redirect_uri: callback, code }),
    });
  }

  async function reports(authorization) {
    const answer = await fetch(base + '/api/v3.0/expense/reports', { headers: { Authorization: authorization, Accept: 'application/json' } });
    assert.strictEqual(answer.status, 200);
    return (await answer.json()).Items;
  }

  await visit(address(), {}, async (page) => {
    await signIn(page, 'ann@demo.test', 'wrong');
    await page.getByRole('alert').filter({ hasText: 'The user name or the password is wrong.' }).waitFor();
    assert.strictEqual(await page.getByLabel('User name').inputValue(), 'ann@demo.test');
    assert.strictEqual(await page.getByLabel('Password').inputValue(), '');
    assert.ok(await page.getByLabel('Password').evaluate((field) => field === document.activeElement));
    await page.getByLabel('Password').fill('ann-password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    step('a wrong password is told, the user name stays');

    await heading(page, 'Allow Development Client?');
    await page.getByText('Ann Archer').waitFor();
    await page.getByRole('link', { name: 'Use another account' }).click();
    await heading(page, 'Sign in');
    await signIn(page);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    const brought = await back(page);
    assert.strictEqual(brought.get('state'), 'a&b');
    assert.strictEqual(brought.get('geolocation'), base);
    const code = brought.get('code');
    const answer = await exchange(code);
    assert.strictEqual(answer.status, 200);
    const token = await answer.json();
    assert.strictEqual(token.token_type, 'Bearer');
    assert.ok((await reports('Bearer ' + token.access_token)).length > 0);
    assert.strictEqual((await exchange(code)).status, 400);
    step('sign in, allow, exchange the code once, call the API');
  });

  await visit(address(), {}, async (page) => {
    await signIn(page);
    await page.getByRole('button', { name: 'Do not allow' }).click();
    const brought = await back(page);
    assert.strictEqual(brought.get('error'), 'access_denied');
    assert.strictEqual(brought.get('state'), 'a&b');
    assert.strictEqual(brought.get('code'), null);
    step('do not allow');
  });

  await visit(oldAddress(), {}, async (page) => {
    await signIn(page, 'bob@demo.test', 'bob-password');
    await heading(page, 'Allow Development Client?');
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    const brought = await back(page);
    assert.strictEqual(brought.get('state'), '7');
    const answer = await fetch(base + '/net2/oauth2/GetAccessToken.ashx?' + new URLSearchParams({ ...application, code: brought.get('code') }));
    assert.strictEqual(answer.status, 200);
    const token = /<Token>([^<]+)<\/Token>/.exec(await answer.text())[1];
    await reports('OAuth ' + token);
    step('the same on Login.aspx, with the tokens of that time');
  });

  await visit(oldAddress(), {}, async (page) => {
    await signIn(page);
    await page.getByRole('button', { name: 'Do not allow' }).click();
    const brought = await back(page);
    assert.ok(brought.get('error') && brought.get('error_description') && !brought.get('code'));
    step('do not allow on Login.aspx');
  });

  // Nothing is ever sent to an address that is not registered.
  for (const [name, url] of Object.entries({
    'an address that is not registered': address({ redirect_uri: `http://127.0.0.1:${port}/callback` }),
    'more than the registered address': address({ redirect_uri: callback + '?x=1' }),
    'an unknown application': address({ client_id: 'nobody' }),
    'an address that is not registered, on Login.aspx': oldAddress({ redirect_uri: `http://127.0.0.1:${port}/callback` }),
  })) {
    await visit(url, {}, async (page, answer) => {
      assert.strictEqual(answer.status(), 400);
      await heading(page, 'This link does not work');
      assert.strictEqual(page.url(), url);
      assert.strictEqual(await page.locator('form, a').count(), 0);
      assert.strictEqual(app.visits.length, 0);
      step(name + ' is an error page');
    });
  }

  await visit(address({ response_type: 'token' }), {}, async (page) => {
    const brought = await back(page);
    assert.ok(brought.get('error') && !brought.get('code'));
    step('a wrong response type goes back to the application');
  });

  const refused = /open for too long, or your browser does not keep cookies/;
  await visit(address(), {}, async (page) => {
    await page.locator('input[name=csrf]').evaluate((field) => field.remove());
    await signIn(page);
    await page.getByRole('alert').filter({ hasText: refused }).waitFor();
    await signIn(page); // the page shown now has a form that works
    await heading(page, 'Allow Development Client?');
    await page.locator('input[name=csrf]').evaluate((field) => field.remove());
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: refused }).waitFor();
    await signIn(page);
    await heading(page, 'Allow Development Client?');
    await page.context().clearCookies();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: refused }).waitFor();
    assert.strictEqual(app.visits.length, 0);
    step('a form without its token or cookie is refused, twice over');
  });

  await visit(address(), {}, async (page) => { // a person who has a cookie of the server
    await page.goto(`http://localhost:${port}/forge`);
    const [request] = await Promise.all([
      page.waitForRequest((r) => r.method() === 'POST'),
      page.getByRole('button').click(),
    ]);
    assert.strictEqual((await (await request.response()).request().allHeaders()).cookie, undefined);
    await page.getByRole('alert').filter({ hasText: refused }).waitFor();
    assert.strictEqual(app.visits.length, 0);
    step('a form of another site is refused');
  });

  await visit(`http://localhost:${port}/frame`, { expected: /frame-ancestors|X-Frame-Options/ }, async (page) => {
    assert.strictEqual(page.frames().length, 2);
    assert.strictEqual(await page.frameLocator('iframe').getByLabel('Password').count(), 0);
    step('the pages cannot be framed');
  });

  await visit(address(), { javaScriptEnabled: false }, async (page) => {
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    const focus = async (role, name) => {
      const element = page.getByRole(role, { name, exact: true }).and(page.locator(':focus-visible'));
      await element.waitFor();
      const [style, width] = await element.evaluate((e) => [getComputedStyle(e).outlineStyle, parseFloat(getComputedStyle(e).outlineWidth)]);
      assert.ok(style === 'solid' && width >= 2, `${name}: the focus is not seen (${style} ${width}px)`);
    };
    await focus('textbox', 'User name');
    await page.keyboard.type('ann@demo.test');
    await press('Tab');
    await focus('textbox', 'Password');
    await page.keyboard.type('wrong');
    await press('Enter');
    await page.getByRole('alert').waitFor();
    await focus('textbox', 'Password');
    await page.keyboard.type('ann-password');
    await press('Tab');
    await focus('button', 'Sign in');
    await press('Space');
    await heading(page, 'Allow Development Client?');
    await press('Tab');
    await focus('link', 'Use another account');
    await press('Tab');
    await page.locator('summary:focus-visible').waitFor();
    await press('Enter');
    await page.getByText('EXPRPT receipts.write').waitFor();
    await press('Tab');
    await focus('button', 'Allow');
    await press('Tab');
    await focus('button', 'Do not allow');
    await press('Shift+Tab', 'Enter');
    assert.ok((await back(page)).get('code'));
    step('the whole way with the keyboard alone, and without scripts');
  });

  // Every page in both colour schemes, on a desk and on a phone.
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1280, 360]) {
      const judge = async (page, name) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html + ' ' + n.failureSummary).join('; ')}`);
        assert.deepStrictEqual(found, [], `${name}, ${colorScheme}, ${width} px`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than ${width} px`);
        await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      };
      await visit(address({ scope: '' }), { colorScheme, viewport: { width, height: 780 } }, async (page) => {
        await judge(page, 'sign-in');
        await signIn(page, 'ann@demo.test', 'wrong');
        await page.getByRole('alert').waitFor();
        await judge(page, 'refused');
        await signIn(page);
        await heading(page, 'Allow Development Client?');
        await page.locator('summary').click();
        await judge(page, 'consent');
        await page.goto(oldAddress());
        await judge(page, 'old-sign-in');
        await signIn(page);
        await heading(page, 'Allow Development Client?');
        await judge(page, 'old-consent');
        await page.goto(address({ redirect_uri: 'https://elsewhere.test/' }));
        await judge(page, 'problem');
      });
      step(`no fault of accessibility, ${colorScheme}, ${width} px`);
    }
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
