// Uses or makes a passkey for a form of ours: options in, the browser's answer into a hidden field, and the form goes.
"use strict";

const PREFIX = "fieldkeep-order/v1\n";

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function read(options) {
  const found = JSON.parse(options);
  found.challenge = bytes(found.challenge);
  if (found.user) found.user.id = bytes(found.user.id);
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (found[list]) found[list] = found[list].map((each) => ({ ...each, id: bytes(each.id) }));
  }
  return found;
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {},
  });
}

// What a person reads on the page is what the challenge is of, or nothing is signed.
async function isShown(challenge) {
  const shown = document.querySelector("[data-payload]").textContent;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(PREFIX + shown));
  return text(digest) === text(challenge);
}

async function go(form) {
  const options = read(form.dataset.options);
  if ("order" in form.dataset && !(await isShown(options.challenge))) throw new Error("not what is shown");
  const asked = { publicKey: options };
  const make = form.dataset.passkey === "create";
  const credential = make ? await navigator.credentials.create(asked) : await navigator.credentials.get(asked);
  form.elements.answer.value = written(credential);
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button[type=submit]");
  const said = form.querySelector("[data-failed]");
  button.disabled = !window.PublicKeyCredential;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = "";
    go(form).catch((error) => {
      button.disabled = false;
      said.textContent = said.dataset.failed + " (" + error.name + ")";
    });
  });
}
