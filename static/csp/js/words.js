/* The words that scripts say come from the server, in the reader's language. */
const carrier = document.querySelector('meta[name="csp-words"]');

export const words = carrier ? JSON.parse(carrier.content) : {};

/** Fills `%(name)s` in a sentence. */
export const fill = (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_match, name) => values[name] ?? "");
