/** Where the server is and who signs in. The tests run against a real server, so all three are needed. */
function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set. The browser tests need a running xr2: set XR2_E2E_URL, XR2_E2E_EMAIL and XR2_E2E_PASSWORD.`);
    process.exit(2);
  }
  return value;
}

export const url = required('XR2_E2E_URL').replace(/\/$/, '');
export const email = required('XR2_E2E_EMAIL');
export const password = required('XR2_E2E_PASSWORD');
export const chromiumPath = process.env.XR2_E2E_CHROMIUM ?? '/usr/bin/chromium';
/** Generous, because the machine may be busy; what must be quick asserts its own limit. */
export const patience = 15_000;
