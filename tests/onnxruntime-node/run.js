// Runs a network on the Node.js binding of ONNX Runtime: node run.js MODEL INPUTS.json OUTPUT_NAME OUTPUT.bin
// INPUTS.json is a list of {name, type, dims, file}; files and the output are raw little-endian values.
import { readFileSync, writeFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";

const [model, inputs, outputName, output] = process.argv.slice(2);
const session = await InferenceSession.create(model);
const feeds = {};
for (const { name, type, dims, file } of JSON.parse(readFileSync(inputs, "utf8"))) {
    const bytes = readFileSync(file);
    const data = type === "bool" ? new Uint8Array(bytes) : new Float32Array(new Uint8Array(bytes).buffer);
    feeds[name] = new Tensor(type, data, dims);
}
const results = await session.run(feeds, [outputName]);
writeFileSync(output, new Uint8Array(results[outputName].data.buffer, results[outputName].data.byteOffset, results[outputName].data.byteLength));
