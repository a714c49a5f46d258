// The same call as one types it elsewhere. The key is never part of it.

/** @param {string} url @param {any} body */
export function snippets(url, body) {
  const json = JSON.stringify(body);
  return {
    curl: `curl "${url}" -H "x-api-key: $WINNOW_API_KEY" -H "Content-Type: application/json" \\\n     -d '${json.replaceAll("'", `'\\''`)}'`,
    Python: `import os, requests

answer = requests.post(
    ${JSON.stringify(url)},
    json=${python(body)},
    headers={"x-api-key": os.environ["WINNOW_API_KEY"]},
    timeout=30,
)
answer.raise_for_status()
print(answer.json())`,
    JavaScript: `const answer = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: { "x-api-key": process.env.WINNOW_API_KEY, "Content-Type": "application/json" },
  body: JSON.stringify(${json}),
});
if (!answer.ok) throw new Error((await answer.json()).detail);
console.log(await answer.json());`,
  };
}

/** A value as Python writes it. JSON's strings are Python's too. @param {any} value @returns {string} */
function python(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, it]) => `${JSON.stringify(name)}: ${python(it)}`).join(", ")}}`;
  return JSON.stringify(value);
}
