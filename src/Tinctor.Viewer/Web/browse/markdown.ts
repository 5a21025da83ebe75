// Model cards. HTML in a card is shown as text, and links with other schemes than http, https and mailto stay text.

import markdown from 'markdown-it';

const renderer = markdown({ html: false, linkify: false });
renderer.validateLink = address => /^(https?:|mailto:|#)/i.test(address.trim());
// Cards come from files; pictures in them would be requests to other servers.
renderer.disable('image');

/** Renders Markdown as HTML that is safe to insert. */
export const renderMarkdown = (text: string): string => renderer.render(text.replace(/^---\n[\s\S]*?\n---\n/, ''))
  .replaceAll('<a ', '<a rel="noopener noreferrer" target="_blank" ')
  .replaceAll('<table>', '<div class="table" tabindex="0"><table>').replaceAll('</table>', '</table></div>');
