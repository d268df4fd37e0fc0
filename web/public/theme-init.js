// Runs before the first paint so that a dark-mode reader never sees a white flash.
// It is a file of its own because the content security policy allows no inline script.
(function () {
  var choice = 'auto';
  try {
    choice = localStorage.getItem('xr2-color-scheme') || 'auto';
  } catch (_) {
    // Storage may be blocked; the system's preference is used then.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
