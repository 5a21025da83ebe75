// Versions of an embedded image: source, stained by each model, real.

import { gallery, models } from './data.js';

/** Pairs of a role and its title. */
export const roles = [
  ...(gallery?.images.every(i => i.source) ? [['source', 'Source']] : []),
  ...models.map(m => [`model:${m.key}`, m.title]), ['real', 'Real'],
];
export const roleTitle = Object.fromEntries(roles);
export const roleImage = (entry, role) => role.startsWith('model:') ? entry.stained[role.slice(6)] : entry[role];
