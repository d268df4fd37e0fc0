/** Where the server is and who signs in. The tests run against a real server, so all three are needed. */
function required(name) {
  // The second name is the one under which every kind of test finds its server.
  const value = process.env[`XR2_E2E_${name}`] ?? process.env[`XR2_TEST_${name}`];
  if (!value) {
    console.error(`XR2_E2E_${name} is not set. The browser tests need a running xr2: set XR2_E2E_URL, XR2_E2E_EMAIL and XR2_E2E_PASSWORD.`);
    process.exit(2);
  }
  return value;
}

export const url = required('URL').replace(/\/$/, '');
export const email = required('EMAIL');
export const password = required('PASSWORD');
export const chromiumPath = process.env.XR2_E2E_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Generous, because the machine may be busy: a wait ends as soon as it is over. */
export const patience = 60_000;
