// All words of the console, by screen.
import { count, duration, number, percent } from "./format.js";

export const strings = {
  common: {
    name: "Winnow",
    loading: "Loading …",
    tryAgain: "Try again",
    reload: "Reload",
    cancel: "Cancel",
    close: "Close",
    more: "Show more",
    nothing: "Nothing here.",
    copy: "Copy",
    copied: "Copied",
    interval: (/** @type {string} */ low, /** @type {string} */ high) => `95 % sure: ${low} to ${high}`,
  },

  nav: {
    main: "Main",
    skip: "Skip to the content",
    models: "Models",
    health: "Health",
    apiDocs: "API",
    ofModel: (/** @type {string} */ model) => `Model ${model}`,
    overview: "Overview",
    quality: "Quality",
    errors: "Errors",
    label: "Label",
    compare: "Compare",
    try: "Try",
  },

  status: {
    ready: "Ready",
    training: "Training",
    failed: "Failed",
    queued: "Queued",
    evaluating: "Measuring",
    cancelled: "Cancelled",
    running: "Running",
    live: "Live",
  },

  problem: {
    stale: "Changed meanwhile",
    staleDetail: "Somebody changed this since you opened it. Reload it, and look again before you decide.",
    changedBy: (/** @type {string} */ who, /** @type {string} */ when) =>
      `Changed by ${who} at ${when}. Reload it, and look again before you decide.`,
    somebody: "somebody",
    lost: "No connection",
    lostDetail: "The API did not answer. What you typed is still here, and nothing is done twice if you try again.",
    unexpected: "Something went wrong",
    retryAfter: (/** @type {number} */ seconds) => `Try again in ${duration(seconds)}.`,
  },

  key: {
    title: "Your API key",
    lead: "The console calls the API with your key. It is forgotten when you close this tab.",
    label: "API key",
    hint: "Whoever runs this deployment makes keys: make key NAME=… ROLE=admin",
    keep: "Keep it for this tab, also when I reload",
    open: "Open the console",
    checking: "Checking …",
    unknown: "The API does not know this key.",
    lostTitle: "This key no longer works",
    lostLead: "It was removed or has expired. Type another one: what you typed on this screen is still there.",
    forget: "Forget the key",
    role: { admin: "may change everything", predict: "may read and classify", classify: "may classify", none: "known by IAM" },
  },

  notFound: {
    title: "No such screen",
    lead: "The address names no screen of the console.",
    back: "Go to the models",
  },

  models: {
    title: "Models",
    lead: (/** @type {number} */ shown) => count(shown, "model"),
    new: "New model",
    model: "Model",
    statusColumn: "Status",
    live: "Live version",
    accuracy: "Accuracy",
    accepted: "Accepted",
    pending: "Pending feedback",
    drift: "Drift",
    none: "none",
    notMeasured: "not measured",
    drifted: "Drifted",
    steady: "Steady",
    off: "Off",
    filter: "Find a model",
    filterPlaceholder: "id, title or tag",
    noMatch: "No model matches.",
    emptyTitle: "Train your first model",
    emptyText:
      "Give Winnow a file of texts with their labels. It checks the file, trains a classifier, measures it, and serves it. " +
      "No file at hand? The sample has 640 questions to a bank with 13 labels.",
    emptySample: "Try it with the sample",
    emptyFile: "Use my own file",
    emptyReader: "There are no models yet. Your key may not train one.",
    classifyTitle: "Try a model",
    classifyText: "Your key may classify texts, and not list models. Type the id of a model to try it.",
    classifyId: "The model's id",
    classifyOpen: "Open",
  },

  new: {},

  training: {},

  quality: {},

  errors: {},

  label: {},

  compare: {},

  try: {},

  health: {},
};

export { count, duration, number, percent };
