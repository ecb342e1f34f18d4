// Has a part of a page fetched anew when the line held open for it says that there is something.
"use strict";

for (const part of document.querySelectorAll("[data-events]")) {
  const line = new EventSource(part.dataset.events);
  line.onmessage = () => window.htmx.trigger(part, "news");
  window.addEventListener("pagehide", () => line.close());
}
