// jsforce's Bulk 2.0 calls: read the org, compare, write what changed.   URL TOKEN REPORT.csv
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [url, token, report] = process.argv.slice(2);
const require = createRequire(process.env.NODE_MODULES + '/');
const jsforce = require('jsforce');
const { QueryJobV2 } = require('jsforce/lib/api/bulk2');
const { parse } = require('csv-parse/sync');

const fields = { Title: 'Job', First_Login__c: 'First Login', Last_Login__c: 'Last Login', Logins__c: '# Logins', Renewal__c: 'Renewal' };
const comparable = (name, text) => (name.includes('Login__c') ? Date.parse(text) : name === 'Logins__c' ? Number(text) : text);
const written = (name, text) => (name.includes('Login__c') ? new Date(text).toISOString() : text);

const conn = new jsforce.Connection({ instanceUrl: url, accessToken: token, version: '68.0' });
conn.bulk2.pollInterval = 1000;
conn.bulk2.pollTimeout = 600000;
// `conn.bulk2.query` pipes the pages of a result into one stream before the earlier ones have ended, and mixes their rows (seen with
// 3.10.16 and two pages), so the pages are fetched one by one here.
const query = `SELECT Id, Email, ${Object.keys(fields).join(', ')} FROM Lead`;
const job = new QueryJobV2(conn, { bodyParams: { query, operation: 'query' }, pollingOptions: { pollInterval: 1000, pollTimeout: 600000 } });
await job.open();
await job.poll(1000, 600000);
const org = new Map();
for (let locator = ''; locator !== 'null'; ) {
  const page = await fetch(`${url}/services/data/v68.0/jobs/query/${job.id}/results${locator && '?locator=' + locator}`, {
    headers: { Authorization: `Bearer ${token}`, Accept: 'text/csv' },
  });
  locator = page.headers.get('sforce-locator');
  for (const row of parse(await page.text(), { columns: true })) org.set(row.Email.toLowerCase(), row);
}
const changed = [];
for (const row of parse(readFileSync(report), { columns: true })) {
  const record = org.get(row['User ID'].toLowerCase());
  if (!record) continue;
  const change = { Id: record.Id };
  let any = false;
  for (const [name, column] of Object.entries(fields)) {
    const same = comparable(name, record[name]) === comparable(name, row[column]);
    change[name] = same ? '' : written(name, row[column]);
    any ||= !same;
  }
  if (any) changed.push(change);
}
if (changed.length) {
  const results = await conn.bulk2.loadAndWaitForResults({ object: 'Lead', operation: 'update', input: changed, pollTimeout: 600000, pollInterval: 1000 });
  if (results.failedResults.length) throw new Error(JSON.stringify(results.failedResults[0]));
}
console.log(`jsforce ${jsforce.VERSION ?? require('jsforce/package.json').version}, node ${process.version}: ${changed.length} records`);
