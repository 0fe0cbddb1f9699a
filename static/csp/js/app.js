/* Everything here is an enhancement: each control it touches is already a link, a form or a native element. */
import "./clock.js";
import "./keys.js";
import "./palette.js";
import "./composer.js";
import "./changes.js";
import "./page.js";
import "./toasts.js";
import "./passkeys.js";
