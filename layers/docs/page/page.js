// Starts Swagger UI with the contract beside this page. Its calls go to the API that served the page.
"use strict";

// Swagger UI fills its forms with the contract's examples and sends them. The example of an optional field would do harm: a cursor of
// another list, the Idempotency-Key of another request. So optional fields stay empty.
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

// Browsers refuse a GET with a body. The only call with one accepts the same fields in the query; query fields of the form win.
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

// The contract as the page shows it: the same calls, with the address that this page's calls go to.
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
  // Show x-winnow-roles: the roles whose keys may make a call.
  showExtensions: true,
  // The key stays in the page's memory and disappears with the page.
  persistAuthorization: false,
  // No badge of an external validator.
  validatorUrl: null,
});
