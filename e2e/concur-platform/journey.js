// Signs in with the legacy flow and works with reports, entries and images through
// the npm package concur-platform, which knows nothing of Quittance but its address
// (CONCUR_BASE_URI). Each step prints one line; a failure ends the run with status 1.
'use strict';

const assert = require('assert');
const fs = require('fs');
const concur = require('concur-platform');

const photo = fs.readFileSync(process.env.PHOTO);
const step = (name) => console.log('ok ' + name);

async function refused(name, call) {
  try {
    await call();
  } catch (error) {
    step(name);
    return error;
  }
  throw new Error(name + ' was not refused');
}

async function main() {
  const login = { username: 'ann@demo.test', password: 'ann-password', consumerKey: 'quittance-dev-observed' };
  await refused('a wrong password', () => concur.oauth.native({ ...login, password: 'wrong' }));
  const token = await concur.oauth.native(login);
  assert.ok(token.value && token.refreshToken && token.instanceUrl);
  assert.match(token.expiration, /^\d+\/\d+\/\d{4} \d+:\d\d:\d\d [AP]M$/);
  const oauthToken = token.value;
  step('sign in');

  const report = await concur.reports.send({ oauthToken, body: { Name: 'From the SDK', Purpose: 'A test' } });
  assert.match(report.ID, /^[0-9A-F]{20}$/);
  const read = await concur.reports.get({ oauthToken, id: report.ID });
  assert.strictEqual(read.Name, 'From the SDK');
  assert.strictEqual(read.ApprovalStatusCode, 'A_NOTF');
  assert.strictEqual(await concur.reports.put({ oauthToken, id: report.ID, body: { Name: 'Renamed' } }), 204);
  assert.strictEqual((await concur.reports.get({ oauthToken, id: report.ID })).Name, 'Renamed');
  step('make, read and rename a report');

  const all = [];
  for (let queryParameters = { limit: 1 }, more = true; more;) {
    const page = await concur.reports.get({ oauthToken, queryParameters });
    all.push(...page.Items);
    more = !!page.NextPage;
    if (more) queryParameters = { offset: new URL(page.NextPage).searchParams.get('offset') };
  }
  assert.ok(all.some((r) => r.ID === report.ID));
  step('walk all reports page by page');

  const entry = await concur.entries.send({
    oauthToken,
    body: {
      ReportID: report.ID, ExpenseTypeCode: 'TAXIX', PaymentTypeID: 'CASHX', TransactionDate: '2026-11-02',
      TransactionAmount: '10.100000000000001', TransactionCurrencyCode: 'USD', VendorDescription: 'City Cab',
    },
  });
  const lines = await concur.entries.get({ oauthToken, queryParameters: { reportID: report.ID } });
  assert.deepStrictEqual(lines.Items.map((e) => [e.ID, e.TransactionAmount]), [[entry.ID, 10.1]]);
  assert.strictEqual(await concur.entries.put({ oauthToken, id: entry.ID, body: { TransactionAmount: 12.5 } }), 204);
  assert.strictEqual((await concur.reports.get({ oauthToken, id: report.ID })).Total, 12.5);
  step('add and change an entry; the report adds up');

  const image = await concur.receipt.send({ oauthToken, image: photo, contentType: 'image/jpeg' });
  assert.ok(image);
  const link = await concur.receipt.get({ oauthToken, receiptId: image });
  const bytes = Buffer.from(await (await fetch(link.URI)).arrayBuffer());
  assert.ok(bytes.equals(photo));
  assert.strictEqual(await concur.receipt.delete({ oauthToken, receiptId: image }), 204);
  step('upload, fetch and remove a receipt image');

  assert.strictEqual(await concur.receipt.send({ oauthToken, entryId: entry.ID, image: photo, contentType: 'image/jpeg' }), entry.ID);
  assert.strictEqual((await concur.entries.get({ oauthToken, id: entry.ID })).HasImage, true);
  assert.strictEqual(await concur.receipt.send({ oauthToken, reportId: report.ID, image: photo, contentType: 'image/jpeg' }), report.ID);
  await refused('a second image on an entry', () => concur.receipt.send({ oauthToken, entryId: entry.ID, image: photo, contentType: 'image/jpeg' }));
  step('attach images to an entry and a report');

  await refused('a limit above the maximum', () => concur.reports.get({ oauthToken, queryParameters: { limit: 1000 } }));
  await refused('another user without the role', () => concur.reports.get({ oauthToken, queryParameters: { user: 'bob@demo.test' } }));
  const wrong = await refused('a name that is too long', () => concur.reports.put({ oauthToken, id: report.ID, body: { Name: 'x'.repeat(300) } }));
  assert.strictEqual(wrong.statusCode, 400);
  assert.ok(wrong.Message);

  assert.strictEqual(await concur.entries.delete({ oauthToken, id: entry.ID }), 204);
  assert.strictEqual((await concur.reports.get({ oauthToken, id: report.ID })).Total, 0);
  step('remove the entry');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
