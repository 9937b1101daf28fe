// Taking an instance out of service and putting it back, once a person has agreed to that.

import { byId, say } from "./elements.js";

const PATIENCE_MS = 10_000;

const ANSWERS = {
  401: "This node does not know you any more. Load the page again.",
  403: "Your role may not change anything.",
  404: "The instance is gone.",
  429: "Too many requests; wait a moment.",
  503: "Not written for certain: no leader with a quorum answered in time. Look, then try again.",
};

const QUESTIONS = {
  out: {
    title: "Take out of service?",
    text: (app, id) => `Clients will stop calling ${id} of ${app} when they next read the registry. It keeps its lease, and stays out until it is put back.`,
    action: "Take out of service",
    method: "PUT",
    value: "OUT_OF_SERVICE",
  },
  back: {
    title: "Put back in service?",
    text: (app, id) => `The override of ${id} of ${app} is removed, and it is shown as UP until it says otherwise itself.`,
    action: "Put back",
    method: "DELETE",
    value: "UP",
  },
};

let write = null;

export function begin() {
  const dialog = byId("confirm");
  byId("confirm-no").addEventListener("click", () => dialog.close());
  byId("confirm-yes").addEventListener("click", () => write());
}

/** Whether a path can name it: these two are no names in a URL. */
export const isNameable = (app, id) => ![app, id].some((name) => name === "." || name === "..");

/** Asks first; `done` is called once it is written. */
export function ask(kind, app, id, done) {
  const question = QUESTIONS[kind];
  const dialog = byId("confirm");
  say(byId("confirm-title"), question.title);
  say(byId("confirm-text"), question.text(app, id));
  say(byId("confirm-yes"), question.action);
  say(byId("confirm-error"), "");
  byId("confirm-yes").disabled = false;
  write = async () => {
    byId("confirm-yes").disabled = true;
    say(byId("confirm-error"), "");
    const failure = await send(question, app, id);
    byId("confirm-yes").disabled = false;
    if (failure === null) {
      dialog.close();
      done();
    } else {
      say(byId("confirm-error"), failure);
    }
  };
  dialog.showModal();
  byId("confirm-no").focus();
}

async function send({ method, value }, app, id) {
  const path = `/eureka/apps/${encodeURIComponent(app)}/${encodeURIComponent(id)}/status?value=${value}`;
  try {
    const answer = await fetch(path, { method, signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.ok ? null : (ANSWERS[answer.status] ?? `The node answered ${answer.status}.`);
  } catch {
    return "The node did not answer. It may have been written or not.";
  }
}
