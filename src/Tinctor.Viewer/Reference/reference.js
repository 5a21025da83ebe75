// Lists the operations of the OpenAPI description.
const operations = document.getElementById("operations");

function element(name, text, ...children) {
    const created = document.createElement(name);
    if (text) created.textContent = text;
    created.append(...children);
    return created;
}

function typeOf(schema) {
    if (!schema) return "";
    if (schema.$ref) return schema.$ref.split("/").pop();
    const types = [schema.type].flat().filter(type => type && type !== "null");
    return types.includes("array") ? `${typeOf(schema.items)}[]` : types.includes("integer") ? "integer" : types.join(" or ");
}

function describe(method, path, operation) {
    const rows = (operation.parameters ?? []).map(parameter => element("tr", "",
        element("td", "", element("code", parameter.name)), element("td", parameter.in), element("td", typeOf(parameter.schema)),
        element("td", parameter.required ? "required" : "")));
    const answers = Object.entries(operation.responses ?? {}).map(([status, answer]) => {
        const contents = Object.entries(answer.content ?? {}).map(([type, content]) => `${type} ${typeOf(content.schema)}`.trim());
        return `${status} ${contents.join(", ")}`.trim();
    });
    return element("article", "", element("h3", "", element("code", `${method.toUpperCase()} ${path}`)), element("p", operation.summary),
        element("table", "", ...rows), element("p", `Answers: ${answers.join("; ")}`));
}

try {
    const answer = await fetch("/openapi/v1.json");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const description = await answer.json();
    const groups = Map.groupBy(Object.entries(description.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))),
            entry => entry.operation.tags?.[0] ?? "Other");
    operations.replaceChildren(...[...groups].map(([name, entries]) => element("section", "", element("h2", name),
        ...entries.map(entry => describe(entry.method, entry.path, entry.operation)))));
} catch (error) {
    operations.textContent = `The description cannot be loaded (${error.message}). Reload the page.`;
}
