"""The web console: pages for IT over the office and the gate; no build step, scripts for passkeys and news alone."""
