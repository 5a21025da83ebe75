import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './modules.mjs';

const { renderMarkdown } = await load('browse/markdown.ts');
const { problemText } = await load('api.ts');

test('HTML in cards is text, and scripts have no links', () => {
  const html = renderMarkdown('<img src=x onerror=alert(1)> [a](javascript:alert(1)) '
    + '[b](https://example.org) ![c](https://example.org/c.png)');
  assert.doesNotMatch(html, /<img|href="javascript/i);
  assert.match(html, /<a [^>]*href="https:\/\/example\.org"/);
});

test('the head of a card with its settings is left out, and tables scroll', () => {
  const html = renderMarkdown('---\nlicense: mit\n---\n# Title\n\n| a |\n|---|\n| 1 |\n');
  assert.doesNotMatch(html, /license/);
  assert.match(html, /<h1>Title<\/h1>/);
  assert.match(html, /<div class="table" tabindex="0"><table>/);
});

test('problems are stated in the words of the server, and tokens and busy servers in ours', () => {
  assert.equal(problemText(422, { title: 'Unreadable', detail: 'a.svs: the file ends too early.' }), 'a.svs: the file ends too early.');
  assert.equal(problemText(500, null), 'The server answered with status 500.');
  assert.match(problemText(401, null), /token/);
  assert.match(problemText(429, null), /busy/);
});
