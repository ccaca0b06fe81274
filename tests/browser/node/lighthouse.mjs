// Looks at pages with Lighthouse, as a phone on a slow line: `node lighthouse.mjs ADDRESS…` prints a line of JSON for
// each, its marks of 100 by category and what cost any. CHROME_PATH names the browser.
import { setPriority } from "node:os";

import { launch } from "chrome-launcher";
import lighthouse, { defaultConfig } from "lighthouse";

const audits = Object.values(defaultConfig.categories).flatMap((category) => category.auditRefs);
const PHONE = 375; // Lighthouse's own measure of speed for the phone that it imagines, a quarter of a fast machine's
const settings = {
  onlyAudits: audits.filter((audit) => audit.weight > 0).map((audit) => audit.id), // the others change no mark
  disableFullPageScreenshot: true, // a picture for a report that nobody opens
  logLevel: "error",
};

try {
  setPriority(-15); // the browser's too: it is the page that is measured, not what else this machine does
} catch {
  // Only root may.
}
const browser = await launch({ chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"] });
const addresses = process.argv.slice(2);

// How much slower that phone is than this machine, as fast as it is just now. Unasked, Lighthouse takes every machine for
// a fast one, and so imagines a phone that nobody has: see docs/throttling.md in its repository.
async function slowdown() {
  const once = { onlyAudits: ["viewport"], logLevel: "error", port: browser.port };
  const { lhr } = await lighthouse(addresses[0], once);
  return Math.min(4, Math.max(1, lhr.environment.benchmarkIndex / PHONE));
}

try {
  const throttling = { cpuSlowdownMultiplier: await slowdown() };
  for (const address of addresses) {
    const { lhr } = await lighthouse(address, { ...settings, throttling, port: browser.port });
    if (lhr.runtimeError) throw new Error(`${address}: ${lhr.runtimeError.message}`);
    const marks = Object.values(lhr.categories).map(({ id, score }) => [id, score && Math.round(score * 100)]);
    const faults = Object.values(lhr.audits)
      .filter(({ score }) => score !== null && score < 1)
      .map(({ title, displayValue, details }) => ({ title, displayValue, where: details?.items?.slice(0, 5) }));
    console.log(JSON.stringify({ marks: Object.fromEntries(marks), faults }));
  }
} finally {
  browser.kill();
}
