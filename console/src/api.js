// The client of the API that served this page. Each write is sent once, or again with the same Idempotency-Key.

/** @typedef {{status: number, body: any, etag: string | null, retryAfter: number | null}} Answer */
/** @typedef {{query?: Record<string, any>, body?: any, ifMatch?: string | null, idempotencyKey?: string, signal?: AbortSignal}} Options
 * idempotencyKey: of a request that somebody keeps to send it again, also after a reload */
/** @typedef {{name: string | null, kind: string, role: "classify" | "predict" | "admin" | null, key_id: string | null,
 *   limits: {requests_per_second: number, requests_per_day: number} | null, used_today: number | null}} Whoami */

// The calls that take an Idempotency-Key (openapi.yaml).
const REPEATABLE = [/^POST models$/, /^POST models\/[^/]+\/examples$/, /^PATCH models\/[^/]+\/labels$/, /^POST models\/[^/]+\/batches$/];
const TRIES = 3;
const LONGEST_WAIT = 20;

/** An answer that refuses: a problem detail (RFC 9457). `status` is 0 if there was no answer at all. */
export class ApiError extends Error {
  /** @param {number} status @param {any} problem @param {number | null} [retryAfter] */
  constructor(status, problem, retryAfter = null) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    /** @type {string} */
    this.title = problem.title ?? "";
    /** @type {string} */
    this.detail = problem.detail ?? "";
    /** @type {string} the last part of the problem's type, such as "stale" */
    this.kind = String(problem.type ?? "").split(":").pop() ?? "";
    /** @type {string | undefined} */
    this.field = problem.field;
    /** @type {any} all members of the problem */
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

export class Api {
  /** @param {string} key @param {URL} [base] */
  constructor(key, base = new URL(".", document.baseURI)) {
    this.key = key;
    this.base = base;
    /** @type {Whoami | null} */
    this.whoami = null;
    /** Called when the API no longer knows the key. */
    this.onKeyLost = () => {};
    /** The Idempotency-Keys of writes whose answer never came, by what was sent. @type {Map<string, string>} */
    this.unanswered = new Map();
  }

  /** Whether the key may change things. A caller known by IAM has no role: the API decides. */
  get mayEdit() {
    return this.whoami?.role === "admin" || this.whoami?.role === null;
  }

  /** Whether the key may read models. */
  get mayRead() {
    return this.mayEdit || this.whoami?.role === "predict";
  }

  /** The body of GET path. @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] */
  async get(path, query, signal) {
    return (await this.call("GET", path, { query, signal })).body;
  }

  /**
   * Make a call. path: without a slash at its beginning, such as `models/${encodeURIComponent(id)}`. Throws ApiError.
   * A call that is refused for its frequency waits and is sent again. So is a call without an answer, if that can do no harm.
   * @param {string} method @param {string} path @param {Options} [options] @returns {Promise<Answer>}
   */
  async call(method, path, { query, body, ifMatch, idempotencyKey, signal } = {}) {
    const url = this.url(path, query);
    const sent = body === undefined ? undefined : JSON.stringify(body);
    /** @type {Record<string, string>} */
    const headers = { "x-api-key": this.key };
    if (sent !== undefined) headers["Content-Type"] = "application/json";
    if (ifMatch) headers["If-Match"] = ifMatch;
    const deed = `${method} ${path} ${sent}`;
    const repeatable = REPEATABLE.some((call) => call.test(`${method} ${path}`)) && body?.dry_run !== true;
    if (repeatable) {
      // The same request again, also when somebody presses the button again, has the key of the request that got no answer.
      if (idempotencyKey || !this.unanswered.has(deed)) this.unanswered.set(deed, idempotencyKey ?? uuid());
      headers["Idempotency-Key"] = /** @type {string} */ (this.unanswered.get(deed));
    }
    const harmless = repeatable || method === "GET" || body?.dry_run === true || path === "prediction";
    for (let tried = 1; ; tried++) {
      const answer = await this.once(url, { method, headers, body: sent, signal });
      const wait = waitBefore(answer, tried, harmless);
      if (wait !== null) {
        await pause(wait, signal);
        continue;
      }
      if (answer instanceof ApiError) {
        // 5xx may hide a success, and so does no answer: the next try has the same key.
        if (answer.status > 0 && answer.status < 500) this.unanswered.delete(deed);
        if (answer.status === 403 && path !== "whoami") await this.checkKey();
        throw answer;
      }
      this.unanswered.delete(deed);
      return answer;
    }
  }

  /** @param {string} path @param {Record<string, any>} [query] */
  url(path, query = {}) {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, String(value));
    }
    return url;
  }

  /** One request. @param {URL} url @param {RequestInit} request @returns {Promise<Answer | ApiError>} */
  async once(url, request) {
    /** @type {Response} */
    let response;
    try {
      response = await fetch(url, { ...request, cache: "no-store", credentials: "omit", redirect: "error" });
    } catch (error) {
      if (request.signal?.aborted) throw error;
      return new ApiError(0, { type: "lost-network" });
    }
    const retryAfter = Number(response.headers.get("Retry-After")) || null;
    /** @type {any} */
    let body = null;
    try {
      const text = await response.text();
      const isJson = (response.headers.get("Content-Type") ?? "").includes("json") && !/jsonl|ndjson/.test(response.headers.get("Content-Type") ?? "");
      body = isJson && text ? JSON.parse(text) : text;
    } catch (error) {
      if (request.signal?.aborted) throw error;
      return new ApiError(0, { type: "lost-network" });
    }
    if (response.ok) return { status: response.status, body, etag: response.headers.get("ETag"), retryAfter };
    return new ApiError(response.status, typeof body === "object" && body ? body : { title: response.statusText }, retryAfter);
  }

  /** Whose key it is. Throws ApiError. */
  async identify() {
    const { body } = await this.call("GET", "whoami");
    this.whoami = body;
    return /** @type {Whoami} */ (body);
  }

  /** After a 403: a key that has no identity any more is lost; otherwise only this call is not allowed. */
  async checkKey() {
    try {
      await this.identify();
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) this.onKeyLost();
    }
  }

  /**
   * Upload a file to S3 at the address that the API gives. Returns what POST /models needs.
   * @param {File | Blob} file @param {string} name @param {(share: number) => void} [onProgress] @param {AbortSignal} [signal]
   * @returns {Promise<{s3bucket: string, training_object: string}>}
   */
  async upload(file, name, onProgress = () => {}, signal = undefined) {
    const { body: place } = await this.call("POST", "datasets", { body: { name, bytes: file.size }, signal });
    // fetch tells nothing of an upload's progress.
    await new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      request.open("PUT", place.upload_url);
      for (const [header, value] of Object.entries(place.headers)) request.setRequestHeader(header, String(value));
      request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
      request.onerror = () => fail(new ApiError(0, { type: "lost-network" }));
      request.onabort = () => fail(new DOMException("aborted", "AbortError"));
      request.onload = () =>
        // 412: an earlier PUT of this upload has arrived.
        request.status < 300 || request.status === 412
          ? done(undefined)
          : fail(new ApiError(request.status, { type: "upload-refused", title: `S3: ${request.status}` }));
      signal?.addEventListener("abort", () => request.abort());
      request.send(file);
    });
    return { s3bucket: place.s3bucket, training_object: place.training_object };
  }
}

/**
 * The seconds to wait before the same request is sent again, or null to stop trying.
 * @param {Answer | ApiError} answer @param {number} tried @param {boolean} harmless
 */
function waitBefore(answer, tried, harmless) {
  if (!(answer instanceof ApiError) || tried >= TRIES) return null;
  if (answer.status === 429) {
    const wait = answer.retryAfter ?? 1;
    return wait <= LONGEST_WAIT ? wait : null;
  }
  const lost = answer.status === 0 || answer.status === 502 || answer.status === 504;
  return lost && harmless ? tried * 0.5 : null;
}

/** @param {number} seconds @param {AbortSignal} [signal] @returns {Promise<void>} */
export function pause(seconds, signal) {
  return new Promise((done, fail) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      fail(new DOMException("aborted", "AbortError"));
    });
  });
}

/** A random UUID (RFC 9562, version 4). crypto.randomUUID is missing on pages without TLS. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
