// Installs the packages of the viewer's pages if their list has changed, and bundles each page's script and style sheet.
// Usage: node bundle.js PAGES PACKAGES (writes the pages to PAGES, and packages.json with the packages that they contain to PACKAGES)

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { containedPackages, fail, failWith, install, loadEsbuild, packageNotice, writeWhole } from '../../../scripts/bundling.mjs';

const script = dirname(fileURLToPath(import.meta.url)), [pages, folder] = process.argv.slice(2, 4).map(path => resolve(path));
const entries = { index: 'browse/main.ts', view: 'view/main.ts', register: 'register/main.ts' };
const annotorious = '@annotorious/openseadragon';

// The security policy of the pages forbids compiled strings and style attributes in markup. Annotorious contains PixiJS, which compiles
// strings unless @pixi/unsafe-eval replaces a class: this class is exported, and given to @pixi/unsafe-eval in the place of @pixi/core.
// Style attributes are set as properties instead.
const styleAttribute = 'r.getAttribute(t) !== e && r.setAttribute(t, e);';
const annotoriousUnderPolicy = packages => ({
  name: 'annotorious-under-policy',
  setup(build) {
    const file = join(packages, annotorious, 'dist', 'annotorious-openseadragon.es.js');
    build.onResolve({ filter: /^@pixi\/core$/ }, () => ({ path: file }));
    build.onLoad({ filter: /annotorious-openseadragon\.es\.js$/ }, () => {
      const text = readFileSync(file, 'utf8');
      const name = [...text.slice(0, text.indexOf('\n  systemCheck() {')).matchAll(/^class (\w+)/gm)].at(-1)?.[1];
      if (!name || !text.includes('\n  syncUniforms(')) fail(`${file}: the class of PixiJS that compiles shaders was not found.`);
      if (!text.includes(styleAttribute)) fail(`${file}: the function that sets attributes was not found.`);
      const styled = text.replaceAll(styleAttribute, `t === "style" ? r.style.cssText = e : ${styleAttribute}`);
      return { contents: `${styled}\nexport { ${name} as ShaderSystem };\nexport const utils = { deprecation() {} };\n`, loader: 'js' };
    });
  },
});

async function bundle(packages) {
  const result = await loadEsbuild(packages).build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([page, file]) => [page, join(script, file)])), absWorkingDir: script,
    nodePaths: [packages], bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', outdir: join(pages, 'assets'),
    entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]', splitting: true, write: false, metafile: true,
    logLevel: 'silent', legalComments: 'none',
    plugins: [annotoriousUnderPolicy(packages)],
  });
  const contained = containedPackages(result.metafile, packages, [annotorious]);
  writeWhole(join(folder, 'packages.json'), JSON.stringify(contained, null, 2) + '\n');
  mkdirSync(join(pages, 'assets'), { recursive: true });
  const written = result.outputFiles.map(({ path, text }) => {
    writeWhole(path, `/* ${packageNotice(contained)} */\n${text}`);
    return path.slice(join(pages, 'assets').length + 1);
  });
  const head = readFileSync(join(script, 'head.html'), 'utf8');
  for (const page of Object.keys(entries)) {
    const asset = extension => `assets/${written.find(name => name.startsWith(`${page}-`) && name.endsWith(extension))}`;
    const html = readFileSync(join(script, `${page}.html`), 'utf8');
    const headed = html.replace(/\{\{head (.*?)\}\}\n/, (_, title) => head.replace('{{title}}', title)
      .replace('{{js}}', asset('.js')).replace('{{css}}', asset('.css')));
    writeWhole(join(pages, `${page}.html`), headed);
  }
  for (const name of readdirSync(join(pages, 'assets'))) if (!written.includes(name)) rmSync(join(pages, 'assets', name));
}

const packages = install(script, folder, 'the viewer');
await bundle(packages).catch(failWith);
