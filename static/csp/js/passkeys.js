/* Passkeys: the browser proves who it is, the form carries the proof. Without scripts there is the password. */
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const unpacked = ({ publicKey }) => {
  const options = structuredClone(publicKey);
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const list of ["excludeCredentials", "allowCredentials"])
    options[list] = options[list]?.map((known) => ({ ...known, id: bytes(known.id) }));
  return { publicKey: options };
};

const packed = (made) => {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (made.response[part]) response[part] = text(made.response[part]);
  const proof = { id: made.id, rawId: text(made.rawId), type: made.type, response };
  return JSON.stringify({ ...proof, clientExtensionResults: made.getClientExtensionResults() });
};

const make = (options) => {
  options.publicKey.authenticatorSelection = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  return navigator.credentials.create(options);
};

const asked = async (form) => {
  const inPage = document.getElementById("passkey-options");
  if (inPage) return JSON.parse(inPage.textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no options");
  return answer.json();
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !window.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    try {
      const { creation_options: creating, request_options: proving } = await asked(form);
      const made = creating ? await make(unpacked(creating)) : await navigator.credentials.get(unpacked(proving));
      form.elements.credential.value = packed(made);
      form.requestSubmit();
    } catch {
      form.querySelector("[data-passkey-problem]").hidden = false;
    }
  });
}
