// Looks at pages with Lighthouse, as a phone on a slow line: `node lighthouse.mjs ADDRESS…` prints a line of JSON for
// each, its marks of 100 by category and what cost any. CHROME_PATH names the browser.
import { setPriority } from "node:os";

import { launch } from "chrome-launcher";
import lighthouse, { defaultConfig } from "lighthouse";

const audits = Object.values(defaultConfig.categories).flatMap((category) => category.auditRefs);
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
try {
  for (const address of process.argv.slice(2)) {
    const { lhr } = await lighthouse(address, { ...settings, port: browser.port });
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
