// The page's own part: it has Swagger UI show the contract that lies beside it, and try calls against the API that served it.
"use strict";

// Swagger UI fills a form with the contract's examples, and sends what stands in it. Of what needn't be sent the example would do harm: a
// cursor of another list, the Idempotency-Key of another request. Those fields stay empty.
function withoutOptionalExamples(node) {
  if (Array.isArray(node)) {
    return node.map(withoutOptionalExamples);
  }
  if (node === null || typeof node !== "object") {
    return node;
  }
  const isOptional = (node.in === "query" || node.in === "header") && node.required !== true && "schema" in node;
  const members = Object.entries(node).filter(([name]) => !(isOptional && (name === "example" || name === "examples")));
  return Object.fromEntries(members.map(([name, member]) => [name, withoutOptionalExamples(member)]));
}

// A browser refuses a GET that has a body. The one call that takes it takes the same fields in its query, where the form's own come first.
function bodyOfGetAsQuery(request) {
  if (request.method !== "GET" || !request.body) {
    return request;
  }
  const url = new URL(request.url, document.baseURI);
  for (const [name, value] of Object.entries(JSON.parse(request.body))) {
    if (!url.searchParams.has(name)) {
      url.searchParams.set(name, value);
    }
  }
  request.url = url.href;
  delete request.body;
  delete request.headers["Content-Type"];
  return request;
}

// What the page shows of the contract: the same calls, at the address that they will really be sent to.
function shown(contract) {
  return { ...withoutOptionalExamples(contract), servers: [{ url: new URL(".", document.baseURI).href }] };
}

SwaggerUIBundle({
  dom_id: "#viewer",
  url: "openapi.json",
  plugins: [{ statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (contract) => update(shown(contract)) } } } }],
  requestInterceptor: bodyOfGetAsQuery,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  // x-winnow-roles: whose keys may make a call.
  showExtensions: true,
  // The key stays in the page's memory, and goes with it.
  persistAuthorization: false,
  // No badge of a validator elsewhere.
  validatorUrl: null,
});
